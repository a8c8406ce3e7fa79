//! A client's look at the server's certificates: rustls verifies them, and this sees
//! those that were refused.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::EndEntityCert;

#[derive(Debug, Clone, Default)]
pub(super) struct Refused {
    pub(super) names: Vec<String>,
    pub(super) issuer: Option<String>,
    pub(super) is_self_signed: bool,
}

std::thread_local! {
    /// That of the certificate which is verified in this moment. rustls 0.23 does not
    /// tell which one it was, and its errors decide the alert.
    static REFUSED: RefCell<Option<Refused>> = const { RefCell::new(None) };
}

/// Takes what was seen of the certificate that was refused last on this thread.
pub(super) fn take_refused() -> Option<Refused> {
    REFUSED.take()
}

/// Verifies as another verifier does, and notes what that refuses.
#[derive(Debug)]
pub(super) struct Watching(pub(super) Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Self(verifier) = self;
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Err(error) = &verified {
            REFUSED.set(Some(Refused::of(end_entity, error)));
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.0.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}

impl Refused {
    fn of(certificate: &CertificateDer<'_>, error: &Error) -> Self {
        let names = match error {
            Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented,
                ..
            }) => presented.iter().map(|it| bare(it)).collect(),
            _ => Vec::new(),
        };
        let Ok(certificate) = EndEntityCert::try_from(certificate) else {
            return Self::default();
        };
        Self {
            names,
            issuer: name_of(certificate.issuer()).map(String::from),
            is_self_signed: certificate.issuer() == certificate.subject(),
        }
    }
}

/// A name as webpki quotes it, such as `DnsName("a.example")`, without its kind.
fn bare(quoted: &str) -> String {
    let name = ["DnsName(\"", "IpAddress("].iter().find_map(|kind| {
        let rest = quoted.strip_prefix(kind)?;
        Some(rest.trim_end_matches(['"', ')']))
    });
    name.unwrap_or(quoted).to_string()
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
/// id-at-commonName and id-at-organizationName, 2.5.4.3 and 2.5.4.10.
const NAMING: [&[u8]; 2] = [&[0x55, 0x04, 0x03], &[0x55, 0x04, 0x0a]];

/// The content of a value with this tag at the front of DER, and what follows it
/// (X.690). `tag` 0 is any.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, short], rest) = der.split_first_chunk()?;
    let (len, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81 => rest
            .split_first()
            .map(|(&len, rest)| (usize::from(len), rest))?,
        0x82 => {
            let (&len, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(len)), rest)
        }
        _ => return None, // no name is as long
    };
    let parts = rest.split_at_checked(len)?;
    (tag == 0 || tag == found).then_some(parts)
}

/// The contents of a distinguished name, in the form in which webpki gives an issuer.
pub(super) fn distinguished_name(der: &[u8]) -> Option<&[u8]> {
    value(der, SEQUENCE).map(|(content, _)| content)
}

/// The common name in a distinguished name, or the organization (RFC 5280 §4.1.2.4).
fn name_of(distinguished: &[u8]) -> Option<&str> {
    NAMING.iter().find_map(|id| {
        let mut rest = distinguished;
        loop {
            let (part, next) = value(rest, SET)?;
            let (kind, text) = value(value(part, SEQUENCE)?.0, OID)?;
            if kind == *id {
                return core::str::from_utf8(value(text, 0)?.0).ok();
            }
            rest = next;
        }
    })
}
