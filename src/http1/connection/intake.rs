//! The front of the input: how far it was looked through, and what is still to come.

use crate::http::{FieldRange, Scratch};
use crate::http1::chunked::{self, Chunked, Counts};
use crate::http1::head::{self, Progress, Stop};
use crate::http1::length::Framing;
use crate::http1::lines::Head;
use crate::http1::start_line::StartLine;
use crate::http1::{Limits, ProtocolError};
use crate::wire::Role;

/// Empty lines that are ignored before a head (RFC 9112 §2.2).
const EMPTY_LINES: u32 = 4;
/// Folds that a client repairs in the head of a response. Each may cost
/// another look at the head, so that they have to be few.
const FOLDS: u32 = 64;

/// The part of a message at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Idle,
    Head,
    Fixed,
    Chunked(Chunked),
    /// A body that ends with the connection.
    UntilClose,
}

/// Our side's decision on the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyDemand {
    Offered,
    /// It has not said yet, and the peer waits for `100 Continue`.
    Expected,
    /// It reads it; the peer was told to continue, and has sent nothing of it yet.
    Continued,
    Accepted,
    /// It will never read it.
    Refused,
}

/// The message that is being received.
///
/// It has no padding: the connection's other small fields find no place in it.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    /// Bytes of the body, or of its present chunk, that are still to come.
    remaining: u64,
    /// How far an unfinished head or trailer section was looked through; in a
    /// chunk's size line its digits.
    scanned: u32,
    /// Where the unfinished line of that head begins.
    line: u32,
    /// Empty lines before this head, then bytes of extensions in its body.
    spent: u32,
    reading: Reading,
    pub(super) wanted: BodyDemand,
    /// The message is of version 1.0.
    pub(super) old: bool,
    /// The fault that has ended the connection.
    pub(super) failed: Option<ProtocolError>,
}

impl Intake {
    pub(super) const fn new(role: Role) -> Self {
        Self {
            remaining: 0,
            scanned: 0,
            line: 0,
            spent: 0,
            reading: match role {
                Role::Server => Reading::Head,
                Role::Client => Reading::Idle,
            },
            wanted: BodyDemand::Offered,
            old: false,
            failed: None,
        }
    }

    #[inline(always)]
    pub(super) const fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether a head, a trailer section or a size line has begun and is not complete.
    #[inline(always)]
    pub(super) const fn is_in_line(&self) -> bool {
        self.scanned != 0
    }

    #[inline(always)]
    pub(super) const fn wait_for_next(&mut self) {
        self.reading = Reading::Idle;
        (self.scanned, self.line, self.spent) = (0, 0, 0);
    }

    // ---- heads ----

    pub(super) const fn expect_head(&mut self) {
        self.reading = Reading::Head;
    }

    /// Notes a byte of a head; whether it is the first one.
    #[inline(always)]
    pub(super) fn begin_head(&mut self) -> bool {
        let begins = self.reading == Reading::Idle;
        if begins {
            self.reading = Reading::Head;
        }
        begins
    }

    pub(super) fn skip_empty_lines(&mut self, input: &[u8]) -> Result<usize, ProtocolError> {
        let mut at = 0;
        while let Some([b'\r', b'\n', ..]) = input.get(at..) {
            // Old clients send one after a body; more of them are a flood.
            if self.spent == EMPTY_LINES {
                return Err(ProtocolError::EmptyLines);
            }
            self.spent += 1;
            at += 2;
        }
        Ok(at)
    }

    pub(super) const fn has_skipped_lines(&self) -> bool {
        self.spent > 0
    }

    /// Looks for a complete head at the front of `input`, each byte at most twice. It may have
    /// more fields than there is room for. `searched`: its usual form was not found.
    pub(super) fn head<S: StartLine>(
        &mut self,
        input: &[u8],
        ranges: &mut [FieldRange],
        limits: &Limits,
        head: &mut Head<S>,
        searched: bool,
    ) -> Result<bool, ProtocolError> {
        let longest = match S::IS_THERE {
            true => limits.head,
            false => limits.trailers,
        } as usize;
        // After the limit nothing is looked at, so that a head costs no more than it allows.
        let text = input.get(..longest).unwrap_or(input);
        if self.scanned != 0 && !self.resume_head::<S>(text, limits)? {
            return Ok(false);
        }
        let parsed = match searched {
            false => head::parse(text, ranges, limits.target, head),
            true => head::parse_lines(text, ranges, limits.target, head),
        };
        match parsed {
            Ok(()) => {
                self.end_line();
                Ok(true)
            }
            Err(stop) => self.stopped::<S>(stop, text, limits),
        }
    }

    /// Whether the head that an earlier call has begun with is whole now.
    #[cold]
    fn resume_head<S: StartLine>(
        &mut self,
        text: &[u8],
        limits: &Limits,
    ) -> Result<bool, ProtocolError> {
        let progress = Progress {
            line: self.line,
            scanned: self.scanned,
        };
        match head::resume::<S>(text, progress, limits.target) {
            Ok(()) => Ok(true),
            Err(stop) => self.stopped::<S>(stop, text, limits),
        }
    }

    /// There is no whole head: never answers `true`.
    #[cold]
    fn stopped<S: StartLine>(
        &mut self,
        stop: Stop,
        text: &[u8],
        limits: &Limits,
    ) -> Result<bool, ProtocolError> {
        let (longest, too_long) = match S::IS_THERE {
            true => (limits.head, ProtocolError::HeadTooLarge),
            false => (limits.trailers, ProtocolError::TrailersTooLarge),
        };
        match stop {
            Stop::Fault(violation) => Err(violation),
            Stop::Incomplete(progress) if text.len() < longest as usize => {
                (self.line, self.scanned) = (progress.line, progress.scanned);
                Ok(false)
            }
            Stop::Incomplete(Progress { line: 0, .. }) => {
                Err(S::fault_of_endless(text).unwrap_or(too_long))
            }
            Stop::Incomplete(_) => Err(too_long),
        }
    }

    /// Unfolds the first fold of a response's head, which is then scanned afresh: one at a
    /// time, so that the result does not depend on the cut.
    pub(super) fn unfold(&mut self, input: &mut [u8]) -> Result<(), ProtocolError> {
        if self.spent == FOLDS || !head::unfold(input) {
            return Err(ProtocolError::Folding);
        }
        self.spent += 1; // at most FOLDS
        self.end_line();
        Ok(())
    }

    #[inline(always)]
    pub(super) const fn end_line(&mut self) {
        (self.line, self.scanned) = (0, 0);
    }

    // ---- bodies ----

    /// Turns to a body; its length, if it was announced.
    pub(super) const fn begin_body(&mut self, framing: Framing) -> Option<u64> {
        (self.scanned, self.line, self.spent, self.remaining) = (0, 0, 0, 0);
        match framing {
            Framing::Fixed(length) => {
                self.reading = Reading::Fixed;
                self.remaining = length;
                return Some(length);
            }
            Framing::Chunked => self.reading = Reading::Chunked(Chunked::Size),
            Framing::None | Framing::UntilClose => self.reading = Reading::UntilClose,
        }
        None
    }

    pub(super) fn has_all(&self) -> bool {
        self.reading == Reading::Fixed && self.remaining == 0
    }

    /// Whether at most so much of a body of announced length is still to come.
    #[inline(always)]
    pub(super) fn has_at_most(&self, bytes: u64) -> bool {
        self.reading == Reading::Fixed && self.remaining <= bytes
    }

    /// Takes the next piece off `input` (from where, how long), if only a plain size line
    /// precedes it. Otherwise nothing changes.
    #[inline(always)]
    pub(super) fn next_piece(&mut self, input: &[u8]) -> Option<(usize, usize)> {
        let (size, from) = match self.reading {
            Reading::Chunked(Chunked::DataCr) => chunked::plain_size(input, true)?,
            Reading::Chunked(Chunked::Size) if self.scanned == 0 => {
                chunked::plain_size(input, false)?
            }
            Reading::Chunked(Chunked::Data) | Reading::Fixed => (self.remaining, 0),
            Reading::Chunked(_) | Reading::Idle | Reading::Head | Reading::UntilClose => {
                return None;
            }
        };
        let here = input.len() - from; // the size line lies before it
        let len = usize::try_from(size).map_or(here, |size| size.min(here));
        if len == 0 {
            return None;
        }
        self.remaining = size - len as u64; // not beyond it
        if self.reading != Reading::Fixed {
            self.end_line();
            self.reading = Reading::Chunked(match self.remaining {
                0 => Chunked::DataCr,
                _ => Chunked::Data,
            });
        }
        Some((from, len))
    }

    /// Takes off `input` what frames a chunk; how much of it there is.
    pub(super) fn pass_framing(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        let Reading::Chunked(chunked) = &mut self.reading else {
            return Ok(0);
        };
        if matches!(chunked, Chunked::Data | Chunked::Trailers) {
            return Ok(0);
        }
        let mut counts = Counts {
            size: &mut self.remaining,
            digits: &mut self.scanned,
            extensions: &mut self.spent,
        };
        let used = chunked.advance(input, &mut counts, limits)?;
        if matches!(chunked, Chunked::Data | Chunked::Trailers) {
            self.end_line();
        }
        Ok(used)
    }

    /// Takes data off `available` bytes; how many of them are data.
    pub(super) fn pass_data(&mut self, available: usize) -> usize {
        if self.reading == Reading::UntilClose {
            return available;
        }
        let len = usize::try_from(self.remaining).map_or(available, |n| n.min(available));
        self.remaining -= len as u64; // not beyond what remains
        if self.remaining == 0 && self.reading == Reading::Chunked(Chunked::Data) {
            self.reading = Reading::Chunked(Chunked::DataCr);
        }
        len
    }

    /// Counts unwanted data like extensions; how much there is of both.
    pub(super) fn count_unwanted(&mut self, data: usize) -> u64 {
        let len = u32::try_from(data).unwrap_or(u32::MAX);
        self.spent = self.spent.saturating_add(len);
        self.spent.into()
    }
}

pub(super) fn field_room<'b>(scratch: Scratch<'b>, limits: &Limits) -> &'b mut [FieldRange] {
    let room = scratch.fields.len().min(usize::from(limits.fields));
    scratch.fields.get_mut(..room).unwrap_or_default()
}
