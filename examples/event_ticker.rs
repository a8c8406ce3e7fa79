//! A stream of events, one a second, that resumes where a client left it.
//!
//! ```text
//! cargo run --example event_ticker
//! curl -N http://127.0.0.1:8080/ticks
//! curl -N -H 'Last-Event-ID: 41' http://127.0.0.1:8080/ticks
//! ```

use core::time::Duration;

use barewire::app::{App, EventStream, Events};
use barewire::sse::Event;

/// One stream; its fields are the session's state.
struct Ticker {
    tick: u64,
}

impl Events for Ticker {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.after(Duration::from_secs(1), 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        self.tick += 1;
        let (data, id) = (format!("tick {}", self.tick), self.tick.to_string());
        stream.send(&Event::new(&data).event("tick").id(&id));
        stream.after(Duration::from_secs(1), 0);
    }
}

fn main() -> Result<(), barewire::app::Error> {
    println!("listening on http://127.0.0.1:8080/ticks");
    App::new()
        .events("/ticks", |request| {
            let last = request.last_event_id().and_then(|id| id.parse().ok());
            Ok(Ticker {
                tick: last.unwrap_or(0),
            })
        })
        .listen("127.0.0.1:8080")?
        .run()
}
