//! Responses whose message is the content itself: unary calls of Connect.

use core::mem;

use super::codec::CallStatus;
use super::machine::Machine;
use super::sending::Sending;
use crate::app::exchange::session::SessionContext;
use crate::grpc::frame::PREFIX;
use crate::http;
use crate::link::Body;

impl Sending {
    pub(super) fn end_bare(&mut self, at: &mut SessionContext<'_, '_>, status: &CallStatus) {
        let (Machine::Connect(call), Some(record)) = (&mut self.machine, at.record.as_deref_mut())
        else {
            return;
        };
        let (outgoing, varies) = (&self.outgoing, self.rules.compress && call.is_get());
        let metadata = (outgoing.head.as_fields(), outgoing.trailers.as_fields());
        let mut content = mem::take(&mut self.frames);
        content.drain(..PREFIX.min(content.len()));
        let fields = &mut record.fields;
        let sent = call.send_whole(
            status.as_ref(),
            &outgoing.details,
            metadata,
            fields,
            &mut content,
        );
        if varies {
            record.faulty |= record.fields.push("Vary", "Accept-Encoding").is_err();
        }
        record.faulty |= sent.is_err(); // metadata has been checked
        let sent = sent.unwrap_or(http::Status::INTERNAL_SERVER_ERROR);
        at.respond(sent, None, Body::Whole(&content));
        self.frames = content;
    }
}
