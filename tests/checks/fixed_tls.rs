//! TLS that draws nothing from the system, so that a test is the same each time: what
//! rustls wants at random is counted, its key exchange is none, its signer, Ed25519, is
//! deterministic, and it is always noon.

use core::cell::Cell;
use core::time::Duration;
use std::fmt;
use std::sync::{Arc, LazyLock};

use barewire::tls::{Certificates, Provider, ServerOptions};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup,
};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, Error, NamedGroup, RootCertStore, SupportedProtocolVersion};

/// Counts from the beginning again.
pub fn begin() {
    DRAWN.set(0);
}

/// A server, without tickets, whose keys ring would draw.
pub fn server() -> ServerOptions {
    ServerOptions::new(FIXED.certificates.clone())
        .provider(Provider::new(FIXED.provider.clone()))
        .time_provider(Arc::new(Noon))
        .tickets(false)
}

/// A client of that server.
pub fn client(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    ClientConfig::builder_with_details(FIXED.provider.clone(), Arc::new(Noon))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(FIXED.roots.clone())
        .with_no_client_auth()
}

thread_local! {
    static DRAWN: Cell<u8> = const { Cell::new(0) };
}

/// Counts.
#[derive(Debug)]
struct Counted;

impl SecureRandom for Counted {
    fn fill(&self, out: &mut [u8]) -> Result<(), GetRandomFailed> {
        for byte in out {
            DRAWN.set(DRAWN.get().wrapping_add(1));
            *byte = DRAWN.get();
        }
        Ok(())
    }
}

/// An exchange without a secret: both sides know what both have sent.
#[derive(Debug)]
struct Open;

struct OpenExchange([u8; 32]);

impl SupportedKxGroup for Open {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut own = [0; 32];
        Counted.fill(&mut own)?;
        Ok(Box::new(OpenExchange(own)))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for OpenExchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let both: Vec<u8> = self.0.iter().zip(peer).map(|(a, b)| a ^ b).collect();
        Ok(SharedSecret::from(&both[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.0
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// A day in 2026.
struct Noon;

impl fmt::Debug for Noon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noon")
    }
}

impl TimeProvider for Noon {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            1_780_000_000,
        )))
    }
}

/// Everything that is the same for all inputs.
struct Fixed {
    provider: Arc<CryptoProvider>,
    certificates: Certificates,
    roots: Arc<RootCertStore>,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    // Ed25519 in PKCS#8 (RFC 8410 §7), the key being 32 times the same byte.
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([7; 32]);
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from(&pkcs8[..]);
    let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519).unwrap();
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    Fixed {
        provider: Arc::new(CryptoProvider {
            kx_groups: vec![&Open],
            secure_random: &Counted,
            ..rustls::crypto::ring::default_provider()
        }),
        certificates: Certificates::from_der([certificate.der().to_vec()], pkcs8).unwrap(),
        roots: Arc::new(roots),
    }
});
