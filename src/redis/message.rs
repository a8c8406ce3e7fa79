//! A message as it is published and kept: a line about it, and its bytes.
//!
//! ```text
//!   text n=000000c0ffee0001 i=7 t=1767225600000 o=12 e=00000000c0ffee00 LF payload
//!   text LF payload                                  is enough of anybody else
//! ```

use alloc::vec::Vec;

use crate::wire::Sink;

/// Bytes of the line.
const MOST_LINE: usize = 512;

/// A message, and what its line says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Message<'a> {
    /// It is a text, in UTF-8, and not binary.
    pub is_text: bool,
    /// `n`: the process that has published it; 0 if it is none of barewire's.
    pub node: u64,
    /// `i`: its number among those of that process, or any text.
    pub id: &'a [u8],
    /// `t`: when it was published, in milliseconds since 1970; 0 if that is not known.
    pub unix_millis: u64,
    /// `e`, `o`: the epoch and the offset that it has in its channel.
    pub place: Option<(u64, u64)>,
    /// `q`: `joined` or `left`, if it says of the session `i` that it came or went.
    pub notice: &'a [u8],
    /// What the publisher keeps with it: the first bytes behind the line, `x` of them.
    pub note: &'a [u8],
    /// The type of the event that it is: the `v` bytes after those.
    pub event: &'a [u8],
    /// The rest.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one; `None` if these bytes have not its form.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let (kind, mut is_last) = field(bytes, &mut at)?;
        let mut message = Self {
            is_text: match kind {
                b"text" => true,
                b"binary" => false,
                _ => return None,
            },
            ..Self::default()
        };
        let (mut epoch, mut offset, mut note, mut event) = (None, None, 0, 0);
        while !is_last {
            let key_and_value;
            (key_and_value, is_last) = field(bytes, &mut at)?;
            let (key, value) = key_and_value.split_first_chunk::<2>()?;
            match key {
                b"n=" => message.node = hexadecimal(value)?,
                b"i=" => message.id = value,
                b"t=" => message.unix_millis = decimal(value)?,
                b"o=" => offset = Some(decimal(value).filter(|&it| it > 0)?),
                b"e=" => epoch = Some(hexadecimal(value)?),
                b"q=" => message.notice = value,
                b"x=" => note = decimal(value)?,
                b"v=" => event = decimal(value)?,
                [_, b'='] => {} // of a later version
                _ => return None,
            }
        }
        message.place = match (epoch, offset) {
            (Some(epoch), Some(offset)) => Some((epoch, offset)),
            (None, None) => None,
            _ => return None,
        };
        let rest = bytes.get(at..)?;
        let (note, rest) = rest.split_at_checked(usize::try_from(note).ok()?)?;
        message.note = note;
        (message.event, message.payload) = rest.split_at_checked(usize::try_from(event).ok()?)?;
        let is_line = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        if message.event.iter().any(is_line) {
            return None;
        }
        let is_utf8 = |bytes: &[u8]| core::str::from_utf8(bytes).is_ok();
        (!message.is_text || is_utf8(message.payload))
            .then_some(message)
            .filter(|it| it.event.is_empty() || is_utf8(it.event))
    }

    /// Writes its line, without its place and without the end of the line.
    pub fn put_line(&self, out: &mut impl Sink) {
        out.put(if self.is_text { b"text" } else { b"binary" });
        if self.node != 0 {
            out.put_all([b" n=", &hex(self.node)]);
        }
        for (key, value) in [(b" i=", self.id), (b" q=", self.notice)] {
            if !value.is_empty() {
                out.put_all([key, value]);
            }
        }
        let mut digits = [0; 20];
        let numbers = [
            (b" t=", self.unix_millis),
            (b" x=", self.note.len() as u64),
            (b" v=", self.event.len() as u64),
        ];
        for (key, number) in numbers.into_iter().filter(|it| it.1 > 0) {
            out.put_all([key, decimals(number, &mut digits)]);
        }
    }

    /// The whole message, with its place if it has one.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MOST_LINE / 4 + self.payload.len());
        self.put_line(&mut out);
        if let Some((epoch, offset)) = self.place {
            let mut digits = [0; 20];
            out.put_all([b" o=", decimals(offset, &mut digits), b" e=", &hex(epoch)]);
        }
        out.put_all([b"\n", self.note, self.event, self.payload]);
        out
    }
}

/// The field of a line that begins at `at`, which moves behind it; and whether the line ends
/// there.
fn field<'a>(bytes: &'a [u8], at: &mut usize) -> Option<(&'a [u8], bool)> {
    let rest = bytes.get(*at..bytes.len().min(MOST_LINE))?;
    let end = rest.iter().position(|&it| it == b' ' || it == b'\n')?;
    *at += end + 1;
    Some((rest.get(..end)?, rest.get(end) == Some(&b'\n')))
}

/// Sixteen hexadecimal digits.
pub(crate) fn hex(number: u64) -> [u8; 16] {
    let digit = |nth: usize| b"0123456789abcdef".get((number >> (60 - 4 * nth)) as usize & 15);
    core::array::from_fn(|nth| digit(nth).copied().unwrap_or_default())
}

/// The number of sixteen hexadecimal digits.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u64> {
    if digits.len() != 16 {
        return None;
    }
    let mut number = 0;
    for &digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        number = number << 4 | u64::from(value);
    }
    Some(number)
}

/// The number of decimal digits.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!digits.is_empty()).then_some(number)
}

/// A number in decimal digits.
pub(crate) fn decimals(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    loop {
        from -= 1;
        if let Some(digit) = digits.get_mut(from) {
            *digit = b'0' + (number % 10) as u8;
        }
        number /= 10;
        if number == 0 || from == 0 {
            return digits.get(from..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests;
