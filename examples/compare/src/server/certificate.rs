//! The certificate of the server: made for this machine, and signed by itself.

use barewire::tls::Certificates;
use rcgen::{CertificateParams, KeyPair};

use crate::Result;

/// Makes one; its DER is what clients are to trust.
pub(super) fn make() -> Result<(Certificates, Vec<u8>)> {
    let key = KeyPair::generate()?; // ECDSA with P-256
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let certificate = CertificateParams::new(names)?.self_signed(&key)?;
    let der = certificate.der().to_vec();
    let certificates = Certificates::from_der([der.clone()], key.serialize_der())?;
    Ok((certificates, der))
}
