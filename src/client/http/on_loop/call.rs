//! A call, in the hands of who has made it.

use alloc::rc::Rc;

use bytes::Bytes;

use super::ticket::Ticket;
use crate::client::http::feed::Took;
use crate::link::UsageError;
use crate::net::Flow;
use crate::wire::partly_shown;

/// A call of a [`LoopClient`](super::LoopClient). Clones are the same call, and dropping
/// them ends nothing. What is asked of it is done in the same turn of the loop or in the
/// next, and never calls the listener right away.
#[derive(Clone)]
pub struct LoopCall {
    pub(super) ticket: Rc<Ticket>,
}

impl LoopCall {
    /// Ends the call, unless it is over: the listener is told, and the server that the
    /// response is not wanted any more.
    pub fn cancel(&self) {
        self.ticket.is_cancelled.set(true);
        self.ticket.note();
    }

    /// Pauses the response's body until [`resume`](Self::resume): no piece of it is
    /// passed on, and flow control makes the server wait. What has come by then is kept:
    /// over HTTP/2 at most
    /// [`ClientLimits::http2_window`](crate::client::ClientLimits::http2_window), and
    /// over HTTP/1.1 about one read of the loop. Meanwhile the server's silence does not
    /// count.
    pub fn pause(&self) {
        if !self.ticket.is_paused.replace(true) {
            self.ticket.note();
        }
    }

    /// Continues after [`pause`](Self::pause).
    pub fn resume(&self) {
        if self.ticket.is_paused.replace(false) {
            self.ticket.note();
        }
    }

    /// Whether the listener is not to be told any piece.
    pub fn is_paused(&self) -> bool {
        self.ticket.is_paused.get()
    }

    /// Writes a piece of the request's body, which was set to
    /// [`Body::pieces`](crate::client::Body::pieces). [`Flow::Wait`] asks for no more until
    /// [`ResponseListener::writable`](super::ResponseListener::writable); the piece was
    /// taken. [`Flow::Over`]: it will not be taken, as the call is over, the server has
    /// answered and does not want the rest, or the body was finished.
    pub fn write(&self, piece: &[u8]) -> Flow {
        self.write_shared(Bytes::copy_from_slice(piece))
    }

    /// Writes a piece like [`write`](Self::write), without a copy.
    pub fn write_shared(&self, piece: Bytes) -> Flow {
        let took = match &self.ticket.feed {
            Some(feed) if !self.ticket.is_over.get() => feed.write(piece),
            _ => Took::Nothing,
        };
        if took == Took::Nothing {
            return Flow::Over(UsageError::Over);
        }
        self.ticket.note();
        match took {
            Took::Enough => Flow::Wait,
            _ => Flow::Go,
        }
    }

    /// Ends the request's body.
    pub fn finish(&self) {
        if let Some(feed) = &self.ticket.feed {
            feed.finish();
            self.ticket.note();
        }
    }

    /// Whether the listener was told the end, or is about to be.
    pub fn is_over(&self) -> bool {
        self.ticket.is_over.get()
    }

    /// Bytes that are held for this call: of the response, and of the request's body. They
    /// are charged to the loop as well.
    pub fn held(&self) -> usize {
        self.ticket.held.get()
    }
}

partly_shown!(it: LoopCall { is_over: it.is_over(), is_paused: it.is_paused() });
