//! How a call ended, as the application is told.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use core::error::Error;
use core::fmt;

use crate::client::connecting::{Cause, Loss};
use crate::grpc::connect::Outcome;
use crate::grpc::{CallStatus, Code, Detail, ProtocolError, Status, Trailers};
use crate::grpc::{details_from_field, percent_decode};
use crate::http::{Field, FieldBuffer, Fields};
use crate::http2::{ErrorCode, StreamError};

/// How a call ended: its status, and the metadata that came with it.
///
/// It is also the error of a call that did not succeed.
///
/// ```
/// use barewire::client::Ending;
/// use barewire::grpc::{Code, Status};
///
/// let ending = Ending::from(Status::new(Code::NotFound, "no such user"));
/// assert_eq!(ending.to_string(), "NOT_FOUND: no such user");
/// ```
#[derive(Debug, Clone)]
pub struct Ending {
    /// The status.
    pub status: CallStatus,
    trailers: FieldBuffer,
    details: Option<Box<[Detail]>>,
    /// The error that has ended the connection.
    cause: Option<Cause>,
}

impl Ending {
    /// Metadata that the server sent with the status.
    pub fn trailers(&self) -> Fields<'_> {
        self.trailers.as_fields()
    }

    /// The messages that the server has sent with its error.
    pub fn details(&self) -> &[Detail] {
        self.details.as_deref().unwrap_or_default()
    }

    /// The code of the status.
    pub const fn code(&self) -> Code {
        self.status.code
    }

    /// The status that the server has sent.
    pub(super) fn of_trailers(trailers: &Trailers<'_>) -> Self {
        let message = Cow::Owned(percent_decode(trailers.message).into_owned());
        let mut ending = Self::from(Status::new(trailers.code, message));
        for Field { name, value } in trailers.iter() {
            let of_protocol = matches!(name, b"grpc-status" | b"grpc-message" | b"content-type");
            if name == b"grpc-status-details-bin" {
                ending.details = Some(details_from_field(value).into());
            }
            if !of_protocol && let Ok(name) = core::str::from_utf8(name) {
                // The machine has checked the list already.
                let _ = ending.trailers.push(name, value);
            }
        }
        ending
    }

    /// The status that a server of Connect has sent.
    pub(super) fn of_outcome(outcome: Outcome) -> Self {
        let mut ending = Self::from(outcome.status);
        if !outcome.details.is_empty() {
            ending.details = Some(outcome.details.into());
        }
        ending
    }

    /// Adds metadata that came with the status, without what only HTTP needs to know.
    pub(super) fn add_trailers<'b>(&mut self, fields: impl Iterator<Item = Field<'b>>) {
        const OF_HTTP: [&str; 3] = ["content-type", "content-length", "content-encoding"];
        for field in fields {
            let of_http = OF_HTTP.iter().any(|name| field.is(name));
            if !of_http && let Ok(name) = core::str::from_utf8(field.name) {
                // It was a field before.
                let _ = self.trailers.push(name, field.value);
            }
        }
    }

    /// The status of a call whose response breaks the protocol.
    pub(super) fn of_violation(violation: ProtocolError) -> Self {
        Self::from(Status::new(violation.code(), format!("{violation}")))
    }

    /// The status for a reset stream (gRPC over HTTP2, Errors).
    pub(super) fn of_reset(code: ErrorCode) -> Self {
        let grpc = match code {
            ErrorCode::REFUSED_STREAM => Code::Unavailable,
            ErrorCode::CANCEL => Code::Cancelled,
            ErrorCode::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
            ErrorCode::INADEQUATE_SECURITY => Code::PermissionDenied,
            _ => Code::Internal,
        };
        Self::from(Status::new(grpc, format!("stream was reset: {code}")))
    }

    /// The status of a call whose server broke HTTP/2 on its stream, or sent more
    /// metadata than [`ChannelLimits`](super::ChannelLimits) allow.
    pub(super) fn of_stream_error(error: StreamError) -> Self {
        let (code, text) = match error {
            StreamError::TooManyFields => (
                Code::ResourceExhausted,
                "more than the limit `fields` allows".into(),
            ),
            StreamError::ListTooLarge => (
                Code::ResourceExhausted,
                "more than the limit `metadata` allows".into(),
            ),
            error => (
                Code::Internal,
                format!("the server broke the protocol: {error}"),
            ),
        };
        Self::from(Status::new(code, text))
    }

    pub(super) fn unavailable(why: impl Into<Loss>) -> Self {
        let Loss { text, cause } = why.into();
        let status = Status::new(Code::Unavailable, Cow::Owned(text));
        Self {
            cause,
            ..Self::from(status)
        }
    }

    pub(super) const fn constant(code: Code, message: &'static str) -> Self {
        Self {
            status: Status::new(code, Cow::Borrowed(message)),
            trailers: FieldBuffer::new(),
            details: None,
            cause: None,
        }
    }
}

impl<M> From<Status<M>> for Ending
where
    CallStatus: From<Status<M>>,
{
    fn from(status: Status<M>) -> Self {
        Self {
            status: status.into(),
            trailers: FieldBuffer::new(),
            details: None,
            cause: None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl Error for Ending {
    /// The error that has ended the call's connection, if one is known: a
    /// `tls::ConnectionError`, for example.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}
