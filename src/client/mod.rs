//! Layer 5: calls of servers elsewhere. gRPC today.

mod connecting;
mod grpc;

pub use grpc::{
    CallOptions, CallResponse, Calls, Channel, ChannelOptions, Duplex, Ending, Limits, LinkId,
    Listener, Next, Outgoing, Removed, Requests, Responses, Sender, UsageError,
};
