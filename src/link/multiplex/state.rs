//! The state of a multiplexed connection, and questions to it.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use super::stream::Stream;
use crate::http2::{self, Table};
use crate::link::exchanges::Outbox;
use crate::link::{Account, BufferedRequest, Charge, EndReason, Promise, UsageError};
use crate::websocket;
use crate::wire::{Instant, Role};

/// Content that may be put out before it is said how much.
const FIRST_ROOM: usize = 64 * 1024;
/// Empty outboxes that are kept for the next streams.
const SPARE: usize = 8;

#[derive(Debug)]
pub(crate) struct Multiplex {
    pub(super) machine: http2::Connection,
    pub(super) streams: Table<Stream>,
    /// Streams with content that the machine has not been offered.
    pub(super) turns: VecDeque<u32>,
    /// Streams that have something for their owner without any input.
    pub(super) pending: VecDeque<u32>,
    /// Streams that are over and not forgotten yet.
    pub(super) over: Vec<u32>,
    pub(super) waiting: Vec<u32>,
    /// The owner waits for room for further requests.
    pub(super) write_blocked: bool,
    /// The owner is to be told that there is some.
    pub(super) relieved: bool,
    /// Bytes of content that may still be put out.
    pub(super) room: usize,
    /// The room before the streams' last turns.
    pub(super) first_room: usize,
    /// No later than the first deadline of a stream's own.
    pub(super) wake: Instant,
    /// Whose inbox the caller shows, and how much of it the event uses up.
    pub(super) shown: Option<(u32, usize)>,
    pub(super) ended: bool,
    pub(super) calls: bool,
    #[expect(clippy::vec_box, reason = "a stream holds a pointer, not the outbox")]
    pub(super) spare: Vec<Box<Outbox>>,
    /// For the machine and the lists; also says who is charged for the rest.
    pub(super) charge: Charge,
    /// The window that the peer has for all streams.
    pub(super) promise: Promise,
    pub(super) starved: Vec<u32>,
    /// Frames have left that ask something, and where they are is not noted.
    pub(super) has_left: bool,
    /// Bytes of content that somebody wanted, since this was asked last.
    pub(super) wanted: usize,
    /// A stream is a WebSocket, or was one.
    pub(super) has_sockets: bool,
}

impl Multiplex {
    pub(crate) fn new(role: Role, now: Instant) -> Self {
        Self {
            machine: http2::Connection::new(role, now),
            streams: Table::new(),
            turns: VecDeque::new(),
            pending: VecDeque::new(),
            over: Vec::new(),
            waiting: Vec::new(),
            write_blocked: false,
            relieved: false,
            room: FIRST_ROOM,
            first_room: FIRST_ROOM,
            wake: Instant::NEVER,
            shown: None,
            ended: false,
            calls: false,
            spare: Vec::new(),
            charge: Charge::NONE,
            promise: Promise::default(),
            starved: Vec::new(),
            has_left: false,
            wanted: 0,
            has_sockets: false,
        }
    }

    pub(crate) const fn has_sockets(&self) -> bool {
        self.has_sockets
    }

    pub(crate) const fn machine(&self) -> &http2::Connection {
        &self.machine
    }

    pub(crate) const fn machine_mut(&mut self) -> &mut http2::Connection {
        &mut self.machine
    }

    /// Whether the exchange on a stream is still active; 0 is the connection itself.
    pub(crate) fn is_open(&self, id: u32) -> bool {
        id == 0 || self.streams.get(id).is_some_and(|it| self.goes_on(it))
    }

    pub(super) fn goes_on(&self, stream: &Stream) -> bool {
        stream.gone.is_none() && !stream.end_reported && self.machine.is_open(stream.exchange.id)
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    pub(crate) fn tag(&self, id: u32) -> Option<u32> {
        Some(self.streams.get(id)?.tag)
    }

    pub(crate) fn set_tag(&mut self, id: u32, tag: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.tag = tag;
        }
    }

    /// Whether a response is owed on a stream and none of it has been sent.
    pub(crate) fn owes_response(&self, id: u32) -> bool {
        let stream = self.streams.get(id);
        stream.is_some_and(|stream| stream.sending.owes && self.goes_on(stream))
    }

    pub(crate) fn socket(&self, id: u32) -> Option<&websocket::Connection> {
        self.streams.get(id)?.socket.as_deref()
    }

    pub(crate) fn queued(&self, id: u32) -> usize {
        self.streams.get(id).map_or(0, |it| it.sending.queued())
    }

    /// Bytes that waited there when the stream was lost.
    pub(crate) fn unsent(&self, id: u32) -> u64 {
        self.streams.get(id).map_or(0, |it| it.sending.unsent)
    }

    /// Notes that a writer was asked to wait; 0: the one who sends requests.
    pub(crate) fn wait(&mut self, id: u32) {
        self.write_blocked |= id == 0;
        if let Some(stream) = self.streams.get_mut(id)
            && stream.sending.wait()
        {
            self.waiting.push(id);
        }
    }

    pub(crate) const fn set_room(&mut self, room: usize) {
        self.room = room;
    }

    /// Whether there is something for an owner without any input.
    pub(crate) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
            || !self.over.is_empty()
            || self.relieved
            || self.machine.is_pending()
    }

    pub(crate) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
        self.book();
    }

    pub(super) const fn account(&self) -> Option<&Account> {
        self.charge.account()
    }

    /// Charges what the machine and the lists hold by now: little, within its
    /// limits.
    pub(super) fn book(&mut self) {
        self.charge.set(self.own_memory());
    }

    /// Bytes of memory of the record, the machine and the lists.
    fn own_memory(&self) -> usize {
        let lists = self.turns.capacity()
            + self.pending.capacity()
            + self.over.capacity()
            + self.waiting.capacity()
            + self.starved.capacity();
        size_of::<Self>() + self.machine.memory() + self.streams.memory() + lists * size_of::<u32>()
    }

    /// Takes the machine out if no stream and no news is left, with all memory not needed
    /// before the next request.
    pub(crate) fn take_idle(&mut self) -> Option<(http2::Connection, Charge, Promise)> {
        let is_idle = self.streams.is_empty()
            && !self.is_pending()
            && !self.has_output()
            && self.shown.is_none()
            && !self.ended;
        if !is_idle || !self.machine.compact() {
            return None;
        }
        let nothing = http2::Connection::new(Role::Server, Instant::START);
        let machine = core::mem::replace(&mut self.machine, nothing);
        let mut charge = core::mem::take(&mut self.charge);
        charge.set(size_of::<http2::Connection>() + machine.memory());
        Some((machine, charge, core::mem::take(&mut self.promise)))
    }

    pub(crate) fn of_idle(machine: http2::Connection, charge: Charge, promise: Promise) -> Self {
        let mut many = Self::new(Role::Server, Instant::START);
        (many.machine, many.charge, many.promise) = (machine, charge, promise);
        many
    }

    /// Takes back what an event has shown; returns it unless it is an inbox with a rest.
    pub(crate) fn reclaim(
        &mut self,
        mut buffered_request: Box<BufferedRequest>,
    ) -> Option<Box<BufferedRequest>> {
        let Some((id, used)) = self.shown.take() else {
            return Some(buffered_request);
        };
        match self.streams.get_mut(id) {
            Some(stream) if buffered_request.advance(used) => {
                stream.exchange.kept = Some(buffered_request);
                None
            }
            _ => Some(buffered_request),
        }
    }

    /// The lowest stream whose owner does not know the connection is over, and why the stream
    /// was, if before.
    pub(crate) fn take_live(&mut self) -> Option<(u32, Option<EndReason>)> {
        let live = self.streams.iter().filter(|stream| !stream.end_reported);
        let id = live.map(|stream| stream.exchange.id).min()?;
        let stream = self.streams.get_mut(id)?;
        stream.end_reported = true;
        Some((id, stream.gone))
    }

    pub(super) fn open_stream(&mut self, id: u32) -> Result<&mut Stream, UsageError> {
        match self.streams.get_mut(id) {
            Some(stream)
                if stream.gone.is_none() && !stream.end_reported && self.machine.is_open(id) =>
            {
                Ok(stream)
            }
            _ => Err(UsageError::Over),
        }
    }

    pub(super) fn queue(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id)
            && !core::mem::replace(&mut stream.pending, true)
        {
            self.pending.push_back(id);
        }
    }

    /// Lets a stream offer its content in its turn.
    pub(super) fn list(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id)
            && stream.sending.outbox.is_some()
            && !core::mem::replace(&mut stream.sending.listed, true)
        {
            self.turns.push_back(id);
        }
    }

    pub(super) fn outbox(&mut self, id: u32) -> Option<&mut Outbox> {
        let Self {
            streams,
            spare,
            charge,
            ..
        } = self;
        let stream = streams.get_mut(id)?;
        let outbox = stream.sending.outbox.get_or_insert_with(|| {
            let mut outbox: Box<Outbox> = spare.pop().unwrap_or_default();
            outbox.charge_to(charge.account());
            outbox
        });
        Some(outbox)
    }

    pub(super) fn spare_outbox(&mut self, mut outbox: Box<Outbox>) {
        if self.spare.len() < SPARE {
            outbox.clear();
            self.spare.push(outbox);
        }
    }

    /// Wakes no later than `at` for a deadline of a stream's own.
    pub(super) fn wake_by(&mut self, at: Instant) {
        self.wake = self.wake.min(at);
    }
}

#[cfg(test)]
mod tests;
