//! A connection that threads share.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::io;
use std::sync::{Mutex, MutexGuard};
use std::thread;

use super::desk::{Desk, Polling};
use super::handover::Bell;
use crate::client::connecting::{Driven, SharedSocket, clock};
use crate::link::EndReason;
use crate::net::TransportDetails;
use crate::wire::Instant;
use crate::wire::partly_shown;

pub(crate) struct SharedConnection {
    state: Mutex<State>,
    socket: SharedSocket,
    /// `https` is what it is for.
    pub(super) is_secure: bool,
    /// Calls that the server takes at one time; none once it takes no further ones.
    capacity: AtomicUsize,
    is_over: AtomicBool,
}

pub(super) struct State {
    pub(super) driven: Driven,
    pub(super) desk: Desk,
    /// Bytes that were sent and received, and count as some call's.
    counted: (u64, u64),
}

/// The lock, held. Bells of threads that are to be woken are rung when it is free.
pub(super) struct Locked<'c> {
    connection: &'c SharedConnection,
    state: MutexGuard<'c, State>,
    /// Rung after the unlocking, as the fields are dropped in order.
    ringing: Ringing,
}

/// Bells that are rung when it is dropped.
#[derive(Default)]
struct Ringing(Vec<Arc<Bell>>);

std::thread_local! {
    /// Memory for the bells that one unlocking rings.
    static RINGS: Cell<Vec<Arc<Bell>>> = const { Cell::new(Vec::new()) };
}

impl SharedConnection {
    /// Shares a connection from now on. A call keeps one interim response more than
    /// `informational`.
    pub(crate) fn new(mut driven: Driven, is_secure: bool, informational: u16) -> io::Result<Self> {
        let socket = driven.share()?;
        let mut desk = Desk::new(informational);
        // The server may have taken leave while the connection was opened.
        let is_leaving = !driven.connection().wire().link.takes_exchanges();
        desk.is_leaving = is_leaving;
        Ok(Self {
            state: Mutex::new(State {
                counted: (driven.handed_over(), driven.connection().received()),
                driven,
                desk,
            }),
            socket,
            is_secure,
            capacity: AtomicUsize::new(usize::MAX),
            is_over: AtomicBool::new(is_leaving),
        })
    }

    /// How many calls the server takes at one time, as far as is known.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Takes what came while no thread waited; whether the connection is still usable.
    pub(crate) fn probe(&self) -> bool {
        let now = clock::now();
        let mut state = self.lock();
        if state.desk.handover.leader().is_none() {
            let State { driven, desk, .. } = &mut *state;
            driven.catch_up(now, &mut |wire, stream, event| {
                desk.tell(wire, stream, event);
            });
            state.settle(now);
        }
        state.is_usable()
    }

    pub(crate) fn transport_details(&self) -> Option<TransportDetails> {
        self.lock().driven.connection().transport_details()
    }

    pub(super) fn lock(&self) -> Locked<'_> {
        let (state, is_broken) = match self.state.lock() {
            Ok(state) => (state, false),
            Err(poisoned) => {
                self.state.clear_poison();
                (poisoned.into_inner(), true)
            }
        };
        let mut locked = Locked {
            connection: self,
            state,
            ringing: Ringing::default(),
        };
        if is_broken {
            // A thread has panicked in the middle of it: nobody knows where it stands.
            locked.end(EndReason::Panicked);
        }
        locked
    }

    pub(super) fn sound(&self) {
        self.socket.sound();
    }
}

impl State {
    fn is_usable(&mut self) -> bool {
        let wire = self.driven.connection().wire();
        // One that allows none at the moment is waited for.
        !self.desk.is_over && !self.desk.is_leaving && wire.link.takes_exchanges()
    }

    /// Bytes that were sent and received since this was asked last, by any call.
    pub(super) fn take_carried(&mut self) -> (u64, u64) {
        let now = (
            self.driven.handed_over(),
            self.driven.connection().received(),
        );
        let before = core::mem::replace(&mut self.counted, now);
        (now.0 - before.0, now.1 - before.1)
    }

    /// Does what is due and writes what the kernel takes; whether that is all of it.
    fn settle(&mut self, now: Instant) -> bool {
        let Self { driven, desk, .. } = self;
        driven.settle(now, &mut |wire, stream, event| {
            desk.tell(wire, stream, event)
        })
    }

    fn end(&mut self, why: EndReason) {
        let Self { driven, desk, .. } = self;
        let connection = driven.connection();
        connection.closed(why, |wire, stream, event| desk.tell(wire, stream, event));
    }
}

impl<'c> Locked<'c> {
    /// Writes what is to be written, unless there is a leader that does so before it waits.
    pub(super) fn write(&mut self) {
        let Some(polling) = self.desk.polling else {
            if self.desk.handover.leader().is_none() {
                self.settle(clock::now());
            }
            return;
        };
        let is_all = self.settle(clock::now());
        let due = self.driven.connection().deadline();
        let is_sooner = due.is_some_and(|it| it < polling.until);
        if is_sooner || (!is_all && !polling.for_room) {
            self.desk.polling = None; // it is about to come
            self.connection.sound();
        }
    }

    /// The thread of `seat` waits no longer.
    pub(super) fn leave(&mut self, seat: usize) {
        let next = self.desk.handover.leave(seat);
        if let Some(next) = next {
            self.desk.ring(next);
        }
        // One that was appointed writes when it comes.
        self.write();
    }

    /// Waits for the socket for all, and distributes what arrives; not if `is_here` is true.
    /// Returns whether `until` came.
    pub(super) fn lead(
        mut self,
        until: Instant,
        is_here: impl FnOnce(&mut State) -> bool,
    ) -> (Self, bool) {
        let connection = self.connection;
        if self.desk.handover.expects() {
            // Those that were woken may have something to send, which goes out together.
            drop(self);
            thread::yield_now();
            self = connection.lock();
        }
        let now = clock::now();
        let stuck = !self.settle(now);
        if until <= now || is_here(&mut self) || self.desk.is_over {
            return (self, until <= now);
        }
        let due = self.driven.connection().deadline();
        let until = until.min(due.unwrap_or(Instant::NEVER));
        self.desk.polling = Some(Polling {
            until,
            for_room: stuck,
        });
        drop(self);
        let arrived = connection.socket.wait(stuck, until);
        let mut locked = connection.lock();
        locked.desk.polling = None;
        let State { driven, desk, .. } = &mut *locked;
        driven.receive(arrived, clock::now(), &mut |wire, stream, event| {
            desk.tell(wire, stream, event);
        });
        (locked, false)
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let Self {
            connection,
            state,
            ringing,
        } = self;
        let desk = &mut state.desk;
        if core::mem::take(&mut desk.sounds) {
            connection.sound();
        }
        if let Some(capacity) = desk.capacity.take() {
            connection.capacity.store(capacity, Ordering::Relaxed);
            let is_over = desk.is_over || desk.is_leaving;
            connection.is_over.store(is_over, Ordering::Relaxed);
        }
        if !desk.rings.is_empty() {
            let kept = RINGS.try_with(Cell::take).unwrap_or_default();
            ringing.0 = core::mem::replace(&mut desk.rings, kept);
        }
    }
}

impl Drop for Ringing {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        for bell in self.0.drain(..) {
            bell.ring();
        }
        // Refused only while the thread ends.
        let _ = RINGS.try_with(|kept| kept.set(core::mem::take(&mut self.0)));
    }
}

partly_shown!(it: SharedConnection { capacity: it.capacity(), is_usable: it.is_usable() });
