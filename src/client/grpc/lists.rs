//! The lists on which calls stand, and how they leave them.

use alloc::vec::Vec;
use core::mem;

use super::call::{Call, CallState};
use super::queue::Queue;
use super::{Calls, Ending};
use crate::client::connecting::Loss;
use crate::http2::ErrorCode;
use crate::net::{Key, Slab};

/// Buffers kept for the next call.
const SPARE: usize = 16;

impl<T> Calls<T> {
    /// Makes [`changed`](Self::changed) name a call.
    pub(super) fn note(&mut self, key: Key) {
        if let Some(call) = self.calls.get_mut(key)
            && !mem::replace(&mut call.changed, true)
        {
            self.changed.push_back(key);
        }
    }

    /// Marks a call that has something new for its connection.
    pub(super) fn offer(&mut self, key: Key) {
        if let Some(call) = self.calls.get_mut(key)
            && !mem::replace(&mut call.offered, true)
        {
            self.offered.push_back(key);
        }
    }

    /// Notes that so much of a response is done with. The server hears of it
    /// when that is a good part of its window.
    pub(super) fn release(&mut self, key: Key, bytes: usize) {
        if let Some(call) = self.calls.get_mut(key) {
            call.freed += bytes;
            if call.freed >= self.limits.window as usize / 4 && call.freed > 0 {
                self.offer(key);
            }
        }
    }

    /// Ends a call, and its stream with `code` if that is still open.
    pub(super) fn finish(&mut self, key: Key, ending: Ending, code: ErrorCode) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        if call.ending.is_some() {
            return;
        }
        call.ending = Some(ending);
        call.outbox.commit();
        if let Some(timer) = call.timer.take() {
            self.deadlines.cancel(timer);
        }
        match mem::replace(&mut call.place, CallState::Over) {
            CallState::Waiting => self.waiting.leave(|key| waits(&self.calls, key)),
            CallState::Open { link, stream } => {
                if let Some(member) = self.pool.find(link) {
                    member.take(stream);
                    // Where both sides have ended there is nothing to reset.
                    if code != ErrorCode::NO_ERROR || !call.outbox.ended {
                        member.resets.push((stream, code));
                    }
                }
            }
            CallState::Over => {}
        }
        self.note(key);
    }

    /// Ends a call for a reason of ours: what has been received of it is dropped.
    pub(super) fn give_up(&mut self, key: Key, ending: Ending) {
        if let Some(call) = self.calls.get_mut(key)
            && call.ending.is_none()
            && let Some(memory) = call.inbox.clear()
        {
            self.keep(memory);
        }
        self.finish(key, ending, ErrorCode::CANCEL);
    }

    /// Ends the calls that wait for a stream, or those that will not wait for
    /// a connection.
    pub(super) fn fail_waiting(&mut self, why: &Loss, also_patient: bool) {
        let mut waiting = mem::replace(&mut self.waiting, Queue::new());
        waiting.retain(|key| {
            let Some(call) = self.calls.get_mut(key) else {
                return false;
            };
            if call.place != CallState::Waiting {
                return false;
            }
            if call.wait_for_ready && !also_patient {
                return true;
            }
            call.place = CallState::Over;
            self.finish(key, Ending::unavailable(why.clone()), ErrorCode::CANCEL);
            false
        });
        self.waiting = waiting;
    }

    /// Keeps the memory of a buffer for the next call.
    pub(super) fn keep(&mut self, memory: Vec<u8>) {
        if self.spare.len() < SPARE {
            self.spare.push(memory);
        }
    }
}

pub(super) fn waits<T>(calls: &Slab<Call<T>>, key: Key) -> bool {
    let call = calls.get(key);
    call.is_some_and(|call| call.place == CallState::Waiting)
}
