//! The HTTP client over real sockets, against a server that does what a script says.

#[cfg(feature = "gzip")]
mod coding;
mod exchange;
mod following;
mod hostile;
mod places;
mod script;
mod waiting;

use barewire::client::{Client, ClientLimits, ClientOptions};
use std::time::Duration;

/// A client whose times are short.
fn hurried(limits: ClientLimits) -> Client {
    Client::with(ClientOptions::new().limits(limits)).unwrap()
}

const SHORT: Duration = Duration::from_millis(100);
