//! The response to an operation.

use alloc::string::String;

use crate::graphql::write_error;
use crate::http::Status;

/// A response of GraphQL (GraphQL §7): a JSON object, already written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphQlResponse {
    pub(super) json: String,
    pub(super) has_data: bool,
    /// That of a server's fault, whatever the client accepts.
    pub(super) status: Option<Status>,
}

impl GraphQlResponse {
    /// This JSON object. `has_data` says whether it has a member `data`, be it null: where it
    /// has none, the request was at fault, and nothing was executed.
    pub const fn new(json: String, has_data: bool) -> Self {
        Self {
            json,
            has_data,
            status: None,
        }
    }

    /// An error with a code among its extensions, and no data.
    ///
    /// ```
    /// use barewire::app::GraphQlResponse;
    ///
    /// let response = GraphQlResponse::error("no such user", "NOT_FOUND");
    /// assert!(response.json().starts_with(r#"{"errors":[{"message":"no such user""#));
    /// ```
    pub fn error(message: &str, code: &str) -> Self {
        let mut json = String::from(r#"{"errors":["#);
        write_error(message, code, &mut json);
        json.push_str("]}");
        Self::new(json, false)
    }

    /// The error of an operation that was not over in its time.
    pub(super) fn overdue() -> Self {
        let error = Self::error("the operation took too long", "TIMEOUT");
        error.with_status(Status::GATEWAY_TIMEOUT)
    }

    /// The error of an executor that has panicked.
    pub(super) fn failed() -> Self {
        let error = Self::error("the operation failed", "INTERNAL_SERVER_ERROR");
        error.with_status(Status::INTERNAL_SERVER_ERROR)
    }

    fn with_status(self, status: Status) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// The JSON object.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether it has a member `data`.
    pub const fn has_data(&self) -> bool {
        self.has_data
    }
}
