//! Why no connection could be had.

use alloc::sync::Arc;
use core::error::Error;
use core::fmt;

use super::{Cause, Phase};

/// Why no connection to a server could be had.
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
    pub(super) const fn timed_out(phase: Phase) -> Self {
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

    pub(in crate::client) fn failed(
        phase: Phase,
        cause: impl Error + Send + Sync + 'static,
    ) -> Self {
        let fault = Fault::Failed(Arc::new(cause));
        Self { phase, fault }
    }

    /// How far it went.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the time of this phase, or of the whole call, was over.
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
