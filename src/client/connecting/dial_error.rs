//! The reasons for a connection's failure, and how far a call was.

use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;
use core::fmt;

/// Why a connection to a server could not be made.
#[derive(Debug, Clone)]
pub struct DialError {
    phase: Phase,
    fault: Fault,
}

#[derive(Debug, Clone)]
enum Fault {
    TimedOut,
    Cancelled,
    OnLoop,
    Failed(Cause),
}

impl DialError {
    pub(crate) const fn timed_out(phase: Phase) -> Self {
        let fault = Fault::TimedOut;
        Self { phase, fault }
    }

    pub(super) const fn cancelled(phase: Phase) -> Self {
        let fault = Fault::Cancelled;
        Self { phase, fault }
    }

    pub(super) const fn on_loop() -> Self {
        Self {
            phase: Phase::Resolve,
            fault: Fault::OnLoop,
        }
    }

    pub(crate) fn failed(phase: Phase, cause: impl Error + Send + Sync + 'static) -> Self {
        let fault = Fault::Failed(Arc::new(cause));
        Self { phase, fault }
    }

    /// The phase in which it failed.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the limit of this phase, or of the whole call, has passed.
    pub const fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut)
    }

    /// Whether nothing was tried, as this thread runs a loop: it must not block.
    pub const fn is_misuse(&self) -> bool {
        matches!(self.fault, Fault::OnLoop)
    }

    /// Whether a [`Canceller`](super::Canceller) has ended it.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self.fault, Fault::Cancelled)
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (&self.fault, self.phase) {
            (Fault::Cancelled, phase) => return write!(f, "cancelled while {phase}"),
            (Fault::OnLoop, _) => "a blocking call on a thread that runs a loop",
            (Fault::TimedOut, Phase::Resolve) => "the name was not resolved in time",
            (Fault::TimedOut, Phase::Proxy) => "the proxy has not answered in time",
            (Fault::TimedOut, Phase::Tls) => "the TLS handshake was not over in time",
            (Fault::TimedOut, _) => "no answer in time",
            (Fault::Failed(cause), Phase::Resolve) => {
                return write!(f, "the name cannot be resolved: {cause}");
            }
            (Fault::Failed(cause), _) => return cause.fmt(f),
        };
        f.write_str(text)
    }
}

impl Error for DialError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::TimedOut | Fault::Cancelled | Fault::OnLoop => None,
            Fault::Failed(cause) => Some(&**cause),
        }
    }
}

pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Why a connection was lost, or could not be made: what callers that wait for it are
/// told.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    pub(crate) text: String,
    pub(crate) cause: Option<Cause>,
}

impl From<&str> for Loss {
    fn from(text: &str) -> Self {
        Self::from(String::from(text))
    }
}

impl From<String> for Loss {
    fn from(text: String) -> Self {
        Self { text, cause: None }
    }
}

/// How far a client was when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// The request was made: nothing was sent, and no connection was asked for.
    Request,
    /// The client's connections were all in use.
    Pool,
    /// The server's name, or its proxy's, was to be resolved.
    Resolve,
    /// A connection to the server or its proxy was to be made.
    Connect,
    /// The proxy was to reach the server.
    Proxy,
    /// The handshake of TLS was under way.
    Tls,
    /// The request, with its body, was being sent.
    Send,
    /// The request was sent, and the head of the response had not come.
    Response,
    /// The body of the response was being received.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "making the request",
            Self::Pool => "waiting for a connection to be free",
            Self::Resolve => "resolving the name",
            Self::Connect => "connecting",
            Self::Proxy => "asking the proxy",
            Self::Tls => "the TLS handshake",
            Self::Send => "sending the request",
            Self::Response => "waiting for the response",
            Self::Body => "receiving the response's body",
        })
    }
}
