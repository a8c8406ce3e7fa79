//! Who is told of what happens to an event source.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{EventSourceEnd, EventSourceError, Interruption, MessageEvent};
use crate::client::http::Error;

/// That an event source waits for its next attempt.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Waiting<'a> {
    /// Why there is no stream.
    pub why: Interruption,
    /// The error of HTTP behind that, if there is one.
    pub error: Option<&'a Error>,
    /// How many attempts in a row have brought nothing.
    pub attempts: u32,
    /// How long it waits.
    pub delay: Duration,
}

type OfEvent = Box<dyn FnMut(&MessageEvent) + Send>;
type OfOpening = Box<dyn FnMut() + Send>;
type OfWaiting = Box<dyn FnMut(&Waiting<'_>) + Send>;
type OfGivingUp = Box<dyn FnMut(&EventSourceError) + Send>;
type OfEnd = Box<dyn FnMut(Result<&EventSourceEnd, &EventSourceError>) + Send>;

/// Who is told of events.
#[derive(Default)]
pub(super) struct Listeners {
    /// With the type, or of all types.
    events: Vec<(Option<String>, OfEvent)>,
}

impl Listeners {
    pub(super) fn add(&mut self, event: Option<String>, listener: OfEvent) {
        self.events.push((event, listener));
    }

    /// Tells them of an event, in the order in which they were added.
    pub(super) fn tell(&mut self, event: &MessageEvent) {
        for (name, listener) in &mut self.events {
            if name.as_deref().is_none_or(|name| name == event.event) {
                listener(event);
            }
        }
    }
}

/// Who is told of the state.
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

    /// That it is over, once.
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
mod tests {
    use super::*;
    use alloc::sync::Arc;
    use std::sync::Mutex;

    #[test]
    fn each_listener_hears_of_its_type_and_some_of_all() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut listeners = Listeners::default();
        for (mark, name) in [("a", Some("note")), ("b", Some("message")), ("c", None)] {
            let heard = heard.clone();
            let listener = move |event: &MessageEvent| {
                heard.lock().unwrap().push((mark, event.event.clone()));
            };
            listeners.add(name.map(String::from), Box::new(listener));
        }
        for event in ["note", "message", "other"] {
            listeners.tell(&MessageEvent {
                event: event.into(),
                ..MessageEvent::default()
            });
        }
        let expected = [
            ("a", "note"),
            ("c", "note"),
            ("b", "message"),
            ("c", "message"),
            ("c", "other"),
        ];
        let heard = heard.lock().unwrap();
        let heard: Vec<_> = heard.iter().map(|(mark, it)| (*mark, &**it)).collect();
        assert_eq!(heard, expected);
    }
}
