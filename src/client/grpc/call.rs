//! The record of one call: what waits to be sent, and what has been received.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::Ending;
use crate::client::connecting::LinkId;
use crate::grpc::{ClientCall, ContentType, Event, Limits, Mode, ProtocolError, frame};
use crate::http::FieldBuffer;
use crate::net::TimerId;
use crate::wire::{Instant, Step};

/// Memory of a buffer that is kept for the next use.
const SPARE: usize = 64 << 10;

/// One call, and `T`, what its owner remembers of it.
#[derive(Debug)]
pub(super) struct Call<T> {
    pub(super) owner: T,
    pub(super) path: String,
    pub(super) metadata: FieldBuffer,
    pub(super) deadline: Option<Instant>,
    pub(super) timer: Option<TimerId>,
    pub(super) wait_for_ready: bool,
    /// It is sent for the second time, which is the last.
    again: bool,
    pub(super) place: CallState,
    pub(super) machine: ClientCall,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    /// Bytes of the response that are done with, and the server was not told.
    pub(super) freed: usize,
    /// The metadata at the head of the response, once it has come.
    pub(super) head: Option<FieldBuffer>,
    pub(super) ending: Option<Ending>,
    /// Its sender was told to wait.
    pub(super) wants_room: bool,
    /// There is room again, and its sender was not told.
    pub(super) relieved: bool,
    /// It stands in the list of those that have news for their owner.
    pub(super) changed: bool,
    /// It stands in the list of those that have news for their link.
    pub(super) offered: bool,
}

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallState {
    /// In the queue for a stream.
    Waiting,
    /// On a stream of a link.
    Open { link: LinkId, stream: u32 },
    /// It has ended.
    Over,
}

impl<T> Call<T> {
    pub(super) fn new(owner: T, path: &str, metadata: FieldBuffer, inbox: Vec<u8>) -> Self {
        Self {
            owner,
            path: path.into(),
            metadata,
            deadline: None,
            timer: None,
            wait_for_ready: false,
            again: false,
            place: CallState::Waiting,
            machine: ClientCall::new(ContentType::new(Mode::Native)),
            outbox: Outbox::new(),
            inbox: Inbox::new(inbox),
            freed: 0,
            head: None,
            ending: None,
            wants_room: false,
            relieved: false,
            changed: false,
            offered: false,
        }
    }

    /// Whether it can begin anew on another stream: it has not before, the
    /// server has not answered, and all that was sent is still here.
    pub(super) const fn can_begin_anew(&self) -> bool {
        !self.again && self.head.is_none() && self.outbox.keeps
    }

    /// Makes it as if nothing had been sent.
    pub(super) const fn begin_anew(&mut self) {
        self.place = CallState::Waiting;
        self.again = true;
        self.outbox.at = 0;
        self.outbox.ended = false;
        self.outbox.blocked = false;
    }
}

/// What waits to be sent, and what was sent and may have to be sent again.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    at: usize, // <= bytes.len(): sent
    /// What was sent is kept.
    keeps: bool,
    /// Nothing is added any more.
    pub(super) closed: bool,
    /// The stream has ended on our side.
    pub(super) ended: bool,
    /// The transport has asked for no more, and says when to go on.
    pub(super) blocked: bool,
}

impl Outbox {
    const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            keeps: true,
            closed: false,
            ended: false,
            blocked: false,
        }
    }

    /// Bytes that wait.
    pub(super) const fn waiting(&self) -> usize {
        self.bytes.len() - self.at // at <= len
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Adds a frame, by taking its memory if there is nothing else.
    pub(super) fn push(&mut self, frame: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = frame;
        } else {
            self.bytes.extend_from_slice(&frame);
        }
    }

    /// Notes that `n` bytes of the rest were sent; beyond `replay` they are
    /// not kept.
    pub(super) fn sent(&mut self, n: usize, replay: usize) {
        self.at = self.bytes.len().min(self.at + n);
        self.keeps &= self.at <= replay;
        self.drop_sent();
    }

    /// What was sent will not be sent again.
    pub(super) fn commit(&mut self) {
        self.keeps = false;
        self.drop_sent();
    }

    fn drop_sent(&mut self) {
        if self.keeps {
            return;
        }
        if self.at == self.bytes.len() {
            self.at = 0;
            self.bytes.clear();
            self.bytes.shrink_to(SPARE);
        } else if self.at > self.bytes.len() / 2 {
            self.bytes.drain(..self.at); // at <= len
            self.at = 0;
        }
    }
}

/// The response's body as far as it was not taken: whole messages, and the
/// front of one more.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    taken: usize,  // <= judged
    judged: usize, // <= bytes.len(): whole messages end here
    /// Bytes that still count against the window.
    held: usize,
}

impl Inbox {
    const fn new(memory: Vec<u8>) -> Self {
        Self {
            bytes: memory,
            taken: 0,
            judged: 0,
            held: 0,
        }
    }

    /// Whether a message can be taken.
    pub(super) const fn has_message(&self) -> bool {
        self.taken < self.judged
    }

    /// Adds bytes of the body, and judges them: what comes of a call does not
    /// depend on when its messages are taken. Returns how many bytes of the
    /// window they give back.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        machine: &mut ClientCall,
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        self.compact();
        self.bytes.extend_from_slice(bytes);
        self.held += bytes.len();
        loop {
            let rest = self.bytes.get_mut(self.judged..).unwrap_or_default();
            let received = machine.receive(rest, limits)?;
            match received.step {
                Step::Event(Event::Message(_)) => self.judged += received.used,
                _ => return Ok(self.release()),
            }
        }
    }

    /// Gives back to the window an unfinished message with nothing in front of
    /// it: its end could not come otherwise.
    fn release(&mut self) -> usize {
        if self.has_message() {
            return 0;
        }
        mem::take(&mut self.held)
    }

    /// Takes the message in front: where it lies, whether it is compressed,
    /// and how many bytes of the window it gives back.
    pub(super) fn take(&mut self) -> Option<(core::ops::Range<usize>, bool, usize)> {
        let whole = self.bytes.get(self.taken..self.judged)?;
        // The machine has judged it: it knows no other flag.
        let ([flag, length @ ..], _) = whole.split_first_chunk::<{ frame::PREFIX }>()?;
        let from = self.taken + frame::PREFIX;
        let to = from + u32::from_be_bytes(*length) as usize; // <= judged
        let freed = self.held.min(to - self.taken);
        self.taken = to;
        self.held -= freed;
        Some((from..to, *flag != 0, freed + self.release()))
    }

    /// The bytes of a message that was just taken.
    pub(super) fn message(&mut self, at: core::ops::Range<usize>) -> &mut [u8] {
        self.bytes.get_mut(at).unwrap_or_default()
    }

    /// Drops everything, and gives its memory back if that is worth keeping.
    pub(super) fn clear(&mut self) -> Option<Vec<u8>> {
        let mut memory = mem::take(&mut self.bytes);
        memory.clear();
        (self.taken, self.judged, self.held) = (0, 0, 0);
        (1..=SPARE).contains(&memory.capacity()).then_some(memory)
    }

    fn compact(&mut self) {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
        } else if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken); // taken <= len
        } else {
            return;
        }
        self.judged -= self.taken; // taken <= judged
        self.taken = 0;
    }
}
