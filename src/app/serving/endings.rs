//! Ends of exchanges that their sessions do not choose.

use core::mem;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::handler::AppHandler;
use crate::app::exchange::respond::note;
use crate::app::exchange::session::{After, SessionContext};
use crate::app::exchange::subject::Subject;
use crate::http::{Method, Status};
use crate::link::{EndReason, Event};
use crate::net::report::report;
use crate::net::{Context, Handler};

impl AppHandler {
    /// The exchange, or its connection, is over.
    pub(super) fn ended(&mut self, context: &mut Context<'_>, why: EndReason) {
        if context.is_last() {
            self.loop_state.metrics.connection_closed();
        }
        if let Some(entry) = self.claim(context) {
            self.run(entry);
        }
        if let Some(status) = context.refusal() {
            self.refused(context, status);
        }
        if self.loop_state.watches_ends {
            context.note_dropped();
        }
        self.drive(context, Event::Ended(why));
        self.settle(context, After::End);
    }

    /// The protocol itself has refused what came: the rest of a request, or a
    /// head that could not be read.
    pub(super) fn refused(&mut self, context: &mut Context<'_>, status: Status) {
        let Self {
            loop_state,
            running,
            is_running,
            ..
        } = self;
        let of_request = running.record.as_mut().filter(|_| *is_running);
        if let Some(record) = of_request.filter(|record| !record.answered) {
            note(loop_state, record, (status, 0), context);
            return;
        }
        let mut record = loop_state.spare.pop().unwrap_or_default();
        record.begin(Method::Extension(""), context.now());
        record.remember("", None, context.peer());
        note(loop_state, &mut record, (status, 0), context);
        self.depart(context, Some(record));
    }

    /// The response has been owed for too long: the session may answer in its
    /// own way.
    pub(super) fn overdue(&mut self, context: &mut Context<'_>) {
        if let Some(entry) = self.claim(context) {
            self.run(entry);
        }
        let after = self.drive(context, Event::Overdue);
        self.settle(context, after);
        self.answer_for(context, Status::GATEWAY_TIMEOUT);
    }

    /// The time that the route has for a reply is over: for what of it is still to come.
    pub(super) fn late(&mut self, context: &mut Context<'_>) {
        let (tag, exchange) = (context.tag(), context.exchange());
        let entry = self.sessions.get_mut(tag, exchange.connection);
        let session = entry.and_then(|entry| entry.session.as_ref());
        let status = match session.is_none_or(|it| it.is_receiving()) {
            true => Status::REQUEST_TIMEOUT,
            false => Status::SERVICE_UNAVAILABLE,
        };
        self.answer_for(context, status);
        self.served(context);
    }

    /// Answers for the entry that owes the response, and drops it.
    pub(super) fn answer_for(&mut self, context: &mut Context<'_>, status: Status) {
        let Some(entry) = self.claim(context) else {
            return;
        };
        let is_owed = entry.record.as_ref().is_some_and(|record| !record.answered);
        self.run(entry);
        if !is_owed {
            return self.settle(context, After::Keep);
        }
        let mut at = SessionContext {
            context,
            loop_state: &mut self.loop_state,
            record: &mut self.running.record,
        };
        if matches!(
            status,
            Status::GATEWAY_TIMEOUT | Status::SERVICE_UNAVAILABLE
        ) {
            let (subject, code) = (at.subject(), status.code());
            report!(Error, "{subject}: {code}, as no reply was given in time");
        }
        at.refuse(&status.into());
        self.drive(context, Event::Ended(EndReason::Aborted));
        self.settle(context, After::End);
    }

    /// After a panic: nothing that panicked is called again, its books are cleared, and the
    /// middleware sees the loop's 500.
    pub(super) fn clear_up(&mut self, context: &mut Context<'_>) {
        self.loop_state.metrics.panicked();
        context.set_tag(0);
        let called = mem::take(&mut self.called);
        let called = self.sessions.take(called, context.exchange().connection);
        let Some(mut entry) = self.stop().or(called) else {
            return;
        };
        if let Some(session) = &mut entry.session {
            session.lost(entry.exchange, &mut self.loop_state);
        }
        let subject = Subject {
            watch: &*self.loop_state.watch,
            record: entry.record.as_deref(),
        };
        report!(Error, "{subject}: its handler has panicked");
        if let Some(record) = &mut entry.record
            && !record.answered
        {
            let status = Status::INTERNAL_SERVER_ERROR;
            let content = "{\"error\":\"\"}".len() + status.reason().len();
            let note = || note(&self.loop_state, record, (status, content), context);
            // It may have been a middleware that panicked.
            if let Ok(fields) = catch_unwind(AssertUnwindSafe(note)) {
                context.leave_fields(fields.as_fields());
            }
        }
        self.discard(context, entry);
    }
}
