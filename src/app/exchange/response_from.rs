//! The values that become a response.

use alloc::string::String;

use super::refusal::Refusal;
use super::response::Response;
use crate::http::Status;

/// 200 with plain text.
///
/// ```
/// use barewire::app::{App, Response, Status};
///
/// App::new()
///     .get("/a", |_request, reply| reply.blocking(|| "text"))
///     .get("/b", |_request, reply| reply.blocking(|| (Status::CREATED, format!("made {}", 7))))
///     .get("/c", |_request, reply| reply.blocking(|| Status::NO_CONTENT))
///     .get("/d", |_request, reply| reply.response(Response::from("text").header("X-Id", "7")));
/// ```
impl From<&str> for Response {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// 200 with plain text.
impl From<String> for Response {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// The status, without a body.
impl From<Status> for Response {
    fn from(status: Status) -> Self {
        Self::new(status)
    }
}

/// The status, with what the other becomes.
impl<R: Into<Self>> From<(Status, R)> for Response {
    fn from((status, rest): (Status, R)) -> Self {
        rest.into().status(status)
    }
}

/// The status, and why: `Err((Status::FORBIDDEN, "not your document"))?`.
impl<T: Into<alloc::borrow::Cow<'static, str>>> From<(Status, T)> for Refusal {
    fn from((status, reason): (Status, T)) -> Self {
        Self::new(status).because(reason)
    }
}
