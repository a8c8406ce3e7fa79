//! The open block of a stream: where its fields lie, and how its lines of data
//! become one.

use core::time::Duration;

use super::line::{CR, LF, line_end};
use crate::wire::ascii;

#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    pub(super) event: Option<Span>,
    pub(super) id: Option<Span>,
    pub(super) data: Option<Span>, // of the first line
    pub(super) data_lines: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Block {
    pub(super) const EMPTY: Self = Self {
        event: None,
        id: None,
        data: None,
        data_lines: 0,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.event.is_none() && self.id.is_none() && self.data.is_none()
    }

    /// Slides the data lines, each behind an LF, together. They end before `end`. Linear.
    pub(super) fn join(&mut self, input: &mut [u8], end: usize) {
        let Some(mut data) = self.data else { return };
        self.save(input, &mut data);
        let mut write = data.end;
        let mut read = data.end;
        while let Some(line) = next_line(input, &mut read, end) {
            let Some((Field::Data, name)) = Field::of(line.of(input)) else {
                continue;
            };
            // In range, and never over a byte that is still to be read: the
            // line end before this line and its name make room for the LF, so
            // `write` stays below `line.start`.
            let value = line.start + name..line.end;
            let len = value.len();
            input[write] = LF;
            input.copy_within(value, write + 1);
            write += 1 + len;
        }
        data.end = write;
        self.data = Some(data);
    }

    /// Moves a type and an ID behind the first data line in front of it; the joining passes
    /// over what stays.
    fn save(&mut self, input: &mut [u8], data: &mut Span) {
        if let Some(event) = &mut self.event {
            let place = event.start;
            if let Some(len) = event.move_before(data, input)
                && let Some(id) = &mut self.id
                && id.start >= event.start
                && id.start < place
            {
                id.shift(len);
            }
        }
        if let Some(id) = &mut self.id {
            id.move_before(data, input);
        }
    }
}

impl Span {
    pub(super) fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) const fn len(self) -> usize {
        self.end - self.start
    }

    const fn shift(&mut self, by: usize) {
        self.start += by;
        self.end += by;
    }

    /// Moves these bytes in front of `data` if they lie after it; returns how
    /// far all in between has moved.
    fn move_before(&mut self, data: &mut Self, input: &mut [u8]) -> Option<usize> {
        if self.start < data.end {
            return None;
        }
        let len = self.len();
        input.get_mut(data.start..self.end)?.rotate_right(len);
        *self = Self {
            start: data.start,
            end: data.start + len,
        };
        data.shift(len);
        Some(len)
    }
}

pub(super) enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    /// The field of a line and where its value begins; `None` for comments and
    /// unknown names.
    pub(super) fn of(line: &[u8]) -> Option<(Self, usize)> {
        let (field, name) = match line {
            [b'd', b'a', b't', b'a', ..] => (Self::Data, 4),
            [b'i', b'd', ..] => (Self::Id, 2),
            [b'e', b'v', b'e', b'n', b't', ..] => (Self::Event, 5),
            [b'r', b'e', b't', b'r', b'y', ..] => (Self::Retry, 5),
            _ => return None,
        };
        match line.get(name..)? {
            [] => Some((field, name)),
            [b':', b' ', ..] => Some((field, name + 2)),
            [b':', ..] => Some((field, name + 1)),
            _ => None,
        }
    }
}

/// The line after the line end at `*read`, which moves on to the next line
/// end; `None` from `end` on.
fn next_line(input: &[u8], read: &mut usize, end: usize) -> Option<Span> {
    let width = match input.get(*read..end)? {
        [CR, LF, ..] => 2,
        _ => 1,
    };
    let start = *read + width;
    let rest = input.get(start..end)?;
    let len = line_end(rest).unwrap_or(rest.len()); // the stream's end may cut it
    *read = start + len;
    Some(Span { start, end: *read })
}

/// Digits alone set the reconnection time.
pub(super) fn parse_millis(value: &[u8]) -> Option<Duration> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let millis = ascii::parse_decimal(value).unwrap_or(u64::MAX);
    Some(Duration::from_millis(millis))
}
