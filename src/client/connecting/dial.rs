//! Dialling for the thread that waits: from a route to a connection that speaks.
//!
//! ```text
//!  Route ──resolve──► addresses ──connect──► Socket ──handshakes──► Driven
//! ```
//!
//! Each phase has its own time, and the whole has one; a canceller ends each of them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs as _;

use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::cancel::Target;
use super::driven::{Driven, Waited};
use super::route::{Place, Route};
use super::socket::Socket;
use super::{Canceller, Connection, DialError, Phase, clock};
use crate::link::{EndReason, Event, Limits, Unreachable};
use crate::net::{Speaks, is_loop_thread};
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
    /// When all of it has to be over.
    pub(in crate::client) until: Instant,
}

impl DialOptions {
    /// 10 s for each phase, and no further bound.
    pub(in crate::client) const DEFAULT: Self = Self {
        resolve_time: Duration::from_secs(10),
        connect_time: Duration::from_secs(10),
        handshake_time: Duration::from_secs(10),
        until: Instant::NEVER,
    };

    /// When a phase that begins now has to be over.
    fn until(&self, time: Duration) -> Instant {
        (clock::now() + time).min(self.until)
    }
}

/// Connects. [`watch`](Driven::watch) is set to `cancel` in what is returned.
pub(in crate::client) fn dial(
    route: &Route,
    options: &DialOptions,
    limits: Limits,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    if is_loop_thread() {
        return Err(DialError::on_loop());
    }
    if cancel.is_cancelled() {
        return Err(DialError::cancelled(Phase::Resolve));
    }
    let socket = match &route.place {
        Place::Host { host, port } => {
            let addresses = resolve(host, *port)?;
            let until = options.until(options.connect_time);
            connect(&addresses, until, cancel)?
        }
        #[cfg(unix)]
        Place::Unix(path) => {
            let stream = UnixStream::connect(path);
            let stream = stream.map_err(|error| DialError::failed(Phase::Connect, error))?;
            Socket::new(stream).map_err(|error| DialError::failed(Phase::Connect, error))?
        }
        #[cfg(not(unix))]
        Place::Unix(_) => {
            let error = io::Error::from(ErrorKind::Unsupported);
            return Err(DialError::failed(Phase::Connect, error));
        }
    };
    open(route, options, limits, socket, cancel)
}

/// The addresses of a host.
fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Vec::from([SocketAddr::new(address, port)]));
    }
    let found = (host, port).to_socket_addrs();
    let found: Vec<SocketAddr> = match found {
        Ok(found) => found.collect(),
        Err(error) => return Err(DialError::failed(Phase::Resolve, error)),
    };
    match found.is_empty() {
        true => Err(DialError::failed(
            Phase::Resolve,
            io::Error::new(ErrorKind::NotFound, "it has no address"),
        )),
        false => Ok(found),
    }
}

const WAKER: Token = Token(0);
const SOCKET: Token = Token(1);

/// Connects to the first of the addresses that answers.
fn connect(
    addresses: &[SocketAddr],
    until: Instant,
    cancel: &Canceller,
) -> Result<Socket, DialError> {
    let failed = |error| DialError::failed(Phase::Connect, error);
    let mut poll = Poll::new().map_err(failed)?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
    // A wake that the system refuses is made up for by the deadline.
    let _watch = cancel.watch(Target::Wake(Arc::new(move || drop(waker.wake()))));
    let mut last = io::Error::from(ErrorKind::TimedOut);
    for &address in addresses {
        match attempt(address, &mut poll, until, cancel) {
            Ok(Some(stream)) => return Socket::new(stream).map_err(failed),
            Ok(None) if cancel.is_cancelled() => {
                return Err(DialError::cancelled(Phase::Connect));
            }
            Ok(None) => return Err(DialError::timed_out(Phase::Connect)),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// Connects to one address; `None` if the time is over, or it was cancelled.
fn attempt(
    address: SocketAddr,
    poll: &mut Poll,
    until: Instant,
    cancel: &Canceller,
) -> io::Result<Option<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut stream, SOCKET, interest)?;
    let mut events = Events::with_capacity(4);
    loop {
        let left = until.saturating_since(clock::now());
        if left.is_zero() || cancel.is_cancelled() {
            return Ok(None);
        }
        match poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        if !events.iter().any(|it| it.token() == SOCKET) {
            continue;
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::NotConnected => {}
            Err(error) => return Err(error),
        }
    }
    poll.registry().deregister(&mut stream)?;
    stream.set_nodelay(true)?;
    Ok(Some(stream))
}

/// Speaks first what is to be agreed on.
fn open(
    route: &Route,
    options: &DialOptions,
    limits: Limits,
    socket: Socket,
    cancel: &Canceller,
) -> Result<Driven, DialError> {
    let until = options.until(options.handshake_time);
    let connection = begin(route, until, limits)?;
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
            Waited::TimedOut => return Err(DialError::timed_out(Phase::Tls)),
            Waited::Cancelled => return Err(DialError::cancelled(Phase::Tls)),
            Waited::Over => return Err(explain(&mut driven, gone)),
        }
    }
    Ok(driven)
}

/// The connection that is to speak.
#[cfg_attr(
    not(feature = "tls"),
    allow(unused_variables, clippy::unnecessary_wraps)
)]
fn begin(route: &Route, until: Instant, limits: Limits) -> Result<Connection, DialError> {
    let now = clock::now();
    #[cfg(feature = "tls")]
    if let Some(secure) = &route.secure {
        let session = secure.client.session(&secure.name, secure.protocols);
        let session = session.map_err(|error| DialError::failed(Phase::Tls, error))?;
        let speaks = route.speaks;
        return Ok(Connection::over_until(session, speaks, until, limits, now));
    }
    Ok(match route.speaks {
        Speaks::Http2 => Connection::http2(limits, now),
        _ => Connection::http1(limits, now),
    })
}

/// Why a handshake has failed.
fn explain(driven: &mut Driven, gone: Option<EndReason>) -> DialError {
    #[cfg(feature = "tls")]
    {
        use crate::tls::ConnectionError;
        let details = driven.connection().transport_details();
        if let Some(error) = details.and_then(|it| it.downcast::<ConnectionError>().ok()) {
            return DialError::failed(Phase::Tls, (*error).clone());
        }
    }
    match gone {
        Some(EndReason::Unreachable(Unreachable::HandshakeTimedOut)) => {
            DialError::timed_out(Phase::Tls)
        }
        _ => {
            let text = "the server closed the connection during the TLS handshake";
            let error = io::Error::new(ErrorKind::UnexpectedEof, text);
            DialError::failed(Phase::Tls, error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Transport as _;
    use crate::http::{Field, Fields, Method, RequestHead, Target as HttpTarget, Version};
    use crate::link::Body;
    use alloc::string::ToString as _;
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
        }
    }

    fn dialled(listener: &TcpListener) -> (Driven, std::net::TcpStream) {
        let route = route(listener.local_addr().unwrap());
        let cancel = Canceller::new();
        let driven = dial(&route, &DialOptions::DEFAULT, Limits::DEFAULT, &cancel);
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
    fn what_cannot_be_reached_says_why() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = route(listener.local_addr().unwrap());
        drop(listener);
        let cancel = Canceller::new();
        let error = dial(&gone, &DialOptions::DEFAULT, Limits::DEFAULT, &cancel).unwrap_err();
        assert_eq!((error.phase(), error.is_timeout()), (Phase::Connect, false));
        assert!(error.to_string().contains("refused"), "{error}");
        cancel.cancel();
        let error = dial(&gone, &DialOptions::DEFAULT, Limits::DEFAULT, &cancel).unwrap_err();
        assert!(error.is_cancelled());
    }
}
