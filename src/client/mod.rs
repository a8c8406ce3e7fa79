//! Layer 5: calls of servers elsewhere. gRPC today.

mod connecting;
mod grpc;

pub use grpc::{
    CallOptions, Calls, Channel, ChannelOptions, Duplex, Ending, Limits, LinkId, Listener, Misuse,
    Next, Outgoing, Removed, Requests, Response, Responses, Sender,
};
