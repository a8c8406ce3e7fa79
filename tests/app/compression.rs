//! Content codings of replies and events, over real sockets.
#![cfg(all(feature = "gzip", feature = "brotli", feature = "zstd"))]

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::app_support::{Answer, Running, read_until, unchunked, wait_until};
use crate::codings::{available, complete, decode};
use crate::http2_support::{Seen, content, ended, fields};
use crate::peer::Peer;
use barewire::app::{
    App, Broadcaster, Coding, Compression, Direction, EventStream, Events, EventsRoute, Flow, Kind,
    Response, Route, Scoped, Stream, StreamHandle, Streaming,
};
use barewire::http::Status;
use barewire::sse::Event;

/// JSON of about 20 bytes for each item.
fn json(items: usize) -> String {
    let items = (0..items).map(|it| format!("{{\"id\":{it},\"name\":\"item {}\"}}", it * 7 % 100));
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// Writes a text in pieces.
struct Pieces(Vec<Vec<u8>>);

impl Streaming for Pieces {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while !self.0.is_empty() {
            if stream.write(&self.0.remove(0)) != Flow::Go {
                return;
            }
        }
        stream.finish();
    }
}

fn pieces(text: &str, size: usize) -> Pieces {
    Pieces(text.as_bytes().chunks(size).map(Vec::from).collect())
}

fn app(compression: Compression) -> App {
    App::new()
        .with(compression)
        .get("/json", |_request, reply| reply.json_text(json(500)))
        .get("/large", |_request, reply| reply.json_text(json(20_000)))
        .get("/short", |_request, reply| reply.text("short"))
        .get("/empty", |_request, reply| reply.text(""))
        .get("/nothing", |_request, reply| reply.empty())
        .get("/image", |_request, reply| {
            reply.body("image/png", json(500))
        })
        .get("/tagged", |_request, reply| {
            let reply = reply
                .header("ETag", "\"1\"")
                .header("Accept-Ranges", "bytes");
            reply.header("Vary", "Origin").json_text(json(500))
        })
        .get("/unchanged", |_request, reply| {
            reply
                .header("ETag", "\"1\"")
                .status(Status::NOT_MODIFIED)
                .empty()
        })
        .get("/as-it-is", |_request, reply| {
            reply
                .header("Cache-Control", "public, no-transform")
                .json_text(json(500))
        })
        .get("/coded", |_request, reply| {
            reply
                .header("Content-Encoding", "x-own")
                .json_text(json(500))
        })
        .get("/part", |_request, reply| {
            let reply = reply.status(Status::PARTIAL_CONTENT);
            reply
                .header("Content-Range", "bytes 0-99/200")
                .json_text(json(500))
        })
        .get("/secret", |_request, reply| {
            reply.uncompressed().json_text(json(500))
        })
        .route(
            Route::get("/account")
                .collect(10, |_request, reply| reply.json_text(json(500)))
                .uncompressed(),
        )
        .get("/pieces", |_request, reply| {
            let reply = reply.header("Content-Type", "application/json");
            reply.stream(pieces(&json(2000), 777))
        })
        .get("/announced", |_request, reply| {
            let text = json(2000);
            let reply = reply.header("Content-Type", "application/json");
            reply.length(text.len() as u64).stream(pieces(&text, 777))
        })
        .get("/too-little", |_request, reply| {
            let reply = reply.header("Content-Type", "text/plain");
            reply.length(100_000).stream(pieces(&json(100), 777))
        })
        .get("/too-much", |_request, reply| {
            let reply = reply.header("Content-Type", "text/plain");
            reply.length(2000).stream(pieces(&json(500), 777))
        })
        .get("/later", |_request, reply| {
            reply.defer(|deferred| {
                std::thread::spawn(move || deferred.send(Response::json_text(json(500))));
            })
        })
}

/// A reply, with the bytes of its body as they came, in chunks or not.
fn ask(running: &Running, method: &str, path: &str, fields: &str) -> (Answer, Vec<u8>) {
    let mut stream = running.connect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let at = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    let answer = Answer::new(&bytes[..at]);
    let mut body = bytes.split_off(at);
    if answer.header("transfer-encoding") == "chunked" && !body.is_empty() {
        body = unchunked(&body);
    }
    (answer, body)
}

fn get(running: &Running, path: &str, accepted: &str) -> (Answer, Vec<u8>) {
    ask(
        running,
        "GET",
        path,
        &format!("Accept-Encoding: {accepted}\r\n"),
    )
}

#[test]
fn complete_streamed_and_deferred_replies_decode_to_what_they_are_plain() {
    let running = Running::start(app(Compression::new()));
    for coding in available() {
        for path in [
            "/json",
            "/large",
            "/pieces",
            "/announced",
            "/later",
            "/tagged",
        ] {
            let (plain, text) = get(&running, path, "identity");
            assert_eq!(plain.header("content-encoding"), "", "{path}");
            let (answer, body) = get(&running, path, coding);
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-encoding"), coding, "{path}");
            assert!(answer.header("vary").contains("Accept-Encoding"), "{path}");
            assert!(plain.header("vary").contains("Accept-Encoding"), "{path}");
            assert!(
                body.len() < text.len() / 2,
                "{path} {coding}: {}",
                body.len()
            );
            assert!(complete(coding, &body) == text, "{path} {coding}");
            let length = answer.header("content-length");
            assert!(
                length.is_empty() || length == body.len().to_string(),
                "{path}: {length}"
            );

            let fields = format!("Accept-Encoding: {coding}\r\n");
            let (head, nothing) = ask(&running, "HEAD", path, &fields);
            let without_date = |it: &Answer| {
                let lines = it.head.lines().filter(|line| !line.starts_with("Date: "));
                lines.map(String::from).collect::<Vec<_>>()
            };
            assert_eq!(without_date(&head), without_date(&answer), "{path}");
            assert!(nothing.is_empty());
        }
    }
}

#[test]
fn the_same_over_http2() {
    let running = Running::start(app(Compression::new()));
    let mut peer = Peer::connect(&running);
    for path in ["/json", "/large", "/pieces", "/announced", "/later"] {
        let text = get(&running, path, "identity").1;
        for coding in available() {
            let accepts = [("accept-encoding", coding)];
            let id = peer.side.ask("GET", path, None, &accepts, None);
            peer.until(|seen| ended(seen, id));
            let list = format!("{:?}", fields(&peer.seen, id));
            assert!(list.contains("content-encoding"), "{list}");
            assert!(complete(coding, &content(&peer.seen, id)) == text, "{path}");
        }
    }
}

#[test]
fn the_client_and_among_equals_the_server_chooses() {
    let running = Running::start(app(Compression::new()));
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br;q=0.9", "gzip"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.5", "gzip"),
        ("gzip;q=0.5, br", "br"),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity, gzip;q=0.5", ""),
        ("x-gzip", "gzip"),
        ("compress", ""),
        ("compress, *;q=0", ""), // none acceptable, and never 406
        ("", ""),
    ] {
        let (answer, body) = get(&running, "/json", accepted);
        assert_eq!(answer.status, 200, "{accepted}");
        assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
        assert!(
            complete(coding, &body) == json(500).as_bytes(),
            "{accepted}"
        );
    }
    let gzip_first = Compression::new().codings([Coding::Gzip, Coding::Zstd]);
    let running = Running::start(app(gzip_first));
    for (accepted, coding) in [("zstd, gzip", "gzip"), ("br", ""), ("br, zstd", "zstd")] {
        let (answer, _) = get(&running, "/json", accepted);
        assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
    }
    let (answer, _) = ask(&running, "GET", "/json", "");
    assert_eq!(answer.header("content-encoding"), "");
}

#[test]
fn what_is_short_or_not_worth_it_stays_as_it_is() {
    let running = Running::start(app(Compression::new()));
    for (path, varies) in [
        ("/short", false),
        ("/empty", false),
        ("/nothing", false),
        ("/image", false),
        ("/as-it-is", false),
        ("/part", true),
        ("/secret", false),
        ("/account", false),
        ("/unchanged", true),
    ] {
        let (plain, text) = get(&running, path, "identity");
        let (answer, body) = get(&running, path, "gzip, br, zstd");
        assert_eq!(answer.header("content-encoding"), "", "{path}");
        assert_eq!(
            answer.header("content-length"),
            plain.header("content-length")
        );
        assert!(body == text, "{path}");
        assert_eq!(
            answer.header("vary").contains("Accept-Encoding"),
            varies,
            "{path}"
        );
    }
    let (coded, _) = get(&running, "/coded", "gzip");
    assert_eq!(coded.header("content-encoding"), "x-own");

    // A client that does not take it as it is.
    let (short, body) = get(&running, "/short", "gzip, identity;q=0");
    assert_eq!(short.header("content-encoding"), "gzip");
    assert_eq!(complete("gzip", &body), b"short");
    let (empty, body) = get(&running, "/empty", "gzip, *;q=0");
    assert_eq!(
        (empty.header("content-encoding"), body.len()),
        (String::new(), 0)
    );

    let (minimal, _) = get(
        &Running::start(app(Compression::new().minimum(5))),
        "/short",
        "gzip",
    );
    assert_eq!(minimal.header("content-encoding"), "gzip");
    let types = Compression::new().types(["image/*"]);
    let running = Running::start(app(types));
    assert_eq!(
        get(&running, "/image", "gzip").0.header("content-encoding"),
        "gzip"
    );
    assert_eq!(
        get(&running, "/json", "gzip").0.header("content-encoding"),
        ""
    );
    let scoped =
        Running::start(app(Compression::new()).with(Scoped::new("/none", Compression::new())));
    assert_eq!(
        get(&scoped, "/json", "gzip").0.header("content-encoding"),
        "gzip"
    );
}

#[test]
fn an_entity_tag_becomes_weak_and_ranges_are_not_offered() {
    let running = Running::start(app(Compression::new()));
    let (plain, _) = get(&running, "/tagged", "identity");
    assert_eq!(plain.header("etag"), "\"1\"");
    assert_eq!(plain.header("accept-ranges"), "bytes");
    let (answer, _) = get(&running, "/tagged", "gzip");
    assert_eq!(answer.header("etag"), "W/\"1\"");
    assert_eq!(answer.header("accept-ranges"), "");
    assert_eq!(answer.header("vary"), "Origin, Accept-Encoding");
}

#[test]
fn an_announced_length_is_kept_or_the_body_cut() {
    let running = Running::start(app(Compression::new()));
    for path in ["/too-little", "/too-much"] {
        let mut stream = running.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes); // the end, or a reset
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{path}");
    }
}

/// Writes zeros, as long as it is let.
struct Zeros(u64);

impl Streaming for Zeros {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.0 > 0 {
            self.0 -= 16_384;
            if stream.write(&[0; 16_384]) != Flow::Go {
                return;
            }
        }
        stream.finish();
    }
}

#[test]
fn a_writer_of_what_takes_no_room_lets_others_have_their_turn() {
    let app = app(Compression::new()).get("/zeros", |_request, reply| {
        let reply = reply.header("Content-Type", "text/plain");
        reply.stream(Zeros(16_384 * 512))
    });
    let running = Running::start(app);
    for coding in available() {
        let (answer, body) = get(&running, "/zeros", coding);
        assert_eq!(answer.header("content-encoding"), coding);
        let text = complete(coding, &body);
        assert!(text.len() == 16_384 * 512 && text.iter().all(|&it| it == 0));
    }
}

/// Sends what a test says.
struct Sends;

impl Streaming for Sends {
    fn mail(&mut self, stream: &mut Stream<'_, '_>, mail: Box<dyn core::any::Any + Send>) {
        match mail.downcast::<String>() {
            Ok(text) => drop(stream.write(text.as_bytes())),
            Err(_) => stream.finish(),
        }
    }
}

/// The bytes of chunks as they come.
struct Chunks(TcpStream);

impl Chunks {
    /// The next chunk; `None` at the end.
    fn next(&mut self) -> Option<Vec<u8>> {
        let size = read_until(&mut self.0, "\r\n");
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.0.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// Reads until the text decodes to what is expected.
    fn until(&mut self, coding: &str, coded: &mut Vec<u8>, expected: &str) {
        while decode(coding, coded).0 != expected.as_bytes() {
            coded.extend(self.next().expect("more"));
        }
    }
}

fn open(running: &Running, path: &str, coding: &str) -> (Chunks, String) {
    let mut stream = running.connect();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\n\r\n"
    )
    .unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(
        head.contains(&format!("Content-Encoding: {coding}\r\n")),
        "{head}"
    );
    (Chunks(stream), head)
}

/// A stream that sends what its handle is told; the handles of those that are open.
fn slow() -> (Running, std::sync::mpsc::Receiver<StreamHandle>) {
    let (handles, from_loop) = std::sync::mpsc::channel();
    let app = App::new()
        .with(Compression::new())
        .get("/slow", move |_request, reply| {
            let handles = handles.clone();
            struct Begins(std::sync::mpsc::Sender<StreamHandle>, Sends);
            impl Streaming for Begins {
                fn writable(&mut self, stream: &mut Stream<'_, '_>) {
                    self.0.send(stream.handle()).unwrap();
                }
                fn mail(
                    &mut self,
                    stream: &mut Stream<'_, '_>,
                    mail: Box<dyn core::any::Any + Send>,
                ) {
                    self.1.mail(stream, mail);
                }
            }
            let reply = reply.header("Content-Type", "text/plain");
            reply.stream(Begins(handles, Sends))
        });
    (Running::start(app), from_loop)
}

#[test]
fn what_a_writer_leaves_behind_is_seen_before_it_goes_on() {
    let (running, from_loop) = slow();
    for coding in available() {
        let (mut chunks, _) = open(&running, "/slow", coding);
        let handle = from_loop.recv().unwrap();
        let (mut coded, mut expected) = (Vec::new(), String::new());
        for line in ["first\n", "second\n", "third\n"] {
            expected.push_str(line);
            assert!(handle.mail(String::from(line)));
            chunks.until(coding, &mut coded, &expected);
        }
        assert!(handle.mail(()));
        while let Some(chunk) = chunks.next() {
            coded.extend(chunk);
        }
        assert_eq!(complete(coding, &coded), expected.as_bytes());
    }
}

#[test]
fn the_same_of_what_it_leaves_behind_over_http2() {
    let (running, from_loop) = slow();
    let mut peer = Peer::connect(&running);
    for coding in available() {
        let accepts = [("accept-encoding", coding)];
        let id = peer.side.ask("GET", "/slow", None, &accepts, None);
        peer.until(|seen| {
            let is_head = |it: &Seen| matches!(it, Seen::Response { stream, .. } if *stream == id);
            seen.iter().any(is_head)
        });
        let handle = from_loop.recv().unwrap();
        let mut expected = String::new();
        for line in ["first\n", "second\n", "third\n"] {
            expected.push_str(line);
            assert!(handle.mail(String::from(line)));
            peer.until(|seen| decode(coding, &content(seen, id)).0 == expected.as_bytes());
        }
        assert!(handle.mail(()));
        peer.until(|seen| ended(seen, id));
        assert!(complete(coding, &content(&peer.seen, id)) == expected.as_bytes());
    }
}

/// A stream that sends each mail as an event, and gets what its room gets.
struct Feed;

impl Events for Feed {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join("room").unwrap();
        stream.send(&Event::new("hello"));
    }

    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn core::any::Any + Send>) {
        match mail.downcast::<String>() {
            Ok(text) => drop(stream.send(&Event::new(&text))),
            Err(_) => stream.finish(),
        }
    }
}

fn feeds(compression: Compression, news: &Broadcaster) -> (App, barewire::app::Hub) {
    let news = news.clone();
    let app = App::new()
        .with(compression)
        .threads(2)
        .events("/feed", |_request| Ok(Feed))
        .events_route(
            "/quiet",
            EventsRoute::new(|_request| Ok(Feed)).heartbeat(Duration::from_millis(20)),
        )
        .events_route(
            "/plain",
            EventsRoute::new(|_request| Ok(Feed)).uncompressed(),
        )
        .events("/news", move |_request| Ok(news.subscription("reader")?));
    let hub = app.hub();
    (app, hub)
}

#[test]
fn events_of_a_streams_own_and_published_ones_are_seen_one_by_one() {
    for compression in [Compression::new(), Compression::new().lend_states()] {
        let (app, hub) = feeds(compression, &Broadcaster::new());
        let running = Running::start(app);
        for coding in available() {
            let (mut chunks, head) = open(&running, "/feed", coding);
            assert!(head.contains("Vary: Accept-Encoding\r\n"), "{head}");
            let (mut coded, mut expected) = (Vec::new(), String::from("data: hello\n\n"));
            chunks.until(coding, &mut coded, &expected);
            let session = hub.sessions()[0].id;
            let handle = hub.session(session).unwrap();
            for (number, kind) in "oopopppoo".chars().enumerate() {
                let text = format!("event {number} event {number}");
                expected.push_str(&format!("data: {text}\n\n"));
                match kind {
                    'o' => assert!(handle.mail(text).is_ok()),
                    _ => assert_eq!(hub.publish("room", &text).members(), 1),
                }
                chunks.until(coding, &mut coded, &expected);
            }
            assert!(handle.mail(()).is_ok());
            while let Some(chunk) = chunks.next() {
                coded.extend(chunk);
            }
            assert_eq!(complete(coding, &coded), expected.as_bytes(), "{coding}");
            wait_until("the stream has gone", || hub.sessions().is_empty());
        }
    }
}

#[test]
fn heartbeats_are_seen_and_nothing_refers_to_what_was_before_them() {
    let (app, hub) = feeds(Compression::new(), &Broadcaster::new());
    let running = Running::start(app);
    for coding in available() {
        let (mut chunks, _) = open(&running, "/quiet", coding);
        let (mut coded, mut comments) = (Vec::new(), 0);
        while comments < 3 {
            coded.extend(chunks.next().expect("more"));
            let text = String::from_utf8(decode(coding, &coded).0).unwrap();
            comments = text.lines().filter(|line| line.starts_with(':')).count();
        }
        let handle = hub.session(hub.sessions()[0].id).unwrap();
        assert!(handle.mail(String::from("behind")).is_ok());
        assert!(handle.mail(()).is_ok());
        while let Some(chunk) = chunks.next() {
            coded.extend(chunk);
        }
        let text = String::from_utf8(complete(coding, &coded)).unwrap();
        assert!(text.contains("data: behind\n\n"), "{text}");
        wait_until("the stream has gone", || hub.sessions().is_empty());
    }
}

#[test]
fn one_event_goes_to_streams_of_all_codings_and_to_plain_ones() {
    let news = Broadcaster::new();
    let (app, _) = feeds(Compression::new(), &news);
    let running = Running::start(app);
    let mut names = available();
    names.extend(available()); // on both loops, perhaps
    let mut streams: Vec<_> = names
        .iter()
        .map(|it| open(&running, "/news", it).0)
        .collect();
    let mut plain = running.connect();
    write!(plain, "GET /news HTTP/1.0\r\n\r\n").unwrap();
    read_until(&mut plain, "\r\n\r\n");
    wait_until("all have subscribed", || news.count() == names.len() + 1);
    let mut coded = vec![Vec::new(); names.len()];
    let mut expected = String::new();
    for number in 0..5 {
        let text = format!("the same event for all of them, number {number}");
        assert_eq!(news.send(&Event::new(&text)), Ok(names.len() + 1));
        expected.push_str(&format!("data: {text}\n\n"));
        for ((chunks, coding), coded) in streams.iter_mut().zip(&names).zip(&mut coded) {
            chunks.until(coding, coded, &expected);
        }
        read_until(&mut plain, &format!("number {number}\n\n"));
    }
}

#[test]
fn a_route_of_events_may_stay_as_it_is() {
    let (app, _) = feeds(Compression::new(), &Broadcaster::new());
    let running = Running::start(app);
    let mut stream = running.connect();
    write!(
        stream,
        "GET /plain HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    .unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(!head.contains("Content-Encoding"), "{head}");
    read_until(&mut stream, "data: hello\n\n");
}

#[test]
fn metrics_tell_what_was_compressed_and_to_how_much() {
    let news = Broadcaster::new();
    let (app, _) = feeds(Compression::new(), &news);
    let app = app
        .get("/json", |_request, reply| reply.json_text(json(500)))
        .get("/pieces", |_request, reply| {
            let reply = reply.header("Content-Type", "application/json");
            reply.stream(pieces(&json(2000), 777))
        });
    let metrics = app.metrics();
    let running = Running::start(app);
    let count = |kind, coding: &str| {
        let list = metrics.snapshot().codings;
        let found = list
            .into_iter()
            .find(|it| (it.kind, it.coding, it.direction) == (kind, coding, Direction::Sent));
        found.map_or((0, 0), |it| (it.plain, it.coded))
    };
    get(&running, "/json", "identity");
    assert!(metrics.snapshot().codings.is_empty());

    let whole = get(&running, "/json", "zstd").1.len() as u64;
    let plain = json(500).len() as u64;
    assert_eq!(count(Kind::Exchange, "zstd"), (plain, whole));
    ask(&running, "HEAD", "/json", "Accept-Encoding: zstd\r\n");
    assert_eq!(count(Kind::Exchange, "zstd"), (plain, whole), "no content");
    let streamed = get(&running, "/pieces", "br").1.len() as u64;
    assert_eq!(
        count(Kind::Exchange, "br"),
        (json(2000).len() as u64, streamed)
    );

    // One event of two streams' own, and one for both.
    let names = ["gzip", "gzip"];
    let mut own = open(&running, "/feed", "gzip").0;
    own.until("gzip", &mut Vec::new(), "data: hello\n\n");
    let mut streams = names.map(|it| (open(&running, "/news", it).0, Vec::new()));
    wait_until("all have subscribed", || news.count() == streams.len());
    let text = "an event of a length that is worth it, worth it, worth it, worth it";
    assert_eq!(news.send(&Event::new(text)), Ok(streams.len()));
    let expected = format!("data: {text}\n\n");
    for (chunks, coded) in &mut streams {
        chunks.until("gzip", coded, &expected);
    }
    wait_until("both are counted", || {
        count(Kind::Events, "gzip").0 == ("data: hello\n\n".len() + 2 * expected.len()) as u64
    });
    let text = metrics.snapshot().to_prometheus();
    let (_, line) = text
        .split_once(
            "coding_plain_bytes_total{kind=\"exchange\",coding=\"zstd\",direction=\"sent\"} ",
        )
        .expect(&text);
    assert!(line.starts_with(&format!("{plain}\n")), "{line}");
}
