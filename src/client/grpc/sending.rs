//! From the outboxes of calls to the streams of a connection.

use super::call::CallState;
use super::call_table::CallTable;
use super::link::Link;
use crate::http::{FieldBuffer, Method, RequestHead, Target, Version};
use crate::http2::{self, BodyLength};
use crate::net::Key;
use crate::wire::Instant;

impl<T> CallTable<T> {
    /// Opens a stream for a waiting call, and sends what it has.
    pub(super) fn open(
        &mut self,
        link: &mut Link,
        key: Key,
        [authority, agent]: [&str; 2],
        fields: &mut FieldBuffer,
        now: Instant,
    ) -> Result<(), http2::UsageError> {
        let Some(call) = self.calls.get_mut(key) else {
            return Ok(());
        };
        let left = call.deadline.map(|it| it.saturating_since(now));
        fields.clear();
        fields.push("host", authority)?;
        let metadata = call.metadata.as_fields();
        let sent = call.machine.send_head(left, metadata, fields);
        sent.map_err(|_| http2::UsageError::ForbiddenField)?; // checked when the call began
        fields.push("user-agent", agent)?;
        let head = RequestHead {
            method: Method::POST,
            target: Target::Origin {
                path: &call.path,
                query: None,
            },
            version: Version::Http2,
            protocol: None,
            fields: fields.as_fields(),
        };
        let length = Some(BodyLength::Unknown);
        let stream = link.machine.send_request(&head, length, &mut link.out)?;
        link.add(stream, key);
        call.place = CallState::Open {
            link: link.id.0,
            stream,
        };
        self.go_on(link, key, now);
        Ok(())
    }

    /// Sends what a call has that was offered; `false` if it is another link's.
    pub(super) fn send_on(&mut self, link: &mut Link, key: Key, now: Instant) -> bool {
        let Some(call) = self.calls.get_mut(key) else {
            return true;
        };
        let elsewhere = matches!(call.place, CallState::Open { link: id, .. } if id != link.id.0);
        if elsewhere {
            return false;
        }
        call.offered = false;
        if !call.outbox.blocked {
            self.go_on(link, key, now);
        }
        true
    }

    /// Sends what a call has, as far as its windows go.
    pub(super) fn go_on(&mut self, link: &mut Link, key: Key, now: Instant) {
        let Some(call) = self.calls.get_mut(key) else {
            return;
        };
        let CallState::Open { stream, .. } = call.place else {
            return;
        };
        let outbox = &mut call.outbox;
        let (waiting, end) = (outbox.waiting(), outbox.closed);
        if outbox.ended || waiting == 0 && !end {
            return;
        }
        let rest = outbox.rest();
        let sent = link
            .machine
            .send_data(stream, rest, end, now, &mut link.out);
        let Ok(n) = sent else {
            return; // the stream's end is on its way as an event
        };
        outbox.blocked = n < waiting;
        outbox.ended = end && n == waiting;
        outbox.sent(n, self.limits.replay);
        if call.wants_room && outbox.waiting() < self.limits.unsent {
            call.wants_room = false;
            call.relieved = true;
            self.note(key);
        }
    }
}
