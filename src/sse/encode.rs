//! Blocks as text, into which no value can inject a line.

use super::line::{CR, LF, line_end};
use super::{Event, UsageError};
use crate::wire::{Sink, ascii};

impl Event<'_> {
    /// Appends the block: the fields, every line of the data in a `data` field
    /// of its own, and a blank line (WHATWG HTML §9.2.5). One pass over the
    /// text, no allocation of its own.
    ///
    /// # Errors
    /// [`UsageError`] if the type or the ID holds CR, LF or NUL, or the output has
    /// too little room; nothing is written then.
    pub fn encode(&self, out: &mut impl Sink) -> Result<(), UsageError> {
        self.check()?;
        if out.room() < self.most() && out.room() < self.encoded_len() {
            return Err(UsageError::NoRoom);
        }
        if let Some(event) = self.event {
            put_field(b"event: ", event.as_bytes(), out);
        }
        if let Some(id) = self.id {
            put_field(b"id: ", id.as_bytes(), out);
        }
        if let Some(millis) = self.retry_millis() {
            put_field(b"retry: ", ascii::Decimal::new(millis).as_bytes(), out);
        }
        if let Some(data) = self.data {
            put_lines(b"data: ", data, out);
        }
        out.put(b"\n");
        Ok(())
    }

    /// Bytes that [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        let field = |name: usize, value: usize| name + 3 + value;
        let event = self.event.map_or(0, |event| field(5, event.len()));
        let id = self.id.map_or(0, |id| field(2, id.len()));
        let retry = self.retry_millis().map_or(0, |millis| {
            field(5, ascii::Decimal::new(millis).as_bytes().len())
        });
        let data = self.data.map_or(0, |data| {
            lines(data.as_bytes())
                .map(|line| field(4, line.len()))
                .sum()
        });
        event + id + retry + data + 1
    }

    /// No less than [`encoded_len`](Self::encoded_len), without looking at the text.
    fn most(&self) -> usize {
        let text = |text: Option<&str>| text.map_or(0, str::len);
        // At the worst every byte of the data is a line end.
        64 + text(self.event) + text(self.id) + text(self.data).saturating_mul(7)
    }

    fn check(&self) -> Result<(), UsageError> {
        if self.event.is_some_and(breaks_a_line) {
            return Err(UsageError::Event);
        }
        if self.id.is_some_and(breaks_a_line) {
            return Err(UsageError::Id);
        }
        Ok(())
    }

    fn retry_millis(&self) -> Option<u64> {
        let millis = self.retry?.as_millis();
        Some(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

/// Appends `text` as comment lines and a blank line: no client sees it, but
/// every proxy on the way sees traffic (WHATWG HTML §9.2.8).
///
/// ```
/// let mut out = Vec::new();
/// barewire::sse::encode_comment("", &mut out).unwrap();
/// assert_eq!(out, b": \n\n");
/// ```
///
/// # Errors
/// [`UsageError::NoRoom`] if the output has too little room; nothing is written
/// then.
pub fn encode_comment(text: &str, out: &mut impl Sink) -> Result<(), UsageError> {
    let most = text.len().saturating_mul(3).saturating_add(4);
    if out.room() < most {
        let exact = lines(text.as_bytes())
            .map(|line| line.len() + 3)
            .sum::<usize>()
            + 1;
        if out.room() < exact {
            return Err(UsageError::NoRoom);
        }
    }
    put_lines(b": ", text, out);
    out.put(b"\n");
    Ok(())
}

fn breaks_a_line(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, CR | LF | 0))
}

#[inline]
fn put_field(name: &[u8], value: &[u8], out: &mut impl Sink) {
    out.put(name);
    out.put(value);
    out.put(b"\n");
}

/// Puts every line of `text` after `name`.
fn put_lines(name: &[u8], text: &str, out: &mut impl Sink) {
    for line in lines(text.as_bytes()) {
        put_field(name, line, out);
    }
}

/// The lines of `text`, split at LF, CR and CRLF: one more than there are line
/// ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = line_end(text) else {
            rest = None;
            return Some(text);
        };
        let (line, after) = text.split_at(end); // end < text.len()
        rest = match after {
            [CR, LF, after @ ..] | [_, after @ ..] => Some(after),
            [] => None,
        };
        Some(line)
    })
}

#[cfg(test)]
mod tests;
