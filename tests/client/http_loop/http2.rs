//! Calls that share a connection of HTTP/2.

use std::thread;

use barewire::app::App;
use barewire::client::{ClientLimits, ClientOptions, ErrorKind, Phase};

use super::SHORT;
use super::by_hand::{Listening, SETTINGS};
use super::support::{Noted, Scene};

const CANCEL: u32 = 8;

fn scene(limits: ClientLimits) -> Scene {
    let options = ClientOptions::new().http2_prior_knowledge();
    Scene::with(options.limits(limits))
}

fn two(scene: &Scene, url: &str) -> [Noted; 2] {
    [0, 1].map(|_| scene.open(scene.client.get(url)))
}

#[test]
fn many_calls_share_one_connection() {
    let app = App::new().get("/{n}", |request, reply| reply.text(request.param("n")));
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let barewire::net::Address::Tcp(address) = server.local_addresses()[0].clone() else {
        panic!()
    };
    let mut scene = scene(ClientLimits::DEFAULT.with_http2_streams(10));
    let calls: Vec<_> = (0..300)
        .map(|n| scene.open(scene.client.get(format!("http://{address}/{n}"))))
        .collect();
    for (n, call) in calls.iter().enumerate() {
        scene.finish(call);
        assert_eq!(call.log.body(), n.to_string());
    }
    let metrics = scene.client.metrics();
    assert_eq!(
        (metrics.connections_opened(), metrics.connections()),
        (1, 1)
    );
    assert_eq!((metrics.requests(), metrics.in_flight()), (300, 0));
    server.handle().shutdown(SHORT);
    server.join().unwrap();
}

#[test]
fn a_server_of_one_stream_gets_one_request_after_another() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[(3, 1)]);
        for nth in 0..10 {
            let stream = server.request();
            server.answer(stream, &nth.to_string());
        }
        server.end();
    });
    let mut scene = scene(ClientLimits::DEFAULT);
    let calls: Vec<_> = (0..10)
        .map(|_| scene.open(scene.client.get(&url)))
        .collect();
    for (nth, call) in calls.iter().enumerate() {
        scene.finish(call);
        assert_eq!(call.log.body(), nth.to_string());
    }
    scene.client.close_idle();
    scene.pass(SHORT / 10);
    serving.join().unwrap();
}

#[test]
fn a_server_that_allows_no_stream_costs_the_time_to_answer() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let stream = server.request();
        server.send(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 0]); // no more streams
        server.answer(stream, "one");
        server.end();
    });
    let mut scene = scene(ClientLimits::DEFAULT.with_response_time(SHORT));
    // Only those that are to fail are in a hurry.
    let first = scene.open(scene.client.get(&url).limits(ClientLimits::DEFAULT));
    scene.finish(&first);
    assert_eq!(first.log.body(), "one");
    for call in &two(&scene, &url) {
        scene.finish(call);
        let error = call.error();
        assert!(
            error.is_timeout() && !error.may_have_been_processed(),
            "{error}"
        );
    }
    drop(scene);
    serving.join().unwrap();
}

#[test]
fn a_cancel_resets_its_own_stream_and_no_other() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let (first, second) = (server.request(), server.request());
        assert_eq!(server.reset(first), CANCEL);
        server.answer(second, "still here");
        server.end();
    });
    let mut scene = scene(ClientLimits::DEFAULT);
    let [first, second] = two(&scene, &url);
    scene.pass(SHORT / 2);
    first.call.cancel();
    scene.finish(&second);
    assert!(first.error().is_cancelled());
    assert_eq!(second.log.body(), "still here");
    drop(scene);
    serving.join().unwrap();
}

#[test]
fn what_is_refused_or_above_the_last_stream_goes_again() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let refused = server.request();
        server.refuse(refused);
        let (again, second) = (server.request(), server.request());
        server.go_away(again);
        server.answer(again, "first");
        let mut next = listening.accept(&[]);
        let moved = next.request();
        next.answer(moved, "second");
        let _ = second;
        server.end();
        next.end();
    });
    let mut scene = scene(ClientLimits::DEFAULT);
    let first = scene.open(scene.client.post(&url).body("x"));
    scene.pass(SHORT);
    let second = scene.open(scene.client.post(&url).body("y"));
    scene.finish(&first);
    scene.finish(&second);
    assert_eq!(
        (first.log.body(), second.log.body()),
        ("first".into(), "second".into())
    );
    assert_eq!(scene.client.metrics().connections_opened(), 2);
    scene.client.close_idle();
    scene.pass(SHORT / 10);
    drop(scene);
    serving.join().unwrap();
}

#[test]
fn a_connection_that_breaks_fails_its_calls_and_says_what_they_may_have_done() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let first = server.request();
        server.request();
        server.head(first);
        drop(server);
    });
    let mut scene = scene(ClientLimits::DEFAULT);
    let calls = [0, 1].map(|_| scene.open(scene.client.post(&url).body("x")));
    for call in &calls {
        scene.finish(call);
    }
    serving.join().unwrap();
    let errors = calls.each_ref().map(Noted::error);
    assert_eq!(errors[0].phase(), Phase::Body, "{}", errors[0]);
    for error in errors {
        assert!(error.may_have_been_processed());
        let is_broken = matches!(error.kind(), ErrorKind::Closed | ErrorKind::Reset);
        assert!(is_broken, "{error}");
    }
    assert_eq!(scene.client.metrics().connections(), 0);
}

#[test]
fn a_paused_call_keeps_its_window_closed_and_holds_up_no_other() {
    const MUCH: usize = 4 << 20;
    let app = App::new()
        .get("/much", |_request, reply| {
            reply.body("a/b", vec![b'x'; MUCH])
        })
        .get("/little", |_request, reply| reply.text("little"));
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let barewire::net::Address::Tcp(address) = server.local_addresses()[0].clone() else {
        panic!()
    };
    let mut scene = scene(ClientLimits::DEFAULT);
    let much = scene.open(scene.client.get(format!("http://{address}/much")));
    scene.until(|| !much.log.body().is_empty());
    much.call.pause();
    scene.pass(SHORT);
    let had = much.log.body().len();
    for _ in 0..20 {
        let little = scene.get(&format!("http://{address}/little"));
        assert_eq!(little.log.body(), "little");
    }
    assert_eq!(much.log.body().len(), had);
    assert!(much.call.held() <= 300 << 10, "{}", much.call.held());
    much.call.resume();
    scene.finish(&much);
    assert_eq!(much.log.body().len(), MUCH);
    assert_eq!(scene.client.metrics().connections_opened(), 1);
    server.handle().shutdown(SHORT);
    server.join().unwrap();
}
