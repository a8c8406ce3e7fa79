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

use super::block::{Block, Field, Span, parse_millis};
use super::line::{CR, LF, line_end};
use super::{Limits, ProtocolError, Text};
use crate::wire::{Received, Step};

/// A result of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'b> {
    /// An event to dispatch.
    Message(Message<'b>),
    /// A block without data set the last event ID and dispatches nothing; the
    /// empty ID resets it.
    LastEventId(Text<'b>),
    /// The server set the reconnection time. It counts immediately, also if
    /// its block never ends; digits beyond 64 bits saturate.
    ReconnectionTime(Duration),
    /// An event that the end of the stream has cut: it may lack data. Only
    /// [`receive_end`](Decoder::receive_end) gives it.
    Cut {
        /// The part of it that has arrived.
        message: Message<'b>,
        /// The end came inside of the last line: where it is data, its end is
        /// missing; any other is left out. Otherwise, all that is missing for
        /// sure is the blank line.
        mid_line: bool,
    },
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
/// not been dispatched is dropped with the decoder, as browsers do, unless
/// [`receive_end`](Self::receive_end) asks for it; what outlives the
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
    failed: Option<ProtocolError>,
}

/// The result of a scan.
enum Scanned {
    Nothing,
    Retry(Duration),
    /// A block that ends with the blank line that begins here.
    Block(usize),
    /// A block cut by the end of the input; its lines end before `end`.
    Cut {
        end: usize,
        mid_line: bool,
    },
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
    /// [`ProtocolError`] when a limit is passed; every later call answers the same.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Decoded<'b>>, ProtocolError> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        let found = self.look(input, limits);
        self.give(input, found)
    }

    /// Takes the end of the stream, after `input`: what
    /// [`receive`](Self::receive) has left of it, perhaps nothing. Gives what
    /// `receive` would still give, then the event that the end cuts, then
    /// [`Step::Done`](crate::wire::Step::Done).
    ///
    /// WHATWG HTML §9.2.6 drops that event, since it may lack data; so do
    /// browsers, and so does a caller that never calls this. It is for streams
    /// whose server leaves out the last blank line.
    /// [`Reconnection`](super::Reconnection) does not take the ID of a
    /// [`Decoded::Cut`], so that the complete event comes again.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    ///
    /// ```
    /// use barewire::sse::{Decoded, Decoder, Limits};
    /// use barewire::wire::Step;
    ///
    /// let (mut decoder, mut input) = (Decoder::new(), *b"data: [DONE]");
    /// assert!(matches!(
    ///     decoder.receive(&mut input, &Limits::DEFAULT)?.step,
    ///     Step::Need(_)
    /// ));
    /// let received = decoder.receive_end(&mut input, &Limits::DEFAULT)?;
    /// let Step::Event(Decoded::Cut { message, mid_line: true }) = received.step else { panic!() };
    /// assert_eq!(message.data, "[DONE]");
    /// # Ok::<(), barewire::sse::ProtocolError>(())
    /// ```
    pub fn receive_end<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Decoded<'b>>, ProtocolError> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        let found = match self.look(input, limits) {
            Ok(Scanned::Nothing) => self.look_behind_end(input, limits),
            found => found,
        };
        let is_end = matches!(found, Ok(Scanned::Nothing));
        let received = self.give(input, found)?;
        Ok(if is_end {
            let step = Step::Done;
            Received { step, ..received }
        } else {
            received
        })
    }

    fn give<'b>(
        &mut self,
        input: &'b mut [u8],
        found: Result<Scanned, ProtocolError>,
    ) -> Result<Received<Decoded<'b>>, ProtocolError> {
        match found {
            Ok(Scanned::Nothing) => Ok(Received::need(self.release(), 1)),
            Ok(Scanned::Retry(time)) => Ok(Received::event(
                self.release(),
                Decoded::ReconnectionTime(time),
            )),
            Ok(Scanned::Block(end)) => Ok(self.dispatch(input, end, None)),
            Ok(Scanned::Cut { end, mid_line }) => {
                self.line = input.len();
                Ok(self.dispatch(input, end, Some(mid_line)))
            }
            Err(violation) => {
                self.failed = Some(violation);
                Err(violation)
            }
        }
    }

    /// Takes the open line of an ended input as far as it is data, and closes the block.
    fn look_behind_end(&mut self, input: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        let line = Span {
            start: self.line,
            end: input.len(),
        };
        let text = line.of(input);
        let mid_line = !text.is_empty();
        // Of a name, an ID, a type or a time, a part would be another one.
        let is_data = text.starts_with(b"data:");
        if is_data {
            self.take_line(input, line, limits)?;
        }
        if self.block.data.is_some() {
            let end = if is_data { line.end } else { line.start };
            return Ok(Scanned::Cut { end, mid_line });
        }
        self.block = Block::EMPTY;
        (self.base, self.line, self.scanned) = (input.len(), input.len(), input.len());
        Ok(Scanned::Nothing)
    }

    /// Goes from line to line until something is found or the input ends.
    fn look(&mut self, input: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        if !self.started && !self.skip_byte_order_mark(input) {
            return Ok(Scanned::Nothing);
        }
        loop {
            if self.after_cr && !self.skip_line_feed(input) {
                return Ok(Scanned::Nothing);
            }
            let rest = input.get(self.scanned..).unwrap_or_default();
            let found = line_end(rest);
            let end = self.scanned + found.unwrap_or(rest.len());
            if end - self.base > limits.event {
                return Err(ProtocolError::EventTooLarge);
            }
            if found.is_none() {
                self.scanned = end;
                return Ok(Scanned::Nothing);
            }
            let line = Span {
                start: self.line,
                end,
            };
            self.after_cr = input.get(end) == Some(&CR);
            self.line = end + 1;
            self.scanned = self.line;
            match self.take_line(input, line, limits)? {
                Scanned::Nothing if self.block.is_empty() => self.base = self.line,
                Scanned::Nothing => {}
                found => {
                    // A time stands in no block.
                    if self.block.is_empty() {
                        self.base = self.line;
                    }
                    return Ok(found);
                }
            }
        }
    }

    /// Takes one whole line (WHATWG HTML §9.2.6, "process the field").
    #[inline(always)]
    fn take_line(
        &mut self,
        input: &[u8],
        line: Span,
        limits: &Limits,
    ) -> Result<Scanned, ProtocolError> {
        let text = line.of(input);
        if text.is_empty() {
            if self.block.data.is_none() && self.block.id.is_none() {
                self.block = Block::EMPTY; // a type alone is forgotten
                return Ok(Scanned::Nothing);
            }
            return Ok(Scanned::Block(line.start));
        }
        let Some((field, name)) = Field::of(text) else {
            return Ok(Scanned::Nothing);
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
            Field::Id if value.len() > limits.id => return Err(ProtocolError::IdTooLong),
            Field::Id => self.block.id = Some(value),
            Field::Retry => {
                return Ok(parse_millis(value.of(input)).map_or(Scanned::Nothing, Scanned::Retry));
            }
        }
        Ok(Scanned::Nothing)
    }

    /// Gives out the block whose blank line begins at `end`, and all up to the next line. With
    /// `cut` the stream ends there.
    fn dispatch<'b>(
        &mut self,
        input: &'b mut [u8],
        end: usize,
        cut: Option<bool>,
    ) -> Received<Decoded<'b>> {
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
            (Some(data), id) => {
                let event = match block.event.map(text) {
                    Some(event) if !event.as_bytes().is_empty() => event,
                    _ => Text::new(b"message"),
                };
                let message = Message { event, data, id };
                match cut {
                    None => Decoded::Message(message),
                    Some(mid_line) => Decoded::Cut { message, mid_line },
                }
            }
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
