//! An event a second, that a client which comes back misses none of.

use std::time::Duration;

use barewire::app::{App, EventStream, Events, Refusal, Request};
use barewire::sse::Event;
use barewire::wire::Instant;

use super::timestamp;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn routes(app: App) -> App {
    app.events("/sse/ticks", open)
}

/// Opens a stream behind the tick that the client had last.
fn open(request: &Request<'_>) -> Result<Ticker, Refusal> {
    let last = request.last_event_id().and_then(|id| id.parse().ok());
    Ok(Ticker {
        last: last.unwrap_or(0),
        due: Instant::default(),
    })
}

/// One client's ticks.
struct Ticker {
    last: u64,
    due: Instant,
}

impl Events for Ticker {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        self.due = stream.now();
        self.tick(stream);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        self.tick(stream);
    }
}

impl Ticker {
    fn tick(&mut self, stream: &mut EventStream<'_, '_>) {
        self.last = self.last.wrapping_add(1);
        let (id, now) = (self.last.to_string(), timestamp::now());
        stream.send(&Event::new(&now).id(&id));
        // Counted from when it was due: ticks that come late do not add up.
        self.due += SECOND;
        stream.after(self.due.saturating_since(stream.now()), 0);
    }
}
