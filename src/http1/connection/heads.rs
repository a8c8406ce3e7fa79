//! The search for a head at the front of the input.

use super::{Connection, Reading};
use crate::http::{FieldRange, Scratch};
use crate::http1::head::{self, Progress, Stop};
use crate::http1::lines::Head;
use crate::http1::start_line::{StartLine, fault_of_endless};
use crate::http1::{Limits, ProtocolError};
use crate::wire::{Instant, Role};

/// Empty lines that are ignored before a head (RFC 9112 §2.2).
const EMPTY_LINES: u32 = 4;

impl Connection {
    /// Notes when a head begins.
    #[inline(always)]
    pub(super) fn begin_head(&mut self, now: Instant) {
        if self.reading == Reading::Idle {
            self.reading = Reading::Head;
            self.since = now;
        }
    }

    /// Skips empty lines before a head, and notes when the head begins.
    pub(super) fn skip_empty_lines(
        &mut self,
        input: &[u8],
        now: Instant,
    ) -> Result<usize, ProtocolError> {
        if !input.is_empty() {
            self.begin_head(now);
        }
        let mut at = 0;
        while let Some([b'\r', b'\n', ..]) = input.get(at..) {
            // Old clients send one behind a body; more of them are a flood.
            if self.spent == EMPTY_LINES {
                return Err(ProtocolError::EmptyLines);
            }
            self.spent += 1;
            at += 2;
        }
        Ok(at)
    }

    /// Whether an empty line stood before the first head, so that what comes is
    /// not the front of the input any more.
    #[cfg(feature = "alloc")]
    pub(crate) const fn has_skipped_lines(&self) -> bool {
        self.spent > 0
    }

    /// Looks for a whole head at the front of `input`, each byte at most twice,
    /// and says whether it is in `head` now. It may have more fields than there
    /// is room for. One of the usual form may have been `searched` for in vain.
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
        // Behind the limit nothing is looked at, so that a head costs no more than it allows.
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
                (self.line, self.scanned) = (0, 0);
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
            Stop::Incomplete(Progress { line: 0, .. })
                if self.role == Role::Server && S::IS_THERE =>
            {
                Err(fault_of_endless(text))
            }
            Stop::Incomplete(_) => Err(too_long),
        }
    }
}

/// Room for the fields of a head, within the limit.
pub(super) fn field_room<'b>(scratch: Scratch<'b>, limits: &Limits) -> &'b mut [FieldRange] {
    let room = scratch.fields.len().min(usize::from(limits.fields));
    scratch.fields.get_mut(..room).unwrap_or_default()
}
