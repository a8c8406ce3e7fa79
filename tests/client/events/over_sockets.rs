//! The source that blocks, against a server of ours and one that misbehaves.

use core::time::Duration;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use barewire::app::{App, EventStream, Events};
use barewire::client::{
    Client, EventSource, EventSourceEnd, EventSourceError, EventSourceFault, EventSourceLimits,
    EventSourceOptions, Interruption, MessageEvent, ReadyState, Resume,
};
use barewire::net::Address;
use barewire::sse::{Event, ProtocolError};

use super::hostile::{Act, Hostile, PATIENCE, answer, no_more, nobody, say, stream};

/// Comes back soon.
fn quick() -> EventSourceOptions {
    EventSourceOptions::new().limits(quick_limits())
}

fn quick_limits() -> EventSourceLimits {
    EventSourceLimits::DEFAULT
        .with_reconnection(Duration::from_millis(1))
        .with_shortest(Duration::from_millis(1))
        .with_delay(Duration::from_millis(5))
}

fn get(url: &str, options: EventSourceOptions) -> EventSource {
    EventSource::new(Client::new().get(url), options).unwrap()
}

fn post(url: &str, options: EventSourceOptions) -> EventSource {
    let request = Client::new().post(url).body("ask");
    EventSource::new(request, options).unwrap()
}

/// The data of all events, and the error at their end.
fn all(source: &mut EventSource) -> (Vec<String>, Option<EventSourceError>) {
    let mut data = Vec::new();
    for event in &mut *source {
        match event {
            Ok(event) => data.push(event.data),
            Err(error) => {
                assert!(source.next().is_none(), "an error is the last item");
                return (data, Some(error));
            }
        }
    }
    assert!(source.next().is_none(), "and so is the end");
    (data, None)
}

fn fault(error: Option<EventSourceError>) -> EventSourceFault {
    error.expect("an error").fault().clone()
}

/// Three events a connection, numbered from the last ID on.
struct Counter(u32);

impl Events for Counter {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.after(Duration::from_millis(1), 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        self.0 += 1;
        let id = self.0.to_string();
        let event = Event::new("counted\ntwice").event("count").id(&id);
        stream.send(&event.retry(Duration::from_millis(1)));
        match self.0 % 3 {
            0 => stream.finish(),
            _ => stream.after(Duration::from_millis(1), 0),
        }
    }
}

#[test]
fn a_source_follows_a_stream_of_our_own_server_over_its_connections() {
    let app = App::new().events("/feed", |request| {
        let last = request.last_event_id().and_then(|id| id.parse().ok());
        Ok(Counter(last.unwrap_or(0)))
    });
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    let mut source = get(&format!("http://{address}/feed"), quick());
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    for number in 1..=10 {
        let event = source.next().unwrap().unwrap();
        let expected = MessageEvent {
            event: "count".into(),
            data: "counted\ntwice".into(),
            last_event_id: number.to_string(),
        };
        assert_eq!(event, expected);
    }
    assert_eq!(source.ready_state(), ReadyState::Open);
    source.handle().close();
    assert!(source.next().is_none());
    assert_eq!(source.end(), Some(&EventSourceEnd::Closed));
    drop(source);
    server.handle().shutdown(Duration::from_secs(1));
    server.join().unwrap();
}

#[test]
fn a_get_says_what_it_wants_and_where_it_was() {
    let script = [say("id: 7\ndata: a\n\n"), say("data: b\n\n"), no_more()];
    let server = Hostile::start(script);
    let (data, error) = all(&mut get(&server.url, quick()));
    assert_eq!(data, ["a", "b"]);
    assert!(error.is_none());
    let first = server.request();
    assert!(first.starts_with("get /feed http/1.1\r\n"), "{first}");
    for field in ["accept: text/event-stream", "cache-control: no-cache"] {
        assert_eq!(first.matches(field).count(), 1, "{first}");
    }
    assert!(!first.contains("last-event-id"), "{first}");
    for _ in 0..2 {
        let again = server.request();
        assert_eq!(again.matches("\r\nlast-event-id: 7\r\n").count(), 1);
        assert_eq!(again.matches("accept:").count(), 1, "{again}");
    }
}

#[test]
fn fields_of_the_application_take_the_place_of_ours() {
    let server = Hostile::start([no_more()]);
    let request = Client::new()
        .get(&server.url)
        .header("Accept", "text/event-stream, */*")
        .header("Cache-Control", "no-store")
        .header("Last-Event-ID", "old")
        .header("X-Token", "t");
    let options = quick().last_event_id("new");
    let (_, error) = all(&mut EventSource::new(request, options).unwrap());
    assert!(error.is_none());
    let request = server.request();
    for field in [
        "\r\naccept: text/event-stream, */*\r\n",
        "\r\ncache-control: no-store\r\n",
        "\r\nlast-event-id: new\r\n",
        "\r\nx-token: t\r\n",
    ] {
        assert!(request.contains(field), "{request}");
    }
    for name in ["accept:", "cache-control:", "last-event-id:"] {
        assert_eq!(request.matches(name).count(), 1, "{request}");
    }
}

#[test]
fn a_redirect_is_followed_and_each_attempt_begins_at_the_first_url() {
    let to_other = || Act::Say(answer("307 Temporary Redirect", "Location: /other\r\n", ""));
    let script = [to_other(), say("id: 1\ndata: a\n\n"), to_other(), no_more()];
    let server = Hostile::start(script);
    let (data, error) = all(&mut get(&server.url, quick()));
    assert_eq!(data, ["a"]);
    assert!(error.is_none());
    for (path, has_id) in [
        ("feed", false),
        ("other", false),
        ("feed", true),
        ("other", true),
    ] {
        let request = server.request();
        assert!(request.starts_with(&format!("get /{path} ")), "{request}");
        assert_eq!(request.contains("last-event-id: 1"), has_id, "{request}");
    }
}

#[test]
fn a_post_with_a_marker_ends_there_and_is_sent_once() {
    let server = Hostile::start([say("data: a\n\ndata: b\n\ndata: [DONE]\n\ndata: c\n\n")]);
    let mut source = post(&server.url, quick().end_data("[DONE]"));
    let (data, error) = all(&mut source);
    assert_eq!(data, ["a", "b"]);
    assert!(error.is_none());
    assert_eq!(source.end(), Some(&EventSourceEnd::Marker));
    let request = server.request();
    assert!(request.starts_with("post /feed "), "{request}");
    assert!(request.ends_with("\r\n\r\nask"), "{request}");
}

#[test]
fn a_post_that_is_interrupted_is_an_error_and_is_not_sent_again() {
    let chunked = |body: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{body}").into_bytes()
    };
    let length = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: a\n\n";
    let lost = EventSourceFault::Interrupted(Interruption::Lost);
    for (act, expected) in [
        (Act::Reset(stream("data: a\n\ndata: b")), lost.clone()),
        (Act::Say(chunked("9\r\ndata: a\n\n\r\n")), lost.clone()),
        (
            Act::Say(chunked("9\r\ndata: a\n\n\r\nxyz\r\n")),
            lost.clone(),
        ),
        (Act::Say(length.to_vec()), lost),
    ] {
        let server = Hostile::start([act]);
        let mut source = post(&server.url, quick());
        let (data, error) = all(&mut source);
        assert_eq!(data, ["a"]);
        let error = error.unwrap();
        assert_eq!(error.fault(), &expected);
        let cause = error.cause().expect("an error of HTTP");
        assert!(error.to_string().contains(&cause.to_string()), "{error}");
        assert!(error.to_string().contains(&server.url), "{error}");
    }
}

#[test]
fn what_there_was_of_a_cut_event_comes_with_the_error() {
    let server = Hostile::start([say("data: a\n\nid: 5\ndata: hal")]);
    let (data, error) = all(&mut post(&server.url, quick().last_event_id("4")));
    assert_eq!(data, ["a"]);
    let error = error.unwrap();
    let cut = EventSourceFault::Interrupted(Interruption::CutInEvent);
    assert_eq!(error.fault(), &cut);
    assert_eq!(error.partial(), Some("hal"));
    assert_eq!(error.last_event_id(), "4");
    assert!(error.to_string().starts_with("POST http://"), "{error}");
}

#[test]
fn a_get_survives_everything_that_interrupts_it() {
    let script = [
        Act::Say(Vec::new()),
        Act::Reset(Vec::new()),
        Act::Say(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec()),
        Act::Say(b"nonsense\r\n\r\n".to_vec()),
        Act::Reset(stream("id: 1\ndata: a\n\ndata: b")),
        say("id: 2\ndata: b\n\ndata: c"),
        say("data: c\n\n"),
        no_more(),
    ];
    let mut server = Hostile::start(script);
    let mut source = get(&server.url, quick());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    source.on_waiting(move |waiting| {
        noted
            .lock()
            .unwrap()
            .push((waiting.why, waiting.attempts, waiting.error.is_some()));
    });
    let (data, error) = all(&mut source);
    assert_eq!(data, ["a", "b", "c"]);
    assert!(error.is_none(), "{error:?}");
    server.join();
    let seen = seen.lock().unwrap();
    let no_response = |it: &&(_, _, _)| it.0 == Interruption::NoResponse;
    // A request on a dead connection may go again by itself.
    assert!(
        (2..=4).contains(&seen.iter().filter(no_response).count()),
        "{seen:?}"
    );
    let rest: Vec<_> = seen.iter().skip_while(no_response).copied().collect();
    let expected = [
        (Interruption::Lost, 0, true),
        (Interruption::CutInEvent, 0, false),
        (Interruption::Ended, 0, false),
    ];
    assert_eq!(rest, expected);
}

#[test]
fn a_response_that_is_no_stream_is_an_error_that_says_what_it_was() {
    let busy = answer(
        "400 Bad Request",
        "Content-Type: application/json\r\n",
        "{\"error\":1}",
    );
    let server = Hostile::start([Act::Say(busy)]);
    let (_, error) = all(&mut post(&server.url, quick()));
    let error = error.unwrap();
    assert_eq!(error.fault(), &EventSourceFault::Status(400));
    assert_eq!(error.body(), "{\"error\":1}");
    assert!(error.to_string().contains("status 400"), "{error}");
    let page = answer("200 OK", "Content-Type: text/html\r\n", "<p>");
    let server = Hostile::start([Act::Say(page)]);
    let (_, error) = all(&mut get(&server.url, quick()));
    let error = error.unwrap();
    let html = EventSourceFault::ContentType(Some("text/html".into()));
    assert_eq!(error.fault(), &html);
    assert_eq!(error.body(), "<p>");
}

#[test]
fn the_body_of_an_error_is_not_read_without_end() {
    let (gone, told) = channel();
    let head = b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n".to_vec();
    let server = Hostile::start([Act::Endless(head, vec![b'x'; 4096], gone)]);
    let (_, error) = all(&mut get(&server.url, quick()));
    assert_eq!(error.unwrap().body().len(), 16 << 10);
    told.recv_timeout(PATIENCE).unwrap();
    // Nor is one waited for that does not come.
    let (gone, told) = channel();
    let head = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 99\r\n\r\nhm".to_vec();
    let server = Hostile::start([Act::Stall(head, gone)]);
    let (_, error) = all(&mut get(&server.url, quick()));
    assert_eq!(error.unwrap().body(), "hm");
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn an_event_without_end_ends_the_connection() {
    let (gone, told) = channel();
    let act = Act::Endless(stream("data: a\n\ndata: "), vec![b'x'; 4096], gone);
    let server = Hostile::start([act]);
    let limits = quick_limits().with_event(64 << 10);
    let (data, error) = all(&mut get(&server.url, quick().limits(limits)));
    assert_eq!(data, ["a"]);
    let too_large = EventSourceFault::Event(ProtocolError::EventTooLarge);
    assert_eq!(fault(error), too_large);
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn that_it_waits_is_told_even_if_its_delay_is_over() {
    let server = Hostile::start([say("data: a\n\n"), say("data: b\n\n"), no_more()]);
    let none = quick_limits()
        .with_reconnection(Duration::ZERO)
        .with_shortest(Duration::ZERO)
        .with_delay(Duration::ZERO);
    let mut source = get(&server.url, quick().limits(none));
    let (tell, waits) = channel();
    source.on_waiting(move |waiting| tell.send(waiting.why).unwrap());
    let (data, error) = all(&mut source);
    assert_eq!(data, ["a", "b"]);
    assert!(error.is_none(), "{error:?}");
    let waits: Vec<_> = waits.try_iter().collect();
    assert_eq!(waits, [Interruption::Ended; 2]);
}

#[test]
fn a_silent_stream_is_let_go_and_asked_for_again() {
    let (gone, told) = channel();
    let script = [Act::Stall(stream("id: 1\ndata: a\n\n"), gone), no_more()];
    let server = Hostile::start(script);
    let limits = quick_limits().with_silence(Duration::from_millis(100));
    let mut source = get(&server.url, quick().limits(limits));
    let (tell, waits) = channel();
    source.on_waiting(move |waiting| tell.send(waiting.why).unwrap());
    let (data, error) = all(&mut source);
    assert_eq!(data, ["a"]);
    assert!(error.is_none(), "{error:?}");
    told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(waits.recv().unwrap(), Interruption::Silent);
    // A POST is not asked for again, and says so.
    let (gone, _told) = channel();
    let server = Hostile::start([Act::Stall(stream("data: a\n\n"), gone)]);
    let (_, error) = all(&mut post(&server.url, quick().limits(limits)));
    let silent = EventSourceFault::Interrupted(Interruption::Silent);
    assert_eq!(fault(error), silent);
}

#[test]
fn a_source_that_reads_slowly_finds_no_silence_in_what_waits_for_it() {
    let script = [say("data: a\n\ndata: b\n\n"), no_more()];
    let server = Hostile::start(script);
    let limits = quick_limits().with_silence(Duration::from_millis(50));
    let mut source = get(&server.url, quick().limits(limits));
    let first = source.next().unwrap().unwrap();
    thread::sleep(Duration::from_millis(200));
    let second = source.next().unwrap().unwrap();
    assert_eq!((&*first.data, &*second.data), ("a", "b"));
    assert!(source.next().is_none());
}

#[test]
fn a_source_gives_up_and_says_so() {
    let url = nobody();
    let limits = quick_limits().with_attempts(3);
    let mut source = get(&url, quick().limits(limits));
    let (tell, told) = channel();
    let (waits, gave_up) = (tell.clone(), tell.clone());
    source
        .on_waiting(move |waiting| waits.send(format!("waits {}", waiting.attempts)).unwrap())
        .on_gave_up(move |error| {
            gave_up
                .send(format!("gave up: {}", error.gave_up()))
                .unwrap()
        })
        .on_end(move |end| tell.send(format!("failed: {}", end.is_err())).unwrap());
    let error = source.run().unwrap_err();
    let expected = EventSourceFault::GaveUp {
        attempts: 3,
        last: Interruption::NotReached,
    };
    assert_eq!(error.fault(), &expected);
    assert!(error.cause().unwrap().is_connect());
    let told: Vec<_> = told.try_iter().collect();
    let expected = ["waits 1", "waits 2", "gave up: true", "failed: true"];
    assert_eq!(told, expected);
    assert!(source.next().is_none());
}

#[test]
fn closing_ends_whatever_a_source_waits_for() {
    // The head of a response, the next event, and the next attempt.
    let (gone, told) = channel();
    let slow = || EventSourceOptions::new();
    let stalled = |text: Vec<u8>| Hostile::start([Act::Stall(text, gone.clone())]);
    let no_head = stalled(Vec::new());
    let no_event = stalled(stream("data: a\n\n"));
    for url in [&no_head.url, &no_event.url, &nobody()] {
        let mut source = get(url, slow());
        let handle = source.handle();
        let (tell, waits) = channel();
        let (opens, waiting) = (tell.clone(), tell.clone());
        source.on_open(move || opens.send(()).unwrap());
        source.on_waiting(move |_| waiting.send(()).unwrap());
        let runs = thread::spawn(move || source.run());
        if *url == no_head.url {
            no_head.request();
        } else {
            waits.recv_timeout(PATIENCE).unwrap();
        }
        handle.close();
        assert_eq!(runs.join().unwrap().unwrap(), EventSourceEnd::Closed);
    }
    for _ in 0..2 {
        told.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn nothing_is_dispatched_behind_a_close() {
    let server = Hostile::start([say("data: a\n\ndata: b\n\n")]);
    let mut source = get(&server.url, quick());
    let handle = source.handle();
    let (tell, told) = channel();
    source.on_any(move |event| {
        tell.send(event.data.clone()).unwrap();
        handle.close();
    });
    assert_eq!(source.run().unwrap(), EventSourceEnd::Closed);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn listeners_hear_of_their_events_on_a_thread_of_the_sources() {
    let body = "event: notification\ndata: {\"title\":\"one\"}\n\ndata: plain\n\nevent: other\ndata: x\n\n";
    let server = Hostile::start([say(body), no_more()]);
    let mut source = get(&server.url, quick());
    let (tell, told) = channel();
    for name in ["notification", "message"] {
        let tell = tell.clone();
        source.on(name, move |event| {
            tell.send(format!("{name}: {}", event.data)).unwrap();
        });
    }
    let opens = tell.clone();
    source.on_open(move || opens.send("open".into()).unwrap());
    source.on_end(move |end| tell.send(format!("{:?}", end.unwrap())).unwrap());
    let end = source.spawn().unwrap().join().unwrap();
    assert_eq!(end, EventSourceEnd::NoContent);
    let told: Vec<String> = told.try_iter().collect();
    let expected = [
        "open",
        "notification: {\"title\":\"one\"}",
        "message: plain",
        "NoContent",
    ];
    assert_eq!(told, expected);
}

#[cfg(feature = "json")]
#[test]
fn data_is_json_where_it_parses_and_text_otherwise() {
    let event = |data: &str| MessageEvent {
        data: data.into(),
        ..MessageEvent::default()
    };
    assert_eq!(event("{\"a\":[1,2]}").value()["a"][1], 2);
    assert_eq!(event("17").value(), 17);
    assert_eq!(event("{\"a\":").value(), "{\"a\":");
    assert_eq!(event("").value(), "");
    assert_eq!(event("[1,2]").json::<Vec<u8>>().unwrap(), [1, 2]);
    assert!(event("[1,2]").json::<String>().is_err());
}

#[test]
fn a_rule_resumes_a_post_as_a_get_and_with_another_body() {
    let script = [
        Act::Reset(stream("id: 1\ndata: a\n\n")),
        say("data: b\n\n"),
        say("data: c\n\n"),
    ];
    let server = Hostile::start(script);
    let options = quick().resume(|it| match (it.why, it.last_event_id) {
        (Interruption::Lost, "1") => Resume::Get,
        (Interruption::Ended, _) => Resume::Body(b"more".to_vec()),
        _ => Resume::Stop,
    });
    let request = Client::new()
        .post(&server.url)
        .header("Content-Type", "text/plain");
    let request = request.header("X-Token", "t").body("ask");
    let mut source = EventSource::new(request, options).unwrap();
    for expected in ["a", "b", "c"] {
        assert_eq!(source.next().unwrap().unwrap().data, expected);
    }
    let first = server.request();
    assert!(
        first.starts_with("post ") && first.ends_with("\r\n\r\nask"),
        "{first}"
    );
    let second = server.request();
    assert!(
        second.starts_with("get ") && second.ends_with("\r\n\r\n"),
        "{second}"
    );
    assert!(
        second.contains("last-event-id: 1") && second.contains("x-token: t"),
        "{second}"
    );
    assert!(!second.contains("content-"), "{second}");
    let third = server.request();
    assert!(
        third.starts_with("post ") && third.ends_with("\r\n\r\nmore"),
        "{third}"
    );
    assert!(third.contains("content-type: text/plain"), "{third}");
}

#[test]
fn a_body_that_can_be_read_once_is_sent_once() {
    let script = [say("data: a\n\n"), say("data: never asked for\n\n")];
    let server = Hostile::start(script);
    let body = barewire::client::Body::reader(&b"once"[..]);
    let request = Client::new().post(&server.url).body(body);
    let options = quick().resume(|_| Resume::Again);
    let (data, error) = all(&mut EventSource::new(request, options).unwrap());
    assert_eq!(data, ["a"]);
    assert_eq!(fault(error), EventSourceFault::Request);
    server.request();
    assert!(server.requests.try_recv().is_err());
}

#[test]
fn a_request_that_is_none_is_an_error_before_anything_is_sent() {
    for url in ["", "feed", "ftp://a/", "ws://a/", "http://a b/"] {
        let error = EventSource::connect(url).unwrap_err();
        assert_eq!(error.fault(), &EventSourceFault::Request, "{url}");
        assert!(error.cause().is_some());
    }
    let client = Client::new();
    let request = client.get("http://localhost/").header("a b", "c");
    assert!(EventSource::new(request, quick()).is_err());
    let request = client.get("http://user:secret@localhost/");
    let error = EventSource::new(request, quick().last_event_id("a\nb")).unwrap_err();
    assert_eq!(error.fault(), &EventSourceFault::Request);
    assert!(error.to_string().contains("localhost"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_redirect_that_cannot_be_followed_is_not_tried_again() {
    let to_itself = || Act::Say(answer("302 Found", "Location: /feed\r\n", ""));
    let server = Hostile::start([to_itself()]);
    let (_, error) = all(&mut get(&server.url, quick()));
    assert_eq!(fault(error), EventSourceFault::Request);
}

#[test]
fn a_stream_comes_to_the_same_in_any_pieces() {
    let text = "\u{feff}id: 1\r\nevent: a\r\ndata: one\r\ndata: two\r\n\r\n: comment\n\nretry: 1\ndata:…\n\n";
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    for size in [1, 2, 3, 7, 64] {
        let mut pieces = vec![head.as_bytes().to_vec()];
        for piece in text.as_bytes().chunks(size) {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            pieces.push(chunk);
        }
        pieces.push(b"0\r\n\r\n".to_vec());
        let server = Hostile::start([Act::Pieces(pieces)]);
        let mut source = post(&server.url, quick());
        let event = |name: &str, data: &str| MessageEvent {
            event: name.into(),
            data: data.into(),
            last_event_id: "1".into(),
        };
        let events: Vec<_> = source.by_ref().map(Result::unwrap).collect();
        assert_eq!(events, [event("a", "one\ntwo"), event("message", "…")]);
        assert_eq!(source.end(), Some(&EventSourceEnd::Finished));
    }
}

#[test]
fn a_source_on_the_thread_of_a_loop_is_an_error_and_no_standstill() {
    let app = App::new().get("/", |_request, reply| {
        let mut source = get("http://127.0.0.1:1/feed", quick());
        let error = source.next().unwrap().unwrap_err();
        let is_usage = error.fault() == &EventSourceFault::Request;
        reply.text(format!("{is_usage} {error}"))
    });
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    let response = Client::new().get(format!("http://{address}/")).send();
    let text = response.unwrap().text().unwrap();
    assert!(text.starts_with("true ") && text.contains("loop"), "{text}");
    server.handle().shutdown(Duration::from_secs(1));
    server.join().unwrap();
}

#[test]
fn word_that_the_network_is_back_ends_a_long_wait() {
    let server = Hostile::start([Act::Say(Vec::new()), say("data: a\n\n")]);
    let limits = EventSourceLimits::DEFAULT.with_reconnection(Duration::from_secs(3600));
    let mut source = get(&server.url, EventSourceOptions::new().limits(limits));
    let handle = source.handle();
    let (tell, waits) = channel();
    source.on_waiting(move |waiting| {
        assert!(waiting.delay >= Duration::from_secs(3600));
        tell.send(()).unwrap();
    });
    let reads = thread::spawn(move || source.next().unwrap().unwrap().data);
    waits.recv_timeout(PATIENCE).unwrap();
    while !reads.is_finished() {
        handle.try_now();
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(reads.join().unwrap(), "a");
}

#[cfg(feature = "gzip")]
#[test]
fn an_event_of_a_compressed_stream_comes_as_soon_as_it_is_sent() {
    use std::io::Write;
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(b"data: a\n\n").unwrap();
    coder.flush().unwrap();
    let coded = coder.get_ref().clone(); // and the stream goes on
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n";
    let (gone, told) = channel();
    let server = Hostile::start([Act::Stall([head.as_bytes(), &coded].concat(), gone)]);
    let mut source = get(&server.url, quick());
    assert_eq!(source.next().unwrap().unwrap().data, "a");
    drop(source);
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_listener_that_panics_panics_where_its_thread_is_joined() {
    let server = Hostile::start([say("data: a\n\n")]);
    let mut source = get(&server.url, quick());
    source.on_any(|_| panic!("as it is meant to"));
    let thread = source.spawn().unwrap();
    let joined = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| thread.join()));
    assert!(joined.is_err());
}

#[test]
fn the_total_time_of_a_client_does_not_end_its_streams() {
    let (gone, _told) = channel();
    let server = || {
        let pieces = vec![stream("data: a\n\n"), b"data: b\n\n".to_vec()];
        Hostile::start([Act::Slow(pieces, Duration::from_millis(1500), gone.clone())])
    };
    let limits = barewire::client::ClientLimits::DEFAULT;
    let limits = limits.with_total_time(Duration::from_secs(1));
    let options = barewire::client::ClientOptions::new().limits(limits);
    let client = Client::with(options).unwrap();
    let hurried = EventSourceOptions::new().limits(quick_limits().with_attempts(3));
    let first = server();
    let mut source = EventSource::new(client.get(&first.url), hurried).unwrap();
    assert_eq!(source.next().unwrap().unwrap().data, "a");
    assert_eq!(source.next().unwrap().unwrap().data, "b");
    // That of the request itself does.
    let second = server();
    let request = Client::new()
        .post(&second.url)
        .timeout(Duration::from_secs(1));
    let mut source = EventSource::new(request, quick()).unwrap();
    assert_eq!(source.next().unwrap().unwrap().data, "a");
    let error = source.next().unwrap().unwrap_err();
    assert!(error.cause().unwrap().is_timeout(), "{error}");
}
