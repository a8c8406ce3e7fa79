//! A connection on which one thread waits and others send.
//!
//! ```text
//!   receiver ──wait, without the lock──► Socket ──bytes──► Connection ──► owner
//!                                                             ▲
//!   senders ──under the lock, and write themselves────────────┘
//! ```
//!
//! The receiver gives the lock away while it waits. A sender that changes what it waits
//! for, an earlier deadline or output that the kernel has no room for, sounds the alarm:
//! that is heard also if it sounds before the wait begins.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use super::driven::{Buffer, Driven, SHORT, Waited, patience};
use super::socket::{Alarm, Socket};
use super::{Canceller, Wire, clock};
use crate::link::{EndReason, Event};
use crate::wire::Instant;

/// Who is told what has happened.
pub(in crate::client) trait DuplexOwner {
    /// Something has happened.
    fn event(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>);

    /// Whether a receiver need not wait.
    fn has_news(&self) -> bool;
}

/// A connection on which one thread waits and others send.
pub(in crate::client) struct Duplex<O> {
    socket: Arc<Socket>,
    canceller: Canceller,
    /// Only where others than the receiver send.
    alarm: OnceLock<Alarm>,
    state: Mutex<DuplexState<O>>,
    /// For senders: there may be room.
    room: Condvar,
}

/// What is under the lock.
pub(in crate::client) struct DuplexState<O> {
    driven: Driven,
    owner: O,
    /// The receiver waits for the socket.
    is_waited_for: bool,
    /// Senders that wait for room.
    senders: usize,
    /// The longest that output may wait while the kernel takes none of it.
    output_time: Duration,
    /// How long the receiver has waited since the kernel took some.
    stuck_for: Duration,
    /// What it had taken then.
    taken: u64,
}

impl<O: DuplexOwner> DuplexState<O> {
    /// The side that sends, at this time.
    pub(in crate::client) fn wire_at(&mut self, now: Instant) -> &mut Wire {
        let wire = self.driven.connection().wire();
        wire.now = now;
        wire
    }

    /// The owner.
    pub(in crate::client) const fn owner(&mut self) -> &mut O {
        &mut self.owner
    }

    fn is_over(&mut self) -> bool {
        self.driven.connection().is_over()
    }

    /// Whether nothing can be sent any more.
    fn is_lost(&mut self) -> bool {
        self.is_over() || self.driven.is_deaf()
    }

    fn deadline(&mut self) -> Instant {
        let deadline = self.driven.connection().deadline();
        deadline.unwrap_or(Instant::NEVER)
    }

    /// Where further output begins, counted from the connection's first byte.
    pub(in crate::client) fn position(&mut self) -> u64 {
        self.driven.position()
    }

    /// Bytes that the kernel has taken.
    pub(in crate::client) const fn handed_over(&self) -> u64 {
        self.driven.handed_over()
    }

    /// Writes what the connection has to say; whether all of it was taken.
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

    /// Ends a connection whose output waits for too long. `waited` is for how long the
    /// receiver has waited just now: only that counts, as a server may take nothing while
    /// nobody reads what it sends.
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

    /// Takes what a read has come to.
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
    pub(in crate::client) fn new(mut driven: Driven, owner: O, output_time: Duration) -> Self {
        Self {
            socket: driven.socket(),
            canceller: driven.canceller(),
            alarm: OnceLock::new(),
            state: Mutex::new(DuplexState {
                driven,
                owner,
                is_waited_for: false,
                senders: 0,
                output_time,
                stuck_for: Duration::ZERO,
                taken: 0,
            }),
            room: Condvar::new(),
        }
    }

    /// Lets others send while the receiver waits. To be called before they do.
    pub(in crate::client) fn share(&self) -> io::Result<()> {
        if self.alarm.get().is_none() {
            let alarm = Alarm::new(&self.socket)?;
            // Only its one owner shares it.
            let _ = self.alarm.set(alarm);
        }
        Ok(())
    }

    /// Wakes the receiver, or has its next wait end immediately.
    pub(in crate::client) fn alarm(&self) {
        if let Some(alarm) = self.alarm.get() {
            alarm.sound();
        }
    }

    pub(in crate::client) fn lock(&self) -> MutexGuard<'_, DuplexState<O>> {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// What ends it from any thread.
    pub(in crate::client) const fn canceller(&self) -> &Canceller {
        &self.canceller
    }

    fn is_cancelled(&self) -> bool {
        self.canceller.is_cancelled()
    }

    /// Does what time has made due, writes, and unless the owner has news waits until
    /// `until` for bytes or the alarm. To be called by one thread at a time: the receiver.
    pub(in crate::client) fn turn(&self, until: Instant) -> Waited {
        let (waited, state) = self.turn_with(self.lock(), until);
        if state.senders > 0 {
            self.room.notify_all(); // they wait for room themselves now
        }
        waited
    }

    fn turn_with<'a>(
        &'a self,
        mut state: MutexGuard<'a, DuplexState<O>>,
        until: Instant,
    ) -> (Waited, MutexGuard<'a, DuplexState<O>>) {
        let mut now = clock::now();
        let (mut has_waited, mut waited) = (false, Duration::ZERO);
        let (mut is_stuck, mut is_alarmed) = (false, false);
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
            if was_stuck && !is_stuck || is_alarmed {
                return (Waited::Moved, state);
            }
            if has_waited && until <= now {
                return (Waited::TimedOut, state);
            }
            let until_due = until.min(state.due(is_stuck, now));
            state.is_waited_for = true;
            let mut time = *state.driven.patience();
            drop(state);
            let mut buffer = Buffer::take();
            let left = until_due.saturating_since(now);
            is_alarmed = false;
            let read = self.wait(buffer.all(), is_stuck, &mut time, left, &mut is_alarmed);
            state = self.lock();
            state.is_waited_for = false;
            *state.driven.patience() = time;
            let began = now;
            now = clock::now();
            (has_waited, waited) = (true, now.saturating_since(began));
            state.take(read, &mut buffer, now);
        }
    }

    /// Writes what is to be written as far as the kernel takes it; whether it took all.
    pub(in crate::client) fn push(&self) -> bool {
        self.lock().push(clock::now())
    }

    /// Waits without the lock. `time` is how long a read waits. An alarm is heard once: it
    /// counts whatever is read with it.
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
                *is_alarmed = self.socket.wait_alarmed(alarm, is_stuck, left)?.is_alarmed;
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

    /// Sends, and waits until the kernel has taken it, at most until `until`.
    ///
    /// What has been put out when the time is over leaves later.
    pub(in crate::client) fn send<R>(
        &self,
        until: Instant,
        act: impl FnOnce(&mut DuplexState<O>, Instant) -> R,
    ) -> Result<R, Waited> {
        let mut state = self.lock();
        if self.is_cancelled() {
            return Err(Waited::Cancelled);
        }
        if state.is_lost() {
            return Err(Waited::Over);
        }
        let now = clock::now();
        let due = state.deadline();
        let done = act(&mut state, now);
        let mut has_room = state.push(now);
        let is_sooner = state.deadline() < due;
        if state.is_waited_for && (is_sooner || !has_room || state.is_over()) {
            self.alarm();
        }
        while !has_room {
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                return Err(Waited::TimedOut);
            }
            state = match state.is_waited_for {
                // The receiver watches for room.
                true => {
                    state.senders += 1;
                    let waited = self.room.wait_timeout(state, left);
                    let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    state.senders -= 1;
                    state
                }
                false => {
                    drop(state);
                    if self.socket.wait_for_room(left).is_err() {
                        return Err(Waited::Over);
                    }
                    self.lock()
                }
            };
            if self.is_cancelled() {
                return Err(Waited::Cancelled);
            }
            has_room = state.push(clock::now());
            if state.is_over() {
                return Err(Waited::Over);
            }
            if !has_room && state.is_waited_for {
                self.alarm();
            }
        }
        match state.driven.is_deaf() {
            true => Err(Waited::Over), // what was put out is lost
            false => Ok(done),
        }
    }

    /// Ends it in both directions, and wakes the threads that wait for it.
    pub(in crate::client) fn shut_down(&self) {
        self.socket.shut_down();
    }

    /// Says that nothing more is sent, once all is, and reads what still comes for this
    /// long, so that the peer reads our last words and not a reset.
    pub(in crate::client) fn linger(&self, time: Duration) {
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

impl<O> fmt::Debug for Duplex<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    mod with_alarms {
        use std::io::Write as _;
        use std::os::unix::net::UnixStream;

        use super::super::*;
        use crate::client::Connection;
        use crate::link::Limits;

        /// Has no use for anything.
        struct Nobody;

        impl DuplexOwner for Nobody {
            fn event(&mut self, _: &mut Wire, _: u32, _: Event<'_>) {}

            fn has_news(&self) -> bool {
                false
            }
        }

        #[test]
        fn an_alarm_ends_a_turn_though_bytes_that_are_no_news_come_with_it() {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            let connection = Connection::http2(Limits::DEFAULT, clock::now());
            let driven = Driven::new(connection, Socket::new(ours).unwrap());
            let duplex = Duplex::new(driven, Nobody, Duration::MAX);
            duplex.share().unwrap();
            theirs.write_all(b"\0\0\0\x04\0\0\0\0\0").unwrap(); // SETTINGS
            duplex.alarm();
            let until = clock::now() + Duration::from_secs(5);
            assert_eq!(duplex.turn(until), Waited::Moved);
        }
    }
}
