//! The limits of a cookie jar.

use crate::wire::setters;

/// Limits on what servers may have a client keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieLimits {
    /// Name and value of a cookie together, in bytes. A longer one is left out (RFC
    /// 6265bis §5.6). Default 4 KiB.
    pub cookie: usize,
    /// Cookies of one host, or of one `Domain`. A further one takes the place of the one
    /// that was used least lately. Default 50.
    pub per_domain: usize,
    /// Cookies of all hosts. A further one takes the place of the one that was used least
    /// lately. Default 3,000.
    pub total: usize,
}

impl CookieLimits {
    /// The least that RFC 6265bis §6.1 asks user agents for.
    pub const DEFAULT: Self = Self {
        cookie: 4 << 10,
        per_domain: 50,
        total: 3000,
    };

    setters! {
        with_cookie cookie: usize,
        with_per_domain per_domain: usize,
        with_total total: usize,
    }
}

impl Default for CookieLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
