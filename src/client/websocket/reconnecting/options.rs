//! The options of a WebSocket that reconnects.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::{
    Closed, ComeBack, Confirmation, QueuePolicy, ReconnectLimits, ResumeHook, UnknownPolicy,
};
use crate::client::CloseFrame;
use crate::websocket::CloseCode;
use crate::wire::builder;
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
    pub(super) overdue: Option<CloseFrame>,
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
            overdue: None,
        }
    }

    builder! {
        /// Sets the limits.
        const fn limits(limits: ReconnectLimits) => limits = limits;

        /// Sets what a full queue does.
        const fn queue(policy: QueuePolicy) => queue = policy;

        /// Sets what becomes of messages of which it is not known whether they arrived.
        const fn unknown(policy: UnknownPolicy) => unknown = policy;

        /// Sets what proves that the peer has read a message.
        const fn confirmation(confirmation: Confirmation) => confirmation = confirmation;

        /// Gives up once so many attempts have failed in a row, a connection that was lost
        /// before its [stable time](ReconnectLimits::stable) being one of them.
        const fn attempts(attempts: u32) => attempts = Some(attempts);
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

    /// Closes a connection whose server does not answer what was asked to
    /// [resume](Self::resume) with this code and reason, instead of cutting it off. If the
    /// reason is longer than 123 bytes, or the code may not be sent, they are 1000 and none.
    #[must_use]
    pub fn close_overdue(mut self, code: CloseCode, reason: &str) -> Self {
        self.overdue = Some(CloseFrame::new(code, reason));
        self
    }
}

impl Default for ReconnectOptions {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: ReconnectOptions { limits, queue, unknown, confirmation, attempts, resumes: it.resume.is_some() });
