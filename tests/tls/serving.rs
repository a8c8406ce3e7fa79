//! A request and its response, over TLS and without.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use barewire::app::Server;
use barewire::tls::{PlainHttp, ServerOptions, UnknownName};
use rustls::{AlertDescription, Error};

use crate::support::{Authority, app, connect, fault_of, get, port_of, stop, telling};

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
    let addresses = server.local_addresses();
    assert_eq!(server.tls_addresses(), &addresses[1..]);
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
    stop(server);
}

#[test]
fn a_hello_has_only_so_many_bytes() {
    let authority = Authority::new("one");
    // A time that nobody waits for.
    let limits = barewire::net::Limits::DEFAULT.with_handshake_time(Duration::from_secs(86_400));
    let server = app()
        .limits(limits)
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", port_of(&server, 0))).unwrap();
    // A record of 16 KiB, of a hello of 60,000 bytes, and some of the next.
    client.write_all(&[22, 3, 1, 0x40, 0]).unwrap();
    client.write_all(&[1, 0, 0xea, 0x60]).unwrap();
    client.write_all(&[0; 16_380]).unwrap();
    client.write_all(&[22, 3, 1, 0x40, 0, 0, 0]).unwrap();
    let mut said = Vec::new();
    client.read_to_end(&mut said).unwrap();
    assert_eq!(said, [21, 3, 3, 0, 2, 2, 50]); // decode_error
    stop(server);
}

#[test]
fn who_does_not_speak_in_time_is_told() {
    let authority = Authority::new("one");
    let time = Duration::from_secs(1);
    let limits = barewire::net::Limits::DEFAULT
        .with_handshake_time(time)
        .with_record_time(time);
    let server = app()
        .limits(limits)
        .listen_tls("127.0.0.1:0", authority.certificates(&["localhost"]))
        .unwrap()
        .spawn()
        .unwrap();
    let said = in_the_clear(&server, 0, &[22, 3, 1, 0]);
    let user_canceled = [21, 3, 3, 0, 2, 1, 90];
    let close_notify = [21, 3, 3, 0, 2, 1, 0];
    assert_eq!(said, [user_canceled, close_notify].concat());
    // Behind the handshake.
    let config = Arc::new(authority.client(&["http/1.1"]));
    let mut client = connect(port_of(&server, 0), "localhost", &config);
    client.conn.complete_io(&mut client.sock).unwrap();
    client.sock.write_all(&[23, 3, 3, 0]).unwrap();
    assert_eq!(client.read(&mut [0; 100]).unwrap(), 0, "close_notify");
    stop(server);
}

#[test]
fn a_request_knows_its_tls() {
    let authority = Authority::new("one");
    let server = telling(ServerOptions::new(authority.certificates(&["localhost"])));
    let config = Arc::new(authority.client(&["http/1.1"]));
    let answer = get(&mut connect(port_of(&server, 0), "localhost", &config), "/");
    let told = r#"TLS 1.3 TLS_AES_256_GCM_SHA384 (Some("localhost"), Some("http/1.1"), 0, false)"#;
    assert!(answer.ends_with(told), "{answer}");
    stop(server);
}

/// What comes on a connection that has agreed on `alpn` for these bytes.
fn said(server: &Server, authority: &Authority, alpn: &[&str], bytes: &[u8]) -> Vec<u8> {
    let config = Arc::new(authority.client(alpn));
    let mut client = connect(port_of(server, 0), "localhost", &config);
    client.write_all(bytes).unwrap();
    let mut all = Vec::new();
    let _ = client.read_to_end(&mut all); // the end may be a reset
    all
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn who_agrees_on_a_protocol_has_to_speak_it() {
    let authority = Authority::new("one");
    let certificates = authority.certificates(&["localhost"]);
    let server = app()
        .listen_tls("127.0.0.1:0", certificates)
        .unwrap()
        .spawn()
        .unwrap();
    let said = |alpn: &[&str], bytes| said(&server, &authority, alpn, bytes);
    // SETTINGS comes first, then GOAWAY.
    let refused = said(&["h2"], REQUEST);
    assert_eq!(refused[3], 4, "{refused:?}");
    assert!(
        refused.windows(4).any(|it| it == [7, 0, 0, 0]),
        "{refused:?}"
    );
    for alpn in [&["http/1.1"][..], &["http/1.0"], &[]] {
        assert!(said(alpn, PREFACE).starts_with(b"HTTP/1.1 505 "));
        assert!(said(alpn, REQUEST).ends_with(b"hello"));
    }
    // Both of a client that offers both: the server prefers HTTP/2.
    let asked = [
        PREFACE,
        b"\0\0\x08\x06\0\0\0\0\0 a ping ",
        b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ]
    .concat();
    let answered = said(&["http/1.1", "h2"], &asked);
    assert!(
        answered.windows(8).any(|it| it == b" a ping "),
        "{answered:?}"
    );
    stop(server);
}

#[test]
fn who_has_no_protocol_in_common_is_told() {
    let authority = Authority::new("one");
    let server = telling(ServerOptions::new(authority.certificates(&["localhost"])));
    let fault = fault_of(
        port_of(&server, 0),
        "localhost",
        authority.client(&["spdy/3"]),
    );
    assert_eq!(
        fault,
        Error::AlertReceived(AlertDescription::NoApplicationProtocol)
    );
    stop(server);
}

#[test]
fn certificates_are_chosen_by_name() {
    let authority = Authority::new("one");
    let certificates = authority
        .certificates(&["one.test"])
        .and(authority.certificates(&["*.two.test", "two.test"]))
        .and(authority.certificates(&["exact.two.test"]));
    let options = ServerOptions::new(certificates);
    let (server, strict) = (
        telling(options.clone()),
        telling(options.unknown_name(UnknownName::Refuse)),
    );
    let certificate = |server: &Server, name: &str| {
        let config = Arc::new(authority.client(&[]));
        let mut client = connect(port_of(server, 0), name, &config);
        client.conn.complete_io(&mut client.sock)?;
        let chain = client.conn.peer_certificates().unwrap();
        Ok::<_, std::io::Error>(chain[0].to_vec())
    };
    let [one, two, exact] =
        ["one.test", "two.test", "exact.two.test"].map(|it| certificate(&server, it).unwrap());
    assert_eq!(certificate(&server, "A.two.test").unwrap(), two);
    assert_eq!(certificate(&server, "ONE.test").unwrap(), one);
    assert!(exact != two && one != two);
    // `*` is one label. The client refuses the certificate that it gets then.
    for name in ["a.b.two.test", "three.test"] {
        assert!(
            certificate(&server, name)
                .unwrap_err()
                .to_string()
                .contains("not valid for name")
        );
        let fault = fault_of(port_of(&strict, 0), name, authority.client(&[]));
        assert_eq!(
            fault,
            Error::AlertReceived(AlertDescription::UnrecognisedName)
        );
    }
    certificate(&strict, "b.two.test").unwrap();
    stop(server);
    stop(strict);
}

/// The status of a request for this authority, over a connection to a name.
fn status(server: &Server, client: &Authority, name: &str, authority: &str) -> String {
    let mut client = connect(port_of(server, 0), name, &Arc::new(client.client(&[])));
    write!(
        client,
        "GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut all = String::new();
    client.read_to_string(&mut all).unwrap();
    all[9..12].to_owned()
}

#[test]
fn a_request_for_another_name_is_misdirected() {
    let authority = Authority::new("one");
    let names = ["one.test", "*.one.test", "127.0.0.1"];
    let options = ServerOptions::new(authority.certificates(&names));
    let server = telling(options.clone());
    for (name, host, expected) in [
        ("one.test", "one.test", "200"),
        ("one.test", "ONE.test.:444", "200"),
        ("one.test", "a.one.test", "200"), // a connection that a client shares
        ("one.test", "127.0.0.1:444", "200"),
        ("one.test", "a.b.one.test", "421"),
        ("one.test", "two.test", "421"),
        ("one.test", "10.0.0.1", "421"),
        ("127.0.0.1", "10.0.0.1", "200"), // no name was asked for, and none could be
        ("127.0.0.1", "two.test", "421"),
    ] {
        assert_eq!(
            status(&server, &authority, name, host),
            expected,
            "{name} {host}"
        );
    }
    stop(server);
    let server = telling(options.check_authority(false));
    assert_eq!(status(&server, &authority, "one.test", "two.test"), "200");
    stop(server);
}

/// What comes on a socket without TLS for these bytes.
fn in_the_clear(server: &Server, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(("127.0.0.1", port_of(server, at))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut all = Vec::new();
    socket.read_to_end(&mut all).unwrap();
    all
}

#[test]
fn who_takes_one_port_for_the_other_is_told() {
    let authority = Authority::new("one");
    let options = ServerOptions::new(authority.certificates(&["localhost"]));
    let server = app()
        .listen("127.0.0.1:0")
        .unwrap()
        .listen_tls("127.0.0.1:0", options.clone())
        .unwrap()
        .listen_tls("127.0.0.1:0", options.plain_http(PlainHttp::Redirect))
        .unwrap()
        .spawn()
        .unwrap();
    let refused = in_the_clear(&server, 1, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(refused.starts_with(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain"));
    let redirected = in_the_clear(&server, 2, b"GET /x HTTP/1.1\r\nHost: a:8443\r\n\r\n");
    assert!(
        redirected
            .starts_with(b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a:8443/x\r\n")
    );
    // No TLS at all, and none that is known.
    let alert = |description: u8| [21, 3, 3, 0, 2, 2, description];
    assert_eq!(in_the_clear(&server, 1, b"garbage"), alert(10)); // unexpected_message
    assert_eq!(in_the_clear(&server, 1, b"\x16\x03\x01\x50\x00"), alert(22)); // record_overflow
    // TLS where none is spoken.
    let fault = fault_of(port_of(&server, 0), "localhost", authority.client(&[]));
    assert_eq!(
        fault,
        Error::AlertReceived(AlertDescription::HandshakeFailure)
    );
    stop(server);
}
