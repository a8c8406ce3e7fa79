//! The HTTP client over real sockets, against a server that does what a script says.

#[cfg(feature = "gzip")]
mod coding;
mod exchange;
mod following;
mod hostile;
#[path = "../../../examples/http_codec.rs"]
#[allow(dead_code, unreachable_pub, reason = "an example is a program")]
mod http_codec;
mod places;
mod reading;
pub(crate) mod script;
mod waiting;
mod without_io;

use barewire::client::{Client, ClientLimits, ClientOptions, RequestBuilder};
use std::time::Duration;

/// A client whose times are short.
fn hurried(limits: ClientLimits) -> Client {
    Client::with(ClientOptions::new().limits(limits)).unwrap()
}

const SHORT: Duration = Duration::from_millis(100);
