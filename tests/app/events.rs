//! Event streams and broadcasters over real sockets.

#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

use crate::app_support::{PATIENCE, Running, read_until, wait_until};
use barewire::app::{App, BroadcastError, Broadcaster, EventStream, Events, EventsRoute, Handle};
use barewire::link::EndReason;
use barewire::sse::{Event, UsageError};
use barewire::websocket::CloseCode;

/// Asks for a stream with HTTP/1.0, so that its body comes as it is.
fn open_stream(running: &Running, target: &str, fields: &str) -> Reader {
    let mut stream = running.connect();
    write!(stream, "GET {target} HTTP/1.0\r\n{fields}\r\n").unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(
        head.contains("\r\ncontent-type: text/event-stream\r\n"),
        "{head}"
    );
    Reader {
        lines: BufReader::new(stream),
    }
}

struct Reader {
    lines: BufReader<TcpStream>,
}

impl Reader {
    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end_matches(['\r', '\n']).to_string()),
        }
    }

    /// The lines of the next block.
    fn block(&mut self) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            match self.line()? {
                line if line.is_empty() => return Some(lines),
                line => lines.push(line),
            }
        }
    }

    fn expect(&mut self, lines: &[&str]) {
        assert_eq!(self.block().as_deref().unwrap_or_default(), lines);
    }
}

struct Ticker {
    tick: u64,
    last: u64,
    ended: Sender<EndReason>,
}

impl Events for Ticker {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.after(Duration::from_millis(1), 3);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, token: u32) {
        assert_eq!(token, 3);
        self.tick += 1;
        stream.send(&Event::new("tick").id(&self.tick.to_string()));
        match self.tick == self.last {
            true => stream.finish(),
            false => stream.after(Duration::from_millis(1), 3),
        }
    }

    fn closed(&mut self, _stream: &mut EventStream<'_, '_>, why: EndReason) {
        let _ = self.ended.send(why);
    }
}

#[test]
fn a_stream_goes_on_behind_the_last_event_id_and_ends_when_finished() {
    let (ended, ends) = channel();
    let app = App::new();
    let hub = app.hub();
    let running = Running::start(app.events("/ticks", move |request| {
        let tick = request
            .last_event_id()
            .and_then(|id| id.parse().ok())
            .unwrap_or(0);
        Ok(Ticker {
            tick,
            last: 44,
            ended: ended.clone(),
        })
    }));
    let mut reader = open_stream(&running, "/ticks", "Last-Event-ID: 41\r\n");
    reader.expect(&["id: 42", "data: tick"]);
    reader.expect(&["id: 43", "data: tick"]);
    reader.expect(&["id: 44", "data: tick"]);
    assert_eq!(reader.block(), None);
    wait_until("the stream is gone", || hub.session_count() == 0);
    assert!(
        ends.try_recv().is_err(),
        "a stream that is finished is not told so"
    );
}

#[test]
fn a_stream_that_rests_goes_on_and_its_connection_is_idle_behind_it() {
    let (ended, _ends) = channel();
    let mut limits = barewire::link::Limits::DEFAULT;
    limits.http1.idle_timeout = Duration::from_millis(100);
    let app = App::new()
        .limits(barewire::net::Limits::DEFAULT.with_warm(0))
        .protocol_limits(limits)
        .events("/ticks", move |_| {
            let (tick, last, ended) = (0, 3, ended.clone());
            Ok(Ticker { tick, last, ended })
        });
    let running = Running::start(app);
    let mut stream = running.connect();
    for _ in 0..2 {
        write!(stream, "GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let body = read_until(&mut stream, "\r\n0\r\n\r\n");
        assert!(body.contains("id: 3\ndata: tick\n"), "{body}");
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"", "the server has closed it");
}

#[test]
fn a_stream_over_http_1_1_is_chunked_and_keeps_its_connection() {
    let (ended, _ends) = channel();
    let running = Running::start(App::new().events("/ticks", move |_| {
        Ok(Ticker {
            tick: 0,
            last: 2,
            ended: ended.clone(),
        })
    }));
    let mut stream = running.connect();
    let ask = "GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = "HEAD /ticks HTTP/1.1\r\nHost: a\r\n\r\n";
    write!(stream, "{ask}{head}{ask}").unwrap();
    let mut reader = Reader {
        lines: BufReader::new(stream),
    };
    let mut heads = Vec::new();
    let mut ends = 0;
    while ends < 2 {
        let line = reader.line().unwrap();
        ends += usize::from(line == "0");
        if line.starts_with("HTTP/1.1") {
            heads.push(line);
        }
    }
    assert_eq!(heads, ["HTTP/1.1 200 OK"; 3]);
}

#[test]
fn a_silent_stream_sends_comments_and_a_client_that_hangs_up_is_gone() {
    let (ended, ends) = channel();
    let route = EventsRoute::new(move |_| {
        Ok(Silent {
            ended: ended.clone(),
            handles: None,
        })
    });
    let app = App::new().events_route("/silent", route.heartbeat(Duration::from_millis(50)));
    let hub = app.hub();
    let running = Running::start(app);
    let mut reader = open_stream(&running, "/silent", "");
    reader.expect(&[": "]);
    reader.expect(&[": "]);
    assert_eq!(hub.session_count(), 1);
    drop(reader);
    ends.recv_timeout(PATIENCE).unwrap();
    wait_until("the stream is gone", || hub.session_count() == 0);
}

struct Silent {
    ended: Sender<EndReason>,
    handles: Option<Sender<Handle>>,
}

impl Events for Silent {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        if let Some(handles) = &self.handles {
            let _ = handles.send(stream.handle());
        }
    }

    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn core::any::Any + Send>) {
        stream.send(&Event::new(*mail.downcast::<&str>().unwrap()).event("mail"));
    }

    fn closed(&mut self, _stream: &mut EventStream<'_, '_>, why: EndReason) {
        let _ = self.ended.send(why);
    }
}

#[test]
fn a_drained_server_tells_streams_when_to_come_again_and_ends_them() {
    let (ended, ends) = channel();
    let route = EventsRoute::new(move |_| {
        Ok(Silent {
            ended: ended.clone(),
            handles: None,
        })
    });
    let route = route.retry(Duration::from_millis(2500));
    let running = Running::start(App::new().events_route("/silent", route));
    let mut reader = open_stream(&running, "/silent", "");
    running.server().handle().shutdown(PATIENCE);
    reader.expect(&["retry: 2500"]);
    assert_eq!(reader.block(), None);
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Drained));
}

#[test]
fn a_handle_reaches_its_stream_from_another_thread() {
    let (ended, _ends) = channel();
    let (give, handles) = channel();
    let running = Running::start(App::new().events("/silent", move |_| {
        Ok(Silent {
            ended: ended.clone(),
            handles: Some(give.clone()),
        })
    }));
    let mut reader = open_stream(&running, "/silent", "");
    let handle = handles.recv_timeout(PATIENCE).unwrap();
    handle.send("one\ntwo").unwrap();
    handle.mail("three").unwrap();
    reader.expect(&["data: one", "data: two"]);
    reader.expect(&["event: mail", "data: three"]);
    handle.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(reader.block(), None);
}

#[test]
fn a_name_given_250000_times_is_looked_up_for_no_stream() {
    let news = Broadcaster::new();
    let subscribe = news.clone();
    let running = Running::start(App::new().events("/news", move |request| {
        Ok(subscribe.subscription(&request.query_value("id").unwrap_or_default())?)
    }));
    let mut readers: Vec<Reader> = (0..20)
        .map(|_| open_stream(&running, "/news?id=d", ""))
        .collect();
    wait_until("all have subscribed", || news.count() == 20);
    let event = Event::new("x");
    let given = |times| news.send_to(std::iter::repeat_n("d", times), &event);
    assert_eq!(given(250_000), Err(BroadcastError::TooManyNames));
    assert_eq!(given(1_025), Err(BroadcastError::TooManyNames));
    assert_eq!(given(1_024), Ok(20), "each stream once");
    assert_eq!(news.send(&Event::new("the end")), Ok(20));
    for reader in &mut readers {
        reader.expect(&["data: x"]);
        reader.expect(&["data: the end"]);
    }
    let long = format!("/news?id={}", "d".repeat(129));
    assert_eq!(running.get(&long).status, 400);
}

#[test]
fn a_broadcast_reaches_all_streams_or_those_that_are_named() {
    let news = Broadcaster::new();
    let subscribe = news.clone();
    let running = Running::start(App::new().threads(2).events("/news", move |request| {
        Ok(subscribe.subscription(&request.query_value("id").unwrap_or_default())?)
    }));
    let mut readers: Vec<Reader> = ["a", "b", "c", "d", "d"]
        .iter()
        .map(|id| open_stream(&running, &format!("/news?id={id}"), ""))
        .collect();
    wait_until("all have subscribed", || news.count() == 5);
    let mut ids = news.ids();
    ids.sort();
    assert_eq!(ids, ["a", "b", "c", "d"]);

    assert_eq!(news.send(&Event::new("to all")), Ok(5));
    assert_eq!(
        news.send_to(["b", "d", "b", "x"], &Event::new("to some").event("e")),
        Ok(3)
    );
    assert_eq!(
        news.send(&Event::new("x").event("a\nb")),
        Err(UsageError::Event)
    );
    assert_eq!(news.send(&Event::new("the end")), Ok(5));
    for (nth, reader) in readers.iter_mut().enumerate() {
        reader.expect(&["data: to all"]);
        if [1, 3, 4].contains(&nth) {
            reader.expect(&["event: e", "data: to some"]);
        }
        reader.expect(&["data: the end"]);
    }

    readers.truncate(2);
    wait_until("who hangs up is gone", || news.count() == 2);
    assert_eq!(news.send_to(["c", "d"], &Event::new("x")), Ok(0));
    drop(readers);
    wait_until("all are gone", || news.count() == 0);
    assert!(news.ids().is_empty());
}

/// A stream in a room.
struct Listener;

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join("room").unwrap();
        assert_eq!(stream.channels(), ["room"]);
    }
}

#[test]
fn a_room_reaches_event_streams_too() {
    let app = App::new().threads(2).events("/room", |_| Ok(Listener));
    let hub = app.hub();
    let running = Running::start(app);
    let mut readers: Vec<Reader> = (0..4).map(|_| open_stream(&running, "/room", "")).collect();
    wait_until("all have joined", || hub.member_count("room") == 4);
    assert_eq!(hub.publish("room", "a text").members(), 4);
    assert_eq!(hub.publish("room", &b"binary"[..]).members(), 4);
    assert_eq!(
        hub.publish("room", Event::new("an event").id("9"))
            .members(),
        4
    );
    for reader in &mut readers {
        reader.expect(&["data: a text"]);
        reader.expect(&["id: 9", "data: an event"]);
    }
}
