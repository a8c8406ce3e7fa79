//! Sessions: exchanges that stay open after a route's closure has returned.
//!
//! ```text
//!  connection.tag = slot + 1 ──► Sessions: [ Entry | free | Entry | ... ]
//!                                             │
//!                                             ├─ exchange   whom it belongs to
//!                                             ├─ record     until the reply's head has left (or all of it)
//!                                             └─ session    Box<dyn Session>
//! ```
//!
//! A session is called in place. Should it panic, it is taken out and dropped, and a tag
//! that still names its slot finds another exchange there, or nobody.

use alloc::{boxed::Box, vec::Vec};
use core::any::Any;
use core::mem;

use super::loop_state::LoopState;
use super::record::Record;
use crate::app::telemetry::metrics::Kind;
use crate::http::Fields;
use crate::link::{EndReason, Event};
use crate::net::{Context, Exchange, Key, Table};
use crate::websocket::{CloseCode, Kind as MessageKind};

/// The state of one exchange that stays open after its handler has returned.
///
/// The first call is [`opened`](Self::opened), once the session has its slot; the
/// last is [`ended`](Self::ended), unless the session ended itself before. What a
/// session does not override goes past it.
#[expect(unused_variables, reason = "the names are the documentation")]
pub(crate) trait Session {
    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        After::Keep
    }

    fn body(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) -> After {
        After::Keep
    }

    /// The end of the request's body.
    fn end(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        trailers: Fields<'_>,
        dropped: u16,
    ) -> After {
        After::Keep
    }

    /// A message of a WebSocket, complete.
    fn message(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: MessageKind,
        payload: &mut [u8],
    ) -> After {
        After::Keep
    }

    /// Messages of a WebSocket that were received together: this one, and those after it.
    fn messages(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: MessageKind,
        payload: &mut [u8],
    ) -> After {
        let mut after = self.message(at, kind, payload);
        while after == After::Keep
            && let Some((kind, payload)) = at.context.next_message()
        {
            after = self.message(at, kind, payload);
        }
        after
    }

    /// A part of a message of a WebSocket.
    fn chunk(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: MessageKind,
        payload: &mut [u8],
        last: bool,
    ) -> After {
        After::Keep
    }

    /// A Pong of a WebSocket.
    fn pong(&mut self, at: &mut SessionContext<'_, '_>, payload: &[u8]) -> After {
        After::Keep
    }

    /// The peer has closed the WebSocket.
    fn close(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        code: Option<CloseCode>,
        reason: &str,
    ) -> After {
        After::Keep
    }

    /// Output that waited has gone.
    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        After::Keep
    }

    /// A timer went off.
    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        After::Keep
    }

    /// Something was posted to the exchange.
    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        After::Keep
    }

    /// Something on this loop has woken it.
    fn woken(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        After::Keep
    }

    /// A future of it is to be polled: the one of this number.
    fn poll(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        After::Keep
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        After::Keep
    }

    /// The response has been owed for too long.
    fn overdue(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        After::Keep
    }

    /// The exchange is over.
    fn ended(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        After::Keep
    }

    /// Something happened on the session's exchange.
    fn event(&mut self, at: &mut SessionContext<'_, '_>, event: Event<'_>) -> After {
        match event {
            Event::Opened => self.opened(at),
            Event::Body(piece) => self.body(at, piece),
            Event::End { trailers, dropped } => self.end(at, trailers, dropped),
            Event::Message { kind, payload } => self.message(at, kind, payload),
            Event::Chunk {
                kind,
                payload,
                last,
            } => self.chunk(at, kind, payload, last),
            Event::Pong(payload) => self.pong(at, payload),
            Event::Close { code, reason } => self.close(at, code, reason),
            Event::Writable => self.writable(at),
            Event::Timer { token } => self.timer(at, token),
            Event::Mail(mail) => self.mail(at, mail),
            Event::Woken => self.woken(at),
            Event::Poll { token } => self.poll(at, token),
            Event::Draining => self.draining(at),
            Event::Overdue => self.overdue(at),
            Event::Ended(why) => self.ended(at, why),
            // The machine has answered it.
            Event::Ping(_)
            // For these the app answers.
            | Event::Request { .. }
            | Event::TooLarge
            // What only clients and raw connections see.
            | Event::Informational(_)
            | Event::Response { .. }
            | Event::Data(_)
            | Event::GoingAway { .. }
            | Event::HalfClosed => After::Keep,
        }
    }

    /// Bytes of content that it has written, apart from what went with the
    /// reply's head.
    fn content(&self) -> u64 {
        0
    }

    fn kind(&self) -> Kind {
        Kind::Exchange
    }

    /// Whether the request's body is still coming.
    fn is_receiving(&self) -> bool {
        false
    }

    /// The session has panicked and is dropped without a further event. Takes
    /// its name out of the loop's books; calls nothing of the application's.
    fn lost(&mut self, exchange: Exchange, loop_state: &mut LoopState) {}
}

/// Whether a session stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It does.
    Keep,
    /// It is to be dropped: its exchange has been answered completely, or it has
    /// given it up.
    End,
}

/// Where a session is called: its exchange, and the loop's part of the app.
pub(crate) struct SessionContext<'a, 'c> {
    pub(crate) context: &'a mut Context<'c>,
    pub(crate) loop_state: &'a mut LoopState,
    /// The record of the request, until the head of its reply has been sent, or until
    /// its end where middleware watches that.
    pub(crate) record: &'a mut Option<Box<Record>>,
}

impl<'c> SessionContext<'_, 'c> {
    /// A context for a call within this one.
    pub(crate) fn reborrow(&mut self) -> SessionContext<'_, 'c> {
        SessionContext {
            context: self.context,
            loop_state: self.loop_state,
            record: self.record,
        }
    }
}

/// One exchange that stays open.
pub(crate) struct Entry {
    pub(crate) exchange: Exchange,
    /// The record of its request, until the reply's head has left, or all of it where
    /// middleware watches that.
    pub(crate) record: Option<Box<Record>>,
    /// Its session; none while the request's body is being collected.
    pub(crate) session: Option<Box<dyn Session>>,
}

impl Entry {
    /// An entry of no exchange.
    pub(crate) const fn none() -> Self {
        Self {
            exchange: Exchange::NONE,
            record: None,
            session: None,
        }
    }
}

/// The exchanges of one loop that go on.
#[derive(Default)]
pub(crate) struct Sessions {
    slots: Table<Entry>, // a free one is that of no exchange
    free: Vec<u32>,
}

impl Sessions {
    /// Puts `entry` into a slot and returns the tag that names it, never 0.
    pub(crate) fn put(&mut self, entry: Entry) -> u32 {
        if let Some(at) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = entry;
            return at + 1; // a slot's number, plus one, was a tag before
        }
        self.slots.push(entry);
        // Every entry belongs to an open connection; nobody has 2^32 of them.
        self.slots.len() as u32
    }

    /// The entry that `tag` names, if it belongs to `connection`.
    #[inline]
    pub(crate) fn get_mut(&mut self, tag: u32, connection: Key) -> Option<&mut Entry> {
        let at = tag.checked_sub(1)?;
        let slot = self.slots.get_mut(at as usize)?;
        (slot.exchange.connection == connection).then_some(slot)
    }

    /// Takes out what `tag` names, if it belongs to `connection`.
    pub(crate) fn take(&mut self, tag: u32, connection: Key) -> Option<Entry> {
        let entry = mem::replace(self.get_mut(tag, connection)?, Entry::none());
        self.free.push(tag - 1); // it has named something
        Some(entry)
    }

    pub(crate) fn exchanges(&self) -> impl Iterator<Item = Exchange> + '_ {
        let all = self.slots.iter().map(|entry| entry.exchange);
        all.filter(|exchange| *exchange != Exchange::NONE)
    }
}
