//! The listeners of an event source.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{EventSourceEnd, EventSourceError, Interruption, MessageEvent};
use crate::client::http::Error;

/// An event source is waiting for its next attempt.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Waiting<'a> {
    /// Why there is no stream.
    pub why: Interruption,
    /// The error of HTTP that has caused it, if there is one.
    pub error: Option<&'a Error>,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// How long it waits.
    pub delay: Duration,
}

type OfEvent = Box<dyn FnMut(&MessageEvent) + Send>;
type OfOpening = Box<dyn FnMut() + Send>;
type OfWaiting = Box<dyn FnMut(&Waiting<'_>) + Send>;
type OfGivingUp = Box<dyn FnMut(&EventSourceError) + Send>;
type OfEnd = Box<dyn FnMut(Result<&EventSourceEnd, &EventSourceError>) + Send>;

#[derive(Default)]
pub(super) struct Listeners {
    /// With the type, or of all types.
    events: Vec<(Option<String>, OfEvent)>,
}

impl Listeners {
    pub(super) fn add(&mut self, event: Option<String>, listener: OfEvent) {
        self.events.push((event, listener));
    }

    pub(super) fn tell(&mut self, event: &MessageEvent) {
        for (name, listener) in &mut self.events {
            if name.as_deref().is_none_or(|name| name == event.event) {
                listener(event);
            }
        }
    }
}

#[derive(Default)]
pub(super) struct Hooks {
    pub(super) opened: Vec<OfOpening>,
    pub(super) waiting: Vec<OfWaiting>,
    pub(super) gave_up: Vec<OfGivingUp>,
    pub(super) ended: Vec<OfEnd>,
}

impl Hooks {
    pub(super) fn tell_opened(&mut self) {
        self.opened.iter_mut().for_each(|hook| hook());
    }

    pub(super) fn tell_waiting(&mut self, waiting: &Waiting<'_>) {
        self.waiting.iter_mut().for_each(|hook| hook(waiting));
    }

    pub(super) fn tell_end(&mut self, end: Result<&EventSourceEnd, &EventSourceError>) {
        if let Err(error) = end
            && error.gave_up()
        {
            self.gave_up.iter_mut().for_each(|hook| hook(error));
        }
        self.ended.iter_mut().for_each(|hook| hook(end));
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.events.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("opened", &self.opened.len())
            .field("waiting", &self.waiting.len())
            .field("gave_up", &self.gave_up.len())
            .field("ended", &self.ended.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
