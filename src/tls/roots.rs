//! Whom one trusts: the roots that certificates must lead to.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::certificates::{malformed, read, read_certificates};
use super::error::Error;
use crate::net::report::report;

/// The certificates of authorities that one trusts. A peer's certificate must lead to
/// one of them.
///
/// ```no_run
/// use barewire::tls::Roots;
///
/// # fn main() -> Result<(), barewire::tls::Error> {
/// // Those of the system, and one more.
/// let roots = Roots::system()?.and(Roots::read("our-own-ca.pem")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// Those that the system trusts: of Linux the file or directory that OpenSSL would
    /// read, of macOS its keychains, of Windows its store. `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others, as they do for OpenSSL. Entries that cannot be read
    /// are left out.
    ///
    /// Reads some 300 KB, and parses them: to be done once.
    ///
    /// # Errors
    /// [`Error::Config`] if the system has none.
    pub fn system() -> Result<Self, Error> {
        let found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        let (_, left_out) = store.add_parsable_certificates(found.certs);
        if left_out > 0 {
            report!(Debug, "{left_out} roots of the system cannot be read");
        }
        if store.is_empty() {
            let why = match found.errors.first() {
                Some(error) => format!(": {error}"),
                None => String::new(),
            };
            let text = format!(
                "the system has no certificates of authorities that it trusts{why} \
                 (on Debian they are the package ca-certificates; SSL_CERT_FILE names others)"
            );
            return Err(Error::Config(text));
        }
        Ok(Self(Arc::new(store)))
    }

    /// Reads a PEM file (RFC 7468) of one certificate or several.
    ///
    /// # Errors
    /// [`Error`] names the file and says what is wrong with it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (pem, from) = read(path.as_ref())?;
        Self::new(read_certificates(&pem, &from)?, &from)
    }

    /// Takes the text of such a file.
    ///
    /// # Errors
    /// [`Error`] says what is wrong.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        Self::new(read_certificates(pem, ROOTS)?, ROOTS)
    }

    /// Takes certificates in DER.
    ///
    /// # Errors
    /// [`Error`] says which of them is none.
    pub fn from_der<C: Into<Vec<u8>>>(
        certificates: impl IntoIterator<Item = C>,
    ) -> Result<Self, Error> {
        let certificates = certificates.into_iter().map(|it| it.into().into());
        Self::new(certificates.collect(), ROOTS)
    }

    fn new(certificates: Vec<CertificateDer<'static>>, from: &str) -> Result<Self, Error> {
        if certificates.is_empty() {
            return Err(malformed(from, "there is no certificate".into()));
        }
        let mut store = RootCertStore::empty();
        for (at, certificate) in certificates.into_iter().enumerate() {
            store.add(certificate).map_err(|error| {
                malformed(
                    from,
                    format!("certificate {} cannot be a root: {error}", at + 1),
                )
            })?;
        }
        Ok(Self(Arc::new(store)))
    }

    /// Trusts others, too.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        let store = Arc::make_mut(&mut self.0);
        store.extend(others.0.roots.iter().cloned());
        self
    }

    pub(super) fn get(&self) -> Arc<RootCertStore> {
        self.0.clone()
    }
}

/// The name that errors give to roots from memory.
const ROOTS: &str = "the roots";

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Roots").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests;
