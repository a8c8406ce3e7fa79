//! The faults of what TLS was given.

use alloc::string::String;
use core::fmt;
use std::io;

/// Why a certificate, a key or a configuration cannot be used.
///
/// Every error names the file, or says which of the given things it is about. `Debug`
/// writes the sentence that `Display` does.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Its path.
        file: String,
        /// The system's answer.
        error: io::Error,
    },
    /// The value is malformed: no PEM, no certificate, no key.
    #[error("{from}: {fault}")]
    Malformed {
        /// The path of the file, or what was given in memory.
        from: String,
        /// The fault.
        fault: String,
    },
    /// The private key is that of another certificate.
    #[error("{key} does not belong to {certificate}: it is the key of another certificate")]
    Mismatch {
        /// Where the certificate was read.
        certificate: String,
        /// Where the key was read.
        key: String,
    },
    /// The parts do not fit together.
    #[error("TLS: {0}")]
    Config(String),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<core::convert::Infallible> for Error {
    fn from(never: core::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<Error> for crate::net::Error {
    fn from(error: Error) -> Self {
        Self::Transport(crate::net::TransportError::new(error))
    }
}
