//! Calls through an app, its services and their sessions, over a scripted system:
//! the input says what clients send, what the application does, and how time
//! passes.

use super::event_loop::Play;
use super::http2_support::{
    DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, PING, RST_STREAM, SETTINGS, Sent,
    WINDOW_UPDATE, block, frame, number, opening,
};
use super::input::Input;
use barewire::app::{
    App, Call, CallEnd, CallStatus, Conversation, DeferredResponse, Interceptor, ResponseSender,
    ResponseStream, ServerStream, Service,
};
use barewire::grpc::{Code, Limits as CallLimits, Status};
use barewire::hpack::{Decoder, Growing, Room};
use barewire::http::FieldRange;
use barewire::link::EndReason;
use barewire::net::{Fate, Limits, Loop, Scripted};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// What the application holds beside its calls.
#[derive(Default)]
struct Office {
    laters: Mutex<Vec<DeferredResponse<Vec<u8>>>>,
    senders: Mutex<Vec<ResponseSender<Vec<u8>>>>,
    /// Objects of calls that are there.
    live: Arc<AtomicI64>,
    /// Calls that an interceptor has seen begin, less those it has seen end.
    open: Arc<AtomicI64>,
}

/// An object that is counted.
struct Counted(Arc<AtomicI64>);

impl Counted {
    fn new(count: &Arc<AtomicI64>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Sees each call begin and end once.
struct Gate(Arc<AtomicI64>);

impl Interceptor for Gate {
    fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        self.0.fetch_add(1, Relaxed);
        match call.metadata("x-no") {
            Some(_) => Err(Status::new(Code::PermissionDenied, "no").into()),
            None => Ok(()),
        }
    }

    fn after(&self, ended: &mut CallEnd<'_>) {
        self.0.fetch_sub(1, Relaxed);
        ended
            .send_trailer("x-after", "seen")
            .expect("it is allowed");
    }
}

/// Sends a message every ten milliseconds.
struct Ticks(u8, Counted);

impl ServerStream for Ticks {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.after(Duration::from_millis(10), 1);
    }

    fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, _token: u32) {
        stream.send(&vec![self.0; 40]);
        match self.0.checked_sub(1) {
            Some(less) => {
                self.0 = less;
                stream.after(Duration::from_millis(10), 1);
            }
            None => stream.finish(Status::OK),
        }
    }
}

/// Adds up, and says it at the end.
struct Sum(u64, Counted);

impl Conversation for Sum {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        self.0 += message.len() as u64;
        if message == b"now" {
            stream.respond(&message);
        }
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.respond(&self.0.to_be_bytes().to_vec());
    }
}

/// Echoes; some words mean something.
struct Talk(bool, Counted);

impl Conversation for Talk {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, message: Vec<u8>, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        match &message[..] {
            b"many" => (0..30).for_each(|n| _ = stream.send(&vec![n; 1000])),
            b"end" => stream.finish(Status::OK),
            b"fail" => stream.finish(Status::new(Code::Aborted, "fail \u{263a}")),
            b"head" => stream.send_head(),
            b"later" => stream.after(Duration::from_millis(100), 2),
            _ => _ = stream.send(&message),
        }
    }

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.finish(Status::OK);
    }

    fn timer(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>, _token: u32) {
        stream.send(&b"later".to_vec());
    }

    fn cancelled(&mut self, _why: EndReason) {
        assert!(!core::mem::replace(&mut self.0, true), "told once");
    }
}

/// All kinds of methods.
fn service(office: &Arc<Office>) -> Service {
    let (later, sender) = (office.clone(), office.clone());
    let live = || office.live.clone();
    let (ticks, sum, talk) = (live(), live(), live());
    Service::new("t.T")
        .limits(CallLimits::DEFAULT.with_message(300).with_trailers(4096))
        .intercept(Gate(office.open.clone()))
        .unary("Echo", |request: Vec<u8>, call: &mut Call<'_>| {
            let values: Vec<Vec<u8>> = call.binary_metadata("x-bin").collect();
            for value in &values {
                call.send_binary_metadata("x-bin", value)
                    .expect("it was read");
                call.send_binary_trailer("x-bin", value)
                    .expect("it was read");
            }
            match &request[..] {
                b"fail" => Err(Status::new(Code::NotFound, "no such %").into()),
                _ => Ok(request),
            }
        })
        .unary_later("Later", move |_request: Vec<u8>, _call, it| {
            later.laters.lock().expect("no panic").push(it);
        })
        .server_streaming("Count", |request: Vec<u8>, _call| {
            let count = request.first().copied().unwrap_or(0);
            Ok((0..count).map(|n| match n {
                200 => Err(Status::new(Code::DataLoss, "enough").into()),
                _ => Ok(vec![n; usize::from(n)]),
            }))
        })
        .server_streaming_object("Ticks", move |request: Vec<u8>, _call| {
            let count = request.first().copied().unwrap_or(0) % 8;
            Ok(Ticks(count, Counted::new(&ticks)))
        })
        .server_streaming_later("Feed", move |_request: Vec<u8>, _call, it| {
            sender.senders.lock().expect("no panic").push(it);
        })
        .client_streaming("Sum", move |_call| Ok(Sum(0, Counted::new(&sum))))
        .bidirectional("Talk", move |_call| Ok(Talk(false, Counted::new(&talk))))
}

const PATHS: [&str; 8] = [
    "/t.T/Echo",
    "/t.T/Later",
    "/t.T/Count",
    "/t.T/Ticks",
    "/t.T/Feed",
    "/t.T/Sum",
    "/t.T/Talk",
    "/t.T/None",
];

const TYPES: [&str; 4] = [
    "application/grpc",
    "application/grpc-web",
    "application/grpc-web-text",
    "application/grpc+proto",
];

const TIMEOUTS: [&str; 8] = ["1m", "50m", "1S", "1H", "0S", "99999999H", "1", "1000u"];

/// Messages that mean something to methods; anything else is in the input.
const WORDS: [&[u8]; 8] = [
    b"fail", b"many", b"end", b"now", b"head", b"later", b"\x07", b"\xff",
];

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flag];
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message);
    bytes
}

/// The head of a call, on a stream of the input's choice.
fn head(input: &mut Input<'_>) -> Vec<u8> {
    let [which, path, kind, more] = input.array();
    let stream = u32::from(which & 15) * 2 + 1;
    let mut list = vec![
        (":method".to_owned(), "POST".to_owned()),
        (":scheme".to_owned(), "http".to_owned()),
        (":authority".to_owned(), "a".to_owned()),
        (":path".to_owned(), PATHS[usize::from(path & 7)].to_owned()),
        ("te".to_owned(), "trailers".to_owned()),
        (
            "content-type".to_owned(),
            TYPES[usize::from(kind & 3)].to_owned(),
        ),
    ];
    let mut put = |name: &str, value: &str| list.push((name.to_owned(), value.to_owned()));
    if more & 1 != 0 {
        put("grpc-timeout", TIMEOUTS[usize::from(input.byte() & 7)]);
    }
    if more & 2 != 0 {
        put(
            "grpc-encoding",
            ["gzip", "identity", "br", ""][usize::from(input.byte() & 3)],
        );
    }
    if more & 4 != 0 {
        put("grpc-accept-encoding", "gzip");
    }
    if more & 8 != 0 {
        put("x-bin", &input.run().escape_ascii().to_string());
    }
    if more & 16 != 0 {
        put("x-no", "");
    }
    let list: Vec<_> = list
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let end = if more & 128 == 0 { 0 } else { END_STREAM };
    frame(HEADERS, END_HEADERS | end, stream, &block(&list))
}

/// A piece of a body: a whole message, or bytes as they are.
fn body(input: &mut Input<'_>) -> Vec<u8> {
    let [which, how] = input.array();
    let stream = u32::from(which & 15) * 2 + 1;
    let end = if which & 128 == 0 { 0 } else { END_STREAM };
    let bytes = match how & 7 {
        0 => input.run().to_vec(),
        1 => framed(input.byte(), input.run()),
        2 => framed(0, &[7; 301]),
        3 => framed(0, b"a").repeat(usize::from(how >> 3)),
        4 => b"AAAAAAFh".repeat(1 + usize::from(how >> 6)),
        5 => Vec::new(),
        6 => framed(0, input.run()),
        _ => framed(0, WORDS[usize::from(how >> 3 & 7)]),
    };
    match how & 128 {
        0 => frame(DATA, end, stream, &bytes),
        _ => frame(
            DATA,
            end | PADDED,
            stream,
            &[&[2][..], &bytes, &[0; 2]].concat(),
        ),
    }
}

/// One act.
fn act(play: &mut Play, office: &Office, input: &mut Input<'_>) {
    let [act, which] = input.array();
    let client = match play.clients.len() {
        0 => None,
        n => Some(play.clients[usize::from(which) % n]),
    };
    let stream = u32::from(which >> 2 & 15) * 2 + 1;
    match (act & 15, client) {
        (0, _) if play.clients.len() < 4 => {
            let client = play.world.connect_client(0);
            if which & 1 == 0 {
                play.world.send(client, &opening());
            }
            play.clients.push(client);
        }
        (1, _) => {
            play.world
                .advance(Duration::from_millis(u64::from(which) * 7));
            play.turn();
        }
        (2 | 3, Some(client)) => play.world.send(client, &head(input)),
        (4..=6, Some(client)) => {
            let bytes = body(input);
            let cut = match act >> 4 {
                0 => bytes.len(),
                n => usize::from(n),
            };
            for piece in bytes.chunks(cut.max(1)) {
                play.world.send(client, piece);
            }
        }
        (7, Some(client)) => {
            let bytes = match act >> 4 & 7 {
                0 | 1 => number(RST_STREAM, stream, 8),
                2 => number(WINDOW_UPDATE, stream, u32::from(input.byte()) * 100),
                3 => number(WINDOW_UPDATE, 0, 60_000),
                4 => frame(SETTINGS, 0, 0, &[0, 4, 0, 0, input.byte(), 0]),
                5 => frame(PING, 0, 0, b"12345678"),
                6 => frame(
                    HEADERS,
                    END_HEADERS | END_STREAM,
                    stream,
                    &block(&[("x", "y")]),
                ),
                _ => frame(SETTINGS, 1, 0, b""),
            };
            play.world.send(client, &bytes);
        }
        (8, Some(client)) => play.world.eof(client),
        (9, Some(client)) => match act >> 4 & 3 {
            0 => play.world.stop_reading(client),
            1 => play.world.allow_write(client, input.byte().into()),
            2 => play.world.reset(client),
            _ => play.world.allow_all(client),
        },
        (10, Some(client)) => {
            let (path, kind) = (
                PATHS[usize::from(act >> 4 & 7)],
                TYPES[1 + usize::from(which & 1)],
            );
            let content = input.run();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                content.len()
            );
            play.world.send(client, head.as_bytes());
            play.world.send(client, content);
        }
        (11 | 12, _) => answer(office, which, input),
        (13, Some(client)) => play.world.send(client, input.run()),
        (14, _) if act == 0xfe => {
            play.draining = true;
            play.events.remote().drain(Duration::from_secs(3));
        }
        _ => play.turn(),
    }
}

/// The application answers what it owes, or drops it.
fn answer(office: &Office, which: u8, input: &mut Input<'_>) {
    let message = input.run().to_vec();
    if which & 1 == 0 {
        let mut laters = office.laters.lock().expect("no panic");
        if laters.is_empty() {
            return;
        }
        let at = usize::from(which >> 3) % laters.len();
        let later = laters.swap_remove(at);
        drop(laters);
        match which >> 1 & 3 {
            0 => drop(later),
            1 => _ = later.send(Err(Status::new(Code::Internal, "late").into())),
            _ => _ = later.send(Ok(message)),
        }
        return;
    }
    let mut senders = office.senders.lock().expect("no panic");
    if senders.is_empty() {
        return;
    }
    let at = usize::from(which >> 3) % senders.len();
    match which >> 1 & 3 {
        0 => drop(senders.swap_remove(at)),
        1 => _ = senders[at].finish(Status::OK),
        _ => _ = senders[at].send(&message),
    }
}

fn play(data: &[u8]) -> Vec<(Vec<u8>, Fate)> {
    let world = Scripted::new();
    let limits = Limits::DEFAULT
        .with_backlog_high(2048)
        .with_backlog_low(512)
        .with_backlog_cap(64 << 10)
        .with_read_size(1024);
    let mut events = Loop::with_poller(world.clone(), limits).expect("sound limits");
    let office = Arc::new(Office::default());
    App::new()
        .grpc(service(&office))
        .listen("0.0.0.0:0")
        .and_then(|app| app.join(&mut events))
        .expect("a loop of its own");
    let mut play = Play {
        events,
        world,
        clients: Vec::new(),
        draining: false,
    };
    let mut input = Input::new(data);
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        act(&mut play, &office, &mut input);
    }
    let all = play.end();
    assert_eq!(office.live.load(Relaxed), 0, "an object outlives its call");
    // Calls that are refused before an interceptor sees them end before it too.
    assert!(office.open.load(Relaxed) <= 0, "a call never ended");
    all
}

/// What was said on one stream.
#[derive(Default)]
struct Said {
    heads: Vec<Vec<(String, String)>>,
    body: Vec<u8>,
    ended: bool,
    reset: bool,
}

/// Every native call that was answered to its end has one status, at its end,
/// behind whole messages; every one of gRPC-Web has it in its body.
fn judge(output: &[u8]) {
    let is_http2 = output.get(3).is_some_and(|kind| *kind == SETTINGS) && output[0] == 0;
    if !is_http2 {
        return;
    }
    let mut decoder = Decoder::new(Growing::default());
    let mut streams: BTreeMap<u32, Said> = BTreeMap::new();
    for sent in whole_frames(output) {
        if sent.stream == 0 {
            continue;
        }
        let said = streams.entry(sent.stream).or_default();
        match sent.kind {
            DATA | HEADERS => {
                assert!(!said.ended && !said.reset, "{sent:?} behind the end");
                said.ended = sent.flags & END_STREAM != 0;
                match sent.kind {
                    DATA => said.body.extend(&sent.payload),
                    _ => said.heads.push(list(&mut decoder, &sent)),
                }
            }
            RST_STREAM => said.reset = true,
            WINDOW_UPDATE => {}
            other => panic!("a frame of the kind {other}"),
        }
    }
    for said in streams.values().filter(|said| said.ended) {
        judge_call(said);
    }
}

fn judge_call(said: &Said) {
    let field = |name: &str| {
        let all = said.heads.iter().flatten();
        let named: Vec<&str> = all.filter(|it| it.0 == name).map(|it| &*it.1).collect();
        named
    };
    let content_type = field("content-type");
    if field(":status") != ["200"] || !content_type[0].starts_with("application/grpc") {
        return;
    }
    let statuses = field("grpc-status").len();
    let mut rest = &said.body[..];
    let mut trailers = 0;
    if content_type[0].starts_with("application/grpc-web-text") {
        assert!(said.body.len().is_multiple_of(4) && statuses == 0);
        return;
    }
    while let [flag, a, b, c, d, more @ ..] = rest {
        let len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        assert_eq!(trailers, 0, "a message behind the trailers");
        trailers += usize::from(flag & 0x80 != 0);
        rest = more.get(len..).expect("a whole message");
    }
    assert_eq!(rest, b"");
    let expected = match content_type[0].starts_with("application/grpc-web") {
        true => (0, 1),
        false => (1, 0),
    };
    assert_eq!((statuses, trailers), expected, "{:?}", said.heads);
    if expected.0 == 1 {
        let last = said.heads.last().expect("a head");
        assert!(last.iter().any(|it| it.0 == "grpc-status"), "{last:?}");
    }
}

/// The frames that are there whole: a connection may have been cut.
fn whole_frames(mut rest: &[u8]) -> Vec<Sent> {
    let mut all = Vec::new();
    while let [a, b, c, kind, flags, s, t, u, v, more @ ..] = rest {
        let len = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some(payload) = more.get(..len) else {
            break;
        };
        all.push(Sent {
            kind: *kind,
            flags: *flags,
            stream: u32::from_be_bytes([*s, *t, *u, *v]),
            payload: payload.to_vec(),
        });
        rest = &more[len..];
    }
    all
}

/// The fields of a block: those of the app fit into one frame.
fn list(decoder: &mut Decoder<Growing>, sent: &Sent) -> Vec<(String, String)> {
    assert!(sent.flags & END_HEADERS != 0, "{sent:?}");
    let (mut text, mut fields) = (vec![0; 1 << 16], vec![FieldRange::EMPTY; 200]);
    let room = Room {
        text: &mut text,
        fields: &mut fields,
        list_limit: 1 << 16,
    };
    let decoded = decoder.decode(&sent.payload, room).expect("our own block");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = decoded.fields();
    all.iter()
        .map(|it| (text(it.name), text(it.value)))
        .collect()
}

/// Whatever clients, the application and time do: nothing panics, the loop comes
/// to rest, every call ends once, and the same input gives the same output.
pub fn calls(data: &[u8]) {
    let first = play(data);
    assert_eq!(first, play(data));
    for (output, _) in &first {
        judge(output);
    }
}
