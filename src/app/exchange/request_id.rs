//! The id of a request, and its place in a trace.

use alloc::boxed::Box;
use core::fmt;

use super::record::Record;
use super::request::Request;
use crate::http::TraceContext;

/// The id of a request, which [`RequestIds`](crate::app::RequestIds) have given it: 1 to 128
/// letters, digits and characters of `-._~+/=:@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// `None` for what is no id.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:@".contains(&byte);
        let is_one = (1..=128).contains(&text.len()) && text.bytes().all(fits);
        is_one.then(|| Self(text.into()))
    }

    /// An id of random bytes.
    pub(crate) fn of_random(bytes: [u8; 16]) -> Self {
        Self(alloc::format!("{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// Its text.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'b> Request<'b> {
    /// The request's id, where [`RequestIds`](crate::app::RequestIds) give them. In a gRPC
    /// method it is `call.extensions().get::<RequestId>()`.
    pub fn request_id(&self) -> Option<&'b str> {
        self.extensions().get().map(RequestId::as_str)
    }

    /// The request's place in a trace, where [`Traces`](crate::app::Traces) follow them: to
    /// be given to the calls of others that it causes.
    pub fn trace(&self) -> Option<&'b TraceContext> {
        self.extensions().get()
    }
}

impl Record {
    /// The request's id, where [`RequestIds`](crate::app::RequestIds) give them.
    pub fn request_id(&self) -> Option<&str> {
        self.extensions().get().map(RequestId::as_str)
    }

    /// The request's place in a trace, where [`Traces`](crate::app::Traces) follow them.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.extensions().get()
    }
}
