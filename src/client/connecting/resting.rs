//! Connections at work and at rest. One at rest that speaks HTTP/1.1 on a bare socket is no
//! more than the socket: it would have to be as it was when it was new.
//!
//! ```text
//!   AtWork: a Driven, in room that the thread has ──put_to_rest──► Rested: a socket
//!      ▲                                                              │
//!      └────────────────────────── wake ◄── is_alive ─────────────────┘
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cell::Cell;
use core::time::Duration;

use super::socket::Socket;
use super::{Connection, Driven};
use crate::link::Limits;
use crate::wire::Instant;

#[derive(Debug)]
pub(crate) struct AtWork {
    /// There until it is dropped.
    room: Option<Box<Option<Driven>>>,
}

#[derive(Debug)]
pub(crate) enum Rested {
    Bare(Bare),
    Whole(AtWork),
}

/// The rest of a connection that can be made anew.
#[derive(Debug)]
pub(crate) struct Bare {
    socket: Arc<Socket>,
    limits: Arc<Limits>,
    /// How long a read waits, in milliseconds.
    patience: u32,
}

std::thread_local! {
    static ROOM: Cell<Option<Box<Option<Driven>>>> = const { Cell::new(None) };
}

impl AtWork {
    pub(crate) fn new(driven: Driven) -> Self {
        // There is none while the thread ends, or while another connection has it.
        let kept = ROOM.try_with(Cell::take).ok().flatten();
        let mut room = kept.unwrap_or_default();
        *room = Some(driven);
        Self { room: Some(room) }
    }

    pub(crate) fn driven(&mut self) -> Option<&mut Driven> {
        self.room.as_mut()?.as_mut().as_mut()
    }

    /// Lets it rest: there is nothing under way on it.
    pub(crate) fn put_to_rest(mut self) -> Rested {
        match self.driven().and_then(Driven::strip) {
            Some((socket, limits, patience)) => Rested::Bare(Bare {
                socket,
                limits,
                patience: u32::try_from(patience.as_millis()).unwrap_or(0), // at most 2^24
            }),
            None => Rested::Whole(self),
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(mut room) = self.room.take() {
            *room = None;
            // Refused only while the thread ends.
            let _ = ROOM.try_with(|kept| kept.set(Some(room)));
        }
    }
}

impl Rested {
    /// Whether it is still of use, as [`Driven::probe_at`] finds out.
    pub(crate) fn is_alive(&mut self, now: Instant) -> bool {
        match self {
            // Whatever comes is unasked for, or the end.
            Self::Bare(bare) => matches!(bare.socket.read_now(&mut [0]), Ok(None)),
            Self::Whole(whole) => whole.driven().is_some_and(|it| it.probe_at(now)),
        }
    }

    pub(crate) fn wake(self, now: Instant) -> AtWork {
        let bare = match self {
            Self::Bare(bare) => bare,
            Self::Whole(whole) => return whole,
        };
        let connection = Connection::http1(bare.limits, now);
        let patience = Duration::from_millis(bare.patience.into());
        AtWork::new(Driven::again(connection, bare.socket, patience))
    }
}

#[cfg(test)]
mod tests;
