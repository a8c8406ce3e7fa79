//! Whose cryptography is used.

use alloc::sync::Arc;
use core::fmt;

use rustls::crypto::CryptoProvider;

/// The cryptography that TLS is made with. It is always the one that is named here:
/// the process's default is neither asked nor set.
#[derive(Clone)]
pub struct Provider(Arc<CryptoProvider>);

impl Provider {
    /// That of [ring](https://docs.rs/ring): what is used where nothing else is said.
    pub fn ring() -> Self {
        Self(Arc::new(rustls::crypto::ring::default_provider()))
    }

    /// That of [aws-lc-rs](https://docs.rs/aws-lc-rs).
    #[cfg(feature = "tls-aws-lc")]
    pub fn aws_lc() -> Self {
        Self(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
    }

    /// One of your own, or one of the two with other cipher suites or key exchanges.
    pub fn new(provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self(provider.into())
    }

    /// As rustls takes it.
    pub(super) fn get(&self) -> Arc<CryptoProvider> {
        self.0.clone()
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::ring()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}
