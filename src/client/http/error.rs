//! The failures of requests.

use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error as StdError;
use core::fmt;
use std::io;

use crate::client::connecting::{Cause, DialError, Phase, ProxyError, Url, UrlError};
use crate::coding::decode::Fault;
use crate::http::{InvalidField, InvalidMethod, Status};
use crate::http2::StreamError;
use crate::link::{ProtocolError, UsageError};
use crate::net::TransportDetails;

/// Why a request has failed: which one, how far it was, and the cause.
///
/// Its message names method and URL (without user and password), the phase and the
/// cause: `GET https://example.org/: connecting: connection refused`.
///
/// ```
/// use barewire::client::Client;
///
/// match Client::new().post("http://127.0.0.1:9/orders").body("tea").send() {
///     Ok(response) => println!("{}", response.status()),
///     Err(error) if error.is_timeout() => println!("too slow: {error}"),
///     Err(error) if error.may_have_been_processed() => println!("ask before you try again"),
///     Err(error) => println!("nothing was ordered: {error}"),
/// }
/// ```
pub struct Error(Box<Parts>);

struct Parts {
    method: String,
    url: Option<Url>,
    phase: Phase,
    kind: ErrorKind,
    may_have_been_processed: bool,
}

/// The kind of fault.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL is not valid.
    Url(UrlError),
    /// The method is not a token.
    Method(InvalidMethod),
    /// A field cannot stand on the wire.
    Field(InvalidField),
    /// The request cannot be made as it is asked for.
    Usage(&'static str),
    /// The request cannot be sent as it is asked for.
    Unsendable(UsageError),
    /// TLS is not possible with these settings, or for this host.
    #[cfg(feature = "tls")]
    Tls(alloc::sync::Arc<crate::tls::Error>),
    /// The environment names a proxy that is not valid.
    Proxy(ProxyError),
    /// The calling thread runs a loop of barewire, which would stand still meanwhile.
    OnLoop,
    /// The loop of the client has ended.
    LoopEnded,
    /// No connection could be made.
    Unreachable(DialError),
    /// The time is over that this limit of
    /// [`ClientLimits`](crate::client::ClientLimits) gives.
    TimedOut(&'static str),
    /// A [`Canceller`](crate::client::Canceller) has ended it.
    Cancelled,
    /// The server closed the connection before it had answered completely.
    Closed,
    /// The connection broke before the server had answered completely.
    Reset,
    /// The server reset this exchange alone, with an error code of HTTP/2.
    StreamReset(u32),
    /// The server broke the protocol.
    Protocol(ProtocolError),
    /// The server broke the protocol in this exchange alone (RFC 9113 §5.4.2). Its other
    /// exchanges on the connection go on.
    Stream(StreamError),
    /// The input of the layer below the protocol, such as TLS, cannot be read.
    Transport(Option<Cause>),
    /// More came than this limit of [`ClientLimits`](crate::client::ClientLimits) allows.
    TooLarge(&'static str),
    /// A redirect cannot be followed.
    Redirect(RedirectError),
    /// The body does not decode by its Content-Encoding.
    Coding(&'static str),
    /// The body is not UTF-8.
    NotText,
    /// The body is not the JSON that is asked for.
    #[cfg(feature = "json")]
    Json(serde_json::Error),
    /// The source of the request's body has failed.
    Body(io::Error),
    /// The response has a status that is an error.
    Status(Status),
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// The Location is no URL.
    #[error("the redirect's Location is not a valid URL: {0}")]
    Location(UrlError),
    /// There were more than the policy allows.
    #[error("more than {0} redirects")]
    TooMany(u16),
    /// A request would be made again that has been made.
    #[error("the redirects go round in a circle")]
    Loop,
    /// From `https` to `http`.
    #[error("a redirect from https to http")]
    Downgrade,
    /// The body would have to be sent again, and cannot be.
    #[error("a redirect asks for the body again, which can be read only once")]
    Body,
}

impl Error {
    pub(super) fn new(phase: Phase, kind: ErrorKind) -> Self {
        Self(Box::new(Parts {
            method: String::new(),
            url: None,
            phase,
            kind,
            may_have_been_processed: false,
        }))
    }

    pub(super) fn of(mut self, method: &str, url: &Url) -> Self {
        self.0.method = method.into();
        self.0.url = Some(url.clone());
        self
    }

    pub(super) fn possibly_processed(mut self, may: bool) -> Self {
        self.0.may_have_been_processed = may;
        self
    }

    /// Says which error of a transport has caused it, if it is one of a transport, which
    /// has these details.
    pub(super) fn explained(self, details: impl FnOnce() -> Option<TransportDetails>) -> Self {
        #[cfg(feature = "tls")]
        if matches!(self.kind(), ErrorKind::Transport(None)) {
            let cause = details().and_then(|it| it.downcast::<crate::tls::ConnectionError>().ok());
            let cause = cause.map(|it| -> Cause { it });
            let mut parts = self.0;
            parts.kind = ErrorKind::Transport(cause);
            return Self(parts);
        }
        let _ = details;
        self
    }

    /// The kind of fault.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// How far it was.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// The URL that was asked for last, which a redirect may have named. `None` if there
    /// was none.
    pub fn url(&self) -> Option<&Url> {
        self.0.url.as_ref()
    }

    /// The status, if the error is a status ([`Response::error_for_status`]).
    ///
    /// [`Response::error_for_status`]: crate::client::Response::error_for_status
    pub fn status(&self) -> Option<Status> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether a deadline has passed. The [phase](Self::phase) says which.
    pub fn is_timeout(&self) -> bool {
        match &self.0.kind {
            ErrorKind::TimedOut(_) => true,
            ErrorKind::Unreachable(error) => error.is_timeout(),
            _ => false,
        }
    }

    /// Whether no connection could be made: nothing was sent.
    pub fn is_connect(&self) -> bool {
        matches!(
            self.0.phase,
            Phase::Pool | Phase::Resolve | Phase::Connect | Phase::Proxy | Phase::Tls
        )
    }

    /// Whether a [`Canceller`](crate::client::Canceller) has ended it.
    pub fn is_cancelled(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Cancelled => true,
            ErrorKind::Unreachable(error) => error.is_cancelled(),
            _ => false,
        }
    }

    /// Whether the server may have acted on the request. `false` means that it has
    /// provably not: it was not given one byte of it, or has said so.
    pub fn may_have_been_processed(&self) -> bool {
        self.0.may_have_been_processed
    }

    /// Whether the same request may have success later, and it is safe to try: the fault
    /// is one of the way or of the moment, and the server has provably not acted on it.
    /// A request that is idempotent may be tried where only the second does not hold:
    /// see [`may_have_been_processed`](Self::may_have_been_processed).
    pub fn is_retryable(&self) -> bool {
        let passes = match &self.0.kind {
            ErrorKind::TimedOut(_)
            | ErrorKind::Closed
            | ErrorKind::Reset
            | ErrorKind::StreamReset(_)
            | ErrorKind::Transport(_) => true,
            ErrorKind::Unreachable(error) => !error.is_cancelled(),
            // The server asks for it.
            ErrorKind::Status(status) => return matches!(status.code(), 429 | 503),
            _ => false,
        };
        passes && !self.0.may_have_been_processed
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            method,
            url,
            phase,
            kind,
            ..
        } = &*self.0;
        if let Some(url) = url {
            write!(f, "{method} {}: ", url.shown())?;
        }
        match kind {
            // Its text has the phase, or says what is as good.
            ErrorKind::Status(status) => return write!(f, "the response is {status}"),
            ErrorKind::OnLoop => {}
            _ => write!(f, "{phase}: ")?,
        }
        kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Method(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::Usage(text) => f.write_str(text),
            Self::Unsendable(error) => error.fmt(f),
            Self::OnLoop => f.write_str(
                "a blocking call on a thread that runs a loop, which would stand still: \
                 use a client on the loop, or another thread",
            ),
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::LoopEnded => f.write_str("the loop of the client has ended"),
            Self::Unreachable(error) => error.fmt(f),
            Self::TimedOut(limit) => write!(f, "the time is over that `{limit}` gives"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Reset => f.write_str("the connection was reset"),
            Self::StreamReset(code) => write!(f, "the server reset the exchange ({code:#x})"),
            Self::Protocol(error) => write!(f, "the server broke the protocol: {error}"),
            Self::Stream(error) => write!(f, "the server broke the protocol: {error}"),
            Self::Transport(Some(cause)) => cause.fmt(f),
            Self::Transport(None) => f.write_str("what came over TLS cannot be read"),
            Self::TooLarge(limit) => write!(f, "more than the limit `{limit}` allows"),
            Self::Redirect(error) => error.fmt(f),
            Self::Coding(text) => f.write_str(text),
            Self::NotText => f.write_str("the body is not UTF-8"),
            #[cfg(feature = "json")]
            Self::Json(error) => write!(f, "the body is not the JSON that is asked for: {error}"),
            Self::Body(error) => write!(f, "the source of the request's body: {error}"),
            Self::Status(status) => status.fmt(f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("method", &self.0.method)
            .field("url", &self.0.url.as_ref().map(Url::shown))
            .field("phase", &self.0.phase)
            .field("kind", &self.0.kind)
            .field("may_have_been_processed", &self.0.may_have_been_processed)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.kind {
            ErrorKind::Url(error) => Some(error),
            ErrorKind::Method(error) => Some(error),
            ErrorKind::Field(error) => Some(error),
            ErrorKind::Unsendable(error) => Some(error),
            #[cfg(feature = "tls")]
            ErrorKind::Tls(error) => Some(&**error),
            ErrorKind::Proxy(error) => Some(error),
            ErrorKind::Unreachable(error) => Some(error),
            ErrorKind::Protocol(error) => Some(error),
            ErrorKind::Stream(error) => Some(error),
            ErrorKind::Transport(Some(cause)) => Some(&**cause),
            ErrorKind::Redirect(error) => Some(error),
            #[cfg(feature = "json")]
            ErrorKind::Json(error) => Some(error),
            ErrorKind::Body(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            _ if error.is_timeout() => io::ErrorKind::TimedOut,
            ErrorKind::Closed => io::ErrorKind::UnexpectedEof,
            ErrorKind::Reset | ErrorKind::StreamReset(_) => io::ErrorKind::ConnectionReset,
            ErrorKind::Cancelled => io::ErrorKind::ConnectionAborted,
            ErrorKind::Protocol(_) | ErrorKind::Stream(_) | ErrorKind::Coding(_) => {
                io::ErrorKind::InvalidData
            }
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<Fault> for ErrorKind {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Coding(text) => Self::Coding(text),
            Fault::TooLarge(limit) => Self::TooLarge(limit),
        }
    }
}
