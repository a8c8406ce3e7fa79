//! How a WebSocket reconnects.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::{
    Closed, ComeBack, Confirmation, QueuePolicy, ReconnectLimits, ResumeHook, UnknownPolicy,
};
use crate::wire::partly_shown;

pub(super) type Deciding = Arc<dyn Fn(&Closed) -> ComeBack + Send + Sync>;

/// How a WebSocket reconnects.
///
/// ```
/// use barewire::client::{Closed, ComeBack, QueuePolicy, ReconnectOptions};
///
/// let options = ReconnectOptions::new()
///     .queue(QueuePolicy::DropOldest)
///     .attempts(10)
///     .come_back(|closed| match closed {
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
    pub const fn limits(mut self, limits: ReconnectLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what a full queue does.
    #[must_use]
    pub const fn queue(mut self, policy: QueuePolicy) -> Self {
        self.queue = policy;
        self
    }

    /// Sets what becomes of messages of which it is not known whether they arrived.
    #[must_use]
    pub const fn unknown(mut self, policy: UnknownPolicy) -> Self {
        self.unknown = policy;
        self
    }

    /// Sets what proves that the peer has read a message.
    #[must_use]
    pub const fn confirmation(mut self, confirmation: Confirmation) -> Self {
        self.confirmation = confirmation;
        self
    }

    /// Gives up once so many attempts have failed in a row, a connection that was lost
    /// before its [stable time](ReconnectLimits::stable) being one of them.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Decides when to come back, and whether.
    #[must_use]
    pub fn come_back(
        mut self,
        decide: impl Fn(&Closed) -> ComeBack + Send + Sync + 'static,
    ) -> Self {
        self.come_back = Arc::new(decide);
        self
    }

    /// Takes up where a lost connection left off.
    #[must_use]
    pub fn resume(mut self, resume: impl ResumeHook + 'static) -> Self {
        self.resume = Some(Box::new(resume));
        self
    }
}

impl Default for ReconnectOptions {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: ReconnectOptions { limits, queue, unknown, confirmation, attempts, resumes: it.resume.is_some() });
