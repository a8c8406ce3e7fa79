//! New certificates while a server is busy.

use core::fmt;
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use barewire::tls::{ClientCertificates, Provider, Roots, Server as Tls, ServerOptions, Version};
use rustls::crypto::KeyProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::TLS12;
use rustls::{AlertDescription, ClientConfig, Error};

use crate::support::{Authority, Client, connect, fault_of, get, port_of, stop, telling};

/// A request on a connection that stays.
fn ask(client: &mut Client) {
    write!(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let (mut answer, mut len) = ([0; 1024], 0);
    while !answer[..len].ends_with(b")") {
        let n = client.read(&mut answer[len..]).unwrap();
        assert!(n > 0, "the connection was lost");
        len += n;
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_reload_under_load_loses_no_request() {
    let authority = Authority::new("one");
    let certificates = [(); 2].map(|()| authority.certificates(&["localhost"]));
    let tls = Tls::try_from(certificates[0].clone()).unwrap();
    let server = telling(tls.clone());
    let config = Arc::new(authority.client(&[]));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut stays = connect(port_of(&server, 0), "localhost", &config);
                while !is_over.load(Relaxed) {
                    ask(&mut stays);
                    ask(&mut connect(port_of(&server, 0), "localhost", &config));
                }
            });
        }
        for round in 0..100 {
            tls.reload(certificates[round % 2].clone()).unwrap();
            ask(&mut connect(port_of(&server, 0), "localhost", &config));
        }
        is_over.store(true, Relaxed);
    });
    stop(server);
}

#[test]
fn new_connections_get_new_certificates_and_old_ones_keep_theirs() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let tls = Tls::try_from(old.certificates(&["localhost"])).unwrap();
    let server = telling(tls.clone());
    let trusting = |authority: &Authority| Arc::new(authority.client(&[]));
    let mut stays = connect(port_of(&server, 0), "localhost", &trusting(&old));
    ask(&mut stays);
    tls.reload(new.certificates(&["localhost"])).unwrap();
    ask(&mut stays);
    ask(&mut connect(
        port_of(&server, 0),
        "localhost",
        &trusting(&new),
    ));
    // What cannot be used changes nothing.
    let (certificate, _) = new.issue(&["localhost"]);
    let (_, key) = new.issue(&["localhost"]);
    let wrong = barewire::tls::Certificates::from_der([certificate], key).unwrap();
    tls.reload(wrong).unwrap_err();
    ask(&mut connect(
        port_of(&server, 0),
        "localhost",
        &trusting(&new),
    ));
    stop(server);
}

#[test]
fn a_server_may_speak_less() {
    let authority = Authority::new("one");
    let options = ServerOptions::new(authority.certificates(&["localhost"]));
    let newest = telling(options.clone().least_version(Version::Tls13));
    let old = || authority.client_with(&[], &[&TLS12], None);
    let fault = fault_of(port_of(&newest, 0), "localhost", old());
    let refused = Error::AlertReceived(AlertDescription::ProtocolVersion);
    assert_eq!(fault, refused);
    stop(newest);
    let plainer = telling(options.http2(false));
    let config = Arc::new(authority.client(&["h2", "http/1.1"]));
    let answer = get(
        &mut connect(port_of(&plainer, 0), "localhost", &config),
        "/",
    );
    assert!(answer.contains("Some(\"http/1.1\")"), "{answer}");
    stop(plainer);
}

/// What is served with cryptography of this provider.
fn served_by(provider: Provider, suite: &str) {
    let authority = Authority::new("one");
    let certificates = authority.certificates(&["localhost"]);
    let server = telling(ServerOptions::new(certificates).provider(provider));
    let config: ClientConfig = authority.client(&[]);
    let config = Arc::new(config);
    for _ in 0..3 {
        ask(&mut connect(port_of(&server, 0), "localhost", &config));
    }
    let answer = get(&mut connect(port_of(&server, 0), "localhost", &config), "/");
    let told = format!("{suite} (Some(\"localhost\"), None, 0, true)");
    assert!(answer.ends_with(&told), "{answer}"); // its tickets are good, too
    stop(server);
}

#[test]
fn a_provider_of_ones_own_is_used() {
    let mut own = rustls::crypto::ring::default_provider();
    own.cipher_suites
        .retain(|suite| suite.suite() == rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    served_by(Provider::new(own), "TLS_CHACHA20_POLY1305_SHA256");
}

#[cfg(feature = "tls-aws-lc")]
#[test]
fn aws_lc_is_used() {
    served_by(Provider::aws_lc(), "TLS_AES_256_GCM_SHA384");
}

/// Keys as ring has them, and something that is done once while one is loaded.
struct Meanwhile(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl KeyProvider for Meanwhile {
    fn load_private_key(
        &self,
        key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn rustls::sign::SigningKey>, Error> {
        let act = self.0.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
        let ring = rustls::crypto::ring::default_provider();
        ring.key_provider.load_private_key(key)
    }
}

#[test]
fn a_reload_takes_back_no_options_that_came_meanwhile() {
    let authority = Authority::new("one");
    let meanwhile: &'static Meanwhile = Box::leak(Box::new(Meanwhile(Mutex::new(None))));
    let provider = rustls::crypto::CryptoProvider {
        key_provider: meanwhile,
        ..rustls::crypto::ring::default_provider()
    };
    let certificates = authority.certificates(&["localhost"]);
    let options = ServerOptions::new(certificates.clone()).provider(Provider::new(provider));
    let tls = Tls::new(options).unwrap();
    let server = telling(tls.clone());
    let (other, name) = (tls.clone(), authority.certificate.der().to_vec());
    let (replaced, has_replaced) = mpsc::channel();
    let demanding = ServerOptions::new(certificates.clone()).client_certificates(
        ClientCertificates::demanded(Roots::from_der([name]).unwrap()),
    );
    let (end, is_over) = mpsc::channel();
    *meanwhile.0.lock().unwrap() = Some(Box::new(move || {
        thread::spawn(move || {
            other.replace(demanding).unwrap();
            let _ = replaced.send(());
            end.send(()).unwrap();
        });
        // It is over now, or waits for its turn.
        let _ = has_replaced.recv_timeout(Duration::from_millis(300));
    }));
    tls.reload(certificates).unwrap();
    is_over.recv().unwrap();
    let error = fault_of(port_of(&server, 0), "localhost", authority.client(&[]));
    let wanted = AlertDescription::CertificateRequired;
    assert_eq!(error, Error::AlertReceived(wanted));
    stop(server);
}
