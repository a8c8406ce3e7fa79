//! When calls want a connection or the time, and how a channel ends.

use super::{Calls, Ending};
use crate::client::connecting::{LinkId, Loss};
use crate::grpc::Code;
use crate::http2::ErrorCode;
use crate::link;
use crate::net::Key;
use crate::wire::Instant;

impl<T> Calls<T> {
    /// Whether a connection is wanted now; its number if so. Then its
    /// [`event`](Self::event)s follow, [`Event::Opened`](crate::link::Event::Opened)
    /// or [`Event::Ended`](crate::link::Event::Ended) first.
    pub fn dial(&mut self, now: Instant) -> Option<LinkId> {
        if self.next_dial()? > now {
            return None;
        }
        self.now = now;
        if let Some(oldest) = self.pool.surplus() {
            oldest.leave();
            let why = oldest.text("too many connections");
            for key in oldest.whose() {
                let ending = Ending::unavailable(why.as_str());
                self.finish(key, ending, ErrorCode::CANCEL);
            }
        }
        Some(self.pool.dial(now))
    }

    /// When a connection is wanted, because calls wait that none will take.
    fn next_dial(&self) -> Option<Instant> {
        match self.closing || self.waiting.is_empty() {
            true => None,
            false => self.pool.next_dial(self.waiting.waiting()),
        }
    }

    /// The limits of the next connection. The server is told of them.
    pub fn link_limits(&self) -> link::Limits {
        self.limits.link(self.slowed)
    }

    /// When [`elapsed`](Self::elapsed) and [`dial`](Self::dial) want to be
    /// called; `None` if never. Changes with any call that takes `&mut self`.
    /// Connections have deadlines of their own.
    pub fn deadline(&self) -> Option<Instant> {
        let first = self.deadlines.next();
        first.into_iter().chain(self.next_dial()).min()
    }

    /// Ends the calls whose deadlines have passed.
    pub fn elapsed(&mut self, now: Instant) {
        self.now = now;
        let until = self.deadlines.mark();
        while let Some((_, key)) = self.deadlines.expired(now, until) {
            if let Some(call) = self.calls.get_mut(key) {
                call.timer = None;
            }
            let ending = Ending::constant(Code::DeadlineExceeded, "deadline exceeded");
            self.give_up(key, ending);
        }
    }

    /// Ends the channel: no call begins any more, those without a stream end
    /// with UNAVAILABLE, the others finish, and then the connections.
    pub fn shutdown(&mut self, now: Instant) {
        self.now = now;
        self.closing = true;
        self.fail_waiting(&Loss::from("channel is closed"), true);
        self.pool.iter_mut().for_each(|member| member.leave());
    }

    /// Ends every call: there is no transport any more. One that has ended stays as
    /// it is.
    pub fn abandon(&mut self, why: &str) {
        self.closing = true;
        let calls: alloc::vec::Vec<Key> = self.calls.keys().collect();
        for call in calls {
            self.give_up(call, Ending::unavailable(why));
        }
    }
}
