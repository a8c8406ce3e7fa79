//! Lines of the access log say what has left, not what was meant to.
#![cfg(feature = "net")]

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use crate::app_support::{Running, read_until, wait_until};
use crate::http2_support::{self, PING, RST_STREAM, Seen, ended, frame, get, number, opening};
use crate::peer::Peer;
use barewire::app::{
    AccessLog, App, Bytes, Call, EventStream, Events, Flow, Message, Middleware, Record, ReplyEnd,
    Service, Socket, Stream, Streaming, WebSocket,
};
use barewire::http2::BodyLength;
use barewire::sse::Event;

const MIB: usize = 1 << 20;

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn log(&self) -> AccessLog {
        let lines = self.0.clone();
        AccessLog::to(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    /// Status and bytes of the one line of `request`, once there is one.
    fn of(&self, request: &str) -> (u16, usize) {
        let request = format!(" \"{request}\" ");
        let mut found = None;
        wait_until(&request, || {
            let lines = self.0.lock().unwrap();
            let mut own = lines.iter().filter_map(|line| line.split_once(&request));
            found = own.next().map(|(_, end)| end.to_owned());
            assert!(own.next().is_none(), "{request} twice: {lines:?}");
            found.is_some()
        });
        let found = found.unwrap();
        let mut parts = found.trim_end().split(' ');
        let mut next = || parts.next().unwrap();
        let (status, bytes, time) = (next(), next(), next());
        assert!(time.ends_with("ms"), "{found}");
        (status.parse().unwrap(), bytes.parse().unwrap())
    }
}

/// Writes so many bytes, some at a time.
struct Writes(usize);

impl Streaming for Writes {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.0 > 0 {
            let piece = self.0.min(10_000);
            self.0 -= piece;
            if stream.write(&vec![b'x'; piece]) != Flow::Go {
                return;
            }
        }
        stream.finish();
    }
}

/// Says three things and ends.
struct Three;

impl Events for Three {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        for _ in 0..3 {
            stream.send(&Event::new("x"));
        }
        stream.finish();
    }
}

/// Says it back twice.
struct Twice;

impl WebSocket for Twice {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
        socket.publish("all", message);
    }

    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("all").unwrap();
    }
}

fn app(lines: &Lines) -> App {
    let service = Service::new("a.Service")
        .unary("Echo", |request: Vec<u8>, _call: &mut Call<'_>| Ok(request))
        .server_streaming("Five", |_request: Vec<u8>, _call: &mut Call<'_>| {
            Ok((0..5).map(|_| Ok(b"abc".to_vec())))
        });
    App::new()
        .with(lines.log())
        .get("/", |_request, reply| {
            reply.bytes("text/plain", vec![b'x'; MIB].into())
        })
        .get("/hello", |_request, reply| reply.text("hello"))
        .get("/chunks/{n}", |request, reply| {
            reply.stream(Writes(request.param("n").parse().unwrap()))
        })
        .get("/large", |_request, reply| {
            reply.bytes("text/plain", Bytes::from(vec![b'x'; 64 * MIB]))
        })
        .get("/announced", |_request, reply| {
            reply.length(64 << 20).stream(Writes(64 * MIB))
        })
        .get("/panics", |request, reply| {
            assert!(request.query().is_some(), "as asked");
            reply.text("")
        })
        .events("/events", |_request| Ok(Three))
        .websocket("/ws", |_request| Ok(Twice))
        .grpc(service)
}

#[test]
fn what_has_left_in_whole_is_counted_to_its_end() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    running.get("/hello");
    running.get("/chunks/123456");
    running.get("/none");
    running.get("/events");
    running.get("/panics");
    running.exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    running.exchange("HEAD /chunks/77 HTTP/1.1\r\nHost: a\r\n\r\n");
    running.exchange("nonsense\r\n\r\n");
    assert_eq!(lines.of("GET /hello"), (200, 5));
    assert_eq!(lines.of("GET /chunks/123456"), (200, 123_456));
    assert_eq!(lines.of("GET /none"), (404, 21));
    let event = "data: x\n\n".len();
    assert_eq!(lines.of("GET /events"), (200, 3 * event));
    let body = r#"{"error":"Internal Server Error"}"#;
    assert_eq!(lines.of("GET /panics"), (500, body.len()));
    assert_eq!(lines.of("HEAD /hello"), (200, 0));
    assert_eq!(lines.of("HEAD /chunks/77"), (200, 0));
    assert_eq!(lines.of("-"), (400, 0));
}

#[test]
fn pipelined_replies_have_their_lines_in_order() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    running.exchange(&[ask("/hello"), ask("/chunks/9"), ask("/none")].concat());
    assert_eq!(lines.of("GET /none"), (404, 21));
    let seen = lines.0.lock().unwrap();
    let paths = seen.iter().map(|line| line.split('"').nth(1).unwrap());
    let paths: Vec<_> = paths.collect();
    assert_eq!(paths, ["GET /hello", "GET /chunks/9", "GET /none"]);
}

#[test]
fn a_body_that_is_cut_has_the_bytes_that_left() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    // One is in our memory to its end, the others are written as they leave.
    for path in ["/large", "/announced", "/chunks/67108864"] {
        let mut client = running.connect();
        write!(client, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        read_until(&mut client, "\r\n\r\n");
        client.read_exact(&mut vec![0; 2 * MIB]).unwrap();
        drop(client); // with bytes unread: a reset
        let (status, bytes) = lines.of(&format!("GET {path}"));
        assert_eq!(status, 200);
        // A little is framing, where the body is in chunks.
        assert!((MIB..64 * MIB).contains(&bytes), "{path}: {bytes}");
    }
}

/// The system sends such a body from the file, without our seeing its bytes.
#[cfg(all(unix, feature = "files"))]
#[test]
fn a_file_that_is_cut_has_the_bytes_that_left() {
    let lines = Lines::default();
    let place = std::env::temp_dir().join(format!("barewire-cut-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    let file = std::fs::File::create(place.join("large.bin")).unwrap();
    file.set_len(64 << 20).unwrap();
    let app = App::new().with(lines.log()).files("/s", &*place);
    let running = Running::start(app);
    let mut client = running.connect();
    client
        .write_all(b"GET /s/large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut client, "\r\n\r\n");
    client.read_exact(&mut vec![0; 2 * MIB]).unwrap();
    drop(client); // with bytes unread: a reset
    let (status, bytes) = lines.of("GET /s/large.bin");
    assert_eq!(status, 200);
    assert!((2 * MIB..64 * MIB).contains(&bytes), "{bytes}");
    // The same over HTTP/2, where it is read and framed.
    let mut peer = Peer::connect(&running);
    let id = peer.get("/s/large.bin");
    peer.until(|seen| http2_support::content(seen, id).len() >= 1 << 16);
    drop(peer);
    wait_until("the line of HTTP/2", || lines.0.lock().unwrap().len() == 2);
    let all = lines.0.lock().unwrap();
    let bytes = all[1].split("\" 200 ").nth(1).unwrap();
    let bytes: usize = bytes.split(' ').next().unwrap().parse().unwrap();
    assert!((1 << 16..64 * MIB).contains(&bytes), "{bytes}");
    drop(all);
    std::fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_socket_has_its_line_when_it_is_over() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    let mut client = running.connect();
    let ask = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    client.write_all(ask.as_bytes()).unwrap();
    read_until(&mut client, "\r\n\r\n");
    client.write_all(b"\x81\x83\0\0\0\0abc").unwrap();
    client.read_exact(&mut [0; 10]).unwrap();
    assert!(lines.0.lock().unwrap().is_empty());
    client.write_all(b"\x88\x80\0\0\0\0").unwrap();
    // Sent, and published to a room that it is in itself.
    assert_eq!(lines.of("GET /ws"), (101, 6));
}

#[test]
fn streams_of_http2_have_their_own_bytes() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    let mut peer = Peer::connect(&running);
    for path in ["/hello", "/chunks/123456", "/events", "/"] {
        let (status, content) = peer.fetch("GET", path, b"");
        assert_eq!(lines.of(&format!("GET {path}")), (status, content.len()));
    }
    let fields = [("content-type", "application/grpc"), ("te", "trailers")];
    for (method, messages) in [("Echo", 1), ("Five", 5)] {
        let (path, length) = (format!("/a.Service/{method}"), Some(BodyLength::Unknown));
        let id = peer.side.ask("POST", &path, None, &fields, length);
        peer.send(id, b"\0\0\0\0\x03abc", true);
        peer.until(|seen| ended(seen, id));
        assert_eq!(lines.of(&format!("POST {path}")), (200, 8 * messages));
    }
    assert!(peer.seen.contains(&Seen::Settings));
}

#[test]
fn a_stream_that_is_reset_has_the_bytes_that_its_window_took() {
    let lines = Lines::default();
    let running = Running::start(app(&lines));
    for reset in [true, false] {
        let mut client = running.connect();
        client.write_all(&opening()).unwrap();
        client.write_all(&get(1)).unwrap();
        // The window of a stream, and of its connection, as it is at first.
        let mut content = 0;
        while content < 65_535 {
            let mut head = [0; 9];
            client.read_exact(&mut head).unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            client.read_exact(&mut vec![0; length]).unwrap();
            content += if head[3] == 0 { length } else { 0 };
        }
        assert!(lines.0.lock().unwrap().is_empty());
        if reset {
            client.write_all(&number(RST_STREAM, 1, 8)).unwrap();
        } else {
            // Its answer finds nobody.
            client.write_all(&frame(PING, 0, 0, &[0; 8])).unwrap();
            drop(client);
        }
        assert_eq!(lines.of("GET /"), (200, 65_535));
        lines.0.lock().unwrap().clear();
    }
}

/// Who asked, and what became of it.
struct Ends(Arc<Mutex<Vec<(u32, u16, u64)>>>);

impl Middleware for Ends {
    fn before(
        &self,
        request: &mut barewire::app::Incoming<'_, '_>,
        _reply: barewire::app::Reply<'_, '_>,
    ) -> barewire::app::Next {
        request.insert(7_u32);
        barewire::app::Next::Continue
    }

    fn watches_ends(&self) -> bool {
        true
    }

    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        let user = record.extensions().get().copied().unwrap_or(0);
        let all = (user, end.status().code(), end.bytes());
        self.0.lock().unwrap().push(all);
    }
}

#[test]
fn what_middleware_has_put_to_a_request_is_there_at_its_end() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let running = Running::start(app(&Lines::default()).with(Ends(ends.clone())));
    running.get("/hello");
    running.get("/chunks/12");
    wait_until("both", || ends.lock().unwrap().len() == 2);
    assert_eq!(*ends.lock().unwrap(), [(7, 200, 5), (7, 200, 12)]);
}
