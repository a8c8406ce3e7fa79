//! Follows an event stream: prints its events, and what becomes of it.
//!
//! ```text
//! cargo run --example event_ticker          # in another terminal, or any server
//! cargo run --example follow_events http://127.0.0.1:8080/ticks
//! cargo run --example follow_events http://127.0.0.1:8080/ticks 41
//! ```
//!
//! The second argument is the last event ID to continue behind. It gives up after ten
//! attempts in vain; stop and start the server to see it come back before that.

use core::error::Error;
use core::time::Duration;
use std::env;

use barewire::client::{Client, EventSource, EventSourceLimits, EventSourceOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("usage: follow_events URL [LAST-EVENT-ID]")?;
    let limits = EventSourceLimits::DEFAULT
        .with_attempts(10)
        .with_delay(Duration::from_secs(10));
    let options = EventSourceOptions::new()
        .limits(limits)
        .last_event_id(arguments.next().unwrap_or_default());
    let mut source = EventSource::new(Client::new().get(&url), options)?;
    source
        .on_open(|| println!("-- open"))
        .on_waiting(|waiting| match waiting.error {
            Some(error) => println!("-- {error}; again in {:.1?}", waiting.delay),
            None => println!("-- {}; again in {:.1?}", waiting.why, waiting.delay),
        });
    for event in &mut source {
        let event = event?;
        println!("[{}] {}: {}", event.last_event_id, event.event, event.data);
    }
    println!("-- the server has said that it is over");
    Ok(())
}
