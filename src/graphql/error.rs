//! The faults of requests, and what they are answered with.

use alloc::string::{String, ToString as _};

use crate::http::Status;
use crate::wire::json::put_string;

/// The fault of a request that is not passed to the executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The text is not JSON in UTF-8.
    #[error("the request is not JSON in UTF-8")]
    NotJson,
    /// The body is empty.
    #[error("the request has no body")]
    NoBody,
    /// The JSON is not an object, nor a batch.
    #[error("the request is not a JSON object")]
    NotAnObject,
    /// The query of the URL, or the form, is not well-formed.
    #[error("the parameters are not well-formed")]
    Malformed,
    /// There is no document.
    #[error("the request has no query")]
    NoDocument,
    /// This member is of the wrong type.
    #[error("the member `{0}` is of the wrong type")]
    WrongType(&'static str),
    /// More than [`Limits::message`](super::Limits::message).
    #[error("the request is too long")]
    TooLong,
    /// More than [`Limits::document`](super::Limits::document).
    #[error("the document is too long")]
    DocumentTooLong,
    /// More than [`Limits::nesting`](super::Limits::nesting).
    #[error("the JSON is nested too deeply")]
    TooDeep,
    /// The server takes no batches.
    #[error("batches are not supported")]
    NoBatches,
    /// A batch of none, or of more than [`Limits::batch`](super::Limits::batch).
    #[error("the batch is empty or too long")]
    BatchLength,
    /// More than [`Limits::uploads`](super::Limits::uploads).
    #[error("there are too many files")]
    TooManyUploads,
    /// The map of a multipart request names what is not there.
    #[error("the map of the files does not fit the operations")]
    UploadMap,
    /// Neither GET nor POST.
    #[error("the method is not allowed")]
    Method,
    /// The content type, or its charset, is not one that is read.
    #[error("the content type is not supported")]
    MediaType,
    /// A form that a browser sends to another origin without asking (CSRF).
    #[error("a form needs a header that a browser asks for: GraphQL-Require-Preflight")]
    Preflight,
    /// None of the client's media types.
    #[error("no acceptable media type")]
    NotAcceptable,
    /// A mutation by GET.
    #[error("mutations are not allowed by GET")]
    MutationByGet,
    /// A subscription whose answer is to be no event stream.
    #[error("a subscription needs an event stream or a WebSocket")]
    Subscription,
    /// The hash of a persisted query is not known.
    #[error("PersistedQueryNotFound")]
    DocumentNotFound,
    /// The hash is not that of the document.
    #[error("the hash is not that of the document")]
    WrongHash,
    /// Only documents that the server knows may be run.
    #[error("only trusted documents may be run")]
    NotTrusted,
    /// More than [`Limits::operations`](super::Limits::operations) or
    /// [`Limits::subscriptions`](super::Limits::subscriptions).
    #[error("there are too many operations at one time")]
    TooManyOperations,
    /// An operation's id is empty, too long, or not there.
    #[error("the operation's id is missing or too long")]
    OperationId,
    /// An operation of this id runs.
    #[error("an operation of this id runs already")]
    OperationExists,
    /// The token of an event stream is not known.
    #[error("the event stream's token is not known")]
    UnknownStream,
    /// The event stream is open already.
    #[error("the event stream is open already")]
    StreamOpen,
}

impl RequestError {
    /// The status that it is answered with (GraphQL over HTTP §Status Codes).
    pub const fn status(self) -> Status {
        match self {
            Self::TooLong | Self::DocumentTooLong | Self::TooManyUploads => {
                Status::CONTENT_TOO_LARGE
            }
            Self::Method | Self::MutationByGet => Status::METHOD_NOT_ALLOWED,
            Self::MediaType | Self::Preflight => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable | Self::Subscription => Status::NOT_ACCEPTABLE,
            // Clients send the document then, if the answer is read as GraphQL's.
            Self::DocumentNotFound => Status::OK,
            Self::TooManyOperations => Status::TOO_MANY_REQUESTS,
            Self::OperationExists | Self::StreamOpen => Status::CONFLICT,
            Self::UnknownStream => Status::NOT_FOUND,
            Self::NotJson
            | Self::NoBody
            | Self::NotAnObject
            | Self::Malformed
            | Self::NoDocument
            | Self::WrongType(_)
            | Self::TooDeep
            | Self::NoBatches
            | Self::BatchLength
            | Self::UploadMap
            | Self::WrongHash
            | Self::NotTrusted
            | Self::OperationId => Status::BAD_REQUEST,
        }
    }

    /// The Allow field that belongs to a status of 405 (RFC 9110 §10.2.1).
    pub const fn allow(self) -> Option<&'static str> {
        match self {
            Self::Method => Some("GET, POST"),
            Self::MutationByGet => Some("POST"),
            _ => None,
        }
    }

    /// The `code` among the extensions of its error, by which clients know it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DocumentNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::NotTrusted => "PERSISTED_QUERY_ONLY",
            Self::WrongHash => "PERSISTED_QUERY_HASH_MISMATCH",
            Self::TooLong
            | Self::DocumentTooLong
            | Self::TooDeep
            | Self::BatchLength
            | Self::TooManyUploads
            | Self::TooManyOperations => "LIMIT_EXCEEDED",
            _ => "BAD_REQUEST",
        }
    }

    /// Appends it as a GraphQL error: `{"message":…,"extensions":{"code":…}}`.
    pub fn write(self, out: &mut String) {
        write_error(&self.to_string(), self.code(), out);
    }

    /// Appends it as a GraphQL response: `{"errors":[…]}`.
    pub fn write_response(self, out: &mut String) {
        out.push_str(r#"{"errors":["#);
        self.write(out);
        out.push_str("]}");
    }
}

/// Appends a GraphQL error with a code among its extensions.
///
/// ```
/// let mut out = String::new();
/// barewire::graphql::write_error("it took too long", "TIMEOUT", &mut out);
/// assert_eq!(out, r#"{"message":"it took too long","extensions":{"code":"TIMEOUT"}}"#);
/// ```
pub fn write_error(message: &str, code: &str, out: &mut String) {
    out.push_str(r#"{"message":"#);
    put_string(message, out);
    out.push_str(r#","extensions":{"code":"#);
    put_string(code, out);
    out.push_str("}}");
}
