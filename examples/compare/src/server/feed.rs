//! A feed of numbered messages at a steady pace, for the bad network: over a WebSocket that
//! begins anew after a cut, and as an event stream that goes on behind the last one seen.
//!
//! ```text
//! /ws/feed   /sse/feed    a message each 20 ms: its number, and when it was due in ns since 1970
//! ```

use std::sync::LazyLock;
use std::time::Duration;

use barewire::app::{App, Event, EventStream, Events, EventsRoute, Message, Socket, WebSocket};

use super::live::RETRY;
use crate::machine::now;

/// The time between two messages.
pub(crate) const PACE: Duration = Duration::from_millis(20);
/// What a message weighs: a line of a chat, a position in a game.
pub(crate) const BYTES: usize = 200;

/// When message 0 was due: all streams have the same numbers.
static START: LazyLock<u64> = LazyLock::new(now);

pub(super) fn routes(app: App) -> App {
    let route = EventsRoute::new(|request| {
        let last = request
            .last_event_id()
            .and_then(|id| id.parse::<u64>().ok());
        Ok(ByEvents {
            clock: Clock::new(),
            next: last.map(|it| it + 1),
        })
    });
    app.events_route("/sse/feed", route)
        .websocket("/ws/feed", |_request| Ok(BySocket(Clock::new())))
}

/// The message of a number.
fn message(number: u64) -> String {
    let due = *START + number * PACE.as_nanos() as u64;
    let text = format!("{number} {due}");
    format!("{text:<BYTES$}")
}

/// The newest number that is due.
fn newest() -> u64 {
    let start = *START;
    now().saturating_sub(start) / PACE.as_nanos() as u64
}

/// How long until a number is due.
fn until(number: u64) -> Duration {
    let due = *START + number * PACE.as_nanos() as u64;
    Duration::from_nanos(due.saturating_sub(now()))
}

/// What is due next on a stream.
struct Clock {
    next: u64,
}

impl Clock {
    fn new() -> Self {
        Self { next: newest() + 1 }
    }
}

struct BySocket(Clock);

impl WebSocket for BySocket {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.after(until(self.0.next), 0);
    }

    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}

    fn timer(&mut self, socket: &mut Socket<'_, '_>, _token: u32) {
        while self.0.next <= newest() {
            socket.send(&message(self.0.next));
            self.0.next += 1;
        }
        socket.after(until(self.0.next), 0);
    }
}

struct ByEvents {
    clock: Clock,
    /// What the client has not got, if it comes back.
    next: Option<u64>,
}

impl Events for ByEvents {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::EMPTY.retry(RETRY));
        if let Some(next) = self.next.take() {
            self.clock.next = next.min(newest() + 1);
        }
        self.timer(stream, 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        while self.clock.next <= newest() {
            let (id, data) = (self.clock.next.to_string(), message(self.clock.next));
            stream.send(&Event::new(&data).id(&id));
            self.clock.next += 1;
        }
        stream.after(until(self.clock.next), 0);
    }
}
