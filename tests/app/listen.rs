//! Where an app listens, and how it says what keeps it from starting.

#![cfg(feature = "net")]

use std::io::Write;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use crate::app_support::{PATIENCE, read_until};
use barewire::app::App;
use barewire::net::{Address, Error};

fn app() -> App {
    App::new().get("/", |_request, reply| reply.text("hello"))
}

/// What a `main` that returns the error prints.
fn fault(app: App) -> String {
    let error = app.listen("127.0.0.1:0").unwrap().spawn().unwrap_err();
    format!("{error:?}")
}

fn sockets(addresses: &[Address]) -> Vec<SocketAddr> {
    let all = addresses.iter().map(|address| match address {
        Address::Tcp(address) => *address,
        Address::Unix(_) => panic!("{address}"),
    });
    all.collect()
}

#[test]
fn localhost_is_every_address_it_has_on_one_port() {
    for threads in [1, 3] {
        let server = app().threads(threads).listen("localhost:0").unwrap();
        let server = server.spawn().unwrap();
        let addresses = sockets(server.local_addresses());
        let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        assert_eq!(addresses.len(), 1 + usize::from(has_ipv6));
        for address in &addresses {
            assert!(address.ip().is_loopback());
            assert_eq!(address.port(), addresses[0].port());
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            read_until(&mut stream, "hello");
        }
        // Nothing is left to listen on, and each address says so.
        let again = format!("localhost:{}", addresses[0].port());
        if has_ipv6 {
            let error = app().listen(&again).unwrap().spawn().unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Listen { .. }));
            assert!(text.starts_with(&format!("cannot listen on {again}: [::1]:")));
            assert!(text.contains("; 127.0.0.1:"), "{text}");
        }
        server.handle().shutdown(PATIENCE);
        assert_eq!(server.join().unwrap(), 0);
    }
}

#[test]
fn what_is_no_address_is_quoted() {
    let error = app().listen("nonsense").unwrap_err();
    let expected = "not an address: \"nonsense\" (expected IP:port, name:port or unix:path)";
    assert_eq!(format!("{error:?}"), expected);
    let error = app().listen("name.invalid:80").unwrap_err();
    assert!(format!("{error:?}").starts_with("cannot resolve \"name.invalid\": "));
}

#[test]
fn a_faulty_route_is_quoted() {
    let at = |pattern: &str| fault(app().get(pattern, |_request, reply| reply.empty()));
    assert_eq!(
        at("/a/:id"),
        r#"route "GET /a/:id": a parameter is written {name}, and all that follows {*name}"#
    );
    assert_eq!(at("a"), r#"route "GET a": a pattern begins with a slash"#);
    assert_eq!(at("/"), r#"route "GET /": "/" serves the same requests"#);
    let twice = app()
        .any("/b/{x}", |_request, reply| reply.empty())
        .any("/b/{y}", |_request, reply| reply.empty());
    assert_eq!(
        fault(twice),
        r#"route "* /b/{y}": "/b/{x}" serves the same requests"#
    );
}

#[test]
#[cfg(all(unix, feature = "files"))]
fn a_directory_that_is_not_there_is_quoted() {
    let error = fault(app().files("/s", "/nowhere/at/all"));
    assert!(
        error.starts_with("cannot serve the files of \"/nowhere/at/all\": "),
        "{error}"
    );
}
