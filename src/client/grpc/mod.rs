//! Calls of servers elsewhere, by gRPC, gRPC-Web or Connect: channels, and their calls
//! without I/O.

mod call;
mod calls;
mod channel;
mod coding;
mod driver;
mod driving;
mod error;
mod events;
mod handle;
mod limits;
mod listener;
mod lists;
mod machine;
mod options;
mod pending;
mod queue;
mod response;
mod sending;
mod shared;
mod status;
mod streams;
mod taking;

pub use calls::Calls;
pub use channel::GrpcChannelOptions;
#[cfg(feature = "test")]
pub(crate) use coding::Coding;
pub use error::UsageError;
pub use handle::Channel;
pub use limits::ChannelLimits;
pub use listener::{CallListener, Outgoing};
pub use options::CallOptions;
pub use response::CallResponse;
pub use status::Ending;
pub use streams::{Duplex, Requests, Responses, Sender};
pub use taking::{NextMessage, Removed};

use crate::grpc::Protocol;

/// The `user-agent` of requests (gRPC over HTTP2, User Agents; Connect, User-Agent).
const fn agent(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Grpc => concat!("grpc-rust-barewire/", env!("CARGO_PKG_VERSION")),
        Protocol::GrpcWeb => concat!("grpc-web-rust-barewire/", env!("CARGO_PKG_VERSION")),
        Protocol::Connect => concat!("connect-rust-barewire/", env!("CARGO_PKG_VERSION")),
    }
}
