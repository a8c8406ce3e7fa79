//! How connections over TLS end, and that no answer is lost with them.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use barewire::app::App;

use crate::support::{Authority, app, connect, port_of, stop};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Its preface, SETTINGS, and a GET of `/`.
const HTTP2_REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
    \0\0\x0e\x01\x05\0\0\0\x01\x82\x87\x84\x41\x09localhost";

#[test]
fn a_request_in_front_of_a_fin_is_answered_though_nothing_was_closed() {
    let authority = Authority::new("one");
    let server = app()
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    for (alpn, request) in [("http/1.1", REQUEST), ("h2", HTTP2_REQUEST)] {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let config = authority.client_with(&[alpn], &[version], None);
            let mut client = connect(port_of(&server, 0), "localhost", &Arc::new(config));
            client.conn.complete_io(&mut client.sock).unwrap();
            client.conn.writer().write_all(request).unwrap();
            client.conn.write_tls(&mut client.sock).unwrap();
            client.sock.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).unwrap(); // close_notify is there
            let is_answered = answer.windows(5).any(|it| it == b"hello");
            assert!(is_answered, "{alpn} {version:?} {answer:?}");
        }
    }
    stop(server);
}

#[test]
fn what_comes_behind_close_notify_resets_no_answer() {
    const LONG: usize = 4 << 20;
    let authority = Authority::new("one");
    let server = App::new()
        .get("/", |_request, reply| {
            reply.body("text/plain", vec![b'x'; LONG])
        })
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let config = Arc::new(authority.client(&["http/1.1"]));
    for _ in 0..5 {
        let mut client = connect(port_of(&server, 0), "localhost", &config);
        client.write_all(REQUEST).unwrap();
        client.conn.send_close_notify();
        client.conn.write_tls(&mut client.sock).unwrap();
        let garbage = [0; 20_000];
        client.sock.write_all(&garbage).unwrap();
        let mut answer = Vec::new();
        let mut piece = vec![0; 1 << 20];
        while let n @ 1.. = client.read(&mut piece).unwrap() {
            answer.extend_from_slice(&piece[..n]);
            let _ = client.sock.write_all(&garbage); // more of it
        }
        assert!(answer.len() > LONG, "{} bytes", answer.len());
    }
    stop(server);
}
