//! Settings for all requests of a client.

use core::sync::atomic::{AtomicU64, Ordering};

use super::limits::ClientLimits;
use super::redirect::RedirectPolicy;
use super::retry::{Budget, RetryPolicy};
use crate::http::{FieldBuffer, Fields};

#[derive(Debug)]
pub(super) struct Policy {
    pub(super) limits: ClientLimits,
    pub(super) redirects: RedirectPolicy,
    pub(super) retries: RetryPolicy,
    pub(super) budget: Budget,
    /// For requests that no server has looked at.
    pub(super) unseen: Budget,
    /// Fields that each request has, unless it has others of their names.
    pub(super) fields: FieldBuffer,
    /// Which of those a client would add by itself.
    pub(super) given: Given,
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
            budget: Budget::of_statuses(),
            unseen: Budget::of_unseen(),
            fields: FieldBuffer::new(),
            given: Given::default(),
            dice: Dice::new(),
            #[cfg(feature = "cookies")]
            cookies: None,
        }
    }
}

/// Which of the fields are given that a client adds by itself, or that keep it from that.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each field")]
pub(super) struct Given {
    pub(super) host: bool,
    pub(super) range: bool,
    pub(super) cookie: bool,
    pub(super) authorization: bool,
    pub(super) accept_encoding: bool,
}

impl Given {
    pub(super) fn note_all(&mut self, fields: Fields<'_>) {
        fields.iter().for_each(|field| self.note(field.name));
    }

    pub(super) fn note(&mut self, name: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match name.len() {
            4 => self.host |= is("host"),
            5 => self.range |= is("range"),
            6 => self.cookie |= is("cookie"),
            13 => self.authorization |= is("authorization"),
            15 => self.accept_encoding |= is("accept-encoding"),
            _ => {}
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

    pub(super) fn roll(&self) -> u64 {
        // SplitMix64.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
