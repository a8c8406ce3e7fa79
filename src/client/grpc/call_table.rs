//! The calls of a channel, and what the events of a connection do to them.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::call::{Call, CallState};
use super::link::{Link, Phase};
use super::queue::Queue;
use super::{Ending, Limits};
use crate::grpc::{Code, ProtocolError, Trailers};
use crate::http::{Content, FieldBuffer, Fields, ResponseHead};
use crate::http2::{ErrorCode, Event};
use crate::net::{Key, Slab, Timers};
use crate::wire::Instant;

/// Buffers kept for the next call.
const SPARE: usize = 16;
/// What is kept of what a server says about its going away.
const REASON: usize = 200;

/// The calls, wherever they are.
#[derive(Debug)]
pub(super) struct CallTable<T> {
    pub(super) calls: Slab<Call<T>>,
    /// Calls without a stream.
    pub(super) waiting: Queue,
    /// Calls that have something new to send.
    pub(super) offered: VecDeque<Key>,
    /// Calls that have news for their owner.
    pub(super) changed: VecDeque<Key>,
    pub(super) deadlines: Timers<Key>,
    pub(super) spare: Vec<Vec<u8>>,
    pub(super) limits: Limits,
    /// No call is sent again any more.
    pub(super) closing: bool,
}

impl<T> CallTable<T> {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            calls: Slab::new(),
            waiting: Queue::new(),
            offered: VecDeque::new(),
            changed: VecDeque::new(),
            deadlines: Timers::new(),
            spare: Vec::new(),
            limits,
            closing: false,
        }
    }

    /// Puts a call on the list of those that have news.
    pub(super) fn note(&mut self, key: Key) {
        if let Some(call) = self.calls.get_mut(key)
            && !mem::replace(&mut call.changed, true)
        {
            self.changed.push_back(key);
        }
    }

    /// Puts a call on the list of those that have something to send.
    pub(super) fn offer(&mut self, key: Key) {
        if let Some(call) = self.calls.get_mut(key)
            && !call.outbox.blocked
            && !mem::replace(&mut call.offered, true)
        {
            self.offered.push_back(key);
        }
    }

    /// Ends a call, and its stream with `code` if that is still open.
    pub(super) fn finish(
        &mut self,
        key: Key,
        ending: Ending,
        code: ErrorCode,
        links: &mut [Link],
        now: Instant,
    ) {
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
            CallState::Waiting => self.waiting.retain(|waiting| waiting != key),
            CallState::Open { link, stream } => {
                if let Some(link) = links.iter_mut().find(|it| it.id.0 == link) {
                    link.forget(stream);
                    // Refused for a stream that has ended already.
                    let _ = link.machine.send_reset(stream, code, now, &mut link.out);
                }
            }
            CallState::Over => {}
        }
        self.note(key);
    }

    /// Ends a call for a reason of ours: what has been received of it is dropped.
    pub(super) fn give_up(&mut self, key: Key, ending: Ending, links: &mut [Link], now: Instant) {
        if let Some(call) = self.calls.get_mut(key)
            && call.ending.is_none()
            && let Some(memory) = call.inbox.clear()
        {
            self.keep(memory);
        }
        self.finish(key, ending, ErrorCode::CANCEL, links, now);
    }

    /// Ends the calls that wait for a stream, or those that will not wait for
    /// a connection.
    pub(super) fn fail_waiting(&mut self, why: &str, also_patient: bool, now: Instant) {
        let mut waiting = mem::replace(&mut self.waiting, Queue::new());
        waiting.retain(|key| {
            let Some(call) = self.calls.get_mut(key) else {
                return false;
            };
            if call.wait_for_ready && !also_patient {
                return true;
            }
            call.place = CallState::Over;
            let ending = Ending::unavailable(why);
            self.finish(key, ending, ErrorCode::CANCEL, &mut [], now);
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

    /// Takes an event of the connection at `at`; whether a server has answered
    /// with it.
    pub(super) fn take(
        &mut self,
        event: Event<'_>,
        links: &mut [Link],
        at: usize,
        now: Instant,
    ) -> bool {
        let Some(link) = links.get_mut(at) else {
            return false;
        };
        match event {
            Event::Response {
                stream,
                head,
                content,
            } => {
                if let Some(key) = link.find(stream) {
                    self.response(key, &head, content == Content::None, links, now);
                }
                return true;
            }
            Event::Data { stream, data } => match link.find(stream) {
                Some(key) => self.data(key, stream, data, links, at, now),
                None => link.machine.consume(stream, data.len(), &mut link.out),
            },
            Event::End {
                stream, trailers, ..
            } => {
                if let Some(key) = link.find(stream) {
                    self.end(key, trailers, links, now);
                }
            }
            Event::Reset {
                stream,
                code,
                by_peer,
            } => self.reset(stream, code, by_peer, link, now),
            Event::GoAway {
                last_stream,
                code,
                debug,
            } => {
                link.too_many_pings =
                    code == ErrorCode::ENHANCE_YOUR_CALM && debug == b"too_many_pings";
                let debug = debug.get(..REASON).unwrap_or(debug);
                let debug = String::from_utf8_lossy(debug);
                link.reason = match &*debug {
                    "" => format!("server is going away: {code}"),
                    debug => format!("server is going away: {code} {debug}"),
                };
                link.last_stream = link.last_stream.min(last_stream);
                link.phase = Phase::Leaving;
            }
            Event::Settings if link.phase == Phase::Greeting => link.phase = Phase::Ready,
            Event::Settings | Event::Ping(_) | Event::Pong(_) | Event::Informational { .. } => {}
            // The machine of a client gives none.
            Event::Request { .. } => {}
        }
        false
    }

    fn response(
        &mut self,
        key: Key,
        head: &ResponseHead<'_>,
        ends: bool,
        links: &mut [Link],
        now: Instant,
    ) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let (ending, code) = match call.machine.receive_head(head) {
            Ok(None) if !ends => {
                let mut fields = FieldBuffer::new();
                // The machine has checked the list already.
                let _ = fields.extend(head.fields);
                call.head = Some(fields);
                call.outbox.commit();
                return self.note(key);
            }
            Ok(None) => (
                Ending::of_violation(ProtocolError::NoStatus),
                ErrorCode::NO_ERROR,
            ),
            Ok(Some(trailers)) if ends => (Ending::of_trailers(&trailers), ErrorCode::NO_ERROR),
            Ok(Some(trailers)) => (Ending::of_trailers(&trailers), ErrorCode::CANCEL),
            Err(violation) => (Ending::of_violation(violation), ErrorCode::CANCEL),
        };
        self.finish(key, ending, code, links, now);
    }

    fn data(
        &mut self,
        key: Key,
        stream: u32,
        data: &[u8],
        links: &mut [Link],
        at: usize,
        now: Instant,
    ) {
        let (Some(call), Some(link)) = (self.calls.get_mut(key), links.get_mut(at)) else {
            return;
        };
        let waits = !call.inbox.has_message();
        let pushed = call
            .inbox
            .push(data, &mut call.machine, &self.limits.grpc());
        match pushed {
            Ok(freed) => {
                if freed > 0 {
                    link.machine.consume(stream, freed, &mut link.out);
                }
                if waits && call.inbox.has_message() {
                    self.note(key);
                }
            }
            Err(violation) => {
                let ending = Ending::of_violation(violation);
                self.finish(key, ending, ErrorCode::CANCEL, links, now);
            }
        }
    }

    fn end(&mut self, key: Key, trailers: Fields<'_>, links: &mut [Link], now: Instant) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let trailers: Result<Trailers<'_>, ProtocolError> = call.machine.receive_trailers(trailers);
        let ending = match trailers {
            Ok(trailers) => Ending::of_trailers(&trailers),
            Err(violation) => Ending::of_violation(violation),
        };
        self.finish(key, ending, ErrorCode::NO_ERROR, links, now);
    }

    /// A stream was reset. A call that has reached the server and none of its
    /// methods is sent again, once and immediately (gRFC A6, Transparent
    /// Retries). Until it has a stream again it waits like any other.
    fn reset(
        &mut self,
        stream: u32,
        code: ErrorCode,
        by_peer: bool,
        link: &mut Link,
        now: Instant,
    ) {
        let Some(key) = link.find(stream) else {
            return;
        };
        link.forget(stream);
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        call.place = CallState::Over;
        let unseen = stream > link.last_stream;
        let refused = by_peer && code == ErrorCode::REFUSED_STREAM;
        if (unseen || refused) && call.can_begin_anew() && !self.closing {
            call.begin_anew();
            return self.waiting.push_again(key);
        }
        let late = call.deadline.is_some_and(|deadline| deadline <= now);
        let ending = match code {
            _ if unseen => Ending::unavailable(link.reason.as_str()),
            ErrorCode::CANCEL if late => {
                Ending::constant(Code::DeadlineExceeded, "deadline exceeded")
            }
            _ => Ending::of_reset(code),
        };
        self.finish(key, ending, ErrorCode::CANCEL, &mut [], now);
    }
}
