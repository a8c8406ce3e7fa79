//! Layer 5: calls of servers elsewhere. gRPC today.

mod connecting;
mod grpc;

pub use connecting::{Connection, LinkId, Transport, Wire};
pub use grpc::{
    CallOptions, CallResponse, Calls, Channel, ChannelOptions, Duplex, Ending, Limits, Listener,
    Next, Outgoing, Removed, Requests, Responses, Sender, UsageError,
};
