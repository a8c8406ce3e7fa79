//! The one way that heads of replies leave by.

use alloc::boxed::Box;
use core::mem;

use bytes::Bytes;

use super::json;
use super::loop_state::LoopState;
use super::record::Record;
use super::refusal::Refusal;
use super::reply_head::{Chosen, ReplyHead};
use super::response::Response;
use super::session::SessionContext;
use crate::http::{
    Asks, ContentTypeLine, FieldBuffer, Fields, Method, ResponseContent, ResponseHead, Status,
};
use crate::link::{Body, UsageError};
use crate::net::Context;
use crate::net::report::report;
use crate::wire::shortcut;

impl SessionContext<'_, '_> {
    /// Sends a response, with `Content-Type` of constant text if given. Sends 500 instead if a
    /// field cannot stand on the wire. False if no response is owed.
    #[inline(always)]
    pub(crate) fn respond(
        &mut self,
        status: Status,
        content_type: Option<&'static ContentTypeLine>,
        body: Body<'_>,
    ) -> bool {
        match body {
            Body::Whole(bytes) => self.respond_whole(status, content_type, bytes),
            body => self.respond_otherwise(status, content_type, body),
        }
    }

    // Nearly all bodies are whole: for them alone the one way is compiled a second
    // time, which is worth 3 % of a GET.

    #[inline(never)]
    fn respond_whole(
        &mut self,
        status: Status,
        content_type: Option<&'static ContentTypeLine>,
        bytes: &[u8],
    ) -> bool {
        self.respond_with(status, content_type, Body::Whole(bytes))
    }

    #[inline(never)]
    fn respond_otherwise(
        &mut self,
        status: Status,
        content_type: Option<&'static ContentTypeLine>,
        body: Body<'_>,
    ) -> bool {
        self.respond_with(status, content_type, body)
    }

    #[inline(always)]
    fn respond_with(
        &mut self,
        status: Status,
        content_type: Option<&'static ContentTypeLine>,
        body: Body<'_>,
    ) -> bool {
        if self.is_faulty() {
            return self.respond_error(Status::INTERNAL_SERVER_ERROR);
        }
        let only = self.put_unless_only(content_type);
        match self.send(status, only, body) {
            Ok(()) => true,
            Err(UsageError::Over) => false,
            Err(misuse) => self.respond_misused(status, misuse),
        }
    }

    /// Puts a Content-Type of constant text: without a copy if it is the only field.
    #[inline(always)]
    fn put_unless_only(
        &mut self,
        content_type: Option<&'static ContentTypeLine>,
    ) -> Option<&'static ContentTypeLine> {
        let line = content_type?;
        match self.record.as_deref_mut() {
            Some(record)
                if !shortcut!("content_type")
                    || self.loop_state.is_watched
                    || !record.fields.is_empty() =>
            {
                record.fields.set_content_type_line(line);
                None
            }
            Some(_) | None => Some(line),
        }
    }

    /// Sends a refusal, with the fields that the reply has been given so far.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> bool {
        if let Some(record) = self.record {
            // They have been checked one by one.
            let _ = record.fields.extend(refusal.fields().as_fields());
        }
        let sent = !self.is_faulty() && self.send_error(refusal);
        sent || self.respond_error(Status::INTERNAL_SERVER_ERROR)
    }

    /// The response is not one that can be sent: 500 goes in its place.
    #[cold]
    pub(super) fn respond_misused(&mut self, status: Status, misuse: UsageError) -> bool {
        let (subject, status) = (self.subject(), status.code());
        report!(
            Error,
            "{subject}: 500 in place of {status}, which cannot be sent: {misuse}"
        );
        self.respond_error(Status::INTERNAL_SERVER_ERROR)
    }

    /// Sends an error without any of the fields that may be at fault.
    #[cold]
    fn respond_error(&mut self, status: Status) -> bool {
        let Some(record) = self.record else {
            return false;
        };
        record.fields.clear();
        record.faulty = false;
        if self.send_error(&status.into()) {
            return true;
        }
        // A middleware's own field was at fault; the loop answers without it.
        let subject = self.subject();
        report!(
            Error,
            "{subject}: cut, as a field that middleware adds cannot be sent"
        );
        self.context.abort();
        false
    }

    fn send_error(&mut self, refusal: &Refusal) -> bool {
        let status = refusal.status();
        if let Some(body) = self.render(refusal) {
            return self.send(status, None, Body::Shared(&body)).is_ok();
        }
        let mut body = mem::take(&mut self.loop_state.text);
        body.clear();
        let mut put = |record: &mut Record| {
            if ResponseContent::of(Method::GET, status).may_follow {
                json::put_error(refusal.reason(), refusal.field(), &mut body);
                // Constant text that can stand on the wire.
                let _ = record.fields.set("Content-Type", "application/json");
            }
        };
        if let Some(record) = self.record {
            put(record);
        }
        let sent = self.send(status, None, Body::Whole(body.as_bytes()));
        self.loop_state.text = body;
        sent.is_ok()
    }

    /// Sends a response with the fields given so far, or with the one line that is
    /// the `only` field.
    #[inline(always)]
    fn send(
        &mut self,
        status: Status,
        only: Option<&'static ContentTypeLine>,
        body: Body<'_>,
    ) -> Result<(), UsageError> {
        let Prepared { is_timed, chosen } = self.prepare_head(status, body)?;
        if let Some(chosen) = chosen {
            return self.send_coded(status, chosen, body);
        }
        let fields = match only {
            Some(line) => line.as_fields(),
            None => given(self.record),
        };
        let head = ResponseHead::new(status, fields);
        let sent = self.context.respond(&head, body);
        self.count_head(status, body, is_timed, sent)
    }

    /// Lets the middleware look at a head that is to be sent now.
    #[inline(always)]
    pub(super) fn prepare_head(
        &mut self,
        status: Status,
        body: Body<'_>,
    ) -> Result<Prepared, UsageError> {
        let Some(record) = self.record.as_deref_mut().filter(|it| !it.answered) else {
            return Err(UsageError::Over);
        };
        let loop_state = &mut *self.loop_state;
        let now = self.context.now();
        // What is answered immediately leaves at the end of the turn, and is timed
        // together then. Middleware wants to know now.
        let is_late = record.started() != now;
        let is_timed = is_late || loop_state.is_watched;
        record.end(if is_timed {
            self.context.measure()
        } else {
            now
        });
        let chosen = match loop_state.is_watched {
            true => self.show(status, &body),
            false => None,
        };
        Ok(Prepared { is_timed, chosen })
    }

    /// Shows the head to the middleware; the coding that it has chosen.
    #[inline(never)]
    fn show(&mut self, status: Status, body: &Body<'_>) -> Option<Chosen> {
        let record = self.record.as_deref_mut()?;
        let loop_state = &mut *self.loop_state;
        if loop_state.watches_ends {
            record.reply(status, body.here() as u64);
        }
        let mut fields = mem::take(&mut record.fields);
        let mut head = ReplyHead {
            status,
            fields: &mut fields,
            length: body.length().known(),
            unix_seconds: self.context.unix_seconds(),
            may_be_coded: match body {
                Body::Whole(_) | Body::Shared(_) => true,
                Body::Streamed { .. } => mem::take(&mut loop_state.coding.may_stream),
                Body::Trailed { .. } => false,
            },
            chosen: None,
        };
        loop_state.watch.look(record, &mut head);
        let chosen = head.chosen;
        record.fields = fields;
        chosen
    }

    #[inline(always)]
    pub(super) fn count_head(
        &mut self,
        status: Status,
        body: Body<'_>,
        is_timed: bool,
        sent: Result<(), UsageError>,
    ) -> Result<(), UsageError> {
        let Some(record) = self.record.as_deref_mut() else {
            return sent;
        };
        if sent.is_err() {
            record.answered = false;
            return sent;
        }
        let loop_state = &mut *self.loop_state;
        loop_state.metrics.answered(record.method(), status);
        if is_timed {
            loop_state.metrics.took(record.elapsed(), 1);
        } else {
            loop_state.untimed += 1;
        }
        if self.may_have_content(status) {
            self.loop_state.metrics.sent_body(body.here());
        }
        Ok(())
    }

    #[inline]
    pub(super) fn may_have_content(&self, status: Status) -> bool {
        let record = self.record.as_ref();
        let asks = record.map_or(Asks::Content, |record| record.asks());
        // Nearly all are the first; the rule agrees.
        status == Status::OK && asks == Asks::Content
            || ResponseContent::to(asks, status).may_follow
    }

    pub(super) fn is_faulty(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.faulty)
    }
}

impl Response {
    /// Sends it; false if no response is owed.
    pub(crate) fn answer(self, at: &mut SessionContext<'_, '_>) -> bool {
        let status = self.status;
        let body = self.give(at);
        at.respond(status, None, Body::Shared(&body))
    }

    /// Gives its fields to the reply that is owed; its body is left.
    pub(super) fn give(self, at: &mut SessionContext<'_, '_>) -> Bytes {
        let Self {
            fields,
            body,
            fault,
            ..
        } = self;
        if let Some(fault) = fault {
            at.spoil(&fault.name, &fault.value, &fault.why);
        }
        if let Some(record) = at.record.as_deref_mut() {
            if fields.as_fields().contains("content-type") {
                // Replaced, as two types make none. The text was checked before.
                let own = fields.as_fields().get("content-type").unwrap_or_default();
                let _ = record.fields.set("Content-Type", own);
            }
            for field in fields
                .as_fields()
                .iter()
                .filter(|it| !it.is("content-type"))
            {
                let name = core::str::from_utf8(field.name).unwrap_or_default();
                record.faulty |= record.fields.push(name, field.value).is_err();
            }
        }
        body
    }
}

pub(super) fn given(record: &Option<Box<Record>>) -> Fields<'_> {
    let record = record.as_deref();
    record.map_or(Fields::EMPTY, |record| record.fields.as_fields())
}

/// Counts a reply sent on the app's behalf and shows it to the middleware; returns its fields.
pub(crate) fn note(
    loop_state: &LoopState,
    record: &mut Record,
    (status, content): (Status, usize),
    context: &Context<'_>,
) -> FieldBuffer {
    record.end(context.measure());
    record.reply(status, content as u64);
    loop_state.metrics.answered(record.method(), status);
    if !record.is_unread() {
        // A head that could not be read has no beginning to count from.
        loop_state.metrics.took(record.elapsed(), 1);
    }
    let mut fields = record.take_given();
    // Neither name nor value is faulty.
    let _ = fields.set("Content-Type", "application/json");
    let mut head = ReplyHead {
        status,
        fields: &mut fields,
        length: None,
        unix_seconds: context.unix_seconds(),
        may_be_coded: false, // it is sent by the loop
        chosen: None,
    };
    loop_state.watch.look(record, &mut head);
    fields
}

/// A head after the middleware has changed it.
pub(super) struct Prepared {
    pub(super) is_timed: bool,
    pub(super) chosen: Option<Chosen>,
}
