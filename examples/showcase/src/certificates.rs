//! The certificate of the showcase: one that was given, or one made for localhost.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use barewire::tls::Certificates;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use ring::digest::{SHA256, digest};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a certificate that was made is valid.
const VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// PEM files: the certificate with its chain, and its key.
    Files { certificate: String, key: String },
    /// It is made at each start and at each reload.
    Made,
}

impl Source {
    /// The certificate and its key; says on standard output what was made.
    pub(crate) fn load(&self) -> Result<Certificates, Box<dyn Error>> {
        match self {
            Self::Files { certificate, key } => Ok(Certificates::read(certificate, key)?),
            Self::Made => make(),
        }
    }
}

/// Makes a certificate for this machine that signs itself, and leaves it, without its
/// key, where a client can be told to trust it.
fn make() -> Result<Certificates, Box<dyn Error>> {
    let key = KeyPair::generate()?; // ECDSA with P-256
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "barewire showcase");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = [KeyUsagePurpose::DigitalSignature].into();
    params.extended_key_usages = [ExtendedKeyUsagePurpose::ServerAuth].into();
    let now = SystemTime::now();
    params.not_before = (now - DAY).into();
    params.not_after = (now + VALID).into();
    let certificate = params.self_signed(&key)?;
    let path = leave(&certificate.pem())?;
    println!("a certificate for localhost is in {}", path.display());
    println!(
        "its SHA-256 fingerprint is {}",
        fingerprint(certificate.der())
    );
    Ok(Certificates::from_der(
        [certificate.der().to_vec()],
        key.serialize_der(),
    )?)
}

/// Writes a file of this process's own in the directory for temporary files.
fn leave(pem: &str) -> io::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("showcase-{}.pem", std::process::id()));
    // A link that somebody has laid there is not followed.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    file.write_all(pem.as_bytes())?;
    Ok(path)
}

/// As programs show it: `AB:CD:`...
fn fingerprint(der: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, der).as_ref() {
        let separator = if text.is_empty() { "" } else { ":" };
        write!(text, "{separator}{byte:02X}").expect("a string takes everything");
    }
    text
}
