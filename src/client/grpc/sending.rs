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
        if let Some(member) = self.pool.find(link) {
            for (stream, code) in member.resets.drain(..) {
                sender.reset(stream, code);
            }
        }
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
        let fields = &mut self.fields;
        fields.truncate(self.common);
        if self.common == 0 {
            fields
                .push("host", &self.authority)
                .and_then(|()| fields.push("user-agent", &self.agent))
                .map_err(http2::UsageError::from)?;
            let put = call.machine.put_common(fields);
            put.map_err(|_| http2::UsageError::ForbiddenField)?; // they are constant
            self.common = fields.as_fields().len();
        }
        let metadata = call.metadata.as_fields();
        let put = call.machine.put_own(left, metadata, fields);
        put.map_err(|_| http2::UsageError::ForbiddenField)?; // checked when the call began
        let head = RequestHead {
            method: Method::POST,
            target: match self.is_https {
                true => Target::Absolute {
                    scheme: "https",
                    authority: &self.authority,
                    path: &call.path,
                    query: None,
                },
                false => Target::Origin {
                    path: &call.path,
                    query: None,
                },
            },
            version: Version::Http2,
            protocol: None,
            fields: fields.as_fields(),
        };
        let rest = call.outbox.rest();
        let is_whole = call.outbox.closed && (1..=PIECE).contains(&rest.len());
        let body = match is_whole {
            true => Body::Trailed {
                bytes: rest,
                trailers: Fields::EMPTY,
            },
            false => Body::Streamed {
                length: None,
                endless: false,
            },
        };
        let n = rest.len();
        let stream = sender.request(&head, Some(body))?;
        if is_whole {
            call.outbox.sent(n, self.limits.replay);
            call.outbox.ended = true;
        }
        call.place = CallState::Open { link, stream };
        if let Some(member) = self.pool.find(link) {
            member.add(stream, key);
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
