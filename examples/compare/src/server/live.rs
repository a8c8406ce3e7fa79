//! What a server says unasked over plain HTTP: event streams, and polls that wait.
//!
//! ```text
//! GET  /events/{channel}       what is said there, as events
//! GET  /pushes/events/{payload} a thousand events
//! GET  /poll/{channel}         the next message there, once there is one
//! POST /say/{channel}          says the body to event streams
//! POST /tell/{channel}         says the body to a poll
//! GET  /next/{payload}         a poll that has not to wait
//! ```

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use barewire::app::{
    App, Deferred, Event, EventStream, Events, EventsRoute, Flow, Refusal, Reply, Response, Route,
    Status,
};

use crate::cells::MESSAGES;
use crate::payload::Payload;

/// How soon a client of an event stream is to come back: browsers wait seconds unless they are
/// told.
pub(super) const RETRY: Duration = Duration::from_millis(100);

pub(super) fn routes(app: App, polls: &Polls) -> App {
    let hub = app.hub();
    let [waiting, told] = [(); 2].map(|()| polls.clone());
    let listening = EventsRoute::new(|request| Ok(Listener(request.param("channel").to_owned())));
    let pushing = EventsRoute::new(|request| {
        let payload = Payload::named(request.param("payload"));
        let payload = payload.ok_or_else(|| Refusal::new(Status::NOT_FOUND))?;
        Ok(Pushes {
            data: payload.text(),
            left: MESSAGES,
        })
    });
    app.events_route("/events/{channel}", listening)
        .events_route("/pushes/events/{payload}", pushing)
        .get("/poll/{channel}", move |request, reply| {
            let channel = request.param("channel").to_owned();
            match waiting.take(&channel) {
                Some(text) => reply.json_text(text),
                None => reply.defer(|deferred| waiting.wait(channel, deferred)),
            }
        })
        .get("/next/{payload}", |request, reply| {
            match Payload::named(request.param("payload")) {
                Some(payload) => reply.json_text(payload.text()),
                None => reply.refuse(Status::NOT_FOUND),
            }
        })
        .route(said("/say/{channel}", move |channel, text| {
            hub.publish(channel, text);
        }))
        .route(said("/tell/{channel}", move |channel, text| {
            told.publish(channel, text);
        }))
}

/// A route whose body is said to a channel; `users` asks for the list.
fn said(pattern: &str, say: impl Fn(&str, &str) + Send + Sync + 'static) -> Route {
    Route::post(pattern).collect(1 << 20, move |request, reply: Reply<'_, '_>| {
        match std::str::from_utf8(request.body()) {
            Ok("users") => say(request.param("channel"), Payload::Users.text()),
            Ok(text) => say(request.param("channel"), text),
            Err(_) => return reply.refuse(Status::BAD_REQUEST),
        }
        reply.status(Status::NO_CONTENT).empty()
    })
}

/// A client that hears what is said.
struct Listener(String);

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        if stream.join(&self.0).is_err() {
            return stream.finish();
        }
        stream.send(&Event::EMPTY.retry(RETRY));
    }
}

/// A thousand events, as fast as they are taken.
struct Pushes {
    data: &'static str,
    left: usize,
}

impl Events for Pushes {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        self.writable(stream);
    }

    fn writable(&mut self, stream: &mut EventStream<'_, '_>) {
        while self.left > 0 {
            self.left -= 1;
            if stream.send(&Event::new(self.data)) != Flow::Go {
                return;
            }
        }
    }
}

/// Polls that wait, and messages that wait for a poll, by channel.
#[derive(Clone, Default)]
pub(super) struct Polls(Arc<Mutex<HashMap<String, Mailbox>>>);

#[derive(Default)]
struct Mailbox {
    waiting: Vec<Deferred>,
    messages: VecDeque<String>,
}

impl Polls {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Mailbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, channel: &str) -> Option<String> {
        self.lock().get_mut(channel)?.messages.pop_front()
    }

    fn wait(&self, channel: String, deferred: Deferred) {
        self.lock()
            .entry(channel)
            .or_default()
            .waiting
            .push(deferred);
    }

    /// How many wait.
    pub(super) fn waiting(&self, channel: &str) -> usize {
        let all = self.lock();
        let waiting = all.get(channel).map(|it| it.waiting.iter());
        waiting.map_or(0, |it| it.filter(|one| one.is_wanted()).count())
    }

    /// Answers the polls that wait, or keeps the message for the next.
    pub(super) fn publish(&self, channel: &str, text: &str) {
        let mut all = self.lock();
        let mailbox = all.entry(channel.to_owned()).or_default();
        mailbox.waiting.retain(Deferred::is_wanted);
        if mailbox.waiting.is_empty() && channel != super::ALL {
            return mailbox.messages.push_back(text.to_owned());
        }
        for deferred in mailbox.waiting.drain(..) {
            deferred.send(Response::json_text(text));
        }
    }
}
