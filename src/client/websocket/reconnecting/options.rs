//! How a WebSocket reconnects.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use super::{
    Closed, ComeBack, Confirmation, QueuePolicy, ReconnectLimits, ResumeHook, UnknownPolicy,
};

/// Decides whether to come back.
pub(super) type Deciding = Arc<dyn Fn(&Closed) -> ComeBack + Send + Sync>;

/// How a WebSocket reconnects.
///
/// ```
/// use barewire::client::{Closed, ComeBack, QueuePolicy, ReconnectOptions};
///
/// let options = ReconnectOptions::new()
///     .with_queue(QueuePolicy::DropOldest)
///     .with_attempts(10)
///     .with_come_back(|closed| match closed {
///         Closed::ByPeer { code, .. } if code.get() == 4403 => ComeBack::Never,
///         closed => ComeBack::after(closed),
///     });
/// ```
pub struct ReconnectOptions {
    pub(super) limits: ReconnectLimits,
    pub(super) queue: QueuePolicy,
    pub(super) unknown: UnknownPolicy,
    pub(super) confirmation: Confirmation,
    pub(super) attempts: Option<u32>,
    pub(super) come_back: Deciding,
    pub(super) resume: Option<Box<dyn ResumeHook>>,
}

impl ReconnectOptions {
    /// [`ReconnectLimits::DEFAULT`], [`ComeBack::after`], the default of each policy, any
    /// number of attempts, and nothing to resume.
    pub fn new() -> Self {
        Self {
            limits: ReconnectLimits::DEFAULT,
            queue: QueuePolicy::default(),
            unknown: UnknownPolicy::default(),
            confirmation: Confirmation::default(),
            attempts: None,
            come_back: Arc::new(ComeBack::after),
            resume: None,
        }
    }

    /// Sets the limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: ReconnectLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what a full queue does.
    #[must_use]
    pub const fn with_queue(mut self, policy: QueuePolicy) -> Self {
        self.queue = policy;
        self
    }

    /// Sets what becomes of messages that nobody knows of.
    #[must_use]
    pub const fn with_unknown(mut self, policy: UnknownPolicy) -> Self {
        self.unknown = policy;
        self
    }

    /// Sets what proves that the peer has read a message.
    #[must_use]
    pub const fn with_confirmation(mut self, confirmation: Confirmation) -> Self {
        self.confirmation = confirmation;
        self
    }

    /// Gives up once so many attempts have failed in a row, a connection that was lost
    /// before its [stable time](ReconnectLimits::stable) being one of them.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Decides when to come back, and whether.
    #[must_use]
    pub fn with_come_back(
        mut self,
        decide: impl Fn(&Closed) -> ComeBack + Send + Sync + 'static,
    ) -> Self {
        self.come_back = Arc::new(decide);
        self
    }

    /// Takes up where a lost connection left off.
    #[must_use]
    pub fn with_resume(mut self, resume: impl ResumeHook + 'static) -> Self {
        self.resume = Some(Box::new(resume));
        self
    }
}

impl Default for ReconnectOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReconnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectOptions")
            .field("limits", &self.limits)
            .field("queue", &self.queue)
            .field("unknown", &self.unknown)
            .field("confirmation", &self.confirmation)
            .field("attempts", &self.attempts)
            .field("resumes", &self.resume.is_some())
            .finish_non_exhaustive()
    }
}
