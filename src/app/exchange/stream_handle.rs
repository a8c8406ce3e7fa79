//! A stream as others reach it, and what it knows of itself.

use alloc::boxed::Box;
use core::any::Any;

use super::stream::Stream;
use crate::net::{Exchange, LocalWaker, Owner, Peer, Remote};
use crate::wire::Instant;

/// One stream, from any thread.
#[derive(Debug, Clone)]
pub struct StreamHandle {
    remote: Remote,
    owner: Owner,
    exchange: Exchange,
}

impl StreamHandle {
    /// Gives `mail` to the stream's object, as [`Streaming::mail`](crate::app::Streaming::mail). Whether it
    /// is on its way: not so if the mailbox of the loop is full. If the stream
    /// is over when it arrives, it is dropped.
    pub fn mail(&self, mail: impl Any + Send) -> bool {
        self.remote
            .post(self.owner, self.exchange, Box::new(mail))
            .is_ok()
    }
}

impl Stream<'_, '_> {
    /// The time now, as of the loop's present turn.
    pub fn now(&self) -> Instant {
        self.at.context.now()
    }

    /// The client's address, as [`Request::peer`](crate::app::Request::peer).
    pub fn peer(&self) -> Option<Peer> {
        self.state.peer
    }

    /// A handle that reaches this stream from any thread.
    pub fn handle(&self) -> StreamHandle {
        let context = &*self.at.context;
        StreamHandle {
            remote: context.remote(),
            owner: context.owner(),
            exchange: context.exchange(),
        }
    }

    /// A waker that has [`Streaming::woken`](crate::app::Streaming::woken) called, for
    /// use on this loop.
    pub fn waker(&self) -> LocalWaker {
        self.at.context.waker()
    }
}
