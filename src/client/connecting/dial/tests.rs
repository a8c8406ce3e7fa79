use super::*;
use crate::client::RequestSender as _;
use crate::http::{Content, Field, Fields, Method, RequestHead, Target as HttpTarget, Version};
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
                Event::Response {
                    content: Content::Whole([b'h', b'i']),
                    ..
                } => "response",
                _ => "other",
            };
            told.push((stream, kind));
        });
        assert_eq!(waited, Waited::Moved);
        let stream = u32::try_from(nth).unwrap();
        assert_eq!(told, [(stream, "response")]);
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
        // Kept open: closed with bytes unread, it would reset what the client has not read yet.
        reader
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
    drop(taking.join().unwrap());
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
