//! The protocols of calls.

/// A protocol in which calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// gRPC over HTTP/2.
    #[default]
    Grpc,
    /// gRPC-Web, which puts trailers into the content.
    GrpcWeb,
    /// Connect, whose unary calls are plain HTTP.
    Connect,
}
