//! The same server over TLS 1.3 with ring. The client's part of TLS is done on the
//! thread that waits, and is not counted; nor are handshakes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use barewire::app::App;
use barewire::tls::Certificates;
use rustls::crypto::ring::default_provider;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::server::{Counted, Repeated, app, connect_to, upgrade};
use crate::wanted;

/// The name of the certificate, and of each request.
const HOST: &str = "localhost";

const LARGE: &[u8] = &[b'a'; 64 * 1024];

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A server with a plain address for the marks and one over TLS, both on one loop.
fn start() -> (Counted, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]);
    let made = made.expect("the name is one");
    let (certificate, key) = (made.cert.der(), made.signing_key.serialize_der());
    let certificates = Certificates::from_der([certificate.to_vec()], key);
    let certificates = certificates.expect("both were just made");
    let server = app()
        .get("/large", |_request, reply| {
            reply.body("application/octet-stream", LARGE)
        })
        .listen("127.0.0.1:0")
        .and_then(|app| app.listen_tls("127.0.0.1:0", certificates))
        .and_then(App::spawn)
        .expect("the loopback interface is there");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("ring has suites of TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Counted::new(server), Arc::new(config))
}

fn connect(counted: &Counted, config: &Arc<ClientConfig>) -> Stream {
    let name = HOST.try_into().expect("a name of DNS");
    let client = ClientConnection::new(config.clone(), name).expect("the settings fit");
    let stream = connect_to(&counted.server().tls_addresses()[0]);
    StreamOwned::new(client, stream)
}

/// Requests, a large body, and messages.
pub fn server_tls() {
    let (mut counted, config) = start();
    let name = "server GET over TLS";
    if wanted(name) {
        let mut stream = connect(&counted, &config);
        let Repeated { request, answer } = Repeated::get_of(HOST, &mut stream);
        counted.exchange(name, stream, &request, answer, 1);
    }
    let name = "server GET over TLS, 64 KiB body";
    if wanted(name) {
        let mut stream = connect(&counted, &config);
        let Repeated { request, answer } = get_large(&mut stream);
        counted.exchange(name, stream, &request, answer, 1);
    }
    let name = "server echo over TLS, 16 B, 10 at once";
    if wanted(name) {
        let mut stream = connect(&counted, &config);
        upgrade(HOST, &mut stream);
        let Repeated { request, answer } = Repeated::echo();
        counted.exchange(name, stream, &request.repeat(10), answer * 10, 10);
    }
    counted.stop();
}

/// A GET of the large body, sent once to know its answer.
fn get_large(stream: &mut Stream) -> Repeated {
    let request = format!("GET /large HTTP/1.1\r\nHost: {HOST}\r\n\r\n").into_bytes();
    stream.write_all(&request).expect("the server reads");
    let mut answer = Vec::new();
    while !answer.ends_with(LARGE) {
        let mut part = [0; 16 * 1024];
        let n = stream.read(&mut part).expect("an answer");
        answer.extend_from_slice(&part[..n]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let answer = answer.len();
    Repeated { request, answer }
}
