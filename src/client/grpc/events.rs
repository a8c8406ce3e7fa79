//! The effect of a connection's events on its calls.

use alloc::sync::Arc;
use core::error::Error;

use super::call::CallState;
use super::machine::Begun;
use super::{Calls, Ending};
use crate::client::connecting::{LinkId, RequestSender};
use crate::grpc::Code;
use crate::http::{Content, Fields, ResponseHead};
use crate::http1;
use crate::http2::{ErrorCode, StreamError};
use crate::link::{EndReason, Event, ProtocolError};
use crate::net::Key;
use crate::wire::Instant;

impl<T> Calls<T> {
    /// Takes an event of a connection, and the stream that it is for. To be called with
    /// every event of a connection that [`dial`](Self::dial) has asked for; of one that
    /// could not be made that is [`Event::Ended`] alone.
    pub fn event(
        &mut self,
        link: LinkId,
        stream: u32,
        event: Event<'_>,
        sender: &mut impl RequestSender,
        now: Instant,
    ) {
        self.now = now;
        self.take(link, stream, event);
        // Now, so that what comes of later bytes does not depend on how many came
        // with these.
        self.send_resets(link, sender);
    }

    /// Says which error ends a connection, in front of the [`Event::Ended`] that is the
    /// end of it: of a transport such as TLS. The endings of its calls have it as their
    /// [`source`](core::error::Error::source), and its text in their message.
    pub fn explain(&mut self, link: LinkId, cause: Arc<dyn Error + Send + Sync>) {
        if let Some(member) = self.pool.find(link) {
            member.cause = Some(cause);
        }
    }

    /// So much of its output had the system taken when it ended.
    pub(super) fn has_sent(&mut self, link: LinkId, sent: u64) {
        if let Some(member) = self.pool.find(link) {
            member.sent = Some(sent);
        }
    }

    fn take(&mut self, link: LinkId, stream: u32, event: Event<'_>) {
        let Some(member) = self.pool.find(link) else {
            return;
        };
        let call = member.find(stream);
        match (event, call) {
            (Event::Response { head, content }, call) => {
                self.pool.answered();
                if let Some(key) = call {
                    self.response(key, &head, content);
                }
            }
            (Event::Body(data), Some(key)) => self.data(key, data),
            (Event::End { trailers, .. }, Some(key)) => self.end(key, trailers),
            (Event::Writable, Some(key)) => {
                if let Some(call) = self.calls.get_mut(key) {
                    call.outbox.blocked = false;
                    self.offer(key);
                }
            }
            (Event::Ended(gone), Some(key)) => {
                member.take(stream);
                self.stream_gone(key, link, stream, gone);
            }
            (Event::Opened, _) => self.pool.opened(link),
            (Event::Writable, None) if stream == 0 => self.pool.greeted(link),
            (
                Event::GoingAway {
                    last_stream,
                    code,
                    debug,
                },
                _,
            ) => {
                member.going_away(last_stream, code, debug);
                let code = ErrorCode::new(code);
                if code == ErrorCode::ENHANCE_YOUR_CALM && debug == b"too_many_pings" {
                    self.slowed = self.slowed.saturating_add(1);
                }
            }
            (Event::Ended(gone), None) if stream == 0 => self.lost(link, gone),
            // Of a call that was given up, or nothing that concerns calls.
            _ => {}
        }
    }

    fn response(&mut self, key: Key, head: &ResponseHead<'_>, content: Content<'_>) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let ends = content == Content::None;
        let is_bare = call.machine.is_bare();
        match call.machine.receive_head(head) {
            Ok(Begun::Over(ending)) => {
                let code = match ends {
                    true => ErrorCode::NO_ERROR,
                    false => ErrorCode::CANCEL,
                };
                return self.finish(key, ending, code);
            }
            Ok(Begun::Failing) => call.inbox.begin_bare(),
            Ok(Begun::Open) => {
                if is_bare {
                    call.inbox.begin_bare();
                }
                if is_bare || !ends {
                    call.begin_response(head.fields);
                    self.note(key);
                }
            }
            Err(violation) => {
                let ending = Ending::of_violation(violation);
                return self.finish(key, ending, ErrorCode::CANCEL);
            }
        }
        match content {
            Content::None => self.end(key, Fields::EMPTY),
            Content::Whole(bytes) => {
                self.data(key, bytes);
                self.end(key, Fields::EMPTY);
            }
            Content::Follows { .. } => {}
        }
    }

    fn data(&mut self, key: Key, data: &[u8]) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let waits = !call.inbox.has_message();
        let pushed = call
            .inbox
            .push(data, &mut call.machine, &self.limits.grpc());
        let has_message = call.inbox.has_message();
        match pushed {
            Ok(freed) => {
                self.release(key, freed);
                if waits && has_message {
                    self.note(key);
                }
            }
            Err(violation) => {
                let ending = Ending::of_violation(violation);
                self.finish(key, ending, ErrorCode::CANCEL);
            }
        }
    }

    fn end(&mut self, key: Key, trailers: Fields<'_>) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let (machine, inbox) = (&mut call.machine, &mut call.inbox);
        let content = match machine.is_bare() {
            true => inbox.content(),
            false => &[],
        };
        let ending = match machine.receive_end(content, trailers, &self.limits.grpc()) {
            Ok((ending, is_compressed)) => {
                if machine.is_bare() && ending.code() == Code::Ok {
                    inbox.complete(is_compressed);
                }
                ending
            }
            Err(violation) => Ending::of_violation(violation),
        };
        self.finish(key, ending, ErrorCode::NO_ERROR);
    }

    /// The stream of a call is over before its time. A call that has reached the
    /// server and none of its methods is sent again, once and immediately (gRFC
    /// A6, Transparent Retries), and so is one whose connection is lost if it has no side
    /// effects, or if nothing of it has left. Until it has a stream again it waits like any other.
    fn stream_gone(&mut self, key: Key, link: LinkId, stream: u32, gone: EndReason) {
        let (Some(call), Some(member)) = (self.calls.get_mut(key), self.pool.find(link)) else {
            return;
        };
        call.place = CallState::Over;
        let code = match gone {
            EndReason::StreamReset { code } => ErrorCode::new(code),
            EndReason::StreamError(error) => {
                let ending = Ending::of_stream_error(error);
                return self.finish(key, ending, ErrorCode::CANCEL);
            }
            gone => {
                let unseen = member.has_sent_nothing();
                let may = unseen || call.machine.is_get();
                if may && call.can_begin_anew() && !self.closing {
                    return self.send_again(key);
                }
                let ending = match exceeds(gone) {
                    true => Ending::of_stream_error(StreamError::ListTooLarge),
                    false => Ending::unavailable(member.loss(gone)),
                };
                return self.finish(key, ending, ErrorCode::CANCEL);
            }
        };
        let unseen = stream > member.last_stream;
        let refused = code == ErrorCode::REFUSED_STREAM;
        if (unseen || refused) && call.can_begin_anew() && !self.closing {
            return self.send_again(key);
        }
        let late = call.deadline.is_some_and(|deadline| deadline <= self.now);
        let ending = match code {
            _ if unseen => Ending::unavailable(member.reason.as_str()),
            ErrorCode::CANCEL if late => {
                Ending::constant(Code::DeadlineExceeded, "deadline exceeded")
            }
            _ => Ending::of_reset(code),
        };
        self.finish(key, ending, ErrorCode::CANCEL);
    }

    fn send_again(&mut self, key: Key) {
        if let Some(call) = self.calls.get_mut(key) {
            call.begin_anew();
            self.pool.hurry();
            self.waiting.push_again(key);
        }
    }

    /// A connection is over; over HTTP/2 the calls on it have been told.
    fn lost(&mut self, link: LinkId, gone: EndReason) {
        if let Some(member) = self.pool.find(link) {
            for (stream, key) in member.take_all() {
                self.stream_gone(key, link, stream, gone);
            }
        }
        if let Some(why) = self.pool.lost(link, gone) {
            // Calls that do not wait for a server that cannot be reached end.
            let why = why.clone();
            self.fail_waiting(&why, false);
        }
    }
}

/// Whether a connection of HTTP/1.1 has ended because a head was over its limits.
fn exceeds(gone: EndReason) -> bool {
    use http1::ProtocolError::{HeadTooLarge, TooManyFields};
    matches!(
        gone,
        EndReason::ProtocolError(ProtocolError::Http1(HeadTooLarge | TooManyFields))
    )
}
