//! HTTP/2 through the loop: many exchanges on one connection, each with a life
//! of its own.

use core::time::Duration;

use barewire::http::{Field, Fields, Method, RequestHead, ResponseHead, Status, Target, Version};
use barewire::http2::{self, BodyLength, PREFACE};
use barewire::link::{self, Body};
use barewire::net::{Destination, Exchange, Fate, Flow, Limits, ScriptedClient, Speaks};
use barewire::wire::Role;

use crate::http2_support::*;
use crate::scene::{Scene, Setting, begin, get, ok, path, serve, text};

/// A client of the machine's own making, at the other end of a scripted
/// connection.
pub(crate) struct Peer {
    pub(crate) client: ScriptedClient,
    pub(crate) side: Side,
}

impl Peer {
    pub(crate) fn connect(scene: &mut Scene) -> Self {
        Self::with(scene, http2::Limits::DEFAULT)
    }

    fn with(scene: &mut Scene, limits: http2::Limits) -> Self {
        let client = scene.connect();
        let mut peer = Self {
            client,
            side: Side::new(Role::Client, limits),
        };
        assert!(matches!(peer.talk(scene)[..], [Seen::Settings]));
        peer
    }

    /// Sends what is to be sent and reads what comes back, until both are at
    /// rest.
    pub(crate) fn talk(&mut self, scene: &mut Scene) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            let out = core::mem::take(&mut self.side.out);
            if !out.is_empty() {
                scene.send(self.client, &out);
            }
            let answer = scene.world.take_output(self.client);
            if answer.is_empty() && self.side.out.is_empty() {
                return all;
            }
            scene.settle();
            all.extend(self.side.feed(&answer));
        }
    }

    fn head(&mut self, method: &str, path: &str, length: Option<BodyLength>) -> u32 {
        self.head_with(method, path, None, &[], length)
    }

    fn head_with(
        &mut self,
        method: &str,
        path: &str,
        protocol: Option<&str>,
        fields: &[(&str, &str)],
        length: Option<BodyLength>,
    ) -> u32 {
        self.side.ask(method, path, protocol, fields, length)
    }

    fn get(&mut self, path: &str) -> u32 {
        self.head("GET", path, None)
    }

    fn write(&mut self, id: u32, data: &[u8], end: bool) -> usize {
        self.side.write(id, data, end)
    }

    fn reset(&mut self, id: u32, code: u32) {
        self.side.out.extend(number(RST_STREAM, id, code));
    }

    /// The status and the whole content of what has come on a stream.
    fn ask(&mut self, scene: &mut Scene, path: &str) -> (u16, Vec<u8>) {
        let id = self.get(path);
        let seen = self.talk(scene);
        (status(&seen, id), content(&seen, id))
    }
}

fn stock(id: u32, method: &str, path: &str, flags: u8) -> Vec<u8> {
    let list = [
        (":method", method),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", path),
    ];
    frame(HEADERS, END_HEADERS | flags, id, &block(&list))
}

fn kinds(sent: &[Sent], kind: u8) -> Vec<&Sent> {
    sent.iter().filter(|frame| frame.kind == kind).collect()
}

// ---- memory ----

#[test]
fn idle_connections_are_not_down_for_what_they_needed_before() {
    let limits = Limits::DEFAULT.with_memory(80_000).with_read_size(4096);
    let mut scene = Scene::site_with(Setting {
        limits,
        ..Setting::default()
    });
    let peers: Vec<_> = (0..40)
        .map(|_| {
            let mut peer = Peer::connect(&mut scene);
            for _ in 0..3 {
                let asked: Vec<u32> = (0..40).map(|_| peer.get("/hello")).collect();
                let seen = peer.talk(&mut scene);
                assert!(asked.iter().all(|&id| status(&seen, id) == 200));
            }
            peer
        })
        .collect();
    let open = |peer: &Peer| scene.fate(peer.client) == Fate::Open;
    assert_eq!(peers.iter().filter(|peer| open(peer)).count(), 40);
}

// ---- the exchanges ----

#[test]
fn the_preface_is_told_from_http1_at_every_cut() {
    let mut bytes = opening();
    bytes.extend(stock(1, "GET", "/hello", END_STREAM));
    bytes.extend(stock(3, "POST", "/echo", 0));
    bytes.extend(frame(DATA, 0, 3, b"abc"));
    bytes.extend(frame(DATA, END_STREAM, 3, b"def"));
    let whole = Scene::site().ask(&bytes).1;
    assert!(
        whole.contains("hello") && whole.ends_with("abcdef"),
        "{whole:?}"
    );
    for cut in 1..bytes.len() {
        let mut scene = Scene::site();
        let client = scene.connect();
        scene.send(client, &bytes[..cut]);
        scene.send(client, &bytes[cut..]);
        assert_eq!(scene.take(client), whole, "cut at {cut}");
    }
    let mut scene = Scene::site();
    let client = scene.connect();
    for byte in &bytes {
        scene.send(client, &[*byte]);
    }
    assert_eq!(scene.take(client), whole, "byte by byte");
}

#[test]
fn a_method_that_begins_like_the_preface_is_http1() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let link::Event::Request { .. } = event {
            ok(context, b"1");
        }
    });
    for method in ["P", "PR", "PRI", "POST", "PRIX"] {
        let (_, answer) = scene.ask(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{method}: {answer:?}");
    }
    let (client, _) = scene.ask(&get("/"));
    scene.send(client, PREFACE);
    let answer = scene.take(client);
    assert!(answer.starts_with("HTTP/1.1 "), "too late: {answer:?}");
}

#[test]
fn the_replies_of_many_streams_leave_in_one_write() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let ids: Vec<u32> = (0..32).map(|_| peer.get("/hello")).collect();
    let (writes, _) = scene.world.calls(peer.client);
    let seen = peer.talk(&mut scene);
    assert_eq!(scene.world.calls(peer.client).0 - writes, 1);
    for id in ids {
        assert_eq!(
            (status(&seen, id), &content(&seen, id)[..]),
            (200, &b"hello"[..])
        );
        assert!(ended(&seen, id));
        let date = |(name, _): &(String, String)| name == "date";
        assert_eq!(fields(&seen, id).iter().filter(|it| date(it)).count(), 1);
    }
    assert_eq!(scene.active(), 1);
}

#[test]
fn a_body_is_collected_on_each_stream_and_pieces_alternate() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let length = Some(BodyLength::Known(6000));
    let ids = [0, 1, 2].map(|_| peer.head("POST", "/echo", length));
    for round in 0..6 {
        for id in ids {
            peer.write(id, &[id as u8; 1000], round == 5);
        }
    }
    let seen = peer.talk(&mut scene);
    for id in ids {
        assert_eq!(content(&seen, id), vec![id as u8; 6000]);
    }
    assert_eq!(scene.count("Request POST /echo whole 6000"), 3);
}

#[test]
fn a_collected_body_over_its_limit_is_413_and_the_rest_is_not_wanted() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let id = peer.head("POST", "/echo", Some(BodyLength::Unknown));
    peer.write(id, &[0; 60_000], false);
    peer.talk(&mut scene);
    peer.write(id, &[0; 6000], false);
    let seen = peer.talk(&mut scene);
    assert_eq!((status(&seen, id), scene.count("TooLarge")), (413, 1));
    // What still comes is dropped for a second.
    assert_eq!(reset_of(&seen, id), None, "{seen:?}");
    scene.pass(3);
    let seen = peer.talk(&mut scene);
    assert_eq!(reset_of(&seen, id), Some(0), "NO_ERROR: {seen:?}");
    assert_eq!(peer.ask(&mut scene, "/hello"), (200, b"hello".to_vec()));
}

#[test]
fn a_refused_body_is_not_waited_for() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let id = peer.head("POST", "/refuse", Some(BodyLength::Unknown));
    let seen = peer.talk(&mut scene);
    assert_eq!((status(&seen, id), reset_of(&seen, id)), (403, None));
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
    scene.pass(3);
    let seen = peer.talk(&mut scene);
    assert_eq!(reset_of(&seen, id), Some(0), "NO_ERROR");
    // What ends in time ends without it.
    let id = peer.head("POST", "/refuse", Some(BodyLength::Unknown));
    assert_eq!(status(&peer.talk(&mut scene), id), 403);
    peer.write(id, &[7; 50_000], true);
    assert_eq!(reset_of(&peer.talk(&mut scene), id), None);
    scene.pass(3);
    assert_eq!(reset_of(&peer.talk(&mut scene), id), None);
}

#[test]
fn a_body_is_streamed_both_ways_at_once() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let id = peer.head("POST", "/stream", Some(BodyLength::Unknown));
    let seen = peer.talk(&mut scene);
    assert_eq!(status(&seen, id), 200, "the head comes before the body");
    for piece in [&b"one"[..], b"two", b"three"] {
        peer.write(id, piece, false);
        let seen = peer.talk(&mut scene);
        assert_eq!(content(&seen, id), piece);
    }
    peer.write(id, b"", true);
    assert!(ended(&peer.talk(&mut scene), id));
}

#[test]
fn content_ends_though_a_turn_has_done_much_with_its_last_piece() {
    let mut other = None;
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        match &event {
            link::Event::Request { head, .. } if path(head) == "/later" => {
                other = Some(context.exchange());
            }
            link::Event::Body(_) => {
                for _ in 0..9000 {
                    context.with(other.unwrap(), |_| {});
                }
            }
            _ => {}
        }
        serve(context, event);
    });
    scene.ask(&get("/later"));
    let mut peer = Peer::connect(&mut scene);
    let id = peer.head("POST", "/stream", Some(BodyLength::Unknown));
    peer.talk(&mut scene);
    peer.write(id, b"all of it", true);
    assert!(
        ended(&peer.talk(&mut scene), id),
        "{:?}",
        scene.log.borrow()
    );
}

#[test]
fn small_writes_of_one_turn_leave_in_one_frame() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let link::Event::Request { .. } = event {
            begin(context, false);
            for _ in 0..1000 {
                assert_eq!(context.write(b"tiny "), Flow::Go);
            }
            context
                .finish(Fields::new(&[Field::new("x-end", "1")]))
                .unwrap();
        }
    });
    let client = scene.connect();
    scene.send(
        client,
        &[opening(), stock(1, "GET", "/", END_STREAM)].concat(),
    );
    let sent = frames(&scene.world.take_output(client));
    let data = kinds(&sent, DATA);
    assert_eq!((data.len(), data[0].payload.len()), (1, 5000));
    let last = kinds(&sent, HEADERS).pop().unwrap();
    assert_eq!(last.flags, END_HEADERS | END_STREAM, "the trailers");
}

#[test]
fn replies_that_come_later_find_their_streams() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let ids = [0, 1, 2].map(|_| peer.get("/later"));
    peer.talk(&mut scene);
    let exchanges: Vec<Exchange> = {
        let lines = scene.log.borrow();
        let later = |at: &usize| lines[*at].starts_with("Request");
        let seen = scene.seen.borrow();
        (0..lines.len()).filter(later).map(|at| seen[at]).collect()
    };
    for (exchange, text) in exchanges.iter().zip(["first", "second", "third"]).rev() {
        scene.act(|context| context.with(*exchange, |context| ok(context, text.as_bytes())));
    }
    let seen = peer.talk(&mut scene);
    assert_eq!(content(&seen, ids[0]), b"first");
    assert_eq!(content(&seen, ids[1]), b"second");
    assert_eq!(content(&seen, ids[2]), b"third");
    // They are over now.
    let again = scene.act(|context| context.with(exchanges[0], |_| ()));
    assert_eq!(again, None);
}

#[test]
fn numbers_are_kept_for_each_exchange() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        link::Event::Request { head, .. } => {
            assert_eq!(context.tag(), 0);
            context.set_tag(crate::scene::path(&head)[1..].parse().unwrap());
            context.after(Duration::from_secs(1), 1);
        }
        link::Event::Timer { .. } => {
            let tag = context.tag().to_string();
            ok(context, tag.as_bytes());
        }
        link::Event::Ended(_) if context.exchange().stream != 0 => assert_ne!(context.tag(), 0),
        _ => {}
    });
    let mut peer = Peer::connect(&mut scene);
    let ids = [7, 8, 9].map(|tag| (tag, peer.get(&format!("/{tag}"))));
    peer.talk(&mut scene);
    scene.pass(2);
    let seen = peer.talk(&mut scene);
    for (tag, id) in ids {
        assert_eq!(content(&seen, id), tag.to_string().as_bytes());
    }
    // An owner that keeps something for a stream is told that it is over.
    assert_eq!(scene.count("Gone Finished"), 3);
}

// ---- windows, turns and pressure ----

#[test]
fn a_large_reply_waits_for_its_window_and_not_for_others() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    peer.side.consumes = false;
    let big = peer.get("/big/300000");
    let seen = peer.talk(&mut scene);
    assert_eq!(content(&seen, big).len(), 65_536, "its window");
    let (status, body) = peer.ask(&mut scene, "/hello");
    assert_eq!((status, &body[..]), (200, &b"hello"[..]));
    let mut got = 65_536;
    let mut unread = got;
    while unread > 0 {
        let Side { machine, out, .. } = &mut peer.side;
        machine.consume(big, unread, out);
        unread = content(&peer.talk(&mut scene), big).len();
        got += unread;
    }
    assert_eq!(got, 300_000);
}

#[test]
fn streams_send_in_fair_turns() {
    let mut scene = Scene::site();
    let limits = http2::Limits::DEFAULT
        .with_stream_window(1 << 20)
        .with_connection_window(8 << 20);
    let mut peer = Peer::with(&mut scene, limits);
    scene.world.allow_write(peer.client, 200_000);
    let ids = [0, 1, 2, 3].map(|_| peer.get("/big/400000"));
    let out = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &out);
    let seen = peer.side.feed(&scene.world.take_output(peer.client));
    let shares = ids.map(|id| content(&seen, id).len());
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(*least > 0 && most - least <= 64 << 10, "{shares:?}");
    scene.world.allow_all(peer.client);
    scene.settle();
    let mut got = shares;
    let seen = peer.talk(&mut scene);
    for (got, id) in got.iter_mut().zip(ids) {
        *got += content(&seen, id).len();
    }
    assert_eq!(got, [400_000; 4]);
}

#[test]
fn a_writer_waits_for_its_own_stream_alone() {
    const PIECE: [u8; 10_000] = [b'p'; 10_000];
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        link::Event::Request { head, .. } if crate::scene::path(&head) == "/fill" => {
            begin(context, false);
            while context.write(&PIECE) == Flow::Go {}
        }
        link::Event::Request { .. } => ok(context, b"hello"),
        link::Event::Writable => context.finish(Fields::EMPTY).unwrap(),
        _ => {}
    });
    let mut peer = Peer::connect(&mut scene);
    peer.side.consumes = false;
    let fill = peer.get("/fill");
    // The first turn goes to the peer; behind its window the writer waits.
    let mut got = content(&peer.talk(&mut scene), fill).len();
    assert_eq!(peer.ask(&mut scene, "/other").1, b"hello");
    let mut unread = got;
    while unread > 0 {
        let Side { machine, out, .. } = &mut peer.side;
        machine.consume(fill, unread, out);
        let seen = peer.talk(&mut scene);
        unread = content(&seen, fill).len();
        got += unread;
    }
    assert_eq!((got % PIECE.len(), scene.count("Writable")), (0, 1));
}

#[test]
fn a_held_stream_is_stopped_by_its_window_and_others_go_on() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let held = peer.head("POST", "/hold", Some(BodyLength::Unknown));
    let taken = peer.write(held, &[1; 100_000], false);
    peer.talk(&mut scene);
    assert_eq!(taken, 65_536);
    assert_eq!(
        peer.side.machine.capacity(held),
        0,
        "no window is given back"
    );
    assert!(!scene.has("Body"));
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
    let exchange = scene.exchange_of("Request POST /hold");
    scene.act(|context| context.with(exchange, |context| context.set_reading(true)));
    assert!(scene.has("Body 65536"));
    peer.talk(&mut scene);
    assert!(peer.side.machine.capacity(held) > 0);
    peer.write(held, &[1; 1000], true);
    let seen = peer.talk(&mut scene);
    assert!(ended(&seen, held), "{seen:?}");
}

#[test]
fn a_peer_that_does_not_read_is_held_back_and_given_up() {
    let mut scene = Scene::site();
    let limits = http2::Limits::DEFAULT
        .with_stream_window(1 << 30)
        .with_connection_window(1 << 30);
    let mut peer = Peer::with(&mut scene, limits);
    scene.world.stop_reading(peer.client);
    for _ in 0..100 {
        peer.get("/big/100000");
    }
    let out = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &out);
    scene.pass(40);
    assert_eq!(scene.fate(peer.client), Fate::Reset);
    assert_eq!(scene.count("Gone Stalled"), scene.count("Request") + 1);
}

/// A client whose streams have `window` each, and the connection `all`, that has
/// sent its requests and then its FIN.
fn half_closed(window: u32, all: u32, paths: &[&str]) -> (Scene, ScriptedClient) {
    let mut scene = Scene::site();
    let client = scene.connect();
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(
        SETTINGS,
        0,
        0,
        &[&[0, 4][..], &window.to_be_bytes()].concat(),
    ));
    bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    if all > 65_535 {
        bytes.extend(number(WINDOW_UPDATE, 0, all - 65_535));
    }
    for (n, path) in paths.iter().enumerate() {
        bytes.extend(stock(2 * n as u32 + 1, "GET", path, END_STREAM));
    }
    scene.send(client, &bytes);
    scene.eof(client);
    (scene, client)
}

#[test]
fn after_a_fin_only_what_the_windows_let_out_is_sent() {
    let paths = [
        "/hello",
        "/big/100000",
        "/big/1000",
        "/big/65535",
        "/big/65536",
    ];
    let (scene, client) = half_closed(65_535, 1 << 20, &paths);
    assert!(scene.is_over(client), "no time has to pass");
    let sent = frames(&scene.world.take_output(client));
    for (n, whole) in [5, 0, 1000, 65_535, 0].into_iter().enumerate() {
        let id = 2 * n as u32 + 1;
        let of_it = sent.iter().filter(|frame| frame.stream == id);
        let ends = of_it
            .clone()
            .any(|it| it.kind == DATA && it.flags & END_STREAM != 0);
        assert_eq!(ends, whole > 0, "{}", paths[n]);
        let resets = of_it.clone().filter(|it| it.kind == RST_STREAM);
        let codes: Vec<u32> = resets.map(Sent::number).collect();
        assert_eq!(
            codes,
            if whole > 0 { vec![] } else { vec![8] },
            "{}",
            paths[n]
        );
        let content: usize = of_it
            .filter(|it| it.kind == DATA)
            .map(|it| it.payload.len())
            .sum();
        assert_eq!(
            content,
            if whole > 0 { whole } else { 65_535 },
            "{}",
            paths[n]
        );
    }
    assert_eq!(scene.count("Gone Stalled"), 2);
}

#[test]
fn after_a_fin_the_window_of_all_streams_is_the_last_one_too() {
    let (scene, client) = half_closed(1 << 20, 65_535, &["/big/60000", "/big/60000"]);
    assert!(scene.is_over(client), "no time has to pass");
    let sent = frames(&scene.world.take_output(client));
    let content = sent.iter().filter(|frame| frame.kind == DATA);
    assert_eq!(content.map(|it| it.payload.len()).sum::<usize>(), 65_535);
    // A window of none at all.
    let (scene, client) = half_closed(0, 65_535, &["/hello", "/hello"]);
    assert!(scene.is_over(client), "no time has to pass");
    assert_eq!(scene.count("Gone Stalled"), 2);
}

#[test]
fn after_a_fin_nobody_is_asked_for_a_sign_of_life() {
    let mut scene = Scene::site();
    let client = scene.connect();
    // Nor for the acknowledgement of our settings.
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes.extend(stock(1, "GET", "/open", END_STREAM));
    scene.send(client, &bytes);
    let exchange = scene.exchange_of("Request");
    scene.eof(client);
    for _ in 0..50 {
        scene.act(|context| context.with(exchange, |context| context.write(&[b'x'; 100])));
        scene.pass(5);
    }
    assert!(!scene.has("Gone"), "{:?}", scene.log.borrow());
    scene.act(|context| context.with(exchange, |context| context.finish(Fields::EMPTY).unwrap()));
    let sent = frames(&scene.world.take_output(client));
    let data = kinds(&sent, DATA);
    let content: usize = data.iter().map(|frame| frame.payload.len()).sum();
    assert_eq!((content, kinds(&sent, PING).len()), (5_000, 0));
    assert!(data.iter().any(|frame| frame.flags & END_STREAM != 0));
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn a_ping_that_is_out_is_not_waited_for_after_a_fin() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &opening());
    scene.send(client, &stock(1, "GET", "/open", END_STREAM));
    scene.pass(62);
    let sent = frames(&scene.world.take_output(client));
    assert_eq!(kinds(&sent, PING).len(), 1);
    scene.eof(client);
    scene.pass(100);
    assert!(!scene.has("Gone"), "{:?}", scene.log.borrow());
}

#[test]
fn a_window_of_a_stream_alone_is_no_progress() {
    let mut scene = Scene::site();
    let client = scene.connect();
    scene.send(client, &opening());
    scene.send(client, &stock(1, "GET", "/big/100000", END_STREAM));
    for _ in 0..80 {
        scene.pass(1);
        scene.send(client, &number(WINDOW_UPDATE, 1, 1));
        let sent = frames(&scene.world.take_output(client));
        for ping in kinds(&sent, PING) {
            scene.send(client, &frame(PING, ACK, 0, &ping.payload));
        }
    }
    assert_eq!(scene.count("Gone Stalled"), 1);
}

#[test]
fn the_outboxes_count_against_the_memory_of_the_loop() {
    let setting = Setting {
        limits: Limits::DEFAULT.with_memory(3 << 20),
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let (honest, _) = scene.ask(&get("/hello"));
    let mut peer = Peer::connect(&mut scene);
    peer.side.consumes = false;
    for _ in 0..40 {
        peer.get("/big/100000");
    }
    let out = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &out);
    assert!(scene.is_over(peer.client), "the one that holds the most");
    assert_eq!(scene.fate(honest), Fate::Open);
}

// ---- ends ----

#[test]
fn a_stream_that_the_peer_resets_is_over_and_the_others_are_not() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let (gone, stays) = (peer.get("/later"), peer.get("/later"));
    peer.talk(&mut scene);
    peer.reset(gone, 8);
    peer.talk(&mut scene);
    assert_eq!(scene.count("Gone StreamReset { code: 8 }"), 1);
    assert_eq!(scene.exchange_of("Gone").stream, gone);
    let exchange = Exchange {
        stream: stays,
        ..scene.exchange_of("Gone")
    };
    scene.act(|context| context.with(exchange, |context| ok(context, b"still")));
    assert_eq!(content(&peer.talk(&mut scene), stays), b"still");
    assert_eq!(scene.active(), 1);
}

#[test]
fn the_end_of_the_connection_is_the_end_of_every_stream_once() {
    type End = fn(&mut Scene, &mut Peer);
    let ends: [(End, &str); 3] = [
        (|scene, peer| scene.reset(peer.client), "Gone Reset"),
        (
            |scene, peer| scene.send(peer.client, &frame(DATA, 0, 99, b"x")),
            "Gone ProtocolError(Http2(IdleStream))",
        ),
        (
            |scene, peer| {
                scene
                    .world
                    .break_with(peer.client, std::io::ErrorKind::TimedOut);
                scene.settle();
            },
            "Gone Reset",
        ),
    ];
    for (end, line) in ends {
        let mut scene = Scene::site();
        let mut peer = Peer::connect(&mut scene);
        let ids = ["/later", "/open", "/feed"].map(|path| peer.get(path));
        let upload = peer.head("POST", "/stream", Some(BodyLength::Unknown));
        peer.talk(&mut scene);
        end(&mut scene, &mut peer);
        let streams: Vec<u32> = {
            let (lines, seen) = (scene.log.borrow(), scene.seen.borrow());
            let at = (0..lines.len()).filter(|&at| lines[at].starts_with("Gone"));
            at.map(|at| {
                assert_eq!(lines[at], line);
                seen[at].stream
            })
            .collect()
        };
        assert_eq!(streams, [ids[0], ids[1], ids[2], upload, 0], "{line}");
    }
}

#[test]
fn a_fin_lets_finite_replies_finish() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let later = peer.get("/later");
    let feed = peer.get("/feed");
    peer.talk(&mut scene);
    scene.eof(peer.client);
    assert_eq!(scene.count("Gone Disconnected"), 1);
    assert_eq!(scene.exchange_of("Gone").stream, feed);
    let exchange = Exchange {
        stream: later,
        ..scene.exchange_of("Gone")
    };
    scene.act(|context| context.with(exchange, |context| ok(context, b"last")));
    let seen = peer.side.feed(&scene.world.take_output(peer.client));
    assert_eq!(content(&seen, later), b"last");
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_panic_ends_its_stream_alone() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let (early, answered, cut) = (
        peer.get("/panic"),
        peer.get("/answer-panic"),
        peer.get("/cut"),
    );
    let hello = peer.get("/hello");
    let seen = peer.talk(&mut scene);
    assert_eq!(status(&seen, early), 500);
    assert_eq!(
        content(&seen, early),
        b"{\"error\":\"Internal Server Error\"}"
    );
    assert_eq!(content(&seen, answered), b"never", "it was on its way");
    assert_eq!(
        (content(&seen, cut), ended(&seen, cut)),
        (b"half".to_vec(), false)
    );
    assert_eq!(content(&seen, hello), b"hello");
    scene.world.advance(Duration::from_millis(2));
    scene.settle();
    let seen = peer.talk(&mut scene);
    assert_eq!(reset_of(&seen, cut), Some(2), "INTERNAL_ERROR: {seen:?}");
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
    assert_eq!(scene.events.counters().panics, 3);
    assert!(!scene.has("Gone"), "{:?}", scene.log.borrow());
}

#[test]
fn a_draining_loop_says_goaway_twice_and_finishes_what_runs() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let later = peer.get("/later");
    peer.talk(&mut scene);
    scene.events.drain(None);
    scene.settle();
    // One that was on its way is still served.
    let late = peer.get("/hello");
    let out = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &out);
    let seen = peer.talk(&mut scene);
    let last = |seen: &[Seen]| -> Vec<u32> {
        let goaway = seen.iter().filter_map(|event| match event {
            Seen::GoAway(last, 0, _) => Some(*last),
            _ => None,
        });
        goaway.collect()
    };
    assert_eq!(last(&seen), [0x7fff_ffff, late], "{seen:?}");
    assert_eq!(content(&seen, late), b"hello");
    let exchange = scene.exchange_of("Request GET /later");
    scene.act(|context| context.with(exchange, |context| ok(context, b"done")));
    assert_eq!(content(&peer.talk(&mut scene), later), b"done");
    scene.eof(peer.client);
    assert!(scene.events.is_drained());
}

#[test]
fn an_abort_resets_its_stream_alone() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        let link::Event::Request { head, .. } = event else {
            return;
        };
        match crate::scene::path(&head) {
            "/abort" => context.abort(),
            "/reset" => context.reset(11),
            _ => ok(context, b"fine"),
        }
    });
    let mut peer = Peer::connect(&mut scene);
    let (abort, reset, fine) = (peer.get("/abort"), peer.get("/reset"), peer.get("/"));
    let seen = peer.talk(&mut scene);
    assert_eq!(
        (reset_of(&seen, abort), reset_of(&seen, reset)),
        (Some(2), Some(11))
    );
    assert_eq!(content(&seen, fine), b"fine");
    assert_eq!((scene.count("Gone Aborted"), scene.active()), (2, 1));
}

#[test]
fn a_hostile_connection_ends_and_touches_no_other() {
    let resets = |n: u32| {
        [
            stock(n * 2 + 1, "GET", "/later", END_STREAM),
            number(RST_STREAM, n * 2 + 1, 8),
        ]
        .concat()
    };
    let pings = |_| frame(6, 0, 0, b"12345678");
    let settings = |_| frame(SETTINGS, 0, 0, &[]);
    let empty = |n: u32| match n {
        0 => stock(1, "POST", "/stream", 0),
        _ => frame(DATA, 0, 1, b""),
    };
    type Attack<'a> = &'a dyn Fn(u32) -> Vec<u8>;
    let attacks: [(&str, Attack<'_>); 4] = [
        ("too_many_resets", &resets),
        ("too_many_pings", &pings),
        ("too_many_settings", &settings),
        ("too_many_empty_data_frames", &empty),
    ];
    let mut scene = Scene::site();
    let mut honest = Peer::connect(&mut scene);
    let waits = honest.get("/later");
    honest.talk(&mut scene);
    for (host, (reason, attack)) in (1..).zip(attacks) {
        // What one address has spent is no concern of the next.
        let client = scene.connect_from([192, 0, 2, host]);
        scene.send(client, &opening());
        let mut sent = 0;
        while !scene.is_over(client) && scene.fate(client) == Fate::Open {
            let bytes: Vec<u8> = (sent..sent + 50).flat_map(attack).collect();
            scene.send(client, &bytes);
            sent += 50;
            assert!(sent < 20_000, "{reason}");
            assert_eq!(honest.ask(&mut scene, "/hello").0, 200);
        }
        let frames = frames(&scene.world.take_output(client));
        let last = frames.last().unwrap();
        assert_eq!((last.kind, &last.payload[8..]), (GOAWAY, reason.as_bytes()));
        scene.eof(client);
    }
    assert_eq!(scene.active(), 1);
    let exchange = scene.exchange_of("Request GET /hello");
    let exchange = Exchange {
        stream: waits,
        ..exchange
    };
    scene.act(|context| context.with(exchange, |context| ok(context, b"after all")));
    assert_eq!(content(&honest.talk(&mut scene), waits), b"after all");
}

// ---- the client's side ----

const HOST: &[Field<'static>] = &[Field::new("Host", "a")];

#[test]
fn a_dialled_connection_carries_many_requests() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        link::Event::Writable if context.exchange().stream == 0 => {
            assert_eq!(context.allowance(), 128);
            for (tag, path) in ["/one", "/two", "/three"].into_iter().enumerate() {
                let head = RequestHead {
                    method: Method::POST,
                    target: Target::parse(path.as_bytes(), Method::POST).unwrap(),
                    version: Version::Http2,
                    protocol: None,
                    fields: Fields::new(HOST),
                };
                let body = Body::Streamed {
                    length: None,
                    endless: false,
                };
                context.request(&head, Some(body)).unwrap();
                context.set_tag(tag as u32 + 1);
                assert_eq!(context.write(path.as_bytes()), Flow::Go);
                context.finish(Fields::EMPTY).unwrap();
            }
            assert_eq!(context.allowance(), 125);
        }
        link::Event::Body(_) | link::Event::Response { .. } => assert_ne!(context.tag(), 0),
        _ => {}
    });
    let (owner, profile) = (scene.owner, scene.profile);
    scene.act(|context| {
        let to = Destination::Address("192.0.2.1:80".parse().unwrap());
        assert_eq!(context.owner(), owner);
        context.dial(to, Speaks::Http2, profile, 9)
    });
    let (client, _) = scene.world.dials().pop().unwrap();
    scene.world.complete(client);
    scene.settle();
    let mut server = Side::new(Role::Server, http2::Limits::DEFAULT);
    let mut bodies = Vec::new();
    loop {
        let out = core::mem::take(&mut server.out);
        scene.send(client, &out);
        let answer = scene.world.take_output(client);
        if answer.is_empty() {
            break;
        }
        let seen = server.feed_with(&answer, |machine, event, out| {
            if let Seen::End(id, _) = event {
                let head = ResponseHead::new(Status::OK, Fields::EMPTY);
                let length = Some(BodyLength::Known(2));
                machine
                    .send_response(*id, &head, length, None, out)
                    .unwrap();
                let now = barewire::wire::Instant::START;
                assert_eq!(machine.send_data(*id, b"ok", true, now, out), Ok(2));
            }
        });
        bodies.extend([1, 3, 5].map(|id| content(&seen, id)).concat());
    }
    assert_eq!(bodies, b"/one/two/three");
    assert_eq!(
        (
            scene.count("Response 200"),
            scene.count("Body 2"),
            scene.count("End")
        ),
        (3, 3, 3)
    );
    assert_eq!(
        scene.count("Gone Finished"),
        3,
        "of those that were numbered"
    );
    // The server goes away: one that it has not looked at may be sent again.
    let exchange = Exchange {
        stream: 0,
        ..scene.exchange_of("Opened")
    };
    scene.act(|context| {
        context.with(exchange, |context| {
            let head = RequestHead {
                method: Method::GET,
                target: Target::parse(b"/", Method::GET).unwrap(),
                version: Version::Http2,
                protocol: None,
                fields: Fields::new(HOST),
            };
            context.request(&head, None).unwrap();
        })
    });
    scene.send(client, &frame(GOAWAY, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 0]));
    assert!(scene.has("GoingAway 5 0"));
    assert!(scene.has("Gone StreamReset { code: 7 }"));
    assert!(scene.has("Gone Finished"));
}

/// Dials a server that says nothing.
fn reach(scene: &mut Scene) -> ScriptedClient {
    let profile = scene.profile;
    scene.act(|context| {
        let to = Destination::Address("192.0.2.1:80".parse().unwrap());
        context.dial(to, Speaks::Http2, profile, 0)
    });
    let client = scene.world.dials().pop().unwrap().0;
    scene.world.complete(client);
    scene.settle();
    client
}

/// Dials a server that has sent its settings.
fn dial(scene: &mut Scene) -> (ScriptedClient, Side) {
    let client = reach(scene);
    let mut server = Side::new(Role::Server, http2::Limits::DEFAULT);
    exchange_bytes(scene, client, &mut server);
    (client, server)
}

fn exchange_bytes(scene: &mut Scene, client: ScriptedClient, server: &mut Side) {
    loop {
        let out = core::mem::take(&mut server.out);
        scene.send(client, &out);
        let answer = scene.world.take_output(client);
        if answer.is_empty() {
            return;
        }
        server.feed(&answer);
    }
}

pub(crate) fn request_of(path: &str) -> RequestHead<'_> {
    RequestHead {
        method: Method::GET,
        target: Target::parse(path.as_bytes(), Method::GET).unwrap(),
        version: Version::Http2,
        protocol: None,
        fields: Fields::new(HOST),
    }
}

#[test]
fn content_that_an_owner_keeps_holds_the_peer_back_until_it_is_consumed() {
    for consumes in [false, true] {
        let mut scene = Scene::with(Setting::default(), move |context, event| {
            if matches!(event, link::Event::Writable) {
                context.request(&request_of("/"), None).unwrap();
                assert!(!consumes || context.let_owner_consume());
            }
        });
        let (client, mut server) = dial(&mut scene);
        let head = ResponseHead::new(Status::OK, Fields::EMPTY);
        let (length, out) = (Some(BodyLength::Unknown), &mut server.out);
        let sent = server.machine.send_response(1, &head, length, None, out);
        sent.unwrap();
        let window = server.machine.capacity(1);
        server.write(1, &vec![7; window], false);
        exchange_bytes(&mut scene, client, &mut server);
        assert_eq!(server.machine.capacity(1) == 0, consumes);
        let stream = Exchange {
            stream: 1,
            ..scene.exchange_of("Opened")
        };
        scene.act(|context| context.with(stream, |context| context.consume(window)));
        scene.settle();
        exchange_bytes(&mut scene, client, &mut server);
        assert!(server.machine.capacity(1) >= window / 2);
    }
}

#[test]
fn requests_wait_for_room_and_go_on_when_there_is_some() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if matches!(event, link::Event::Writable) {
            let path = format!("/{}", "x".repeat(4000));
            let connection = Exchange {
                stream: 0,
                ..context.exchange()
            };
            let mut goes = true;
            while goes && context.allowance() > 0 {
                let asked = context.with(connection, |context| match context.flow() {
                    Flow::Go => context.request(&request_of(&path), None).is_ok(),
                    _ => false,
                });
                goes = asked == Some(true);
            }
        }
    });
    let (client, server) = dial(&mut scene);
    assert_eq!(scene.fate(client), Fate::Open);
    assert_eq!(server.machine.streams(), 128, "as many as it allows");
    assert!(scene.count("Writable") > 2);
}

#[test]
fn a_client_that_shuts_down_says_so_and_ends_behind_its_exchanges() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if matches!(event, link::Event::Writable) {
            context.request(&request_of("/"), None).unwrap();
            context.shutdown();
            assert_eq!(context.allowance(), 0);
        }
    });
    let (client, mut server) = dial(&mut scene);
    assert_eq!(
        (scene.fate(client), server.machine.streams()),
        (Fate::Open, 1)
    );
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let sent = server
        .machine
        .send_response(1, &head, None, None, &mut server.out);
    sent.unwrap();
    exchange_bytes(&mut scene, client, &mut server);
    assert!(scene.has("Gone Finished"));
}

#[test]
fn a_server_that_takes_leave_may_say_why() {
    let mut scene = Scene::with(Setting::default(), |_, _| {});
    let (client, _) = dial(&mut scene);
    scene.send(client, &frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\x0bcalm"));
    assert!(scene.has("GoingAway 0 11 calm"));
}

#[test]
fn an_alert_of_tls_is_told_from_a_frame_at_every_cut() {
    for cut in [1, 2, 5, 14] {
        let mut scene = Scene::with(Setting::default(), |_, _| {});
        let client = reach(&mut scene);
        for piece in b"\x15\x03\x01\0\x02\x02\x46\x15\x03\x01\0\x02\x01\0".chunks(cut) {
            scene.send(client, piece);
        }
        assert!(scene.has("Gone ProtocolError(Http2(Tls))"));
    }
}

// ---- time ----

#[test]
fn an_overdue_reply_is_a_504_of_its_stream() {
    let setting = Setting {
        protocols: link::Limits::DEFAULT.with_reply(Duration::from_secs(5)),
        ..Setting::default()
    };
    let mut scene = Scene::site_with(setting);
    let mut peer = Peer::connect(&mut scene);
    let (late, open) = (peer.get("/later"), peer.get("/open"));
    peer.talk(&mut scene);
    scene.pass(7);
    let seen = peer.talk(&mut scene);
    assert_eq!((status(&seen, late), ended(&seen, late)), (504, true));
    assert_eq!((scene.count("Overdue"), reset_of(&seen, open)), (1, None));
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
}

#[test]
fn a_collected_body_that_trickles_is_a_408_of_its_stream() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let slow = peer.head("POST", "/echo", Some(BodyLength::Known(50_000)));
    peer.write(slow, b"x", false);
    peer.talk(&mut scene);
    let mut seen = Vec::new();
    for _ in 0..15 {
        scene.pass(1);
        if seen.is_empty() {
            peer.write(slow, b"x", false);
        }
        seen.extend(peer.talk(&mut scene));
    }
    assert_eq!((status(&seen, slow), reset_of(&seen, slow)), (408, Some(0)));
    assert_eq!(scene.count("Gone Stalled"), 1);
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
}

#[test]
fn a_body_in_pieces_that_trickles_ends_its_stream() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let slow = peer.head("POST", "/stream", Some(BodyLength::Known(50_000)));
    let brisk = peer.head("POST", "/stream", Some(BodyLength::Known(50_000)));
    let messages = peer.head("POST", "/messages", Some(BodyLength::Unknown));
    let held = peer.head("POST", "/hold", Some(BodyLength::Known(50_000)));
    let mut seen = peer.talk(&mut scene);
    for second in 0..40 {
        scene.pass(1);
        if reset_of(&seen, slow).is_none() {
            assert!(second < 15, "{second}");
            peer.write(slow, b"x", false);
        }
        peer.write(brisk, &[b'y'; 1250], second == 39);
        seen.extend(peer.talk(&mut scene));
    }
    assert_eq!((status(&seen, slow), reset_of(&seen, slow)), (200, Some(8)));
    assert_eq!(content(&seen, brisk).len(), 50_000);
    for fine in [brisk, messages, held] {
        assert_eq!(reset_of(&seen, fine), None);
    }
    assert_eq!(scene.count("Gone Stalled"), 1);
}

#[test]
fn saying_that_a_body_is_read_on_gives_its_peer_no_time() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        link::Event::Body(_) => context.set_reading(true),
        event => serve(context, event),
    });
    let mut peer = Peer::connect(&mut scene);
    let slow = peer.head("POST", "/stream", Some(BodyLength::Known(50_000)));
    let mut seen = peer.talk(&mut scene);
    for _ in 0..15 {
        scene.pass(1);
        if reset_of(&seen, slow).is_none() {
            peer.write(slow, b"x", false);
        }
        seen.extend(peer.talk(&mut scene));
    }
    assert_eq!(reset_of(&seen, slow), Some(8));
}

#[test]
fn a_body_whose_reader_had_to_wait_has_its_time_anew() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        link::Event::Body(_) => while context.write(&[b'p'; 10_000]) == Flow::Go {},
        event => serve(context, event),
    });
    let mut peer = Peer::connect(&mut scene);
    peer.side.consumes = false;
    let sent = peer.head("POST", "/stream", Some(BodyLength::Known(2000)));
    peer.write(sent, &[1; 1000], false);
    let mut seen = peer.talk(&mut scene);
    scene.pass(9);
    let mut unread = content(&seen, sent).len();
    while unread > 0 {
        let Side { machine, out, .. } = &mut peer.side;
        machine.consume(sent, unread, out);
        let more = peer.talk(&mut scene);
        unread = content(&more, sent).len();
        seen.extend(more);
    }
    assert_eq!(scene.count("Writable"), 1);
    scene.pass(3);
    seen.extend(peer.talk(&mut scene));
    assert_eq!(reset_of(&seen, sent), None);
    scene.pass(10);
    seen.extend(peer.talk(&mut scene));
    assert_eq!(reset_of(&seen, sent), Some(8));
}

#[test]
fn an_overdue_reply_ends_no_body_that_nobody_reads() {
    let mut scene = Scene::site();
    let limits = http2::Limits::DEFAULT
        .with_stream_window(1 << 30)
        .with_connection_window(1 << 30);
    let mut peer = Peer::with(&mut scene, limits);
    let sent = peer.head("POST", "/take", Some(BodyLength::Known(5000)));
    peer.write(sent, &[1; 1000], false);
    peer.get("/later");
    peer.talk(&mut scene);
    scene.world.stop_reading(peer.client);
    peer.get("/big/300000");
    peer.write(sent, &[2; 1000], false);
    let asked = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &asked);
    for _ in 0..62 {
        scene.pass(1);
        scene.world.allow_write(peer.client, 1);
    }
    assert_eq!((scene.count("Overdue"), scene.count("Gone")), (1, 0));
}

#[test]
fn a_body_in_pieces_that_never_begins_is_a_408() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let silent = peer.head("POST", "/take", Some(BodyLength::Known(50_000)));
    let mut seen = peer.talk(&mut scene);
    for _ in 0..15 {
        scene.pass(1);
        seen.extend(peer.talk(&mut scene));
    }
    assert_eq!(
        (status(&seen, silent), reset_of(&seen, silent)),
        (408, Some(0))
    );
    assert_eq!(peer.ask(&mut scene, "/hello").0, 200);
}

#[test]
fn a_body_that_waits_behind_one_that_nobody_takes_is_not_too_slow() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    // What is held fills the window of the connection.
    let mut held = Vec::new();
    for _ in 0..4 {
        let id = peer.head("POST", "/hold", Some(BodyLength::Unknown));
        assert_eq!(peer.write(id, &[b'h'; 64 << 10], false), 64 << 10);
        held.push(id);
    }
    let waiting = peer.head("POST", "/stream", Some(BodyLength::Unknown));
    assert_eq!(peer.write(waiting, b"x", false), 0);
    let mut seen = peer.talk(&mut scene);
    for _ in 0..69 {
        scene.pass(1);
        seen.extend(peer.talk(&mut scene));
    }
    // Once it is open there is time to use it, but no more than that.
    for id in held {
        peer.reset(id, 8);
    }
    for (seconds, code) in [(5, None), (10, Some(8))] {
        for _ in 0..seconds {
            seen.extend(peer.talk(&mut scene));
            scene.pass(1);
        }
        seen.extend(peer.talk(&mut scene));
        assert_eq!(reset_of(&seen, waiting), code);
    }
}

#[test]
fn a_collected_body_that_nobody_reads_is_not_too_slow() {
    let mut scene = Scene::site();
    let limits = http2::Limits::DEFAULT
        .with_stream_window(1 << 30)
        .with_connection_window(1 << 30);
    let mut peer = Peer::with(&mut scene, limits);
    let sent = peer.head("POST", "/echo", Some(BodyLength::Known(5000)));
    peer.write(sent, &[1; 1000], false);
    peer.talk(&mut scene);
    // As long as much waits for the peer, nothing more is read of it.
    scene.world.stop_reading(peer.client);
    let big = peer.get("/big/300000");
    let asked = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &asked);
    peer.write(sent, &[2; 4000], true);
    let rest = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &rest);
    for _ in 0..20 {
        scene.pass(1);
        scene.world.allow_write(peer.client, 1);
    }
    scene.world.allow_all(peer.client);
    scene.settle();
    let seen = peer.talk(&mut scene);
    assert_eq!(
        (status(&seen, big), content(&seen, big).len()),
        (200, 300_000)
    );
    assert_eq!(
        (status(&seen, sent), content(&seen, sent).len()),
        (200, 5000)
    );
    // Whoever says nothing once it is read again has no more time than that.
    let silent = peer.head("POST", "/echo", Some(BodyLength::Known(5000)));
    peer.write(silent, &[1; 1000], false);
    peer.talk(&mut scene);
    scene.world.stop_reading(peer.client);
    peer.get("/big/300000");
    let asked = core::mem::take(&mut peer.side.out);
    scene.send(peer.client, &asked);
    scene.pass(20);
    scene.world.allow_all(peer.client);
    scene.pass(3);
    let seen = peer.talk(&mut scene);
    assert_eq!(status(&seen, silent), 408);
}

#[test]
fn deadlines_end_connections_that_are_held_for_nothing() {
    // What is sent, the seconds it may take, and the code of the GOAWAY.
    let mut begun = opening();
    begun.extend(&stock(1, "GET", "/hello", END_STREAM)[..10]);
    let silent = [&PREFACE[..], &frame(SETTINGS, 0, 0, &[])].concat();
    let cases: [(&str, Vec<u8>, u64, Option<u32>); 4] = [
        ("half a preface", PREFACE[..20].to_vec(), 10, Some(0)),
        ("no acknowledgement", silent, 10, Some(4)),
        ("half a header block", begun, 10, Some(11)),
        ("nothing to do", opening(), 60, Some(0)),
    ];
    for (name, bytes, seconds, code) in cases {
        let mut scene = Scene::site();
        let client = scene.connect();
        scene.send(client, &bytes);
        scene.pass(seconds - 1);
        assert!(!scene.is_over(client), "{name}");
        scene.pass(8); // and the lingering
        assert!(scene.is_over(client), "{name}");
        let sent = frames(&scene.world.take_output(client));
        let goaway = kinds(&sent, GOAWAY).pop().map(|frame| {
            let code = &frame.payload[4..8];
            u32::from_be_bytes(code.try_into().unwrap())
        });
        assert_eq!(goaway, code, "{name}");
    }
}

#[test]
fn a_window_that_stays_shut_resets_its_stream() {
    let mut scene = Scene::site();
    let client = scene.connect();
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])); // a window of nothing
    bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    bytes.extend(stock(1, "GET", "/big/100", END_STREAM));
    scene.send(client, &bytes);
    for _ in 0..7 {
        scene.pass(10);
        scene.send(client, &frame(6, ACK, 0, b"alive???")); // it lives
    }
    let sent = frames(&scene.world.take_output(client));
    let resets = kinds(&sent, RST_STREAM);
    assert_eq!((resets.len(), resets[0].number()), (1, 8), "CANCEL");
    assert_eq!(scene.count("Gone Stalled"), 1);
}

// ---- WebSocket in a stream (RFC 8441) ----

fn websocket(peer: &mut Peer, path: &str) -> u32 {
    let fields = [("sec-websocket-version", "13")];
    let length = Some(BodyLength::Unknown);
    peer.head_with("CONNECT", path, Some("websocket"), &fields, length)
}

#[test]
fn a_websocket_runs_inside_a_stream() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let (one, two) = (websocket(&mut peer, "/ws"), websocket(&mut peer, "/ws"));
    let seen = peer.talk(&mut scene);
    assert_eq!((status(&seen, one), status(&seen, two)), (200, 200));
    peer.write(one, &text("hello"), false);
    peer.write(two, &[text("a"), text("b")].concat(), false);
    let seen = peer.talk(&mut scene);
    assert_eq!(content(&seen, one), b"\x81\x05hello");
    assert_eq!(content(&seen, two), b"\x81\x01a\x81\x01b");
    // Byte by byte, and a ping inside.
    let mut bytes = text("slow");
    bytes.extend(crate::scene::frame(0x89, b"?"));
    for byte in &bytes {
        peer.write(one, &[*byte], false);
        peer.talk(&mut scene);
    }
    assert_eq!((scene.count("Message 4"), scene.count("Ping")), (1, 1));
    // A message longer than the stream's window.
    let long = crate::scene::frame(0x82, &[7; 300_000]);
    let mut sent = 0;
    let mut echo = Vec::new();
    while sent < long.len() {
        sent += peer.write(one, &long[sent..], false);
        echo.extend(content(&peer.talk(&mut scene), one));
    }
    echo.extend(content(&peer.talk(&mut scene), one));
    assert_eq!(echo.len(), 300_000 + 10);
    assert_eq!(scene.count("Message 300000"), 1);
    // Its end is the end of a stream, and of nothing else.
    peer.write(one, &crate::scene::frame(0x88, &[3, 232]), false);
    let seen = peer.talk(&mut scene);
    assert_eq!(content(&seen, one), b"\x88\x02\x03\xe8");
    assert!(ended(&seen, one), "{seen:?}");
    assert_eq!((scene.count("Close"), scene.count("Gone Finished")), (1, 1));
    peer.write(two, &text("still"), false);
    assert_eq!(content(&peer.talk(&mut scene), two), b"\x81\x05still");
}

#[test]
fn a_websocket_in_a_stream_ends_in_every_way_once() {
    type End = fn(&mut Peer, u32);
    let ends: [(End, &str); 4] = [
        (|peer, id| peer.reset(id, 8), "Gone StreamReset { code: 8 }"),
        (
            |peer, id| _ = peer.write(id, b"", true),
            "Gone Disconnected",
        ),
        (
            |peer, id| _ = peer.write(id, b"\x81\x01x", false),
            "Gone ProtocolError(WebSocket(",
        ),
        (|peer, id| _ = peer.write(id, &text("panic"), false), ""),
    ];
    for (end, line) in ends {
        let mut scene = Scene::site();
        let mut peer = Peer::connect(&mut scene);
        let id = websocket(&mut peer, "/ws");
        peer.talk(&mut scene);
        end(&mut peer, id);
        let seen = peer.talk(&mut scene);
        assert_eq!(
            scene.count("Gone"),
            usize::from(!line.is_empty()),
            "{line}: {:?}",
            scene.log
        );
        assert!(scene.has(line), "{line}: {:?}", scene.log);
        let close = content(&seen, id);
        match line {
            "" => assert_eq!(&close[2..4], &1011_u16.to_be_bytes()),
            _ if line.contains("WebSocket") => assert_eq!(&close[2..4], &1002_u16.to_be_bytes()),
            _ => assert!(close.is_empty()),
        }
        assert_eq!(peer.ask(&mut scene, "/hello").0, 200, "{line}");
    }
}

#[test]
fn a_silent_websocket_in_a_stream_is_pinged_and_given_up() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let id = websocket(&mut peer, "/ws");
    peer.talk(&mut scene);
    let mut seen = Vec::new();
    for _ in 0..120 {
        scene.pass(1);
        peer.side.now += Duration::from_secs(1);
        seen.extend(peer.talk(&mut scene));
    }
    let said = content(&seen, id);
    assert!(said.starts_with(b"\x89\x00"), "{said:?}");
    assert!(
        scene.has("Gone ProtocolError(WebSocket(PongTimeout))"),
        "{:?}",
        scene.log
    );
    assert!(ended(&seen, id));
}

#[test]
fn one_publication_reaches_sockets_of_both_versions() {
    let mut scene = Scene::site();
    let mut peer = Peer::connect(&mut scene);
    let id = websocket(&mut peer, "/ws");
    peer.talk(&mut scene);
    let shared = scene.exchange_of("Request CONNECT");
    let (client, _) = scene.ask(crate::scene::UPGRADE);
    let own = scene.exchange_of("Request GET /ws");
    let kind = barewire::websocket::Kind::Text;
    let taken = scene.act(|context| context.publish([shared, own], kind, b"news"));
    assert_eq!(taken, 2);
    assert_eq!(content(&peer.talk(&mut scene), id), b"\x81\x04news");
    assert_eq!(scene.world.take_output(client), b"\x81\x04news");
}

#[test]
fn the_updates_of_windows_do_not_wait_for_an_answer() {
    let mut scene = Scene::with(Setting::default(), |context, event| {
        if let link::Event::Request { .. } = event {
            context.accept_body().unwrap();
        }
    });
    let client = scene.connect();
    let mut bytes = [opening(), stock(1, "POST", "/", 0)].concat();
    for _ in 0..4 {
        bytes.extend(frame(DATA, 0, 1, &[0; 16_000]));
    }
    scene.send(client, &bytes);
    let sent = frames(&scene.world.take_output(client));
    let updates = kinds(&sent, WINDOW_UPDATE);
    assert!(updates.iter().any(|frame| frame.stream == 1), "{sent:?}");
}

#[test]
fn stock_site_over_both_versions_says_the_same() {
    let mut scene = Scene::with(Setting::default(), serve);
    for path in ["/hello", "/big/5000", "/refuse"] {
        let (_, one) = scene.ask(&get(path));
        let body = one.split("\r\n\r\n").nth(1).unwrap().to_owned();
        let mut peer = Peer::connect(&mut scene);
        let (status, two) = peer.ask(&mut scene, path);
        assert!(one.starts_with(&format!("HTTP/1.1 {status} ")));
        assert_eq!(two, body.as_bytes());
    }
}
