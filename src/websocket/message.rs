//! Messages put together in the caller's own buffer.
//!
//! ```text
//!  front of the input                                           end of the input
//!  | held            | gap                       | rest                        |
//!  | payload so far, | heads and control frames  | not looked at; perhaps      |
//!  | plain           | between fragments, dead   | inside a payload, masked    |
//! ```
//! The machine keeps the lengths of these parts and no bytes. Payload that
//! arrives is unmasked and checked where it lies, then the shorter of the two
//! moves over the gap: the new piece to the left, or what is held to the right.
//! So every byte moves at most a constant number of times, a message in one
//! frame does not move at all, and dead bytes never outweigh what is held.

use super::{
    Kind, Limits, ProtocolError, extension::Reserved, frame::Head, mask::Mask, timer::Tick,
};
use crate::wire::{FAST, Instant, Utf8};

/// The longest message that is held whole, so that lengths fit 32 bits.
const MAX_HELD: u64 = i32::MAX as u64;

#[derive(Debug, Clone, Copy)]
pub(super) struct Assembly {
    remaining: u64, // payload of the open frame that has not arrived
    total: u64,     // payload of the message that has
    gap: u32,       // dead bytes after what is held; 0 if nothing is held
    fragments: u32, // frames of the message so far
    opened: Tick,   // when its first frame head was there
    mask: Mask,     // of the open frame, turned by what has arrived
    text: Utf8,     // the check of a text message
    kind: Option<Kind>,
    frame: Frame,
    streaming: bool,
    compressed: bool, // its first frame has RSV1
    kept: u32,        // of a compressed message in streaming mode: plain bytes not inflated yet
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    None,
    /// Inside the payload of a frame that is not the last one.
    Middle,
    /// Inside the payload of the last frame.
    Last,
}

/// The result of one step through the payload of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// A part of a message that can be given out: `ready` bytes from the front.
    Ready {
        kind: Kind,
        ready: usize,
        last: bool,
    },
    /// The frame has ended, nothing can be given out yet.
    FrameEnd,
    /// So many more bytes are needed.
    Need(usize),
}

impl Assembly {
    pub(super) const fn set_streaming(&mut self, streaming: bool) {
        self.streaming = streaming;
    }

    pub(super) const fn is_streaming(&self) -> bool {
        self.streaming
    }

    #[cfg(feature = "alloc")]
    pub(super) const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    pub(super) const fn is_open(&self) -> bool {
        self.kind.is_some()
    }

    /// Whether the next byte is payload.
    pub(super) fn in_frame(&self) -> bool {
        self.frame != Frame::None
    }

    /// Counts the time of the open message from `now`.
    pub(super) const fn restart(&mut self, now: Instant) {
        self.opened = Tick::at(now);
    }

    pub(super) const fn opened(&self) -> Tick {
        self.opened
    }

    /// Bytes of plain payload at the front of the input.
    const fn held(&self) -> usize {
        if self.streaming {
            self.text.pending() + self.kept as usize // one of them is 0
        } else {
            self.total as usize // <= MAX_HELD
        }
    }

    /// Bytes at the front of the input that are not to be looked at again.
    pub(super) const fn span(&self) -> usize {
        self.held() + self.gap as usize
    }

    /// Takes `n` dead bytes after the span; returns how many bytes at the
    /// front are done with.
    pub(super) const fn skip(&mut self, n: usize) -> usize {
        if self.held() == 0 {
            return n;
        }
        // At most MAX_HELD before, because of `close_gap`, and one frame head
        // or control frame.
        self.gap += n as u32;
        0
    }

    /// Closes the gap by sliding what is held, if that costs less than `n` bytes crossing it;
    /// returns how many bytes are done with.
    pub(super) fn close_gap(&mut self, input: &mut [u8], n: usize) -> usize {
        let (held, gap) = (self.held(), self.gap as usize);
        if gap == 0 || held > gap.max(n) || input.len() < held + gap {
            return 0;
        }
        slide(input, 0, gap, held);
        self.gap = 0;
        gap
    }

    /// Judges the head of a data frame by the limits and by what is open, and
    /// opens the frame.
    pub(super) fn begin(
        &mut self,
        head: &Head,
        start: Option<Kind>,
        now: Instant,
        limits: &Limits,
    ) -> Result<(), ProtocolError> {
        let (frame, message) = (limits.frame, limits.message);
        match self.compressed || head.reserved != Reserved::NONE {
            // What cannot be compressed becomes a little longer.
            true => self.judge(head, start, limits, (longer(frame), longer(message)))?,
            false => self.judge(head, start, limits, (frame, message))?,
        }
        if let Some(kind) = start {
            *self = Self {
                kind: Some(kind),
                opened: Tick::at(now),
                streaming: self.streaming,
                compressed: head.reserved.covers(Reserved::RSV1),
                ..Self::EMPTY
            };
        }
        self.fragments += 1; // below the limit
        self.remaining = head.length;
        self.mask = Mask::new(head.mask.unwrap_or_default());
        self.frame = if head.fin { Frame::Last } else { Frame::Middle };
        Ok(())
    }

    /// The rules that a head of a data frame can break, with the most bytes of a frame and
    /// of a message.
    #[inline]
    pub(super) fn judge(
        &self,
        head: &Head,
        start: Option<Kind>,
        limits: &Limits,
        (frame, mut most): (u64, u64),
    ) -> Result<(), ProtocolError> {
        let (total, fragments) = match (start, self.kind) {
            (Some(_), None) => (0, 0),
            (None, Some(_)) => (self.total, self.fragments),
            (Some(_), Some(_)) => return Err(ProtocolError::InterleavedMessage),
            (None, None) => return Err(ProtocolError::UnexpectedContinuation),
        };
        if !self.streaming {
            most = most.min(MAX_HELD);
        }
        if head.length > frame {
            return Err(ProtocolError::FrameTooBig);
        }
        if head.length > most.saturating_sub(total) {
            return Err(ProtocolError::MessageTooBig);
        }
        if fragments >= limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        Ok(())
    }

    /// Whether [`judge`](Self::judge) permits an uncompressed one-frame message of this size
    /// while none is open.
    #[inline]
    pub(super) const fn takes_message(&self, length: usize, limits: &Limits) -> bool {
        let length = length as u64;
        length <= limits.frame
            && length <= limits.message
            && limits.fragments > 0
            && (self.streaming || length <= MAX_HELD)
    }

    /// Takes what has arrived of the open frame. `input` begins with what is held; `used` grows
    /// by what is done with.
    #[cfg_attr(not(feature = "std"), inline(never))] // smaller so
    pub(super) fn advance(
        &mut self,
        input: &mut [u8],
        used: &mut usize,
    ) -> Result<Progress, ProtocolError> {
        let Some(kind) = self.kind else {
            return Ok(Progress::FrameEnd); // a frame is open only in a message
        };
        let arrived = input.len().saturating_sub(self.span());
        let arrived = usize::try_from(self.remaining).map_or(arrived, |most| arrived.min(most));
        let slid = self.close_gap(input, arrived);
        *used += slid;
        let input = input.get_mut(slid..).unwrap_or_default();
        let (held, from) = (self.held(), self.span());
        let Some(piece) = input.get_mut(from..from + arrived) else {
            return Ok(Progress::Need(1)); // the caller has dropped bytes it must keep
        };
        let taken = self.take(kind, piece)?;
        if self.gap > 0 {
            slide(input, from, held, taken);
        }
        self.remaining -= taken as u64;
        self.total += taken as u64;
        self.outcome(kind, held + taken)
    }

    /// Unmasks and checks a piece; returns how much is good. The rest stays masked, for the
    /// next step to fail on.
    fn take(&mut self, kind: Kind, piece: &mut [u8]) -> Result<usize, ProtocolError> {
        let (mask, text) = (self.mask, self.text);
        // What is compressed is checked once it is inflated.
        let kind = if self.compressed { Kind::Binary } else { kind };
        if FAST && kind == Kind::Binary {
            self.mask.apply(piece);
            return Ok(piece.len());
        }
        let is_ascii = self.mask.apply_is_ascii(piece);
        if kind == Kind::Binary || is_ascii && text.is_complete() {
            return Ok(piece.len());
        }
        let Err(fault) = self.text.push(piece) else {
            return Ok(piece.len());
        };
        (self.mask, self.text) = (mask, text);
        let (good, bad) = piece.split_at_mut(fault.at); // inside the piece
        // Whole characters before the fault are given out first, as they are
        // when the fault arrives on its own.
        let good_text = self.streaming && self.text.push(good).is_ok();
        if !good_text || self.text.pending() == text.pending() + good.len() {
            return Err(ProtocolError::InvalidText);
        }
        self.mask.turn(good.len());
        self.mask.clone().apply(bad);
        Ok(good.len())
    }

    /// The part that can be given out when `plain` bytes lie at the front.
    fn outcome(&mut self, kind: Kind, plain: usize) -> Result<Progress, ProtocolError> {
        let ended = self.remaining == 0;
        let last = ended && self.frame == Frame::Last;
        if last && self.text.is_complete() {
            return Ok(Progress::Ready {
                kind,
                ready: plain,
                last,
            });
        }
        let ready = if self.streaming {
            plain - self.text.pending() // pending bytes are part of what is plain
        } else {
            0
        };
        if last && ready == 0 {
            return Err(ProtocolError::InvalidText); // it ends inside a character
        }
        if ended && !last {
            self.frame = Frame::None;
        }
        Ok(if ready > 0 {
            Progress::Ready {
                kind,
                ready,
                last: false,
            }
        } else if ended {
            Progress::FrameEnd
        } else {
            Progress::Need(self.worthwhile(kind))
        })
    }

    /// How many further bytes are worth a call: the rest of the frame, or one where each is
    /// given as it comes.
    fn worthwhile(&self, kind: Kind) -> usize {
        if self.streaming || kind == Kind::Text && !self.compressed {
            return 1;
        }
        usize::try_from(self.remaining).unwrap_or(usize::MAX)
    }

    /// Gives out `ready` bytes from the front; returns how many bytes there
    /// are done with.
    pub(super) const fn give(&mut self, ready: usize, last: bool) -> usize {
        if last {
            let done = ready + self.gap as usize;
            *self = Self {
                streaming: self.streaming,
                ..Self::EMPTY
            };
            return done;
        }
        if self.held() > 0 {
            return ready;
        }
        let done = ready + self.gap as usize;
        self.gap = 0;
        done
    }

    /// Whether plain bytes of a compressed message are at the front.
    pub(super) const fn has_kept(&self) -> bool {
        self.kept > 0
    }

    pub(super) const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Of `ready` compressed bytes at the front so many were inflated; returns how many
    /// bytes there are done with.
    #[cfg(feature = "alloc")]
    pub(super) const fn give_part(&mut self, read: usize, ready: usize) -> usize {
        self.kept = (ready - read) as u32; // at most one input
        if self.kept > 0 {
            return read;
        }
        let done = read + self.gap as usize;
        self.gap = 0;
        done
    }

    /// No message, and whole messages.
    pub(super) const EMPTY: Self = Self {
        remaining: 0,
        total: 0,
        gap: 0,
        fragments: 0,
        opened: Tick::ZERO,
        mask: Mask::new([0; 4]),
        text: Utf8::new(),
        kind: None,
        frame: Frame::None,
        streaming: false,
        compressed: false,
        kept: 0,
    };
}

/// How long what is compressed may be where plain text may be as long as `limit`.
pub(super) const fn longer(limit: u64) -> u64 {
    limit.saturating_add(limit / 16).saturating_add(64)
}

/// Moves `n` bytes, if both places lie inside.
fn slide(bytes: &mut [u8], from: usize, to: usize, n: usize) {
    if from.max(to) + n <= bytes.len() {
        bytes.copy_within(from..from + n, to);
    }
}
