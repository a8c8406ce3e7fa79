//! Certificates and keys, from files or memory.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::fs;
use std::path::Path;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error as RustlsError, InconsistentKeys, RootCertStore};
use webpki::EndEntityCert;

use super::error::Error;
use crate::net::report::report;

/// The error text for a key in an unknown form.
const KINDS: &str = "a private key is PKCS#8, PKCS#1 (RSA) or SEC1 (EC)";

/// Certificates with their private keys: one for a server that has one name or a few,
/// several where clients choose between them by name (SNI, RFC 6066 §3).
///
/// ```no_run
/// use barewire::app::App;
/// use barewire::tls::Certificates;
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let certificates = Certificates::read("chain.pem", "key.pem")?
///     .and(Certificates::read("other-chain.pem", "other-key.pem")?);
/// App::new()
///     .get("/", |_request, reply| reply.text("hello"))
///     .listen_tls("[::]:443", certificates)?
///     .run()
/// # }
/// ```
#[derive(Clone)]
pub struct Certificates {
    pairs: Vec<Pair>,
}

/// A certificate chain and the key of its first certificate.
struct Pair {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// Where they came from, for errors.
    certificate_from: String,
    key_from: String,
}

impl Clone for Pair {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
            certificate_from: self.certificate_from.clone(),
            key_from: self.key_from.clone(),
        }
    }
}

impl Certificates {
    /// Reads PEM files (RFC 7468): the server's certificate with those that lead to
    /// its root after it, and its private key in PKCS#8, PKCS#1 or SEC1. Both may be
    /// in one file.
    ///
    /// # Errors
    /// [`Error`] names the file and says what is wrong with it.
    pub fn read(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        let (chain, chain_from) = read(chain.as_ref())?;
        let (key, key_from) = read(key.as_ref())?;
        Self::pem(&chain, chain_from, &key, key_from)
    }

    /// Takes the text of such files.
    ///
    /// # Errors
    /// [`Error`] says which of the two is wrong, and what is.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let (chain_from, key_from) = ("the certificate chain", "the private key");
        Self::pem(chain, chain_from.into(), key, key_from.into())
    }

    /// Takes DER: certificates, the server's own first, and its private key in PKCS#8,
    /// PKCS#1 or SEC1.
    ///
    /// # Errors
    /// [`Error`] says which of the two is wrong.
    pub fn from_der<C: Into<Vec<u8>>>(
        chain: impl IntoIterator<Item = C>,
        key: impl Into<Vec<u8>>,
    ) -> Result<Self, Error> {
        let (chain_from, key_from) = ("the certificate chain", "the private key");
        let chain = chain.into_iter().map(|it| CertificateDer::from(it.into()));
        let key = PrivateKeyDer::try_from(key.into())
            .map_err(|_| malformed(key_from, KINDS.to_string()))?;
        Self::new(chain.collect(), chain_from.into(), key, key_from.into())
    }

    fn pem(chain: &[u8], chain_from: String, key: &[u8], key_from: String) -> Result<Self, Error> {
        let certificates = read_certificates(chain, &chain_from)?;
        let key = read_key(key, &key_from)?;
        Self::new(certificates, chain_from, key, key_from)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        certificate_from: String,
        key: PrivateKeyDer<'static>,
        key_from: String,
    ) -> Result<Self, Error> {
        for (at, der) in chain.iter().enumerate() {
            if let Err(error) = EndEntityCert::try_from(der) {
                let fault = format!("certificate {} is not X.509 version 3: {error}", at + 1);
                return Err(malformed(&certificate_from, fault));
            }
        }
        if chain.is_empty() {
            return Err(malformed(&certificate_from, "it has no certificate".into()));
        }
        Ok(Self {
            pairs: Vec::from([Pair {
                chain,
                key,
                certificate_from,
                key_from,
            }]),
        })
    }

    /// Adds others, for other names. Clients that ask for none of the names get the
    /// first certificate.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.pairs.extend(others.pairs);
        self
    }

    pub(super) fn keys(&self, provider: &CryptoProvider) -> Result<Vec<Arc<CertifiedKey>>, Error> {
        let keys = self
            .pairs
            .iter()
            .map(|pair| pair.load(provider).map(Arc::new));
        keys.collect()
    }
}

impl Pair {
    fn load(&self, provider: &CryptoProvider) -> Result<CertifiedKey, Error> {
        let loaded = provider.key_provider.load_private_key(self.key.clone_key());
        let key = loaded.map_err(|error| malformed(&self.key_from, format!("{error}")))?;
        let pair = CertifiedKey::new(self.chain.clone(), key);
        match pair.keys_match() {
            // A key that does not tell cannot be compared.
            Ok(()) | Err(RustlsError::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(RustlsError::InconsistentKeys(_)) => {
                return Err(Error::Mismatch {
                    certificate: self.certificate_from.clone(),
                    key: self.key_from.clone(),
                });
            }
            Err(error) => return Err(malformed(&self.certificate_from, format!("{error}"))),
        }
        if let Some(fault) = fault_of_time(&self.chain, UnixTime::now(), provider) {
            report!(Warn, "{}: {fault}", self.certificate_from);
        }
        Ok(pair)
    }
}

/// The fault in the time of a server's own certificate: no error, as some clients do not look.
fn fault_of_time(
    chain: &[CertificateDer<'static>],
    now: UnixTime,
    provider: &CryptoProvider,
) -> Option<String> {
    let own = ParsedCertificate::try_from(chain.first()?).ok()?;
    let algorithms = provider.signature_verification_algorithms.all;
    // It leads to no root here, which is found last.
    let none = RootCertStore::empty();
    match verify_server_cert_signed_by_trust_anchor(&own, &none, &[], now, algorithms) {
        Err(RustlsError::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => Some("the certificate has expired".into()),
        Err(RustlsError::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => Some("the certificate is not valid yet".into()),
        _ => None,
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.pairs.iter().map(|it| &it.certificate_from);
        f.debug_list().entries(from).finish()
    }
}

pub(super) fn read(path: &Path) -> Result<(Vec<u8>, String), Error> {
    let file = path.display().to_string();
    match fs::read(path) {
        Ok(content) => Ok((content, file)),
        Err(error) => Err(Error::Read { file, error }),
    }
}

/// The certificates of a PEM text: at least one.
pub(super) fn read_certificates(
    pem: &[u8],
    from: &str,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut found = Vec::new();
    let mut others = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        match section.map_err(|error| malformed(from, format!("{error}")))? {
            (SectionKind::Certificate, der) => found.push(der.into()),
            (other, _) => others.push(other),
        }
    }
    if found.is_empty() {
        return Err(malformed(from, lack("CERTIFICATE", pem, &others)));
    }
    Ok(found)
}

fn read_key(pem: &[u8], from: &str) -> Result<PrivateKeyDer<'static>, Error> {
    let is_encrypted = contains(pem, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || contains(pem, b"Proc-Type: 4,ENCRYPTED");
    if is_encrypted {
        let fault = "the private key is encrypted; decrypt it first (openssl pkey)";
        return Err(malformed(from, fault.into()));
    }
    let mut others = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        match section.map_err(|error| malformed(from, format!("{error}")))? {
            (SectionKind::PrivateKey, der) => return Ok(PrivateKeyDer::Pkcs8(der.into())),
            (SectionKind::RsaPrivateKey, der) => return Ok(PrivateKeyDer::Pkcs1(der.into())),
            (SectionKind::EcPrivateKey, der) => return Ok(PrivateKeyDer::Sec1(der.into())),
            (other, _) => others.push(other),
        }
    }
    Err(malformed(from, lack("PRIVATE KEY", pem, &others)))
}

/// The error text for a PEM without a section of this label: what it has instead.
pub(super) fn lack(label: &str, pem: &[u8], others: &[SectionKind]) -> String {
    let has = match others.first() {
        Some(SectionKind::Certificate) => ", only certificates",
        Some(SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey) => {
            ", only a private key"
        }
        Some(_) => ", only other PEM blocks",
        None if contains(pem, b"-----BEGIN ") => ", only PEM blocks of other kinds",
        None if pem.first() == Some(&0x30) => "; it looks like DER, which is not PEM",
        None if pem.is_empty() => "; it is empty",
        None => "; it is not PEM",
    };
    format!("no PEM block {label:?}{has}")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|it| it == part)
}

pub(super) fn malformed(from: &str, fault: String) -> Error {
    Error::Malformed {
        from: from.into(),
        fault,
    }
}

#[cfg(test)]
mod tests;
