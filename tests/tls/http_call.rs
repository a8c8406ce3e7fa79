//! A call of HTTP without I/O over TLS, whose bytes a test carries, against rustls as server.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use barewire::client::{HttpEvent, Phase};
use barewire::tls::{Client, ConnectionError};
use barewire::wire::Instant;
use rustls::{ServerConfig, ServerConnection};

use crate::dialling::{config, tls, trusting};
use crate::support::Authority;

const NOW: Instant = Instant::START;

/// What a call comes to, with a server that answers everything alike.
fn carried(trusts: &Client, server: &Arc<ServerConfig>) -> Result<String, barewire::client::Error> {
    let mut peer = ServerConnection::new(server.clone()).unwrap();
    let client = barewire::client::Client::new();
    let mut call = client.get("https://localhost/").into_call(NOW)?;
    let mut text = String::new();
    loop {
        match call.next_event(NOW)? {
            HttpEvent::Connect { .. } => {
                let session = trusts.session("localhost", &["http/1.1"]).unwrap();
                call.connected_over(session, NOW);
            }
            HttpEvent::Response(head) => text = format!("{} ", head.status),
            HttpEvent::Body(piece) => text.push_str(core::str::from_utf8(piece).unwrap()),
            HttpEvent::End(_) => break,
            _ => {
                let written = call.output(NOW).to_vec();
                call.sent(written.len(), NOW);
                let mut rest = &written[..];
                while !rest.is_empty() {
                    peer.read_tls(&mut rest).unwrap();
                    // An alert of the client's is an error here.
                    let _ = peer.process_new_packets();
                }
                let mut plain = [0; 4096];
                if let Ok(1..) = peer.reader().read(&mut plain) {
                    assert!(plain.starts_with(b"GET / HTTP/1.1\r\n"));
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
                    peer.writer().write_all(answer).unwrap();
                }
                let mut sealed = Vec::new();
                while peer.wants_write() {
                    peer.write_tls(&mut sealed).unwrap();
                }
                match sealed.is_empty() {
                    true => call.receive_eof(NOW),
                    false => call.receive(&mut sealed, NOW),
                }
            }
        }
    }
    assert!(call.take_connection().is_some());
    Ok(text)
}

#[test]
fn a_call_goes_over_a_transport_of_the_callers() {
    let authority = Authority::new("a");
    let server = config(&authority, rustls::ALL_VERSIONS, false, &["http/1.1"]);
    assert_eq!(
        carried(&tls(trusting(&authority)), &server).unwrap(),
        "200 OK hello"
    );
}

#[test]
fn a_server_that_is_not_trusted_is_an_error_of_the_handshake() {
    let (authority, other) = (Authority::new("a"), Authority::new("b"));
    let server = config(&other, rustls::ALL_VERSIONS, false, &["http/1.1"]);
    let error = carried(&tls(trusting(&authority)), &server).unwrap_err();
    assert_eq!(error.phase(), Phase::Tls);
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(it) = cause.filter(|it| !it.is::<ConnectionError>()) {
        cause = it.source();
    }
    assert!(cause.is_some(), "{error:?}");
}
