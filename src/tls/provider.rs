//! Whose cryptography is used.

use alloc::sync::Arc;

use crate::wire::partly_shown;
use rustls::Error;
use rustls::crypto::CryptoProvider;
use rustls::server::ProducesTickets;

/// The cryptography that TLS is made with. It is always the one that is named here:
/// the process's default is neither asked nor set.
#[derive(Clone)]
pub struct Provider {
    provider: Arc<CryptoProvider>,
    tickets: Tickets,
}

/// Makes what seals the tickets of a server, under keys that it changes.
type Tickets = fn() -> Result<Arc<dyn ProducesTickets>, Error>;

impl Provider {
    /// That of [ring](https://docs.rs/ring): what is used where nothing else is said.
    pub fn ring() -> Self {
        Self::new(rustls::crypto::ring::default_provider())
    }

    /// That of [aws-lc-rs](https://docs.rs/aws-lc-rs).
    #[cfg(feature = "tls-aws-lc")]
    pub fn aws_lc() -> Self {
        Self {
            provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            tickets: rustls::crypto::aws_lc_rs::Ticketer::new,
        }
    }

    /// One of your own, or one of the two with other cipher suites or key exchanges.
    /// Tickets are sealed by ring.
    pub fn new(provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self {
            provider: provider.into(),
            tickets: rustls::crypto::ring::Ticketer::new,
        }
    }

    pub(super) fn get(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }

    pub(super) fn tickets(&self) -> Result<Arc<dyn ProducesTickets>, Error> {
        (self.tickets)()
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self::ring()
    }
}

partly_shown!(it: Provider { cipher_suites: it.provider.cipher_suites });
