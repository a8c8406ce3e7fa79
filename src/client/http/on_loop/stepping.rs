//! The next step of a call, and the events for its listener.

use alloc::boxed::Box;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::driver::Driver;
use super::listener::ResponseView;
use super::running::{Place, Running};
use crate::client::http::call::Step;
use crate::client::http::error::Error;
use crate::net::{Context, Key};
use crate::wire::Instant;

enum Next {
    On,
    Wait,
    End,
    Failed(Error),
    /// Its listener, or its body, has panicked.
    Lost,
}

impl Driver {
    /// Does for a call what can be done now.
    pub(super) fn step(&mut self, key: Key, context: &mut Context<'_>) {
        let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) else {
            return;
        };
        running.is_touched = false;
        let waits = !matches!(running.place, Place::Nowhere | Place::On(_));
        if waits && !running.call.is_over() {
            return self.put_back(key, running);
        }
        let last = loop {
            match self.next(key, &mut running, context) {
                Next::On => {}
                Next::Wait if self.settle(key, &mut running, context) => {
                    return self.put_back(key, running);
                }
                Next::Wait => break Next::Lost,
                last => break last,
            }
        };
        match last {
            Next::Failed(error) => {
                self.release(key, &mut running, true, context);
                self.told_failure(key, running, error);
            }
            Next::Lost => self.lose(key, running, context),
            _ => {
                self.release(key, &mut running, false, context);
                self.end(key, running);
            }
        }
    }

    fn next(&mut self, key: Key, running: &mut Running, context: &mut Context<'_>) -> Next {
        let now = context.now();
        match running.call.next(now) {
            Step::Wait => Next::Wait,
            Step::Piece if running.ticket().is_paused.get() => Next::Wait,
            Step::Connect { fresh, at } => {
                self.release(key, running, false, context);
                if at > now {
                    running.place = Place::Pausing(at);
                    return Next::Wait;
                }
                if !self.place(key, running, fresh, false, context) {
                    return Next::Lost;
                }
                // It is on one, waits for one, or cannot have one, which it knows.
                match running.place {
                    Place::Nowhere | Place::On(_) => Next::On,
                    _ => Next::Wait,
                }
            }
            Step::End => Next::End,
            Step::Failed(error) => Next::Failed(error),
            step => match self.told_step(running, step, now) {
                true => Next::On,
                false => Next::Lost,
            },
        }
    }

    /// Tells the listener of what has come; whether it has survived that.
    fn told_step(&self, running: &mut Running, step: Step, now: Instant) -> bool {
        let Running {
            call,
            listener,
            handle,
            hook,
            ..
        } = running;
        let Some(listener) = listener else {
            return false;
        };
        let told = match step {
            Step::Informational(head) => catch_unwind(AssertUnwindSafe(|| {
                let fields = head.fields.as_fields();
                if let Some(hook) = hook {
                    hook(head.status, fields);
                }
                listener.informational(head.status, fields, handle);
            })),
            Step::Head => {
                let took = now.saturating_since(call.started());
                let view = ResponseView {
                    answer: call.head(),
                    method: call.request().method.get(),
                    url: call.url(),
                    took,
                };
                self.counters.answered(view.status(), took);
                running.is_answered = true;
                catch_unwind(AssertUnwindSafe(|| listener.head(&view, handle)))
            }
            _ => catch_unwind(AssertUnwindSafe(|| listener.piece(call, handle))),
        };
        told.is_ok()
    }

    /// Does for a call what is to be done after its steps; whether it has survived that.
    #[must_use]
    fn settle(&mut self, key: Key, running: &mut Running, context: &mut Context<'_>) -> bool {
        if running.call.is_through() && matches!(running.place, Place::On(_)) {
            self.release(key, running, false, context);
        }
        let is_alive = self.act(running, context, |call, transport, now| {
            call.give_back(transport);
            call.pump(transport, now);
        });
        if !is_alive {
            return false;
        }
        if running.call.is_sending() {
            self.sync(key, running, context);
        }
        self.hold(running, context);
        self.book(running, context);
        self.due = self.due.min(running.deadline());
        let Some(feed) = &running.handle.ticket.feed else {
            return true;
        };
        let wants = running.call.wants_pieces();
        if (!wants && feed.close()) || feed.is_relieved() {
            let Some(listener) = &mut running.listener else {
                return true;
            };
            let told = AssertUnwindSafe(|| listener.writable(&running.handle));
            return catch_unwind(told).is_ok();
        }
        true
    }

    /// Stops reading the connection of a call that is paused, or reads it again.
    fn hold(&self, running: &mut Running, context: &mut Context<'_>) {
        let holds = running.ticket().is_paused.get() && running.is_answered;
        if running.is_held != holds
            && let Some(exchange) = self.exchange_of(running)
        {
            running.is_held = holds;
            context.with(exchange, |context| context.set_reading(!holds));
        }
    }

    /// Charges what is held for a call to its connection.
    fn book(&self, running: &mut Running, context: &mut Context<'_>) {
        let held = running.held();
        if held == running.charge.bytes() {
            return;
        }
        if running.charge.bytes() == 0
            && let Some(exchange) = self.exchange_of(running)
        {
            let account = context
                .with(exchange, |context| context.account())
                .flatten();
            running.charge.move_to(account.as_ref());
        }
        running.charge.set(held);
        running.ticket().held.set(held);
    }

    fn end(&mut self, key: Key, mut running: Box<Running>) {
        self.take_out(key, &mut running);
        if let Some(listener) = running.listener.take() {
            // What a listener does wrong is its own.
            let told = || listener.end(&mut running.call);
            let _ = catch_unwind(AssertUnwindSafe(told));
        }
        running.call.recycle();
    }

    pub(super) fn fail(&mut self, key: Key, mut running: Box<Running>) {
        if let Step::Failed(error) = running.call.next(Instant::START) {
            self.told_failure(key, running, error);
        }
    }

    fn told_failure(&mut self, key: Key, mut running: Box<Running>, error: Error) {
        self.take_out(key, &mut running);
        let error = error.explained(|| running.details.take());
        running.call.recycle();
        if let Some(listener) = running.listener.take() {
            drop(running);
            // What a listener does wrong is its own.
            let told = || listener.failed(error);
            let _ = catch_unwind(AssertUnwindSafe(told));
        }
    }

    fn take_out(&mut self, key: Key, running: &mut Running) {
        self.calls.remove(key);
        self.counters.end(&mut running.call, running.is_answered);
        let ticket = running.ticket();
        ticket.is_over.set(true);
        ticket.held.set(0);
        if let Some(feed) = &ticket.feed {
            feed.close();
        }
    }

    pub(super) fn lose(&mut self, key: Key, mut running: Box<Running>, context: &mut Context<'_>) {
        self.release(key, &mut running, true, context);
        self.take_out(key, &mut running);
    }
}
