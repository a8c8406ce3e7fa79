//! Why a request does not hold what its route asks for.

use alloc::string::{String, ToString};

use crate::app::exchange::refusal::Refusal;
use crate::http::Status;
use crate::net::report::report;

/// Why a request does not hold what its route asks for. With `?` in a route's closure it
/// becomes a [`Refusal`] that tells the client.
///
/// What it says names fields and what was expected of them. Values that the client sent
/// are left out, unless a type's own error repeats them.
///
/// ```
/// use barewire::app::{ExtractError, Refusal, Status};
///
/// let error = ExtractError::Body {
///     field: "users[3].age".into(),
///     problem: "expected u8".into(),
/// };
/// assert_eq!(error.to_string(), "users[3].age: expected u8");
/// let refusal = Refusal::from(error);
/// assert_eq!(refusal.status(), Status::UNPROCESSABLE_CONTENT);
/// assert_eq!(refusal.field(), Some("users[3].age"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The body is not here: it is longer than its route collects, and comes in pieces. 413.
    #[error("the body is longer than what is collected here")]
    Streamed,
    /// The body has another media type, or none. 415.
    #[error("the Content-Type has to be {expected}")]
    MediaType {
        /// The media type that would do.
        expected: &'static str,
    },
    /// The body's charset is not UTF-8. 415.
    #[error("the body has to be in UTF-8")]
    Charset,
    /// The body is not JSON. 400.
    #[error("malformed JSON: {problem} at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1; 0 at the end of a line before it.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The query or the form is not percent-encoded UTF-8. 400.
    #[error("malformed percent-encoding, or not UTF-8")]
    Encoding,
    /// The query or the form has more pairs than `FormLimits::pairs` allows. 400.
    #[error("more than {limit} pairs")]
    Pairs {
        /// The most that there may be.
        limit: usize,
    },
    /// A value in the body is missing, unknown or of another type. 422.
    #[error("{}: {problem}", or(.field, "the body"))]
    Body {
        /// Where, as in `users[3].name`; empty for the body itself.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value in the query is missing, unknown or of another type. 400.
    #[error("{}: {problem}", or(.field, "the query"))]
    Query {
        /// Its name; empty for the query itself.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A parameter of the path does not parse. 400: a route that takes such a path for one
    /// where nothing is answers with another [`Status`] in its place.
    #[error("{}: {problem}", or(.name, "the path"))]
    Param {
        /// Its name in the route's pattern; empty for the path itself.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The route's pattern has no such parameter: a mistake in the program. 500.
    #[error("the route's pattern has no parameter {name:?}")]
    NoParam {
        /// The name that was asked for.
        name: String,
    },
}

/// The most characters of a text that may come from the client in parts.
pub(super) const SHOWN: usize = 200;

pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

const fn or<'a>(field: &'a str, whole: &'a str) -> &'a str {
    if field.is_empty() { whole } else { field }
}

impl ExtractError {
    /// The status of the answer.
    ///
    /// ```
    /// use barewire::app::{ExtractError, Status};
    ///
    /// assert_eq!(ExtractError::Charset.status(), Status::UNSUPPORTED_MEDIA_TYPE);
    /// ```
    pub const fn status(&self) -> Status {
        match self {
            Self::Streamed => Status::CONTENT_TOO_LARGE,
            Self::MediaType { .. } | Self::Charset => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Body { .. } => Status::UNPROCESSABLE_CONTENT,
            Self::Json { .. }
            | Self::Encoding
            | Self::Pairs { .. }
            | Self::Query { .. }
            | Self::Param { .. } => Status::BAD_REQUEST,
            Self::NoParam { .. } => Status::INTERNAL_SERVER_ERROR,
        }
    }

    /// The field at fault, where it is known.
    ///
    /// ```
    /// use barewire::app::ExtractError;
    ///
    /// let error = ExtractError::Query { field: "page".into(), problem: "missing".into() };
    /// assert_eq!(error.field(), Some("page"));
    /// ```
    pub fn field(&self) -> Option<&str> {
        let field = match self {
            Self::Body { field, .. } | Self::Query { field, .. } => field,
            Self::Param { name, .. } => name,
            _ => return None,
        };
        Some(field.as_str()).filter(|it| !it.is_empty())
    }
}

impl From<ExtractError> for Refusal {
    fn from(error: ExtractError) -> Self {
        let refusal = Self::new(error.status());
        if let ExtractError::NoParam { .. } = error {
            report!(Error, "500, as {error}");
            return refusal;
        }
        let refusal = refusal.because(error.to_string());
        if let ExtractError::MediaType { expected } = error {
            // Constant text (RFC 9110 §15.5.16).
            return refusal
                .clone()
                .header("Accept", expected)
                .unwrap_or(refusal);
        }
        match error.field() {
            Some(field) => refusal.at_field(field),
            None => refusal,
        }
    }
}
