//! From calls to the requests of a connection.

use alloc::format;
use alloc::vec::Vec;

use super::call::{Call, CallState};
use super::lists::waits;
use super::{Calls, ChannelLimits};
use crate::client::connecting::{LinkId, MemberPhase, RequestSender};
use crate::grpc::Status;
use crate::http::{Fields, Method, RequestHead, Target, Version};
use crate::http2::{self, ErrorCode};
use crate::link::{Body, UsageError};
use crate::net::{Flow, Key};
use crate::wire::Instant;

/// Bytes handed over at a time: the most that one DATA frame carries.
const PIECE: usize = 16 << 10;

impl<T> Calls<T> {
    /// Makes a connection send what there is for it now.
    pub fn flush(&mut self, link: LinkId, sender: &mut impl RequestSender, now: Instant) {
        self.now = now;
        self.send_resets(link, sender);
        if let Some(member) = self.pool.find(link)
            && core::mem::take(&mut member.ends)
        {
            sender.shutdown();
        }
        self.open_streams(link, sender);
        let mut others = Vec::new();
        while let Some(key) = self.offered.pop_front() {
            if !self.send_on(link, key, sender) {
                others.push(key);
            }
        }
        self.offered.extend(others);
    }

    /// Whether calls have something for a connection that was not flushed since.
    pub(super) fn has_output(&self) -> bool {
        !self.offered.is_empty() || self.pool.has_output()
    }

    /// Ends the streams of calls that are over.
    pub(super) fn send_resets(&mut self, link: LinkId, sender: &mut impl RequestSender) {
        if let Some(member) = self.pool.find(link)
            && !member.resets.is_empty()
        {
            for (stream, code) in member.resets.drain(..) {
                sender.reset(stream, code);
            }
            if !self.pool.is_shared() {
                self.pool.forget(link); // it has ended with its exchange
            }
        }
    }

    /// Whether a connection of HTTP/1.1, which has no windows, is to be read from here on,
    /// if that is news.
    pub(super) fn reading_change(&mut self, link: LinkId) -> Option<bool> {
        if self.pool.is_shared() {
            return None;
        }
        let member = self.pool.find(link)?;
        let call = member.first().and_then(|key| self.calls.get(key));
        let holds = call.is_some_and(|it| it.inbox.held() >= self.limits.window as usize);
        (core::mem::replace(&mut member.is_held, holds) != holds).then_some(!holds)
    }

    /// Gives waiting calls their streams.
    fn open_streams(&mut self, link: LinkId, sender: &mut impl RequestSender) {
        while !self.waiting.is_empty()
            && let Some(member) = self.pool.find(link)
            && member.phase == MemberPhase::Ready
            && sender.allowance() > 0
            && let Some(key) = self.waiting.take(|key| waits(&self.calls, key))
        {
            match self.open(link, key, sender) {
                Ok(()) => {}
                Err(
                    UsageError::Over
                    | UsageError::Http2(
                        http2::UsageError::GoingAway | http2::UsageError::TooManyStreams,
                    ),
                ) => {
                    // Its numbers are used up, say: another connection has new ones.
                    self.waiting.give_back(key);
                    if let Some(member) = self.pool.find(link) {
                        member.leave();
                    }
                }
                Err(misuse) => {
                    if let Some(call) = self.calls.get_mut(key) {
                        call.place = CallState::Over; // it was taken
                    }
                    let status = Status::new(crate::grpc::Code::Internal, format!("{misuse}"));
                    self.finish(key, status.into(), ErrorCode::CANCEL);
                }
            }
        }
    }

    /// Opens a stream for a waiting call, and sends what it has.
    fn open(
        &mut self,
        link: LinkId,
        key: Key,
        sender: &mut impl RequestSender,
    ) -> Result<(), UsageError> {
        let Some(call) = self.calls.get_mut(key) else {
            return Ok(());
        };
        let left = call.deadline.map(|it| it.saturating_since(self.now));
        let is_shared = self.pool.is_shared();
        let fields = &mut self.fields;
        let (common, form) = self.common.unwrap_or((0, call.form));
        let is_common = self.common.is_some() && form == call.form && !call.machine.is_get();
        match is_common {
            true => fields.truncate(common),
            false => {
                self.common = None;
                fields.truncate(0);
                let agent = format!("{}{}", self.agent, super::agent(self.protocol));
                fields
                    .push("host", &self.authority)
                    .and_then(|()| fields.push("user-agent", agent))
                    .map_err(http2::UsageError::from)?;
            }
        }
        let metadata = call.metadata.as_fields();
        let asked = (&*call.path, call.outbox.rest());
        let query = call.machine.send_get(asked, left, metadata, fields);
        let query = query.map_err(|_| http2::UsageError::ForbiddenField)?; // checked when the call began
        if query.is_none() {
            if !is_common {
                let put = call.machine.put_common(fields);
                put.map_err(|_| http2::UsageError::ForbiddenField)?; // they are constant
                self.common = Some((fields.as_fields().len(), call.form));
            }
            let put = call.machine.put_own(left, metadata, fields);
            put.map_err(|_| http2::UsageError::ForbiddenField)?; // as above
        }
        let (path, query) = (&*call.path, query.as_deref());
        let head = RequestHead {
            method: match query {
                Some(_) => Method::GET,
                None => Method::POST,
            },
            target: match self.is_https && is_shared {
                true => Target::Absolute {
                    scheme: "https",
                    authority: &self.authority,
                    path,
                    query,
                },
                false => Target::Origin { path, query },
            },
            version: match is_shared {
                true => Version::Http2,
                false => Version::Http11,
            },
            protocol: None,
            fields: fields.as_fields(),
        };
        let rest = call.outbox.rest();
        let n = rest.len();
        let is_bare = call.machine.is_bare();
        let is_whole = call.outbox.closed && (is_bare || n > 0) && n <= PIECE;
        let body = match (query, is_whole) {
            (Some(_), _) => None,
            // Servers may want to know how long it is, and HTTP/1.1 saves its chunks.
            (None, true) if is_bare || !is_shared => Some(Body::Whole(rest)),
            (None, true) => Some(Body::Trailed {
                bytes: rest,
                trailers: Fields::EMPTY,
            }),
            (None, false) => Some(Body::Streamed {
                length: (is_bare && call.outbox.closed).then_some(n as u64),
                endless: false,
            }),
        };
        let is_sent = !matches!(body, Some(Body::Streamed { .. }));
        let begins_at = sender.position().filter(|_| !is_shared);
        let stream = sender.request(&head, body)?;
        if is_sent {
            call.outbox.sent(n, self.limits.replay);
            call.outbox.ended = true;
        }
        call.place = CallState::Open { link, stream };
        if let Some(member) = self.pool.find(link) {
            member.add(stream, key);
            member.begins_at = begins_at;
        }
        self.go_on(key, stream, sender);
        Ok(())
    }

    /// Sends what a call has that was offered; `false` if it is another link's.
    fn send_on(&mut self, link: LinkId, key: Key, sender: &mut impl RequestSender) -> bool {
        let Some(call) = self.calls.get_mut(key) else {
            return true;
        };
        let stream = match call.place {
            CallState::Open { link: other, .. } if other != link => return false,
            CallState::Open { stream, .. } => stream,
            CallState::Waiting | CallState::Over => 0,
        };
        call.offered = false;
        if stream != 0 {
            let freed = core::mem::take(&mut call.freed);
            if freed > 0 {
                sender.consume(stream, freed);
            }
            self.go_on(key, stream, sender);
        }
        true
    }

    fn go_on(&mut self, key: Key, stream: u32, sender: &mut impl RequestSender) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        if call.hand_over(stream, &self.limits, sender) {
            self.note(key);
        }
    }
}

impl<T> Call<T> {
    /// Hands over what waits, and its end; whether a sender need not wait any more.
    fn hand_over(
        &mut self,
        stream: u32,
        limits: &ChannelLimits,
        sender: &mut impl RequestSender,
    ) -> bool {
        let outbox = &mut self.outbox;
        while !outbox.blocked && outbox.waiting() > 0 {
            let rest = outbox.rest();
            let piece = rest.get(..PIECE).unwrap_or(rest);
            let (flow, n) = (sender.write(stream, piece), piece.len());
            if !flow.is_taken() {
                return false; // its end is on its way as an event
            }
            outbox.blocked = flow == Flow::Wait;
            outbox.sent(n, limits.replay);
        }
        if outbox.closed && !outbox.ended && outbox.waiting() == 0 {
            outbox.ended = true;
            // Refused only where it is over: an event says so.
            let _ = sender.finish(stream, Fields::EMPTY);
        }
        let relieved = self.wants_room && outbox.waiting() < limits.unsent;
        self.wants_room &= !relieved;
        self.relieved |= relieved;
        relieved
    }
}
