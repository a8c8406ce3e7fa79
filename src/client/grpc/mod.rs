//! gRPC calls of servers elsewhere: channels, and their calls without I/O.

mod call;
mod call_table;
mod calls;
mod channel;
mod coding;
mod driver;
mod error;
mod handle;
mod limits;
mod link;
mod listener;
mod options;
mod pending;
mod queue;
mod response;
mod sending;
mod shared;
mod status;
mod streams;
mod transport;

pub use calls::{Calls, Next, Removed};
pub use channel::ChannelOptions;
pub use error::UsageError;
pub use handle::Channel;
pub use limits::Limits;
pub use link::LinkId;
pub use listener::{Listener, Outgoing};
pub use options::CallOptions;
pub use response::CallResponse;
pub use status::Ending;
pub use streams::{Duplex, Requests, Responses, Sender};

/// What requests carry as `user-agent` (gRPC over HTTP2, User Agents).
const AGENT: &str = concat!("grpc-rust-barewire/", env!("CARGO_PKG_VERSION"));
