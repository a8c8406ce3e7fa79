//! A connection on which one thread waits and others send.
//!
//! ```text
//!   receiver ──wait, without the lock──► Socket ──bytes──► Connection ──► owner
//!                                                             ▲
//!   senders ──under the lock, and write themselves────────────┘
//! ```
//!
//! Who waits for the socket gives the lock away meanwhile. That is the receiver, or while
//! none receives a thread that sends and has to wait (`at_socket`). A sender that changes
//! what is waited for, an earlier deadline or output that the kernel has no room for,
//! sounds the alarm: that is heard also if it sounds before the wait begins.

mod at_socket;
mod sending;

use alloc::sync::Arc;
use core::time::Duration;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use self::at_socket::{AtSocket, Duty, Who};
use super::driven::{Buffer, Driven, SHORT, Waited, patience};
use super::socket::{Alarm, Socket, WaitFor};
use super::{Canceller, Wire, clock};
use crate::link::{EndReason, Event};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// Reads of what has come while no thread was receiving.
const CATCH_UP: usize = 4;

pub(crate) trait DuplexOwner {
    fn event(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>);

    /// Whether a receiver need not wait.
    fn has_news(&self) -> bool;

    /// Whether something that was sent waits for more than the output to be written.
    fn is_held(&self, wire: &Wire) -> bool;

    /// Whether more may be read for it by threads that send, while no thread receives.
    fn takes_more(&self) -> bool;
}

/// A connection on which one thread waits and others send.
pub(crate) struct Duplex<O> {
    socket: Arc<Socket>,
    canceller: Canceller,
    /// Only where others than the receiver send.
    alarm: OnceLock<Alarm>,
    state: Mutex<DuplexState<O>>,
    /// For those that sleep: there may be room, or no thread waits for the socket.
    call: Condvar,
}

/// The state under the lock.
pub(crate) struct DuplexState<O> {
    driven: Driven,
    owner: O,
    at_socket: AtSocket,
    /// An alarm was heard by a thread that sends, and may be the receiver's.
    missed_alarm: bool,
    /// The longest that output may wait while the kernel takes none of it.
    output_time: Duration,
    /// How long the receiver has waited since the kernel took some.
    stuck_for: Duration,
    taken: u64,
}

impl<O: DuplexOwner> DuplexState<O> {
    pub(crate) fn wire_at(&mut self, now: Instant) -> &mut Wire {
        let wire = self.driven.connection().wire();
        wire.now = now;
        wire
    }

    pub(crate) const fn owner(&mut self) -> &mut O {
        &mut self.owner
    }

    fn is_over(&mut self) -> bool {
        self.driven.connection().is_over()
    }

    fn is_lost(&mut self) -> bool {
        self.is_over() || self.driven.is_deaf()
    }

    fn deadline(&mut self) -> Instant {
        let deadline = self.driven.connection().deadline();
        deadline.unwrap_or(Instant::NEVER)
    }

    pub(crate) fn position(&mut self) -> u64 {
        self.driven.position()
    }

    pub(crate) fn queued(&mut self, stream: u32) -> usize {
        self.driven.connection().wire().link.queued(stream)
    }

    pub(crate) const fn handed_over(&self) -> u64 {
        self.driven.handed_over()
    }

    fn push(&mut self, now: Instant) -> bool {
        let Self { driven, owner, .. } = self;
        driven.push(now, &mut |wire, stream, event| {
            owner.event(wire, stream, event)
        })
    }

    fn elapse(&mut self, now: Instant, is_stuck: bool) {
        if self.deadline() > now {
            return;
        }
        let Self { driven, owner, .. } = self;
        let connection = driven.connection();
        if is_stuck {
            connection.output_waits(now);
        }
        connection.elapsed(now, |wire, stream, event| owner.event(wire, stream, event));
    }

    /// Ends a connection whose output waits too long. Only time `waited` by the receiver
    /// counts: a server may take nothing while its own output is unread.
    fn limit_output(&mut self, is_stuck: bool, waited: Duration) {
        let taken = self.driven.handed_over();
        if !is_stuck || taken != self.taken {
            self.taken = taken;
            self.stuck_for = Duration::ZERO;
            return;
        }
        self.stuck_for = self.stuck_for.saturating_add(waited);
        if self.stuck_for >= self.output_time {
            let Self { driven, owner, .. } = self;
            let told = |wire: &mut Wire, stream: u32, event: Event<'_>| {
                owner.event(wire, stream, event);
            };
            driven.connection().closed(EndReason::Stalled, told);
        }
    }

    /// When the receiver is to look again.
    fn due(&mut self, is_stuck: bool, now: Instant) -> Instant {
        let left = self.output_time.saturating_sub(self.stuck_for);
        match is_stuck {
            true => self.deadline().min(now + left),
            false => self.deadline(),
        }
    }

    /// Whether all that was sent has left; writes what there is.
    fn has_left(&mut self, now: Instant) -> (bool, bool) {
        let is_written = self.push(now);
        let is_held = self.owner.is_held(self.driven.connection().wire());
        (is_written, is_written && !is_held)
    }

    /// Whether something that was sent before waits.
    fn holds_some(&mut self) -> bool {
        let connection = self.driven.connection();
        !connection.output().is_empty() || self.owner.is_held(connection.wire())
    }

    /// Looks at what the owner had no use for until now.
    fn resume(&mut self, now: Instant) {
        let Self { driven, owner, .. } = self;
        driven.connection().resume(now, |wire, stream, event| {
            owner.event(wire, stream, event);
        });
    }

    /// Looks at what has come since the last look: time without a look is not the peer's
    /// silence.
    fn catch_up(&mut self, socket: &Socket, now: Instant) {
        let mut buffer = Buffer::take();
        for _ in 0..CATCH_UP {
            let read = match socket.read_now(buffer.all()) {
                Ok(None) => return,
                read => read,
            };
            self.take(read, &mut buffer, now);
            let is_paused = self.driven.connection().is_paused();
            if is_paused || self.is_over() {
                return;
            }
        }
    }

    fn take(&mut self, read: io::Result<Option<usize>>, buffer: &mut Buffer, now: Instant) {
        let Self { driven, owner, .. } = self;
        let connection = driven.connection();
        let told = |wire: &mut Wire, stream: u32, event: Event<'_>| {
            owner.event(wire, stream, event);
        };
        match read {
            Ok(None) => {}
            Ok(Some(0)) => connection.receive_eof(now, told),
            Ok(Some(bytes)) => connection.receive(buffer.filled(bytes), now, told),
            Err(_) => connection.closed(EndReason::Reset, told),
        }
    }
}

impl<O: DuplexOwner> Duplex<O> {
    /// `output_time` is the longest that output may wait while the kernel takes none of it.
    pub(crate) fn new(mut driven: Driven, owner: O, output_time: Duration) -> Self {
        Self {
            socket: driven.socket(),
            canceller: driven.canceller(),
            alarm: OnceLock::new(),
            state: Mutex::new(DuplexState {
                driven,
                owner,
                at_socket: AtSocket::EMPTY,
                missed_alarm: false,
                output_time,
                stuck_for: Duration::ZERO,
                taken: 0,
            }),
            call: Condvar::new(),
        }
    }

    /// Lets others send while the receiver waits. To be called before they do.
    pub(crate) fn share(&self) -> io::Result<()> {
        if self.alarm.get().is_none() {
            let alarm = Alarm::new(&self.socket)?;
            // Only its one owner shares it.
            let _ = self.alarm.set(alarm);
        }
        Ok(())
    }

    /// Wakes the receiver, or has its next wait end immediately.
    pub(crate) fn alarm(&self) {
        if let Some(alarm) = self.alarm.get() {
            alarm.sound();
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, DuplexState<O>> {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn canceller(&self) -> &Canceller {
        &self.canceller
    }

    fn is_cancelled(&self) -> bool {
        self.canceller.is_cancelled()
    }

    /// Does what is due, writes, and unless the owner has news waits until `until` for bytes or
    /// the alarm. For one thread at a time: the receiver.
    pub(crate) fn turn(&self, until: Instant) -> Waited {
        let (waited, mut state) = self.turn_with(self.lock(), until);
        state.at_socket.receiver_leaves();
        self.wake(&state); // they wait for the socket themselves now
        if state.at_socket.there() == Some(Who::Sender) {
            self.alarm(); // there may be something else to wait for
        }
        waited
    }

    fn turn_with<'a>(
        &'a self,
        mut state: MutexGuard<'a, DuplexState<O>>,
        until: Instant,
    ) -> (Waited, MutexGuard<'a, DuplexState<O>>) {
        let mut now = clock::now();
        if state.driven.connection().is_paused() && !state.owner.has_news() {
            state.resume(now);
            let is_quiet = state.driven.connection().output().is_empty();
            if is_quiet && state.owner.has_news() && !self.is_cancelled() {
                return (Waited::Moved, state);
            }
        }
        if state.deadline() <= now && !state.owner.has_news() {
            state.catch_up(&self.socket, now);
        }
        let (mut has_waited, mut waited) = (false, Duration::ZERO);
        let mut is_stuck = false;
        let mut is_alarmed = core::mem::take(&mut state.missed_alarm);
        loop {
            if self.is_cancelled() {
                return (Waited::Cancelled, state);
            }
            state.elapse(now, is_stuck);
            let was_stuck = is_stuck;
            is_stuck = !state.push(now);
            state.limit_output(is_stuck, waited);
            if state.owner.has_news() {
                return (Waited::Moved, state);
            }
            if state.is_over() {
                return (Waited::Over, state);
            }
            self.wake(&state); // there may be room
            if was_stuck && !is_stuck || is_alarmed {
                return (Waited::Moved, state);
            }
            if has_waited && until <= now {
                return (Waited::TimedOut, state);
            }
            let left = until.min(state.due(is_stuck, now)).saturating_since(now);
            if state.at_socket.wait(Who::Receiver, true) == Duty::Sleep {
                self.alarm();
                state = self.sleep(state, left);
                now = clock::now();
                (has_waited, waited) = (true, Duration::ZERO);
                continue;
            }
            let mut time = *state.driven.patience();
            drop(state);
            let mut buffer = Buffer::take();
            let read = self.wait(buffer.all(), is_stuck, &mut time, left, &mut is_alarmed);
            state = self.lock();
            state.at_socket.waited(Duty::Watch);
            *state.driven.patience() = time;
            let began = now;
            now = clock::now();
            (has_waited, waited) = (true, now.saturating_since(began));
            state.take(read, &mut buffer, now);
        }
    }

    pub(crate) fn push(&self) -> bool {
        self.lock().push(clock::now())
    }

    /// Waits without the lock, reads for up to `time`. An alarm is heard once.
    fn wait(
        &self,
        into: &mut [u8],
        is_stuck: bool,
        time: &mut Duration,
        left: Duration,
        is_alarmed: &mut bool,
    ) -> io::Result<Option<usize>> {
        if Socket::IS_EDGE_TRIGGERED
            && let Some(bytes) = self.socket.read_now(into)?
        {
            return Ok(Some(bytes));
        }
        match self.alarm.get() {
            Some(alarm) => {
                let wanted = match is_stuck {
                    true => WaitFor::Both,
                    false => WaitFor::Bytes,
                };
                *is_alarmed = self.socket.wait_alarmed(alarm, wanted, left)?.is_alarmed;
                self.socket.read_now(into)
            }
            None if is_stuck || left < SHORT => {
                self.socket.wait(is_stuck, left)?;
                self.socket.read_now(into)
            }
            None => {
                let new = patience(*time, left);
                if new != *time {
                    self.socket.set_patience(new)?;
                    *time = new;
                }
                self.socket.read(into)
            }
        }
    }

    /// Gives a receiver what has come, or else what comes of input that was kept until now.
    pub(crate) fn take_next<R>(&self, take: impl Fn(&mut O) -> Option<R>) -> Option<R> {
        let mut state = self.lock();
        let mut taken = take(&mut state.owner);
        let is_paused = state.driven.connection().is_paused();
        if taken.is_none() && is_paused && !self.is_cancelled() {
            state.resume(clock::now());
            // An answer leaves first, by the next turn.
            if state.driven.connection().output().is_empty() {
                taken = take(&mut state.owner);
            }
        }
        self.wake(&state);
        taken
    }

    /// Ends it in both directions, and wakes the threads that wait for it.
    pub(crate) fn shut_down(&self) {
        self.socket.shut_down();
    }

    /// Says that nothing follows and reads for this long, so that the peer gets our last words
    /// and no reset.
    pub(crate) fn linger(&self, time: Duration) {
        let until = clock::now() + time;
        let mut buffer = Buffer::take();
        let mut is_written = false;
        loop {
            let now = clock::now();
            if !is_written && self.lock().push(now) {
                is_written = true;
                self.socket.end_writing();
            }
            let left = until.saturating_since(now);
            if left.is_zero() || self.is_cancelled() {
                return;
            }
            match self.socket.read_now(buffer.all()) {
                Ok(Some(0)) | Err(_) => return,
                Ok(Some(_)) => {}
                Ok(None) if self.socket.wait(!is_written, left).is_err() => return,
                Ok(None) => {}
            }
        }
    }
}

partly_shown!([O] it: Duplex<O> { socket });

#[cfg(test)]
mod tests;
