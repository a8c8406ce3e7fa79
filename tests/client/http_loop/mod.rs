//! The HTTP client on a loop, over real sockets, against a server that does what a script
//! says; and all that the client which blocks is tested by, where no threads come in.

#[allow(dead_code, reason = "others use the rest")]
#[path = "../http2/by_hand.rs"]
mod by_hand;
mod calls;
#[cfg(feature = "gzip")]
#[path = "../http/coding.rs"]
mod coding;
#[path = "../http/exchange.rs"]
mod exchange;
mod facade;
#[path = "../http/following.rs"]
mod following;
#[path = "../http/hostile.rs"]
mod hostile;
mod http2;
#[path = "../http/places.rs"]
mod places;
#[path = "../http/script.rs"]
mod script;
mod splits;
mod support;
mod waiting;

use barewire::client::{ClientLimits, ClientOptions};
use std::time::Duration;

use facade::{Client, RequestBuilder};

/// A client whose times are short.
fn hurried(limits: ClientLimits) -> Client {
    Client::with(ClientOptions::new().limits(limits)).unwrap()
}

const SHORT: Duration = Duration::from_millis(100);
