//! gRPC calls of servers elsewhere: channels, and their calls without I/O.

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
mod options;
mod pending;
mod queue;
mod response;
mod sending;
mod shared;
mod status;
mod streams;

pub use calls::{Calls, NextMessage, Removed};
pub use channel::GrpcChannelOptions;
pub use error::UsageError;
pub use handle::Channel;
pub use limits::ChannelLimits;
pub use listener::{CallListener, Outgoing};
pub use options::CallOptions;
pub use response::CallResponse;
pub use status::Ending;
pub use streams::{Duplex, Requests, Responses, Sender};

/// The `user-agent` of requests (gRPC over HTTP2, User Agents).
const AGENT: &str = concat!("grpc-rust-barewire/", env!("CARGO_PKG_VERSION"));
