//! A stream as events, from any cut of it.
//!
//! The open block stays in the caller's buffer until its blank line arrives;
//! the decoder keeps only where its fields lie:
//!
//! ```text
//!  input:  id: 7 ⏎ data: one ⏎ : comment ⏎ data: two ⏎ eve…
//!              └id   └─┴data                          │   └ scanned
//!          base                                       └ line
//! ```
//!
//! A single line of data is lent as it lies. Several are slid together in
//! place when the block is complete, so that a block costs two passes at most,
//! however it is cut.

use core::time::Duration;

use super::line::{CR, LF, line_end};
use super::{Limits, Text, Violation};
use crate::wire::{Received, ascii};

/// What a decoder found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'b> {
    /// An event to dispatch.
    Message(Message<'b>),
    /// A block without data set the last event ID and dispatches nothing; the
    /// empty ID resets it.
    LastEventId(Text<'b>),
    /// The server set the reconnection time. It counts at once, also if its
    /// block never ends; digits beyond 64 bits saturate.
    ReconnectionTime(Duration),
}

/// An event, borrowed from the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'b> {
    /// The type; `message` where the stream names none.
    pub event: Text<'b>,
    /// The data, its lines joined by LF.
    pub data: Text<'b>,
    /// The last event ID, if this event sets it; else the one before stays.
    pub id: Option<Text<'b>>,
}

/// A decoder of one stream (WHATWG HTML §9.2.6).
///
/// It owns no memory and reads no clock. When the stream ends, whatever has
/// not been dispatched is dropped with the decoder; what outlives the
/// connection is kept by [`Reconnection`](super::Reconnection) or the caller.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// Offsets into the input as it will come again: base <= line <= scanned.
    base: usize, // where the open block begins, or `line` if there is none
    line: usize,    // where the open line begins
    scanned: usize, // no line ends between `line` and here
    block: Block,
    started: bool,  // past the place of a byte order mark
    after_cr: bool, // a LF at `line` belongs to the line before
    failed: Option<Violation>,
}

/// The fields of the open block.
#[derive(Debug, Clone, Default)]
struct Block {
    event: Option<Span>,
    id: Option<Span>,
    data: Option<Span>, // of the first line
    data_lines: usize,
}

/// A place in the input.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// What a look through the input came upon.
enum Found {
    Nothing,
    Retry(Duration),
    /// A block that ends with the blank line that begins here.
    Block(usize),
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub const fn new() -> Self {
        Self {
            base: 0,
            line: 0,
            scanned: 0,
            block: Block::EMPTY,
            started: false,
            after_cr: false,
            failed: None,
        }
    }

    /// Takes at most one event from the front of `input`. Bytes past `used`
    /// come again as this call left them, in front of what arrives next; `used`
    /// may be 0 with an event. Never answers
    /// `Paused`, `Full` or `Done`.
    ///
    /// # Errors
    /// [`Violation`] when a limit is passed; every later call answers the same.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Decoded<'b>>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        match self.look(input, limits) {
            Ok(Found::Nothing) => Ok(Received::need(self.release(), 1)),
            Ok(Found::Retry(time)) => Ok(Received::event(
                self.release(),
                Decoded::ReconnectionTime(time),
            )),
            Ok(Found::Block(end)) => Ok(self.dispatch(input, end)),
            Err(violation) => {
                self.failed = Some(violation);
                Err(violation)
            }
        }
    }

    /// Goes from line to line until something is found or the input ends.
    fn look(&mut self, input: &[u8], limits: &Limits) -> Result<Found, Violation> {
        if !self.started && !self.skip_byte_order_mark(input) {
            return Ok(Found::Nothing);
        }
        loop {
            if self.after_cr && !self.skip_line_feed(input) {
                return Ok(Found::Nothing);
            }
            let rest = input.get(self.scanned..).unwrap_or_default();
            let found = line_end(rest);
            let end = self.scanned + found.unwrap_or(rest.len());
            if end - self.base > limits.event {
                return Err(Violation::EventTooLarge);
            }
            if found.is_none() {
                self.scanned = end;
                return Ok(Found::Nothing);
            }
            let line = Span {
                start: self.line,
                end,
            };
            self.after_cr = input.get(end) == Some(&CR);
            self.line = end + 1;
            self.scanned = self.line;
            match self.take_line(input, line, limits)? {
                Found::Nothing if self.block.is_empty() => self.base = self.line,
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
    }

    /// Takes one whole line (WHATWG HTML §9.2.6, "process the field").
    fn take_line(&mut self, input: &[u8], line: Span, limits: &Limits) -> Result<Found, Violation> {
        let text = line.of(input);
        if text.is_empty() {
            if self.block.data.is_none() && self.block.id.is_none() {
                self.block = Block::EMPTY; // a type alone is forgotten
                return Ok(Found::Nothing);
            }
            return Ok(Found::Block(line.start));
        }
        let Some((field, name)) = Field::of(text) else {
            return Ok(Found::Nothing);
        };
        let value = Span {
            start: line.start + name,
            end: line.end,
        };
        match field {
            Field::Data => {
                self.block.data.get_or_insert(value);
                self.block.data_lines += 1;
            }
            Field::Event => self.block.event = Some(value),
            Field::Id if value.of(input).contains(&0) => {}
            Field::Id if value.len() > limits.id => return Err(Violation::IdTooLong),
            Field::Id => self.block.id = Some(value),
            Field::Retry => {
                return Ok(parse_millis(value.of(input)).map_or(Found::Nothing, Found::Retry));
            }
        }
        Ok(Found::Nothing)
    }

    /// Gives out the block whose blank line begins at `end`, and all bytes up
    /// to the line after it.
    fn dispatch<'b>(&mut self, input: &'b mut [u8], end: usize) -> Received<Decoded<'b>> {
        let mut block = core::mem::take(&mut self.block);
        let used = self.line;
        (self.base, self.line, self.scanned) = (0, 0, 0);
        if block.data_lines > 1 {
            block.join(input, end);
        }
        let input: &'b [u8] = input;
        let text = |span: Span| Text::new(span.of(input));
        let id = block.id.map(text);
        let event = match (block.data.map(text), id) {
            (Some(data), id) => Decoded::Message(Message {
                event: match block.event.map(text) {
                    Some(event) if !event.as_bytes().is_empty() => event,
                    _ => Text::new(b"message"),
                },
                data,
                id,
            }),
            (None, Some(id)) => Decoded::LastEventId(id),
            // `take_line` ends no block without either.
            (None, None) => return Received::need(used, 1),
        };
        Received::event(used, event)
    }

    /// The bytes that nothing needs any more; offsets count on from there.
    fn release(&mut self) -> usize {
        let used = self.base;
        if used == 0 {
            return 0;
        }
        self.line -= used;
        self.scanned -= used;
        self.base = 0;
        let block = &mut self.block;
        let spans = [&mut block.event, &mut block.id, &mut block.data];
        for span in spans.into_iter().flatten() {
            span.start -= used;
            span.end -= used;
        }
        used
    }

    /// Passes a leading byte order mark; `false` while it may still become one.
    fn skip_byte_order_mark(&mut self, input: &[u8]) -> bool {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if input.len() < MARK.len() && MARK.starts_with(input) {
            return false;
        }
        self.started = true;
        if input.starts_with(MARK) {
            (self.base, self.line, self.scanned) = (3, 3, 3);
        }
        true
    }

    /// Passes the LF of a CRLF; `false` while it is not known whether there is
    /// one.
    fn skip_line_feed(&mut self, input: &[u8]) -> bool {
        let Some(&next) = input.get(self.line) else {
            return false;
        };
        self.after_cr = false;
        if next == LF {
            self.line += 1;
            self.scanned = self.line;
            if self.block.is_empty() {
                self.base = self.line;
            }
        }
        true
    }
}

impl Block {
    const EMPTY: Self = Self {
        event: None,
        id: None,
        data: None,
        data_lines: 0,
    };

    const fn is_empty(&self) -> bool {
        self.event.is_none() && self.id.is_none() && self.data.is_none()
    }

    /// Slides the lines of data together, each behind a LF, over what lies
    /// between them. The lines end before `end`. Linear.
    fn join(&mut self, input: &mut [u8], end: usize) {
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

    /// Moves a type and an ID that lie behind the first line of data in front
    /// of it. What stays behind of their lines is an empty field, which the
    /// joining passes over.
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
    fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }

    const fn len(self) -> usize {
        self.end - self.start
    }

    const fn shift(&mut self, by: usize) {
        self.start += by;
        self.end += by;
    }

    /// Moves these bytes in front of `data` if they lie behind it; returns how
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

/// The fields that mean something.
enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    /// The field of a line and where its value begins; `None` for comments and
    /// unknown names.
    fn of(line: &[u8]) -> Option<(Self, usize)> {
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

/// The line behind the line end at `*read`, which moves on to the next line
/// end; `None` from `end` on.
fn next_line(input: &[u8], read: &mut usize, end: usize) -> Option<Span> {
    let width = match input.get(*read..end)? {
        [CR, LF, ..] => 2,
        _ => 1,
    };
    let start = *read + width;
    let len = line_end(input.get(start..end)?)?;
    *read = start + len;
    Some(Span { start, end: *read })
}

/// Digits alone set the reconnection time.
fn parse_millis(value: &[u8]) -> Option<Duration> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let millis = ascii::parse_decimal(value).unwrap_or(u64::MAX);
    Some(Duration::from_millis(millis))
}
