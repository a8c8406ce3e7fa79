//! Threads that send, and wait until what they send has left.

use core::time::Duration;
use std::sync::{MutexGuard, PoisonError};

use super::at_socket::{Duty, Who};
use super::{Duplex, DuplexOwner, DuplexState};
use crate::client::connecting::clock;
use crate::client::connecting::driven::{Buffer, Waited};
use crate::client::connecting::socket::WaitFor;
use crate::wire::Instant;

impl<O: DuplexOwner> Duplex<O> {
    /// Sends, and waits up to `time` until the kernel has taken it.
    ///
    /// Output put out by then leaves later; what `queues` after it is put out only then.
    pub(crate) fn send<R>(
        &self,
        time: Duration,
        queues: bool,
        act: impl FnOnce(&mut DuplexState<O>, Instant) -> R,
    ) -> Result<R, Waited> {
        let mut state = self.lock();
        if self.is_cancelled() {
            return Err(Waited::Cancelled);
        }
        if state.is_lost() {
            return Err(Waited::Over);
        }
        let mut now = clock::now();
        let until = now + time;
        if queues && state.holds_some() {
            let (is_written, has_left) = state.has_left(now);
            if !has_left {
                state = self.wait_for_room(state, is_written, until)?;
                now = clock::now();
            }
        }
        let due = state.deadline();
        let done = act(&mut state, now);
        let (is_written, has_left) = state.has_left(now);
        let is_sooner = state.deadline() < due;
        self.put_out(&mut state, is_sooner, is_written, has_left);
        if !has_left {
            state = self.wait_for_room(state, is_written, until)?;
        }
        match state.driven.is_deaf() {
            true => Err(Waited::Over), // what was put out is lost
            false => Ok(done),
        }
    }

    /// Tells others what has changed for them, as something was put out.
    fn put_out(
        &self,
        state: &mut DuplexState<O>,
        is_sooner: bool,
        is_written: bool,
        has_left: bool,
    ) {
        let is_for_it = match state.at_socket.there() {
            None => false,
            Some(Who::Sender) => true,
            Some(Who::Receiver) => is_sooner || !is_written || state.is_over(),
        };
        if is_for_it {
            self.alarm();
        }
        if has_left {
            self.wake(state); // what they have sent has left as well
        }
    }

    /// Waits until all that was sent has left.
    fn wait_for_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, DuplexState<O>>,
        mut is_written: bool,
        until: Instant,
    ) -> Result<MutexGuard<'a, DuplexState<O>>, Waited> {
        loop {
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                return Err(Waited::TimedOut);
            }
            // What lets more leave is read by the receiver, or else here.
            let reads = is_written && state.owner.takes_more();
            state = match state.at_socket.wait(Who::Sender, reads || !is_written) {
                Duty::Sleep => self.sleep(state, left),
                Duty::Watch => self.watch(state, reads, left)?,
            };
            if self.is_cancelled() {
                return Err(Waited::Cancelled);
            }
            let before = state.handed_over();
            let has_left;
            (is_written, has_left) = state.has_left(clock::now());
            let has_written = state.handed_over() != before;
            if has_written && state.at_socket.there() == Some(Who::Sender) {
                self.alarm(); // it may wait for the room that is used now
            }
            if state.is_over() {
                return Err(Waited::Over);
            }
            if has_left {
                self.wake(&state);
                return Ok(state);
            }
        }
    }

    /// Waits for room, or for what gives it, as no thread receives.
    fn watch<'a>(
        &'a self,
        mut state: MutexGuard<'a, DuplexState<O>>,
        reads: bool,
        left: Duration,
    ) -> Result<MutexGuard<'a, DuplexState<O>>, Waited> {
        let mut waited = Ok(false);
        let is_paused = reads && state.driven.connection().is_paused();
        if is_paused {
            state.resume(clock::now());
        } else if !reads || !self.read_some(&mut state) {
            drop(state);
            let wanted = match reads {
                true => WaitFor::Bytes,
                false => WaitFor::Room,
            };
            waited = match self.alarm.get() {
                Some(alarm) => {
                    let woken = self.socket.wait_alarmed(alarm, wanted, left);
                    woken.map(|it| it.is_alarmed)
                }
                // There is no other thread.
                None => self.socket.wait_for(wanted, left).map(|()| false),
            };
            state = self.lock();
            if reads && waited.is_ok() {
                self.read_some(&mut state);
            }
        }
        state.at_socket.waited(Duty::Watch);
        self.wake(&state);
        match waited {
            Ok(is_alarmed) => {
                state.missed_alarm |= is_alarmed;
                Ok(state)
            }
            Err(_) => Err(Waited::Over),
        }
    }

    /// Reads what has come, under the lock and while no other thread reads: bytes keep
    /// their order. Whether something had.
    fn read_some(&self, state: &mut DuplexState<O>) -> bool {
        let mut buffer = Buffer::take();
        let read = self.socket.read_now(buffer.all());
        let has_read = !matches!(read, Ok(None));
        state.take(read, &mut buffer, clock::now());
        has_read
    }

    pub(super) fn wake(&self, state: &DuplexState<O>) {
        if state.at_socket.has_sleepers() {
            self.call.notify_all();
        }
    }

    pub(super) fn sleep<'a>(
        &self,
        state: MutexGuard<'a, DuplexState<O>>,
        time: Duration,
    ) -> MutexGuard<'a, DuplexState<O>> {
        let slept = self.call.wait_timeout(state, time);
        let mut state = slept.unwrap_or_else(PoisonError::into_inner).0;
        state.at_socket.waited(Duty::Sleep);
        state
    }
}
