//! The messages of methods, which servers and clients share.

#[cfg(feature = "prost")]
pub use crate::grpc::Proto;
pub use crate::grpc::{CallStatus, Payload};
