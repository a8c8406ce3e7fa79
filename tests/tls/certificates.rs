//! Certificates and keys in each of their forms, and what is said of wrong ones.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use barewire::app::App;
use barewire::net;
use barewire::tls::{Certificates, Server as Tls};
use rustls::{ClientConfig, RootCertStore};

use crate::support::{Authority, connect, get, port_of, stop, telling};

/// A file of the test, which goes with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let name = format!("barewire-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let mut text = vec![0; der.len().div_ceil(3) * 4];
    let len = BASE64_STANDARD.encode_slice(der, &mut text).unwrap();
    let lines: Vec<&str> = text[..len]
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// The key inside of PKCS#8 (RFC 5958 §2), which is SEC1 for EC.
fn inner_key(pkcs8: &[u8]) -> &[u8] {
    let at = pkcs8
        .windows(5)
        .position(|it| it[0] == 4 && it[2] == 0x30 && it[4] == 2);
    let at = at.unwrap();
    &pkcs8[at + 2..at + 2 + usize::from(pkcs8[at + 1])]
}

/// Whether a server with these serves.
fn serves(certificates: Certificates, authority: &Authority) -> bool {
    let server = telling(certificates);
    let config = Arc::new(authority.client(&[]));
    let answer = get(&mut connect(port_of(&server, 0), "localhost", &config), "/");
    stop(server);
    answer.starts_with("HTTP/1.1 200")
}

#[test]
fn keys_are_taken_in_each_form() {
    let authority = Authority::new("one");
    let (certificate, key) = authority.issue(&["localhost"]);
    let chain = pem("CERTIFICATE", &certificate);
    for text in [
        pem("PRIVATE KEY", &key),
        pem("EC PRIVATE KEY", inner_key(&key)),
        format!("{chain}# a comment\r\n{}", pem("PRIVATE KEY", &key)),
    ] {
        let given = Certificates::from_pem(chain.as_bytes(), text.as_bytes()).unwrap();
        assert!(serves(given, &authority), "{text}");
    }
    let both = Temporary::new("both.pem", chain + &pem("PRIVATE KEY", &key));
    assert!(serves(
        Certificates::read(&both.0, &both.0).unwrap(),
        &authority
    ));
    let sec1 = Certificates::from_der([certificate], inner_key(&key)).unwrap();
    assert!(serves(sec1, &authority));
}

#[test]
fn an_rsa_key_is_taken_in_pkcs1() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls-rsa.pem");
    let server = telling(Certificates::read(path, path).unwrap());
    let mut roots = RootCertStore::empty();
    use rustls::pki_types::pem::PemObject;
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_file(path).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let answer = get(
        &mut connect(port_of(&server, 0), "rsa.test", &Arc::new(config)),
        "/",
    );
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}"); // it asks for localhost
    stop(server);
}

#[test]
fn what_is_wrong_is_said_with_its_file() {
    let authority = Authority::new("one");
    let (certificate, key) = authority.issue(&["localhost"]);
    let (_, other_key) = authority.issue(&["localhost"]);
    let chain = pem("CERTIFICATE", &certificate);
    let key = pem("PRIVATE KEY", &key);
    let cut = &chain[..chain.len() - 30];
    let cases: &[(&str, &str, &str)] = &[
        (
            &chain,
            "",
            "{key}: no PEM block \"PRIVATE KEY\"; it is empty",
        ),
        (
            "",
            &key,
            "{chain}: no PEM block \"CERTIFICATE\"; it is empty",
        ),
        (
            "hello",
            &key,
            "{chain}: no PEM block \"CERTIFICATE\"; it is not PEM",
        ),
        (
            &key,
            &key,
            "{chain}: no PEM block \"CERTIFICATE\", only a private key",
        ),
        (
            &chain,
            &chain,
            "{key}: no PEM block \"PRIVATE KEY\", only certificates",
        ),
        (cut, &key, "{chain}: "),
        (&pem("CERTIFICATE", b"0"), &key, "{chain}: "),
        (&chain, &pem("PRIVATE KEY", b"0"), "{key}: "),
        (
            &chain,
            &pem("ENCRYPTED PRIVATE KEY", b"0"),
            "{key}: the private key is encrypted; decrypt it first (openssl pkey)",
        ),
        (
            &chain,
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAA==\n-----END RSA PRIVATE KEY-----\n",
            "{key}: the private key is encrypted; decrypt it first (openssl pkey)",
        ),
        (
            &chain,
            &pem("OPENSSH PRIVATE KEY", b"0"),
            "{key}: no PEM block \"PRIVATE KEY\", only PEM blocks of other kinds",
        ),
        (
            &chain,
            &pem("PRIVATE KEY", &other_key),
            "{key} does not belong to {chain}: it is the key of another certificate",
        ),
    ];
    for (at, (chain, key, expected)) in cases.iter().enumerate() {
        let chain = Temporary::new(&format!("chain-{at}.pem"), chain);
        let key = Temporary::new(&format!("key-{at}.pem"), key);
        let read = Certificates::read(&chain.0, &key.0).and_then(Tls::try_from);
        let error = read.unwrap_err().to_string();
        let expected = expected
            .replace("{chain}", &chain.0.display().to_string())
            .replace("{key}", &key.0.display().to_string());
        match expected.ends_with(' ') {
            true => assert!(
                error.len() > expected.len() && error.starts_with(&expected),
                "{error}"
            ),
            false => assert_eq!(error, expected),
        }
    }
    let missing = Certificates::read("/nowhere/chain.pem", "/nowhere/key.pem").unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read /nowhere/chain.pem: ")
    );
    // The app says it, too, and serves nothing.
    let (_, key) = authority.issue(&["localhost"]);
    let mismatched = Certificates::from_der([certificate], key).unwrap();
    let refused = App::new()
        .listen_tls("127.0.0.1:0", mismatched)
        .unwrap_err();
    assert!(matches!(&refused, net::Error::Transport(_)));
    let text = "the private key does not belong to the certificate chain: it is the key of another \
                certificate";
    assert_eq!(refused.to_string(), text);
}
