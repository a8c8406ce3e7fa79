use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use super::super::{
    Canceller, DialError, DialOptions, Driven, Names, Phase, Place, Proxy, ProxyError,
    RequestSender as _, Route, Waited, clock, dial,
};
use crate::http::{Content, Field, Fields, Method, RequestHead, Target, Version};
use crate::link::{EndReason, Event, Limits};
use crate::net::Speaks;
use crate::wire::Instant;

fn options() -> DialOptions {
    let known = |_: &str, port: u16| Ok(alloc::vec![SocketAddr::from(([127, 0, 0, 1], port))]);
    DialOptions::new(Arc::new(Names::new(Some(Arc::new(known)), Duration::ZERO)))
}

fn route(port: u16) -> Route {
    Route {
        place: Place::Host {
            host: "server.example".into(),
            port,
        },
        secure: None,
        speaks: Speaks::Http1,
        proxy: None,
        tunnel: false,
    }
}

fn dialled(route: &Route) -> Result<Driven, DialError> {
    dial(route, &options(), Limits::DEFAULT, &Canceller::new())
}

/// A server of one connection at a time, on its port.
fn serve(mut act: impl FnMut(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            act(stream);
        }
    });
    port
}

fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn take<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Hands everything on, both ways, until both have ended.
fn splice(one: TcpStream, other: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    let (from, to) = (one.try_clone().unwrap(), other.try_clone().unwrap());
    let there = thread::spawn(move || copy(from, to));
    copy(other, one);
    there.join().unwrap();
}

/// A proxy that opens tunnels, and what it was asked last.
fn tunnels() -> (u16, std::sync::mpsc::Receiver<String>) {
    let (tell, asked) = std::sync::mpsc::channel();
    let port = serve(move |mut client| {
        let head = head(&mut client);
        let server = head.split_once(' ').unwrap().1.split_once(' ').unwrap().0;
        let port: u16 = server.rsplit_once(':').unwrap().1.parse().unwrap();
        let _ = tell.send(head.clone()); // the test may not want to know
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        splice(client, server);
    });
    (port, asked)
}

fn through(proxy: &str, port: u16) -> Proxy {
    Proxy::parse(&alloc::format!("{proxy}:{port}")).unwrap()
}

fn request<'a>(fields: &'a [Field<'a>], version: Version) -> RequestHead<'a> {
    RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).unwrap(),
        version,
        protocol: None,
        fields: Fields::new(fields),
    }
}

/// Asks, and returns the body and how the connection has ended, if it has.
fn ask(driven: &mut Driven) -> (Vec<u8>, Option<EndReason>) {
    let fields = [Field::new("host", "server.example")];
    let mut head = request(&fields, Version::Http11);
    let until = clock::now() + Duration::from_secs(60);
    if driven.connection().is_multiplexed() {
        head.version = Version::Http2;
        head.target = Target::parse(b"https://server.example/", Method::GET).unwrap();
        head.fields = Fields::EMPTY;
    }
    let (mut body, mut gone, mut is_over) = (Vec::new(), None, false);
    while driven.connection().wire().allowance() == 0 {
        assert_eq!(driven.drive(until, &mut |_, _, _| {}), Waited::Moved);
    }
    driven.connection().wire().request(&head, None).unwrap();
    while !is_over {
        let waited = driven.drive(until, &mut |_, _, event| match event {
            Event::Response {
                content: Content::Whole(bytes),
                ..
            } => {
                body.extend_from_slice(bytes);
                is_over = true;
            }
            Event::Body(bytes) => body.extend_from_slice(bytes),
            Event::End { .. } => is_over = true,
            Event::Ended(why) => gone = Some(why),
            _ => {}
        });
        is_over |= waited != Waited::Moved;
    }
    (body, gone)
}

/// Answers with what only the end of the connection ends.
fn endless_server() -> u16 {
    serve(|mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhi").unwrap();
    })
}

#[test]
fn a_tunnel_ends_as_the_server_ends() {
    let (proxy, asked) = tunnels();
    let mut route = route(endless_server());
    route.tunnel = true;
    route.proxy = Some(through("http://me:secret@127.0.0.1", proxy));
    let mut driven = dialled(&route).unwrap();
    let asked = asked.recv().unwrap();
    assert!(asked.starts_with("CONNECT server.example:"), "{asked}");
    assert!(asked.contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
    let (body, gone) = ask(&mut driven);
    assert_eq!(body, b"hi");
    assert!(
        !matches!(gone, Some(EndReason::Reset | EndReason::Transport)),
        "{gone:?}"
    );
}

#[test]
fn a_plain_request_is_forwarded_without_a_tunnel() {
    let proxy = serve(|mut stream| {
        let head = head(&mut stream);
        assert!(head.starts_with("GET / HTTP/1.1\r\n"));
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
    });
    let mut route = route(80);
    route.proxy = Some(through("http://127.0.0.1", proxy));
    assert!(route.is_forwarded());
    let mut driven = dialled(&route).unwrap();
    assert_eq!(ask(&mut driven).0, b"");
}

#[test]
fn socks_proxies_are_told_names_or_addresses() {
    for (scheme, kind) in [
        ("socks5://u:p@127.0.0.1", 1),
        ("socks5h://u:p@127.0.0.1", 3),
    ] {
        let server = endless_server();
        let proxy = serve(move |mut client| {
            assert_eq!(take(&mut client), [5, 2, 0, 2]);
            client.write_all(&[5, 2]).unwrap();
            assert_eq!(take(&mut client), *b"\x01\x01u\x01p");
            client.write_all(&[1, 0]).unwrap();
            assert_eq!(take(&mut client), [5, 1, 0, kind]);
            match kind {
                1 => assert_eq!(take(&mut client), [127, 0, 0, 1]),
                _ => assert_eq!(take(&mut client), *b"\x0eserver.example"),
            }
            assert_eq!(take(&mut client), server.to_be_bytes());
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            splice(client, TcpStream::connect(("127.0.0.1", server)).unwrap());
        });
        let mut route = route(server);
        route.proxy = Some(through(scheme, proxy));
        assert!(!route.is_forwarded());
        assert_eq!(ask(&mut dialled(&route).unwrap()).0, b"hi");
    }
}

#[test]
fn a_proxy_that_fails_is_told_from_the_server() {
    use core::error::Error as _;
    let answers: [(&[u8], ProxyError); 2] = [
        (
            b"HTTP/1.1 403 Forbidden\r\n\r\n",
            ProxyError::Refused(crate::http::Status::FORBIDDEN),
        ),
        (b"", ProxyError::Closed),
    ];
    for (answer, expected) in answers {
        let proxy = serve(move |mut stream| {
            head(&mut stream);
            stream.write_all(answer).unwrap();
        });
        let mut route = route(80);
        (route.proxy, route.tunnel) = (Some(through("http://127.0.0.1", proxy)), true);
        let error = dialled(&route).unwrap_err();
        assert_eq!(error.phase(), Phase::Proxy);
        let cause = error
            .source()
            .and_then(|it| it.downcast_ref::<ProxyError>());
        assert_eq!(cause, Some(&expected));
    }
}

#[test]
fn a_proxy_that_is_silent_has_its_time_and_can_be_left() {
    let proxy = serve(core::mem::forget);
    let mut route = route(80);
    (route.proxy, route.tunnel) = (Some(through("http://127.0.0.1", proxy)), true);
    let hasty = DialOptions {
        handshake_time: Duration::from_millis(20),
        ..options()
    };
    let error = dial(&route, &hasty, Limits::DEFAULT, &Canceller::new()).unwrap_err();
    assert!(
        error.is_timeout() && error.phase() == Phase::Proxy,
        "{error}"
    );
    let cancel = Canceller::new();
    let other = cancel.clone();
    let waiting = thread::spawn(move || dial(&route, &options(), Limits::DEFAULT, &other));
    thread::sleep(Duration::from_millis(20)); // most likely it waits now
    cancel.cancel();
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_cancelled(), "{error}");
}

#[test]
fn the_whole_dial_has_its_time() {
    let late = DialOptions {
        until: Instant::START,
        ..options()
    };
    let error = dial(&route(80), &late, Limits::DEFAULT, &Canceller::new()).unwrap_err();
    assert!(error.is_timeout());
}

#[cfg(feature = "tls")]
#[cfg(test)]
mod over_tls {
    use super::*;
    use crate::app::App;
    use crate::client::connecting::Secure;
    use crate::tls::{Certificates, Client, ClientOptions, ConnectionError, Roots};
    use alloc::string::ToString as _;
    use core::error::Error as _;

    /// A server that answers `hello`, and a client that trusts it.
    fn site() -> (crate::app::Server, u16, Client) {
        let made = rcgen::generate_simple_self_signed(["server.example".to_string()]).unwrap();
        let pem = made.cert.pem();
        let key = made.signing_key.serialize_pem();
        let own = Certificates::from_pem(pem.as_bytes(), key.as_bytes()).unwrap();
        let app = App::new().get("/", |_, reply| reply.text("hello"));
        let server = app.listen_tls("127.0.0.1:0", own).unwrap().spawn().unwrap();
        let port = server.tls_addresses()[0].to_string();
        let port = port.rsplit_once(':').unwrap().1.parse().unwrap();
        let options = ClientOptions::new().root_certs(Roots::from_pem(pem.as_bytes()).unwrap());
        (server, port, Client::new(options).unwrap())
    }

    fn secured(port: u16, client: &Client, protocols: &'static [&'static str]) -> Route {
        Route {
            secure: Some(Secure {
                client: client.clone(),
                name: "server.example".into(),
                protocols,
            }),
            ..route(port)
        }
    }

    #[test]
    fn what_is_spoken_is_agreed_on_straight_or_through_a_tunnel() {
        let (_server, port, client) = site();
        for protocols in [&["h2", "http/1.1"][..], &["http/1.1"]] {
            for is_proxied in [false, true] {
                let mut route = secured(port, &client, protocols);
                if is_proxied {
                    route.proxy = Some(through("http://127.0.0.1", tunnels().0));
                }
                let mut driven = dialled(&route).unwrap();
                let is_http2 = driven.connection().is_multiplexed();
                assert_eq!(is_http2, protocols.len() == 2);
                for _ in 0..3 {
                    assert_eq!(ask(&mut driven).0, b"hello");
                    assert!(driven.probe());
                }
            }
        }
    }

    #[test]
    fn a_server_that_is_not_trusted_is_named() {
        let (_server, port, _) = site();
        let (_other, _, client) = site();
        let error = dialled(&secured(port, &client, &["h2"])).unwrap_err();
        assert_eq!(error.phase(), Phase::Tls);
        let cause = error
            .source()
            .and_then(|it| it.downcast_ref::<ConnectionError>());
        assert_eq!(cause.unwrap().server(), "server.example");
    }

    #[test]
    fn a_server_that_leaves_makes_a_connection_useless() {
        let (server, port, client) = site();
        let mut last = dialled(&secured(port, &client, &["h2"])).unwrap();
        assert_eq!(ask(&mut last).0, b"hello");
        server.handle().shutdown(None);
        while last.probe() {
            thread::yield_now();
        }
        drop(last);
        server.join().unwrap();
    }
}
