//! The source on a loop, against a server that misbehaves.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Instant;

use barewire::client::{
    ClientOptions, EventListener, EventSourceEnd, EventSourceError, EventSourceLimits,
    EventSourceOptions, LoopClient, LoopEventSource, MessageEvent, ReadyState, Resume, Waiting,
};
use barewire::net::{Limits, Loop};

use super::hostile::{Act, Hostile, PATIENCE, answer, no_more, nobody, say, stream};

/// Notes what it is told, and closes its source at an event of this data.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn note(&self, line: String) {
        self.0.borrow_mut().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl EventListener for Notes {
    fn opened(&mut self, source: &LoopEventSource) {
        assert_eq!(source.ready_state(), ReadyState::Open);
        self.note("open".into());
    }

    fn event(&mut self, event: &MessageEvent, source: &LoopEventSource) {
        assert_eq!(source.last_event_id(), event.last_event_id);
        self.note(format!("{}: {}", event.event, event.data));
        if event.data == "close" {
            source.close();
        }
        if event.data == "hurry" {
            source.try_now(); // there is nothing to hurry for
        }
    }

    fn waiting(&mut self, waiting: &Waiting<'_>, source: &LoopEventSource) {
        assert_eq!(source.ready_state(), ReadyState::Connecting);
        self.note(format!("waiting, {}", waiting.why));
        if waiting.delay > Duration::from_secs(60) {
            source.try_now();
        }
    }

    fn ended(&mut self, end: Result<&EventSourceEnd, &EventSourceError>) {
        self.note(match end {
            Ok(end) => format!("end {end:?}"),
            Err(error) => format!(
                "failed {:?}, {:?}, {:?}, {}",
                error.fault(),
                error.body(),
                error.partial(),
                error.gave_up()
            ),
        });
    }
}

fn quick() -> EventSourceLimits {
    EventSourceLimits::DEFAULT
        .with_reconnection(Duration::from_millis(1))
        .with_shortest(Duration::from_millis(1))
        .with_delay(Duration::from_millis(5))
}

fn options() -> EventSourceOptions {
    EventSourceOptions::new().limits(quick())
}

/// What a source tells until it is over.
fn told(url: &str, method: &str, options: EventSourceOptions) -> Vec<String> {
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let client = LoopClient::on(&mut events, ClientOptions::new().no_proxy()).unwrap();
    let request = match method {
        "GET" => client.get(url),
        _ => client.post(url).body("ask"),
    };
    let notes = Notes::default();
    let source = LoopEventSource::on(&mut events, &client, request, options, notes.clone());
    let source = source.unwrap();
    let until = Instant::now() + PATIENCE;
    while !notes
        .lines()
        .last()
        .is_some_and(|it| it.starts_with("end ") || it.starts_with("failed "))
    {
        assert!(Instant::now() < until, "{:?}", notes.lines());
        events.turn(Some(Duration::from_millis(50))).unwrap();
    }
    assert_eq!(source.ready_state(), ReadyState::Closed);
    notes.lines()
}

#[test]
fn a_stream_is_followed_over_its_connections() {
    // Where the delay is over before it began as well.
    let none = quick()
        .with_reconnection(Duration::ZERO)
        .with_shortest(Duration::ZERO)
        .with_delay(Duration::ZERO);
    for options in [options(), EventSourceOptions::new().limits(none)] {
        follow(options);
    }
}

fn follow(options: EventSourceOptions) {
    let mut server = Hostile::start([
        Act::Pieces(vec![
            stream("id: 7\nda"),
            b"ta: a\n\nevent: note\ndata: hurry\n".to_vec(),
            b"\n".to_vec(),
        ]),
        Act::Reset(stream("data: b\n\n")),
        say("data: c\n\ndata: d\n\ndata: cut"),
        no_more(),
    ]);
    let lines = told(&server.url, "GET", options);
    assert_eq!(
        lines[..4],
        [
            "open",
            "message: a",
            "note: hurry",
            "waiting, the stream ended"
        ]
    );
    // The reset may overtake all of the second stream.
    let rest: Vec<_> = lines.iter().map(String::as_str).collect();
    assert!(
        rest.contains(&"message: c") && rest.contains(&"message: d"),
        "{rest:?}"
    );
    let last = &rest[rest.len() - 2..];
    assert_eq!(
        last,
        [
            "waiting, the stream ended inside of an event",
            "end NoContent"
        ]
    );
    server.join();
    assert!(!server.request().contains("last-event-id"));
    assert!(server.request().contains("last-event-id: 7\r\n"));
}

#[test]
fn a_silent_stream_is_left_and_a_listener_closes_its_source() {
    let (gone, is_gone) = channel();
    let mut server = Hostile::start([
        Act::Stall(stream("data: a\n\n"), gone.clone()),
        Act::Stall(stream("data: close\n\ndata: never told\n\n"), gone),
    ]);
    let limits = quick().with_silence(Duration::from_millis(100));
    let lines = told(&server.url, "GET", options().limits(limits));
    let expected = [
        "open",
        "message: a",
        "waiting, the stream was silent for too long",
        "open",
        "message: close",
        "end Closed",
    ];
    assert_eq!(lines, expected);
    is_gone.recv_timeout(PATIENCE).unwrap();
    drop(server.requests.recv());
    server.join();
}

#[test]
fn what_is_no_stream_fails_with_what_it_says() {
    let server = Hostile::start([Act::Say(answer("404 Not Found", "", "no feed here"))]);
    let lines = told(&server.url, "GET", options());
    assert_eq!(lines, ["failed Status(404), \"no feed here\", None, false"]);
    let server = Hostile::start([Act::Say(answer(
        "200 OK",
        "Content-Type: text/html\r\n",
        "<p>",
    ))]);
    let lines = told(&server.url, "GET", options());
    assert_eq!(
        lines,
        ["failed ContentType(Some(\"text/html\")), \"<p>\", None, false"]
    );
}

#[test]
fn a_post_is_not_sent_again_and_its_marker_ends_it() {
    let server = Hostile::start([say("data: a\n\ndata: [DONE]\n\ndata: b\n\n")]);
    let options = || options().end_data("[DONE]");
    let lines = told(&server.url, "POST", options());
    assert_eq!(lines, ["open", "message: a", "end Marker"]);
    let server = Hostile::start([say("data: a\n\ndata: half")]);
    let lines = told(&server.url, "POST", options());
    let fault = "failed Interrupted(CutInEvent), \"\", Some(\"half\"), false";
    assert_eq!(lines, ["open", "message: a", fault]);
    // A rule has it sent again.
    let server = Hostile::start([say("data: a\n\n"), say("data: [DONE]\n\n")]);
    let lines = told(&server.url, "POST", options().resume(|_| Resume::Again));
    assert_eq!(lines.last().unwrap(), "end Marker");
}

#[test]
fn it_gives_up_after_its_attempts_and_a_long_wait_can_be_cut_short() {
    let url = nobody();
    let limits = quick().with_attempts(3);
    let lines = told(&url, "GET", options().limits(limits));
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "waiting, the server was not reached");
    assert!(
        lines[2].contains("GaveUp") && lines[2].ends_with("true"),
        "{lines:?}"
    );
    let limits = EventSourceLimits::DEFAULT
        .with_attempts(3)
        .with_reconnection(Duration::from_secs(3600))
        .with_delay(Duration::from_secs(3600));
    let lines = told(&url, "GET", options().limits(limits));
    assert_eq!(lines.len(), 3, "{lines:?}");
}
