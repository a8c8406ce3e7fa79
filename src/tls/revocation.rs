//! Revoked certificates: lists that authorities publish.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use std::path::Path;

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::{PemObject, SectionKind};

use super::certificates::{lack, malformed, read};
use super::error::Error;

/// Certificate revocation lists (RFC 5280 §5), which authorities publish.
///
/// With lists given, each certificate of a peer's chain, all but the root, must be
/// covered by one that is not outdated, and be on none. Without them nothing is known
/// of revocations: OCSP is not asked, and no list is fetched.
#[derive(Clone, Default)]
pub struct Crls(Vec<CertificateRevocationListDer<'static>>);

impl Crls {
    /// Reads a PEM file (RFC 7468) of one list or several.
    ///
    /// # Errors
    /// [`Error`] names the file and says what is wrong with it.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (pem, from) = read(path.as_ref())?;
        Self::pem(&pem, &from)
    }

    /// Takes the text of such a file.
    ///
    /// # Errors
    /// [`Error`] says what is wrong.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        Self::pem(pem, "the revocation lists")
    }

    /// Takes lists in DER. One that is none is refused where the lists are used.
    pub fn from_der<C: Into<Vec<u8>>>(lists: impl IntoIterator<Item = C>) -> Self {
        Self(lists.into_iter().map(|it| it.into().into()).collect())
    }

    fn pem(pem: &[u8], from: &str) -> Result<Self, Error> {
        let (mut found, mut others) = (Vec::new(), Vec::new());
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            match section.map_err(|error| malformed(from, format!("{error}")))? {
                (SectionKind::Crl, der) => found.push(der.into()),
                (other, _) => others.push(other),
            }
        }
        match found.is_empty() {
            true => Err(malformed(from, lack("X509 CRL", pem, &others))),
            false => Ok(Self(found)),
        }
    }

    /// Adds further lists.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(super) fn get(&self) -> Vec<CertificateRevocationListDer<'static>> {
        self.0.clone()
    }
}

impl fmt::Debug for Crls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Crls").field(&self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests;
