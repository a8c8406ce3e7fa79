//! What a call is over HTTP/2.

use std::io::Read as _;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use barewire::app::App;
use barewire::client::{Body, Client, ClientLimits, ClientOptions, ErrorKind};
use barewire::http::{Fields, Status, Version};

use super::by_hand::{DATA, END_STREAM, HEADERS, Listening};
use super::client;
use super::support::Running;

/// A time that is over soon.
const SHORT: Duration = Duration::from_millis(100);

#[test]
fn a_request_is_what_it_is_over_http1() {
    let app = App::new()
        .get("/", |request, reply| {
            assert_eq!(request.version(), Version::Http2);
            let told = format!("{} {:?}", request.path(), request.query());
            reply
                .header("X-Agent", request.header("user-agent").unwrap_or_default())
                .text(&told)
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        });
    let running = Running::start(app);
    let client = client(ClientLimits::DEFAULT);
    let request = client.get(running.url("/")).query("a", "b c");
    // What is about one connection of HTTP/1.1 is left out.
    let response = request.header("Connection", "close").send().unwrap();
    assert_eq!(response.version(), Version::Http2);
    assert!(response.header("x-agent").unwrap().starts_with("barewire/"));
    assert_eq!(response.text().unwrap(), "/ Some(\"a=b+c\")");
    let posted = client.post(running.url("/echo")).body("hello");
    let response = posted.header("Content-Type", "text/x").send().unwrap();
    assert_eq!(response.header("content-type"), Some("text/x"));
    assert_eq!(response.text().unwrap(), "hello");
    let head = client.head(running.url("/")).send().unwrap();
    assert_eq!(head.status(), Status::OK);
    assert_eq!(head.text().unwrap(), "");
    let missing = client.get(running.url("/none")).send().unwrap();
    assert_eq!(missing.status(), Status::NOT_FOUND);
}

#[test]
fn http1_only_is_spoken_where_nothing_else_was_said() {
    let app = App::new().get("/", |request, reply| {
        reply.text(format!("{:?}", request.version()))
    });
    let running = Running::start(app);
    for options in [ClientOptions::new(), ClientOptions::new().http1_only()] {
        let client = Client::with(options.no_proxy()).unwrap();
        let response = client.get(running.url("/")).send().unwrap();
        assert_eq!(response.version(), Version::Http11);
        assert_eq!(response.text().unwrap(), "Http11");
    }
}

#[test]
fn bodies_stream_both_ways() {
    const MUCH: usize = 3 << 20;
    let app = App::new().post("/echo", |request, reply| {
        reply.body("application/octet-stream", request.body())
    });
    let running = Running::start_with(app, 4 << 20);
    let client = client(ClientLimits::DEFAULT);
    let pieces = (0..48).map(|nth| Ok(vec![nth; MUCH / 48].into()));
    let body = Body::iterator(pieces);
    let response = client.post(running.url("/echo")).body(body).send().unwrap();
    let mut got = Vec::new();
    response.reader().read_to_end(&mut got).unwrap();
    let expected: Vec<u8> = (0..48).flat_map(|nth| vec![nth; MUCH / 48]).collect();
    assert!(got == expected);
}

#[test]
fn trailers_and_interim_responses_come() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let stream = server.request();
        server.hint(stream);
        server.head(stream);
        server.send(DATA, 0, stream, b"body");
        // `a: b`, a literal without indexing.
        server.send(HEADERS, 4 | END_STREAM, stream, b"\0\x01a\x01b");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let (told, heard) = mpsc::channel();
    let request = client
        .get(&url)
        .on_informational(move |status, _: Fields<'_>| told.send(status).unwrap());
    let mut response = request.send().unwrap();
    assert_eq!(heard.recv().unwrap(), Status::EARLY_HINTS);
    assert_eq!(response.next_chunk().unwrap(), Some(&b"body"[..]));
    assert_eq!(response.next_chunk().unwrap(), None);
    assert_eq!(response.trailers().get_str("a"), Some("b"));
    drop((response, client));
    serving.join().unwrap();
}

#[test]
fn the_time_of_a_call_is_its_own() {
    let listening = Listening::new();
    let url = listening.url("/");
    let (tell, told) = mpsc::channel();
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let patient = server.request();
        tell.send(()).unwrap();
        let hurried = server.request();
        assert_eq!(server.reset(hurried), 8); // CANCEL
        server.answer(patient, "late");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let patient = {
        let (client, url) = (client.clone(), url.clone());
        thread::spawn(move || client.get(&url).send().unwrap().text().unwrap())
    };
    told.recv().unwrap();
    let limits = ClientLimits::DEFAULT.with_response_time(Duration::from_millis(20));
    let error = client.get(&url).limits(limits).send().unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_processed());
    assert_eq!(patient.join().unwrap(), "late");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn what_a_connection_sends_by_itself_is_no_progress_of_a_call() {
    let limits = ClientLimits::DEFAULT
        .with_response_time(SHORT)
        .with_silence_time(SHORT)
        .with_send_time(SHORT);
    for (answers, limit) in [(false, "response_time"), (true, "silence_time")] {
        let listening = Listening::new();
        let url = listening.url("/");
        let serving = thread::spawn(move || {
            let mut server = listening.accept(&[]);
            let stream = server.request();
            if answers {
                server.head(stream);
            }
            server.ping_until_reset(stream, SHORT / 4);
        });
        let client = client(limits);
        let called = client.get(&url).send().and_then(|it| it.text());
        let error = called.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::TimedOut(it) if *it == limit),
            "{error}"
        );
        drop(client);
        serving.join().unwrap();
    }
}

#[test]
fn a_body_whose_window_stays_closed_is_given_up() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[(4, 10)]); // SETTINGS_INITIAL_WINDOW_SIZE
        let stream = server.request();
        server.ping_until_reset(stream, SHORT / 4);
    });
    let client = client(ClientLimits::DEFAULT.with_send_time(SHORT));
    let request = client.post(&url).body(vec![b'x'; 100_000]);
    let error = request.send().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TimedOut("send_time")),
        "{error}"
    );
    drop(client);
    serving.join().unwrap();
}

#[test]
fn pings_are_answered_between_calls_if_a_thread_is_asked_for_that() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let stream = server.request();
        server.answer(stream, "");
        server.ping();
        server.ping();
    });
    let client = client(ClientLimits::DEFAULT);
    let driver = client.drive_in_background(SHORT / 10).unwrap();
    client.get(&url).send().unwrap().bytes().unwrap();
    serving.join().unwrap();
    drop(driver);
}
