//! A request and its response, over TLS and without.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use crate::support::{Authority, app, connect, get, port_of};

#[test]
fn one_app_serves_with_tls_and_without() {
    let authority = Authority::new("one");
    let server = app()
        .listen("127.0.0.1:0")
        .unwrap()
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .threads(2)
        .spawn()
        .unwrap();
    let config = Arc::new(authority.client(&["http/1.1"]));
    for _ in 0..8 {
        let mut client = connect(port_of(&server, 1), "localhost", &config);
        let answer = get(&mut client, "/");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    }
    let mut plain = TcpStream::connect(("127.0.0.1", port_of(&server, 0))).unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"));
    server.handle().shutdown(core::time::Duration::ZERO);
    server.join().unwrap();
}
