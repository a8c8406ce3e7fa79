//! What holds for all requests of a client.

use core::sync::atomic::{AtomicU64, Ordering};

use super::limits::ClientLimits;
use super::redirect::RedirectPolicy;
use super::retry::{Budget, RetryPolicy};
use crate::http::FieldBuffer;

/// What holds for all requests of a client, unless one says otherwise.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) limits: ClientLimits,
    pub(super) redirects: RedirectPolicy,
    pub(super) retries: RetryPolicy,
    pub(super) budget: Budget,
    /// Fields that each request has, unless it has others of their names.
    pub(super) fields: FieldBuffer,
    pub(super) dice: Dice,
    #[cfg(feature = "cookies")]
    pub(super) cookies: Option<alloc::sync::Arc<super::cookies::CookieJar>>,
}

impl Policy {
    pub(super) fn new(limits: ClientLimits) -> Self {
        Self {
            limits,
            redirects: RedirectPolicy::follow(10),
            retries: RetryPolicy::none(),
            budget: Budget::new(),
            fields: FieldBuffer::new(),
            dice: Dice::new(),
            #[cfg(feature = "cookies")]
            cookies: None,
        }
    }
}

/// Random numbers for pauses, which have to differ between processes and are no secret.
#[derive(Debug)]
pub(super) struct Dice(AtomicU64);

impl Dice {
    fn new() -> Self {
        let mut seed = [0; 8];
        // Where the system has none, the times of requests differ all the same.
        let _ = getrandom::fill(&mut seed);
        Self(AtomicU64::new(u64::from_ne_bytes(seed)))
    }

    /// The next number.
    pub(super) fn roll(&self) -> u64 {
        // SplitMix64.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
