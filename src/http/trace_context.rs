//! The context of a trace (W3C Trace Context, level 1).
//!
//! ```text
//!  traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//!               └ version └ trace                   └ span            └ flags: 01 is sampled
//!  tracestate:  rojo=00f067aa0ba902b7,congo=t61rcWkgMzE
//! ```

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::Fields;

/// Where a request belongs in a trace that crosses services: the fields `traceparent` and
/// `tracestate`.
///
/// ```
/// use barewire::http::{Field, Fields, TraceContext};
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let list = [Field::new("traceparent", text), Field::new("tracestate", "rojo=1, congo=2")];
/// let caller = TraceContext::of(&Fields::new(&list)).unwrap();
/// assert!(caller.is_sampled());
/// // Our own span, which is what we tell the services that we call.
/// let ours = caller.child([1; 8]).unwrap();
/// assert_eq!(ours.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0101010101010101-01");
/// assert_eq!(ours.state(), "rojo=1,congo=2");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    is_sampled: bool,
    state: String,
}

/// A text that is no `traceparent`, or an id of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
pub struct InvalidTrace;

/// Members of a tracestate (§3.3.1.1).
const MEMBERS: usize = 32;
/// Bytes of a tracestate that are passed on, as many as everybody has to (§3.3.1.5).
const STATE: usize = 512;
/// Bytes of a traceparent of version 00.
const LENGTH: usize = 55;

impl TraceContext {
    /// A new trace, and its first span. The ids are to be drawn at random.
    ///
    /// # Errors
    /// [`InvalidTrace`] if one of them is zero throughout.
    pub fn new(trace: [u8; 16], span: [u8; 8], is_sampled: bool) -> Result<Self, InvalidTrace> {
        if trace == [0; 16] || span == [0; 8] {
            return Err(InvalidTrace);
        }
        Ok(Self {
            trace,
            span,
            is_sampled,
            state: String::new(),
        })
    }

    /// The context that a message was sent with: `None` without exactly one valid
    /// traceparent. A tracestate that is malformed is dropped; one that is longer than 512
    /// bytes loses its last members (§3.3.1.5).
    pub fn of(fields: &Fields<'_>) -> Option<Self> {
        let mut parents = fields.get_all("traceparent");
        let (Some(parent), None) = (parents.next(), parents.next()) else {
            return None;
        };
        let mut context: Self = core::str::from_utf8(parent).ok()?.parse().ok()?;
        context.state = state_of(fields).unwrap_or_default();
        Some(context)
    }

    /// The same trace, with a span of this id: a child of the one at hand.
    ///
    /// # Errors
    /// [`InvalidTrace`] if the id is zero throughout.
    pub fn child(&self, span: [u8; 8]) -> Result<Self, InvalidTrace> {
        let child = Self::new(self.trace, span, self.is_sampled)?;
        Ok(Self {
            state: self.state.clone(),
            ..child
        })
    }

    /// The id of the trace.
    pub const fn trace_id(&self) -> [u8; 16] {
        self.trace
    }

    /// The id of the span; `parent-id` to whom the context is sent.
    pub const fn span_id(&self) -> [u8; 8] {
        self.span
    }

    /// Whether the caller may have recorded the trace.
    pub const fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// The tracestate, the entry that was changed last in front; empty if there is none.
    pub fn state(&self) -> &str {
        &self.state
    }
}

/// As `traceparent` is sent.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (
            u128::from_be_bytes(self.trace),
            u64::from_be_bytes(self.span),
        );
        let flags = u8::from(self.is_sampled);
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

/// Parses a `traceparent`, also of a later version, of which the parts known here are read
/// (§3.2.4). The state is empty.
impl FromStr for TraceContext {
    type Err = InvalidTrace;

    fn from_str(text: &str) -> Result<Self, InvalidTrace> {
        let bytes = text.as_bytes();
        let version = hex::<1>(bytes, 0).ok_or(InvalidTrace)?;
        let is_whole = match (version, bytes.get(LENGTH)) {
            ([0xff], _) | ([0], Some(_)) => false,
            (_, next) => bytes.len() >= LENGTH && next.is_none_or(|&byte| byte == b'-'),
        };
        let dashes = [2, 35, 52].iter().all(|&at| bytes.get(at) == Some(&b'-'));
        if !is_whole || !dashes {
            return Err(InvalidTrace);
        }
        let trace = hex::<16>(bytes, 3).ok_or(InvalidTrace)?;
        let span = hex::<8>(bytes, 36).ok_or(InvalidTrace)?;
        let [flags] = hex::<1>(bytes, 53).ok_or(InvalidTrace)?;
        Self::new(trace, span, flags & 1 != 0)
    }
}

/// `N` bytes in lower-case hexadecimal digits.
fn hex<const N: usize>(text: &[u8], from: usize) -> Option<[u8; N]> {
    let digit = |at: usize| match *text.get(at)? {
        byte @ b'0'..=b'9' => Some(byte - b'0'),
        byte @ b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (nth, byte) in bytes.iter_mut().enumerate() {
        let at = from + 2 * nth;
        *byte = digit(at)? << 4 | digit(at + 1)?;
    }
    Some(bytes)
}

/// The state that is passed on; `None` if it is malformed.
fn state_of(fields: &Fields<'_>) -> Option<String> {
    let mut state = String::new();
    let mut is_full = false;
    let mut keys: [&str; MEMBERS] = [""; MEMBERS];
    let mut count = 0;
    for line in fields.get_all("tracestate") {
        let line = core::str::from_utf8(line).ok()?;
        for member in line.split(',').map(str::trim) {
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) || keys.contains(&key) {
                return None;
            }
            *keys.get_mut(count)? = key; // more are malformed
            count += 1;
            let comma = usize::from(!state.is_empty());
            is_full |= state.len() + comma + member.len() > STATE;
            if !is_full {
                state.push_str(if comma == 1 { "," } else { "" });
                state.push_str(member);
            }
        }
    }
    Some(state)
}

/// A vendor, or a tenant of one (§3.3.1.3.1).
fn is_key(key: &str) -> bool {
    let is_rest = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'_' | b'-' | b'*' | b'/')
    };
    let starts = |part: &str, digit: bool| {
        part.bytes()
            .next()
            .is_some_and(|it| it.is_ascii_lowercase() || (digit && it.is_ascii_digit()))
    };
    let fits = |part: &str, most: usize| part.len() <= most && part.bytes().all(is_rest);
    match key.split_once('@') {
        None => starts(key, false) && fits(key, 256),
        Some((tenant, system)) => {
            starts(tenant, true) && fits(tenant, 241) && starts(system, false) && fits(system, 14)
        }
    }
}

/// Printable, without `,` and `=`, not empty (§3.3.1.3.2).
fn is_value(value: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(fits)
}

#[cfg(test)]
mod tests;
