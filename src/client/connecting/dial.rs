//! Dialling for the thread that waits: from a route to a connection that speaks.
//!
//! ```text
//!  Route ──resolve──► addresses ──connect──► Socket ──handshakes──► Driven
//! ```
//!
//! Each phase has its own time, and the whole has one; a canceller ends each of them.

use alloc::borrow::Cow;
use alloc::string::ToString as _;
use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io::{self, ErrorKind};

use super::connect::connect;
use super::driven::{Driven, Waited};
use super::proxied::Asking;
use super::proxy::Kind;
use super::route::{Place, Route};
use super::socket::Socket;
use super::way::transport;
use super::{Canceller, Connection, DialError, Names, Phase, ProxyError, clock};
use crate::link::{EndReason, Event, Limits, Unreachable};
use crate::net::{Address, Attempts, Speaks, in_turns, is_loop_thread};
#[cfg(feature = "tls")]
use crate::tls::ConnectionError;
use crate::wire::Instant;

/// How a client connects.
#[derive(Debug, Clone)]
pub(in crate::client) struct DialOptions {
    /// The time for resolving a name.
    pub(in crate::client) resolve_time: Duration,
    /// The time for connecting, all addresses together.
    pub(in crate::client) connect_time: Duration,
    /// The time for the handshake of TLS, and with a proxy.
    pub(in crate::client) handshake_time: Duration,
    /// How long an attempt has before the next address is tried beside it.
    pub(in crate::client) attempt_delay: Duration,
    /// When all of it has to be over.
    pub(in crate::client) until: Instant,
    /// Who knows the addresses of names.
    pub(in crate::client) names: Arc<Names>,
}

impl DialOptions {
    /// 10 s for each phase, and no further bound.
    pub(in crate::client) const fn new(names: Arc<Names>) -> Self {
        Self {
            resolve_time: Duration::from_secs(10),
            connect_time: Duration::from_secs(10),
            handshake_time: Duration::from_secs(10),
            attempt_delay: Duration::from_millis(250), // RFC 8305 §8
            until: Instant::NEVER,
            names,
        }
    }

    /// When a phase that begins now has to be over.
    fn until(&self, time: Duration) -> Instant {
        (clock::now() + time).min(self.until)
    }
}

/// Connects. [`watch`](Driven::watch) is set to `cancel` in what is returned.
pub(in crate::client) fn dial(
    route: &Route,
    options: &DialOptions,
    limits: impl Into<Arc<Limits>>,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    if is_loop_thread() {
        return Err(DialError::on_loop());
    }
    if cancel.is_cancelled() {
        return Err(DialError::cancelled(Phase::Resolve));
    }
    let attempts = attempts(route, options, cancel)?;
    let until = options.until(options.connect_time);
    let socket = match connect(attempts, until, cancel) {
        Ok(socket) => socket,
        Err(error) => {
            if let Some((host, port)) = route.first_hop() {
                options.names.forget(host, port);
            }
            return Err(error);
        }
    };
    open(route, options, limits.into(), socket, cancel)
}

/// The attempts to connect to a route's first hop.
fn attempts(
    route: &Route,
    options: &DialOptions,
    cancel: &Canceller,
) -> Result<Attempts<Address>, DialError> {
    let delay = options.attempt_delay;
    let (host, port) = match (&route.place, route.first_hop()) {
        (Place::Unix(path), _) => {
            return Ok(Attempts::new([Address::Unix(path.clone())], delay));
        }
        (_, hop) => hop.unwrap_or_default(), // a host has one
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = Address::Tcp(SocketAddr::new(address, port));
        return Ok(Attempts::new([address], delay));
    }
    let until = options.until(options.resolve_time);
    let found = options.names.resolve(host, port, until, cancel)?;
    Ok(Attempts::new(in_turns(&found).map(Address::Tcp), delay))
}

/// Speaks first what is to be agreed on.
fn open(
    route: &Route,
    options: &DialOptions,
    limits: Arc<Limits>,
    socket: Socket,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    let server = server(route, options, cancel)?;
    let until = options.until(options.handshake_time);
    let connection = begin(route, &server, until, limits)?;
    let mut driven = Driven::new(connection, socket);
    driven.watch(cancel);
    let mut gone = None;
    while driven.connection().is_handshaking() {
        let waited = driven.drive(until, &mut |_, _, event| {
            if let Event::Ended(why) = event {
                gone = Some(why);
            }
        });
        match waited {
            Waited::Moved => {}
            Waited::TimedOut => return Err(DialError::timed_out(phase(&mut driven))),
            Waited::Cancelled => return Err(DialError::cancelled(phase(&mut driven))),
            Waited::Over => return Err(explain(&mut driven, gone)),
        }
    }
    Ok(driven)
}

/// The server as a proxy is told of it: by its address where the proxy resolves no names.
fn server<'r>(
    route: &'r Route,
    options: &DialOptions,
    cancel: &Canceller,
) -> Result<Cow<'r, str>, DialError> {
    let (Place::Host { host, port }, Some(proxy)) = (&route.place, &route.proxy) else {
        return Ok(Cow::Borrowed(""));
    };
    if proxy.kind() != Kind::Socks5 || host.parse::<IpAddr>().is_ok() {
        return Ok(Cow::Borrowed(host));
    }
    let until = options.until(options.resolve_time);
    let found = options.names.resolve(host, *port, until, cancel)?;
    let first = found.first().map(|it| it.ip().to_string());
    Ok(Cow::Owned(first.unwrap_or_default())) // there is at least one
}

/// The connection that is to speak, on its way to this server.
fn begin(
    route: &Route,
    server: &str,
    until: Instant,
    limits: Arc<Limits>,
) -> Result<Connection, DialError> {
    let now = clock::now();
    let transport = transport(route, server)?;
    Ok(match (transport, route.speaks) {
        (Some(over), speaks) => Connection::over_until(over, speaks, until, limits, now),
        (None, Speaks::Http2) => Connection::http2(limits, now),
        (None, _) => Connection::http1(limits, now),
    })
}

/// With whom a handshake is.
fn phase(driven: &mut Driven) -> Phase {
    let details = driven.connection().transport_details();
    match details.is_some_and(|it| it.is::<Asking>()) {
        true => Phase::Proxy,
        false => Phase::Tls,
    }
}

/// Why a handshake has failed.
fn explain(driven: &mut Driven, gone: Option<EndReason>) -> DialError {
    let phase = phase(driven);
    if gone == Some(EndReason::Unreachable(Unreachable::HandshakeTimedOut)) {
        return DialError::timed_out(phase);
    }
    let details = driven.connection().transport_details();
    if let Some(error) = details
        .as_ref()
        .and_then(|it| it.downcast_ref::<ProxyError>())
    {
        return DialError::failed(Phase::Proxy, *error);
    }
    #[cfg(feature = "tls")]
    if let Some(error) = details
        .as_ref()
        .and_then(|it| it.downcast_ref::<ConnectionError>())
    {
        return DialError::failed(Phase::Tls, error.clone());
    }
    if phase == Phase::Proxy {
        return DialError::failed(phase, ProxyError::Closed);
    }
    let text = "the server closed the connection during the TLS handshake";
    DialError::failed(phase, io::Error::new(ErrorKind::UnexpectedEof, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Transport as _;
    use crate::http::{Field, Fields, Method, RequestHead, Target as HttpTarget, Version};
    use crate::link::Body;
    use alloc::vec::Vec;
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener};
    use std::thread;

    fn route(address: SocketAddr) -> Route {
        Route {
            place: Place::Host {
                host: address.ip().to_string(),
                port: address.port(),
            },
            secure: None,
            speaks: Speaks::Http1,
            proxy: None,
            tunnel: false,
        }
    }

    fn options() -> DialOptions {
        DialOptions::new(Arc::new(Names::new(None, Duration::ZERO)))
    }

    fn dialled(listener: &TcpListener) -> (Driven, std::net::TcpStream) {
        let route = route(listener.local_addr().unwrap());
        let cancel = Canceller::new();
        let driven = dial(&route, &options(), Limits::DEFAULT, &cancel);
        (driven.unwrap(), listener.accept().unwrap().0)
    }

    fn ask(driven: &mut Driven) {
        let host = [Field::new("host", "a")];
        let head = RequestHead {
            method: Method::GET,
            target: HttpTarget::parse(b"/", Method::GET).unwrap(),
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&host),
        };
        driven.connection().wire().request(&head, None).unwrap();
    }

    fn far() -> Instant {
        clock::now() + Duration::from_secs(60)
    }

    #[test]
    fn requests_are_answered_one_after_another() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut driven, mut server) = dialled(&listener);
        let serving = thread::spawn(move || {
            let mut head = [0; 100];
            while let Ok(1..) = server.read(&mut head) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                server.write_all(answer).unwrap();
            }
        });
        for nth in 1..4 {
            assert!(driven.probe());
            ask(&mut driven);
            let mut told = Vec::new();
            let waited = driven.drive(far(), &mut |_, stream, event| {
                let kind = match event {
                    Event::Response { .. } => "head",
                    Event::Body([b'h', b'i']) => "body",
                    Event::End { .. } => "end",
                    _ => "other",
                };
                told.push((stream, kind));
            });
            assert_eq!(waited, Waited::Moved);
            let stream = u32::try_from(nth).unwrap();
            assert_eq!(told, ["head", "body", "end"].map(|it| (stream, it)));
            assert_eq!(driven.handed_over(), nth * 27);
        }
        drop(driven);
        serving.join().unwrap();
    }

    #[test]
    fn a_wait_ends_at_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut driven, _server) = dialled(&listener);
        for millis in [0, 1, 50, 300] {
            let until = clock::now() + Duration::from_millis(millis);
            let waited = driven.drive(until, &mut |_, _, event| panic!("{event:?}"));
            assert_eq!(waited, Waited::TimedOut);
            assert!(clock::now() >= until);
        }
    }

    #[test]
    fn another_thread_ends_a_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut driven, _server) = dialled(&listener);
        let canceller = driven.canceller();
        let waiting = thread::spawn(move || driven.drive(Instant::NEVER, &mut |_, _, _| {}));
        thread::sleep(Duration::from_millis(20)); // most likely it waits now
        canceller.cancel();
        assert_eq!(waiting.join().unwrap(), Waited::Cancelled);
    }

    #[test]
    fn a_connection_given_back_is_cancelled_or_out_of_reach() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for _ in 0..50 {
            let (mut driven, _server) = dialled(&listener);
            let canceller = Canceller::new();
            driven.watch(&canceller);
            let cancelling = thread::spawn(move || canceller.cancel());
            let was_cancelled = driven.unwatch();
            cancelling.join().unwrap();
            assert!(was_cancelled || driven.probe());
        }
    }

    #[test]
    fn what_comes_at_rest_makes_a_connection_useless() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let deeds: [fn(&mut std::net::TcpStream); 3] = [
            |server| server.shutdown(Shutdown::Write).unwrap(),
            |server| server.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap(),
            |server| server.write_all(b"H").unwrap(),
        ];
        for (nth, deed) in deeds.into_iter().enumerate() {
            let (mut driven, mut server) = dialled(&listener);
            assert!(driven.probe());
            deed(&mut server);
            while driven.probe() {
                thread::yield_now();
            }
            drop((driven, nth));
        }
    }

    #[test]
    fn both_sides_may_send_more_than_the_kernel_takes() {
        const MUCH: usize = 20 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut driven, mut server) = dialled(&listener);
        let mut reader = server.try_clone().unwrap();
        let serving = thread::spawn(move || {
            let head = alloc::format!("HTTP/1.1 200 OK\r\ncontent-length: {MUCH}\r\n\r\n");
            server.write_all(head.as_bytes()).unwrap();
            server.write_all(&alloc::vec![b'b'; MUCH]).unwrap();
        });
        let taking = thread::spawn(move || {
            let (mut buffer, mut all) = (alloc::vec![0; 1 << 16], 0);
            while all < MUCH {
                all += reader.read(&mut buffer).unwrap();
            }
        });
        let fields = [Field::new("host", "a")];
        let head = RequestHead {
            method: Method::POST,
            target: HttpTarget::parse(b"/", Method::POST).unwrap(),
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&fields),
        };
        let body = alloc::vec![b'a'; MUCH];
        let wire = driven.connection().wire();
        wire.request(&head, Some(Body::Whole(&body))).unwrap();
        let mut got = 0;
        while got < MUCH || (driven.handed_over() as usize) < MUCH {
            let waited = driven.drive(far(), &mut |_, _, event| {
                if let Event::Body(bytes) = event {
                    got += bytes.len();
                }
            });
            assert_eq!(waited, Waited::Moved);
        }
        serving.join().unwrap();
        taking.join().unwrap();
    }

    #[test]
    fn a_connection_that_is_dropped_takes_leave() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut route = route(listener.local_addr().unwrap());
        route.speaks = Speaks::Http2;
        let driven = dial(&route, &options(), Limits::DEFAULT, &Canceller::new()).unwrap();
        let mut server = listener.accept().unwrap().0;
        drop(driven);
        let mut all = Vec::new();
        server.read_to_end(&mut all).unwrap();
        let goaway = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
        assert!(all.ends_with(goaway), "{all:?}");
    }

    #[test]
    fn what_cannot_be_reached_says_why() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = route(listener.local_addr().unwrap());
        drop(listener);
        let cancel = Canceller::new();
        let error = dial(&gone, &options(), Limits::DEFAULT, &cancel).unwrap_err();
        assert_eq!((error.phase(), error.is_timeout()), (Phase::Connect, false));
        assert!(error.to_string().contains("refused"), "{error}");
        cancel.cancel();
        let error = dial(&gone, &options(), Limits::DEFAULT, &cancel).unwrap_err();
        assert!(error.is_cancelled());
    }
}

/// Servers over TLS and not, straight and through proxies.
#[cfg(test)]
mod sockets {
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use core::net::SocketAddr;
    use core::time::Duration;
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;

    use super::super::{
        Canceller, DialError, DialOptions, Driven, Names, Phase, Place, Proxy, ProxyError, Route,
        Transport as _, Waited, clock, dial,
    };
    use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
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
}
