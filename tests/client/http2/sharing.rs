//! Threads on one connection.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use barewire::app::App;
use barewire::client::{Client, ClientLimits};
use barewire::http::Status;

use super::by_hand::{HEADERS, Listening};
use super::support::Running;
use super::{client, on_threads};

/// An app whose answers say which connection they came on.
fn app() -> App {
    App::new()
        .get("/who/{n}", |request, reply| {
            let peer = format!("{:?}", request.peer());
            reply.header("X-Peer", &peer).text(request.param("n"))
        })
        .get("/much/{n}", |request, reply| {
            let n: usize = request.param("n").parse().unwrap();
            let peer = format!("{:?}", request.peer());
            let bytes: Vec<u8> = (0..n).map(|at| (at / 7) as u8).collect();
            reply.header("X-Peer", &peer).body("a/b", &bytes)
        })
}

fn much(n: usize) -> Vec<u8> {
    (0..n).map(|at| (at / 7) as u8).collect()
}

/// The connections that so many threads with so many calls each used.
fn peers(client: &Client, url: &str, threads: usize, calls: usize) -> HashSet<String> {
    let (client, url) = (client.clone(), url.to_owned());
    let peers = on_threads(threads, move |nth| {
        let mut peers = HashSet::new();
        for call in 0..calls {
            let n = (nth * calls + call).to_string();
            let response = client.get(format!("{url}{n}")).send().unwrap();
            assert_eq!(response.status(), Status::OK);
            peers.insert(response.header("x-peer").unwrap().to_owned());
            assert_eq!(response.text().unwrap(), n);
        }
        peers
    });
    peers.into_iter().flatten().collect()
}

#[test]
fn sixty_four_threads_use_one_connection() {
    let running = Running::start(app());
    let client = client(ClientLimits::DEFAULT);
    let peers = peers(&client, &running.url("/who/"), 64, 40);
    assert_eq!(peers.len(), 1, "{peers:?}");
}

#[test]
fn further_connections_are_opened_where_that_is_allowed() {
    let running = Running::start(app());
    let limits = ClientLimits::DEFAULT.with_http2_streams(2);
    let one = peers(&client(limits), &running.url("/who/"), 16, 10);
    assert_eq!(one.len(), 1);
    let limits = limits.with_http2_connections(3);
    let three = peers(&client(limits), &running.url("/who/"), 16, 10);
    assert!((1..=3).contains(&three.len()), "{three:?}");
}

#[test]
fn a_server_of_one_stream_gets_one_request_after_another() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[(3, 1)]);
        let (mut open, mut refused, mut answered) = (None, 0, 0);
        while answered < 24 {
            let frame = server.next().unwrap();
            assert_eq!(frame.kind, HEADERS);
            // Some may have been sent before the settings were known.
            if answered == 0 && open.is_none() && refused < 7 {
                open = Some(frame.stream);
            }
            if open.is_some_and(|it| it != frame.stream) {
                server.refuse(frame.stream);
                refused += 1;
                continue;
            }
            server.answer(frame.stream, "one");
            answered += 1;
            open = None;
        }
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    // The settings are here with the first answer.
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "one");
    let calling = client.clone();
    on_threads(8, move |nth| {
        for _ in 0..(if nth == 0 { 2 } else { 3 }) {
            let response = calling.get(&url).send().unwrap();
            assert_eq!(response.text().unwrap(), "one");
        }
    });
    drop(client);
    serving.join().unwrap();
}

#[test]
fn nobody_waits_for_the_reader_of_another_body() {
    const UNREAD: usize = 40;
    const MUCH: usize = 1 << 20;
    let running = Running::start(app());
    let client = client(ClientLimits::DEFAULT.with_http2_window(65_535));
    let url = running.url(&format!("/much/{MUCH}"));
    // More than what one window of the connection would hold by default.
    let unread: Vec<_> = (0..UNREAD)
        .map(|_| client.get(&url).send().unwrap())
        .collect();
    let (calling, fast) = (client.clone(), url.clone());
    on_threads(4, move |_| {
        let response = calling.get(&fast).send().unwrap();
        assert!(response.bytes().unwrap() == much(MUCH));
    });
    let peers: HashSet<_> = unread.iter().map(|it| it.header("x-peer")).collect();
    assert_eq!(peers.len(), 1);
    for response in unread {
        assert!(response.bytes().unwrap() == much(MUCH));
    }
}

#[test]
fn large_bodies_go_both_ways_among_small_calls() {
    const MUCH: usize = 700_000;
    let app = app().post("/echo", |request, reply| reply.body("a/b", request.body()));
    let running = Running::start_with(app, 1 << 20);
    let client = client(ClientLimits::DEFAULT);
    let (small, echo) = (running.url("/who/7"), running.url("/echo"));
    on_threads(12, move |nth| {
        for _ in 0..4 {
            if nth % 3 == 0 {
                assert_eq!(client.get(&small).send().unwrap().text().unwrap(), "7");
                continue;
            }
            let body = much(MUCH + nth);
            let mut response = client.post(&echo).body(body.clone()).send().unwrap();
            let mut got = Vec::new();
            while let Some(piece) = response.next_chunk().unwrap() {
                got.extend_from_slice(piece);
                if nth % 2 == 0 {
                    thread::yield_now(); // one that is slow
                }
            }
            assert!(got == body);
        }
    });
}

#[test]
fn many_calls_begin_at_one_time_and_dial_once() {
    let running = Running::start(app());
    for _ in 0..5 {
        let client = client(ClientLimits::DEFAULT);
        let barrier = Arc::new(Barrier::new(16));
        let url = running.url("/who/1");
        let peers = on_threads(16, move |_| {
            barrier.wait();
            let response = client.get(&url).send().unwrap();
            response.header("x-peer").unwrap().to_owned()
        });
        let peers: HashSet<_> = peers.into_iter().collect();
        assert_eq!(peers.len(), 1);
    }
}

#[test]
fn bytes_are_counted_once_however_many_calls_share_them() {
    const MUCH: usize = 100_000;
    let running = Running::start(app());
    let (client, url) = (
        client(ClientLimits::DEFAULT),
        running.url(&format!("/much/{MUCH}")),
    );
    let calling = client.clone();
    on_threads(8, move |_| {
        let response = calling.get(&url).send().unwrap();
        assert_eq!(response.bytes().unwrap().len(), MUCH);
    });
    let (least, metrics) = (8 * MUCH as u64, client.metrics());
    let received = metrics.bytes_received();
    assert!((least..least * 11 / 10).contains(&received), "{received}");
    let sent = metrics.bytes_sent();
    assert!((1..10_000).contains(&sent), "{sent}");
}

#[test]
fn one_too_old_for_a_post_makes_room_for_its_connection() {
    let running = Running::start(app());
    let limits = ClientLimits::DEFAULT.with_unrepeatable_idle_time(Duration::ZERO);
    let client = client(limits);
    client.get(running.url("/who/1")).send().unwrap();
    thread::sleep(Duration::from_millis(5)); // it is older than that now
    let _ = client.post(running.url("/who/1")).body("x").send().unwrap();
    let metrics = client.metrics();
    assert_eq!(
        (metrics.connections(), metrics.connections_opened()),
        (1, 2)
    );
}

#[test]
fn a_reader_that_leaves_lets_the_others_go_on() {
    let running = Running::start(app());
    let client = client(ClientLimits::DEFAULT);
    let (much_url, small) = (running.url("/much/3000000"), running.url("/who/3"));
    let left = Arc::new(AtomicUsize::new(0));
    let counts = left.clone();
    on_threads(8, move |nth| {
        for _ in 0..6 {
            if nth % 2 == 0 {
                let mut response = client.get(&much_url).send().unwrap();
                assert!(response.next_chunk().unwrap().is_some());
                drop(response); // reset
                counts.fetch_add(1, Ordering::SeqCst);
            } else {
                assert_eq!(client.get(&small).send().unwrap().text().unwrap(), "3");
            }
        }
    });
    assert_eq!(left.load(Ordering::SeqCst), 24);
}
