//! The record of one call: what waits to be sent, and what has been received.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::Ending;
use super::machine::{Form, Machine, Part};
use crate::client::connecting::LinkId;
use crate::grpc::{Encoding, Limits, ProtocolError, frame};
use crate::http::{FieldBuffer, Fields};
use crate::link::DrainBuffer;
use crate::net::TimerId;
use crate::wire::Instant;

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
    pub(super) form: Form,
    pub(super) machine: Machine,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    /// Bytes of the response that are done with, and the server was not told.
    pub(super) freed: usize,
    /// The metadata at the head of the response, once it has come.
    pub(super) head: Option<FieldBuffer>,
    pub(super) ending: Option<Ending>,
    pub(super) wants_room: bool,
    /// There is room again, and its sender was not told.
    pub(super) relieved: bool,
    pub(super) changed: bool,
    /// It stands in the list of those that have news for their link.
    pub(super) offered: bool,
}

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
    pub(super) fn new(
        owner: T,
        (path, metadata): (&str, FieldBuffer),
        (form, machine): (Form, Machine),
        inbox: Vec<u8>,
    ) -> Self {
        Self {
            owner,
            path: path.into(),
            metadata,
            deadline: None,
            timer: None,
            wait_for_ready: false,
            again: false,
            place: CallState::Waiting,
            form,
            machine,
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

    /// Takes the one message that it sends.
    pub(super) fn push_only(&mut self, frame: Vec<u8>) {
        let is_compressed = frame.first().is_some_and(|flag| *flag != 0);
        self.outbox.push(frame);
        self.outbox.closed = true;
        if self.machine.is_bare() {
            self.outbox.bare();
            self.machine.announce(match is_compressed {
                true => Encoding::Gzip,
                false => Encoding::Identity,
            });
        }
    }

    /// Keeps the head of the response.
    pub(super) fn begin_response(&mut self, fields: Fields<'_>) {
        let mut head = FieldBuffer::new();
        let machine = &self.machine;
        if machine.is_bare() {
            for field in fields.iter().filter(|it| !machine.is_trailer(it.name)) {
                if let Ok(name) = core::str::from_utf8(field.name) {
                    let _ = head.push(name, field.value); // it was a field before
                }
            }
        } else {
            // It is far shorter than 4 GiB.
            let _ = head.extend_checked(fields);
        }
        self.head = Some(head);
        self.outbox.commit();
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

/// The messages that wait to be sent, and those that may have to be sent again.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes: DrainBuffer,
    at: usize, // <= bytes.len(): sent, and kept
    /// Sent messages are kept.
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
            bytes: DrainBuffer::new(),
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
        self.bytes.unused().get(self.at..).unwrap_or_default()
    }

    /// Adds a frame, by taking its memory if there is nothing else.
    pub(super) fn push(&mut self, frame: Vec<u8>) {
        self.bytes.push_owned(frame);
    }

    /// Leaves out the prefix of the message, which is the first.
    pub(super) fn bare(&mut self) {
        self.bytes.advance(frame::PREFIX.min(self.bytes.len()));
    }

    /// Notes that `n` bytes of the rest were sent; beyond `replay` they are
    /// not kept.
    pub(super) fn sent(&mut self, n: usize, replay: usize) {
        self.at = self.bytes.len().min(self.at + n);
        self.keeps &= self.at <= replay;
        self.drop_sent();
    }

    /// Notes that sent messages will not be sent again.
    pub(super) fn commit(&mut self) {
        self.keeps = false;
        self.drop_sent();
    }

    fn drop_sent(&mut self) {
        if !self.keeps {
            self.bytes.advance(mem::take(&mut self.at));
            self.bytes.release(SPARE);
        }
    }
}

/// The response's body as far as it was not taken: whole messages, and the
/// front of one more.
#[derive(Debug)]
pub(super) struct Inbox {
    bytes: DrainBuffer,
    judged: usize, // <= bytes.len(): complete messages end here
    /// Bytes of the last frame, which is no message, behind those.
    last: usize,
    /// The content is one message, which a prefix of ours stands in front of.
    is_bare: bool,
    /// Bytes that still count against the window.
    held: usize,
}

impl Inbox {
    const fn new(memory: Vec<u8>) -> Self {
        Self {
            bytes: DrainBuffer::with_memory(memory),
            judged: 0,
            last: 0,
            is_bare: false,
            held: 0,
        }
    }

    /// Bytes that the application has not taken, beside one unfinished message.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Content follows that is a message without a prefix.
    pub(super) fn begin_bare(&mut self) {
        self.is_bare = true;
        self.bytes.push(&[0; frame::PREFIX]);
    }

    /// All of the content that is one message without a prefix.
    pub(super) fn content(&self) -> &[u8] {
        let all = self.bytes.unused();
        all.get(frame::PREFIX..).unwrap_or_default()
    }

    /// Makes all of the content a message.
    pub(super) fn complete(&mut self, compressed: bool) {
        let all = self.bytes.unused_mut();
        self.judged = all.len();
        let len = all.len().saturating_sub(frame::PREFIX);
        // It is within the limit of a message, and so of a prefix.
        if let (Ok(prefix), Some(place)) =
            (frame::encode_prefix(len, compressed), all.first_chunk_mut())
        {
            *place = prefix;
        }
    }

    /// Whether a message can be taken.
    pub(super) const fn has_message(&self) -> bool {
        self.judged > 0
    }

    /// Adds bytes of the body, and judges them: what comes of a call does not
    /// depend on when its messages are taken. Returns how many bytes of the
    /// window they give back.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        machine: &mut Machine,
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        if self.is_bare {
            if self.content().len() + bytes.len() > limits.message {
                return Err(ProtocolError::MessageTooLong);
            }
            self.bytes.push(bytes);
            return Ok(bytes.len());
        }
        self.bytes.push(bytes);
        self.held += bytes.len();
        loop {
            let all = self.bytes.unused_mut();
            let at = self.judged + self.last;
            let rest = all.get_mut(at..).unwrap_or_default();
            match machine.receive(rest, limits)? {
                (used, Part::Message) => self.judged += used,
                (used, Part::Last) => self.last += used,
                (_, Part::Need) => return Ok(self.release()),
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

    /// Takes the message in front: how long it is with its prefix, whether it is
    /// compressed, and how many bytes of the window are opened again.
    pub(super) fn take(&mut self) -> Option<(usize, bool, usize)> {
        let complete = self.bytes.unused().get(..self.judged)?;
        // The machine has judged it: it knows no other flag.
        let ([flag, length @ ..], _) = complete.split_first_chunk::<{ frame::PREFIX }>()?;
        let compressed = *flag != 0;
        let size = frame::PREFIX + u32::from_be_bytes(*length) as usize; // <= judged
        let freed = self.held.min(size);
        self.judged -= size;
        self.held -= freed;
        Some((size, compressed, freed + self.release()))
    }

    /// The bytes of the message that was just taken.
    pub(super) fn message(&mut self, size: usize) -> &mut [u8] {
        let framed = self.bytes.take(size);
        framed.get_mut(frame::PREFIX..).unwrap_or_default()
    }

    /// Drops everything, and gives its memory back if that is worth keeping.
    pub(super) fn clear(&mut self) -> Option<Vec<u8>> {
        let memory = self.bytes.take_memory();
        (self.judged, self.last, self.held) = (0, 0, 0);
        (1..=SPARE).contains(&memory.capacity()).then_some(memory)
    }
}
