//! The states of an event source, with a scripted clock, dice and server.

use core::time::Duration;

use barewire::client::{
    EventSourceCore, EventSourceEnd, EventSourceFault, EventSourceLimits, EventSourceOptions,
    Interruption, NextStep, ReadyState, Resume,
};
use barewire::http::{Field, Method};
use barewire::sse::ProtocolError;
use barewire::wire::{Instant, Step};

use super::scripted::{Answer, Transcript, run_split, stream};

const TYPE: Option<&str> = Some("text/event-stream");

fn get(options: &EventSourceOptions, script: &[Answer]) -> Transcript {
    run_split(Method::GET, options, script)
}

fn post(options: &EventSourceOptions, script: &[Answer]) -> Transcript {
    run_split(Method::POST, options, script)
}

fn plain() -> EventSourceOptions {
    EventSourceOptions::new()
}

fn limits(limits: EventSourceLimits) -> EventSourceOptions {
    plain().limits(limits)
}

fn failed(fault: EventSourceFault) -> Option<EventSourceEnd> {
    Some(EventSourceEnd::Failed(fault))
}

#[test]
fn a_get_is_resumed_with_the_last_event_id_and_the_reconnection_time() {
    let script = [
        stream("retry: 1500\nid: 7\ndata: one\n\n"),
        stream("data: two\n\n"),
        stream("id: 9\n\ndata: three\n\n"),
        Answer::Head(204, None),
    ];
    let transcript = get(&plain(), &script);
    assert_eq!(transcript.data(), ["one", "two", "three"]);
    let ids: Vec<_> = transcript.messages.iter().map(|it| &*it.2).collect();
    assert_eq!(ids, ["7", "7", "9"]);
    let sent: Vec<_> = transcript.requests.iter().map(Option::as_deref).collect();
    assert_eq!(sent, [None, Some("7"), Some("7"), Some("9")]);
    assert_eq!(transcript.waits, [1500, 1500, 1500]);
    assert_eq!(transcript.end, Some(EventSourceEnd::NoContent));
}

#[test]
fn an_empty_id_resets_and_one_with_nul_or_another_control_is_ignored() {
    let script = [
        stream("id: 7\ndata: a\n\nid: x\0y\ndata: b\n\nid: \u{1}z\ndata: c\n\n"),
        stream("id\ndata: d\n\n"),
        Answer::Head(204, None),
    ];
    let transcript = get(&plain(), &script);
    let ids: Vec<_> = transcript.messages.iter().map(|it| &*it.2).collect();
    assert_eq!(ids, ["7", "7", "7", ""]);
    let sent: Vec<_> = transcript.requests.iter().map(Option::as_deref).collect();
    assert_eq!(sent, [None, Some("7"), None]);
}

#[test]
fn an_id_is_sent_as_utf_8_without_white_space_at_its_ends() {
    let script = [
        stream("id:  …\t\ndata: a\n\n"),
        Answer::Stream(b"id: \xff\ndata: b\n\n".to_vec()),
        stream("id:  \t \ndata: c\n\n"),
        Answer::Head(204, None),
    ];
    let transcript = get(&plain(), &script);
    let sent: Vec<_> = transcript.requests.iter().map(Option::as_deref).collect();
    assert_eq!(sent, [None, Some("…"), Some("\u{fffd}"), None]);
}

#[test]
fn every_request_says_what_it_wants_and_that_no_cache_may_answer() {
    let options = plain().last_event_id("41");
    let source = EventSourceCore::new(Method::GET, options).unwrap();
    let fields: Vec<_> = source.fields().collect();
    let expected = [
        Field::new("accept", "text/event-stream"),
        Field::new("cache-control", "no-cache"),
        Field::new("last-event-id", "41"),
    ];
    assert_eq!(fields, expected);
    for id in ["a\nb", "a\0", "a\rb", " a"] {
        let options = plain().last_event_id(id);
        assert!(
            EventSourceCore::new(Method::GET, options).is_err(),
            "{id:?}"
        );
    }
}

#[test]
fn no_other_status_than_200_opens_a_stream() {
    for status in [201, 205, 206, 301, 304, 400, 404, 410, 500, 503] {
        let transcript = get(&plain(), &[Answer::Head(status, TYPE)]);
        assert_eq!(transcript.end, failed(EventSourceFault::Status(status)));
        assert_eq!(transcript.requests.len(), 1);
    }
    let transcript = get(&plain(), &[Answer::Head(204, TYPE)]);
    assert_eq!(transcript.end, Some(EventSourceEnd::NoContent));
}

#[test]
fn no_other_type_than_that_of_event_streams_opens_one() {
    for good in [
        "text/event-stream",
        "TEXT/Event-Stream",
        " text/event-stream ; charset=windows-1251",
        "text/event-stream;",
        "text/event-stream;\tbogus",
    ] {
        let transcript = post(&plain(), &[Answer::Head(200, Some(good))]);
        assert_eq!(transcript.end, Some(EventSourceEnd::Finished), "{good}");
    }
    for bad in [
        "text/x-bogus",
        "text/event-streamx",
        "text/event stream",
        "application/json; a=text/event-stream",
        "",
    ] {
        let transcript = get(&plain(), &[Answer::Head(200, Some(bad))]);
        let fault = EventSourceFault::ContentType(Some(bad.to_owned()));
        assert_eq!(transcript.end, failed(fault));
    }
    let transcript = get(&plain(), &[Answer::Head(200, None)]);
    assert_eq!(transcript.end, failed(EventSourceFault::ContentType(None)));
}

#[test]
fn a_type_of_any_length_is_shown_cut() {
    let mut source = EventSourceCore::new(Method::GET, plain()).unwrap();
    source.next(Instant::START);
    let long = vec![b'x'; 60_000];
    source.response(200, Some(&long), None, Instant::START, 0);
    let Some(EventSourceEnd::Failed(fault)) = source.end() else {
        panic!("{:?}", source.end());
    };
    assert!(fault.to_string().len() < 400);
}

#[test]
fn attempts_in_vain_wait_longer_and_one_of_use_starts_anew() {
    let script = [
        Answer::None,
        Answer::None,
        stream(""),
        stream(": alive\n\n"),
        stream("data: a\n\n"),
        Answer::None,
        Answer::Head(204, None),
    ];
    let transcript = get(&plain(), &script);
    let expected = [6000, 12_000, 24_000, 48_000, 3000, 6000];
    assert_eq!(transcript.waits, expected);
}

#[test]
fn a_source_gives_up_behind_its_last_attempt() {
    let options = limits(EventSourceLimits::DEFAULT.with_attempts(3));
    let script = [
        stream("data: a\n\n"),
        Answer::None,
        Answer::None,
        Answer::Lost(b": nothing\n\n".to_vec()),
        stream("data: never asked for\n\n"),
    ];
    let transcript = get(&options, &script);
    assert_eq!(transcript.requests.len(), 4);
    let fault = EventSourceFault::GaveUp {
        attempts: 3,
        last: Interruption::Lost,
    };
    assert_eq!(
        fault.to_string(),
        "gave up after 3 attempts in vain; the last: the connection was lost"
    );
    assert_eq!(transcript.end, failed(fault));
}

#[test]
fn a_silent_stream_is_given_up_and_asked_for_again() {
    let options = limits(EventSourceLimits::DEFAULT.with_silence(Duration::from_secs(45)));
    let script = [
        Answer::Silent(b"id: 1\ndata: a\n\nda".to_vec()),
        Answer::Silent(b": alive".to_vec()),
        Answer::Head(204, None),
    ];
    let transcript = get(&options, &script);
    assert_eq!(transcript.data(), ["a"]);
    assert_eq!(transcript.requests[1].as_deref(), Some("1"));
    // The second was open for 45 s: that counts, although it brought nothing.
    assert_eq!(transcript.waits, [3000, 3000]);
    let transcript = post(&options, &script);
    let fault = EventSourceFault::Interrupted(Interruption::Silent);
    assert_eq!(transcript.end, failed(fault));
}

#[test]
fn bytes_of_any_kind_put_the_silence_off() {
    let options = limits(EventSourceLimits::DEFAULT.with_silence(Duration::from_secs(45)));
    let mut source = EventSourceCore::new(Method::GET, options).unwrap();
    let mut now = Instant::START;
    source.next(now);
    source.response(200, TYPE.map(str::as_bytes), None, now, 0);
    let mut input = Vec::new();
    for byte in *b": hello" {
        now += Duration::from_secs(44);
        source.elapsed(now, 0);
        source.arrived(now);
        input.push(byte);
        let received = source.receive(&mut input).unwrap();
        assert!(matches!(received.step, Step::Need(_)));
        assert_eq!(received.used, 0);
    }
    let until = now + Duration::from_secs(45);
    assert_eq!(source.next(now), NextStep::ReadUntil(until));
}

#[test]
fn a_source_without_such_a_limit_waits_for_good() {
    let mut source = EventSourceCore::new(Method::GET, plain()).unwrap();
    source.next(Instant::START);
    source.response(200, TYPE.map(str::as_bytes), None, Instant::START, 0);
    let year = Instant::START + Duration::from_secs(31_536_000);
    source.elapsed(year, 0);
    assert_eq!(source.next(year), NextStep::ReadUntil(Instant::NEVER));
}

#[test]
fn a_post_is_never_sent_again_by_itself() {
    let lost = || Answer::Lost(b"data: a\n\n".to_vec());
    for (answer, end) in [
        (stream("data: a\n\n"), EventSourceEnd::Finished),
        (Answer::Head(204, None), EventSourceEnd::NoContent),
        (
            lost(),
            EventSourceEnd::Failed(EventSourceFault::Interrupted(Interruption::Lost)),
        ),
        (
            Answer::None,
            EventSourceEnd::Failed(EventSourceFault::Interrupted(Interruption::NoResponse)),
        ),
        (
            Answer::NotReached,
            EventSourceEnd::Failed(EventSourceFault::Interrupted(Interruption::NotReached)),
        ),
    ] {
        let transcript = post(&plain(), &[answer, stream("data: again\n\n")]);
        assert_eq!(transcript.requests.len(), 1);
        assert_eq!(transcript.end, Some(end));
    }
    for method in [Method::PUT, Method::HEAD, Method::Extension("QUERY")] {
        let transcript = run_split(method, &plain(), &[lost(), lost()]);
        assert_eq!(transcript.requests.len(), 1, "{method}");
    }
}

#[test]
fn a_rule_decides_what_is_sent_again_and_how() {
    let options = plain().resume(|interrupted| match interrupted.why {
        Interruption::NotReached => Resume::Again,
        Interruption::NoResponse if interrupted.had_events => Resume::Again,
        Interruption::Lost if interrupted.last_event_id.is_empty() => Resume::Stop,
        Interruption::Lost => Resume::Get,
        Interruption::Ended => Resume::Body(b"more".to_vec()),
        _ => Resume::Stop,
    });
    let script = [
        Answer::NotReached,
        stream("data: a\n\n"),
        Answer::Lost(b"id: 1\ndata: b\n\n".to_vec()),
        Answer::None,
        Answer::Lost(b"id:\ndata: c\n\n".to_vec()),
    ];
    let transcript = post(&options, &script);
    let more = Resume::Body(b"more".to_vec());
    assert_eq!(
        transcript.asks,
        [Resume::Again, Resume::Again, more, Resume::Get, Resume::Get]
    );
    assert_eq!(transcript.requests[3].as_deref(), Some("1"));
    let fault = EventSourceFault::Interrupted(Interruption::Lost);
    assert_eq!(transcript.end, failed(fault));
}

#[test]
fn a_rule_is_told_how_often_and_whether_anything_came() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = seen.clone();
    let options = plain().resume(move |it| {
        noted.lock().unwrap().push((it.attempts, it.had_events));
        Resume::Again
    });
    let script = [
        Answer::None,
        Answer::None,
        stream("data: a\n\n"),
        Answer::None,
    ];
    let mut source = EventSourceCore::new(Method::GET, options).unwrap();
    let mut now = Instant::START;
    for answer in script {
        while source.next(now) != NextStep::Connect {
            now += Duration::from_secs(1);
        }
        if let Answer::Stream(mut body) = answer {
            source.response(200, TYPE.map(str::as_bytes), None, now, 0);
            source.receive(&mut body).unwrap();
        }
        source.lost(now, 0);
    }
    let expected = [(1, false), (2, false), (0, true), (1, true)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn a_stream_that_ends_inside_an_event_says_so() {
    for (body, cut) in [
        ("data: a\n\ndata: b", Some("b")),
        ("data: a\n\nid: 5\ndata: b\n", Some("b")),
        ("data: a\n\nevent: x", None),
        ("data: a\n\nid: 5\n", None),
        ("data: a\n\nda", None),
    ] {
        let transcript = post(&plain(), &[stream(body)]);
        assert_eq!(transcript.data(), ["a"]);
        let fault = EventSourceFault::Interrupted(Interruption::CutInEvent);
        assert_eq!(transcript.end, failed(fault), "{body:?}");
        assert_eq!(transcript.cut.first().map(|it| &**it), cut);
        // A GET asks for that event again.
        let again = get(&plain(), &[stream(body), Answer::Head(204, None)]);
        assert_eq!(again.requests, [None, None]);
    }
    for body in [
        "data: a\n\n",
        "data: a\r\n\r",
        "data: a\n\n: comment",
        "data: a\n\n:\nretry: 1\n",
    ] {
        let transcript = post(&plain(), &[stream(body)]);
        assert_eq!(transcript.end, Some(EventSourceEnd::Finished), "{body:?}");
    }
}

#[test]
fn a_marker_in_the_data_ends_the_source_and_is_not_dispatched() {
    let options = plain().end_data("[DONE]");
    for body in [
        "data: a\n\ndata: [DONE]\n\ndata: b\n\n",
        "data: a\n\ndata: [DONE]",
        "data: a\n\ndata:[DONE]\n",
    ] {
        for transcript in [
            post(&options, &[stream(body)]),
            get(&options, &[stream(body)]),
        ] {
            assert_eq!(transcript.data(), ["a"]);
            assert_eq!(transcript.end, Some(EventSourceEnd::Marker));
        }
    }
    let transcript = post(&options, &[stream("data: a\n\ndata: [DONE\n\n")]);
    assert_eq!(transcript.end, failed(EventSourceFault::NoMarker));
    let script = [stream("data: a\n\n"), stream("data: [DONE]\n\n")];
    let transcript = get(&options, &script);
    assert_eq!(transcript.requests.len(), 2);
    assert_eq!(transcript.end, Some(EventSourceEnd::Marker));
}

#[test]
fn a_marker_in_the_type_ends_the_source_behind_its_event() {
    let options = plain().end_event("message_stop");
    let body = "data: a\n\nevent: message_stop\ndata: {}\n\ndata: b\n\n";
    let transcript = post(&options, &[stream(body)]);
    assert_eq!(transcript.data(), ["a", "{}"]);
    assert_eq!(transcript.end, Some(EventSourceEnd::Marker));
    let transcript = post(&options, &[stream("data: a\n\n")]);
    assert_eq!(transcript.end, failed(EventSourceFault::NoMarker));
}

#[test]
fn an_event_over_its_limit_ends_the_source_for_good() {
    let options = limits(EventSourceLimits::DEFAULT.with_event(16).with_id(3));
    for (body, violation) in [
        (
            "data: a\n\ndata: 0123456789abc\n\n",
            ProtocolError::EventTooLarge,
        ),
        ("data: a\n\nid: 1234\n", ProtocolError::IdTooLong),
        (
            "data: a\n\n: a comment without end",
            ProtocolError::EventTooLarge,
        ),
    ] {
        let transcript = get(&options, &[stream(body), stream("data: again\n\n")]);
        assert_eq!(transcript.data(), ["a"]);
        assert_eq!(transcript.requests.len(), 1);
        assert_eq!(transcript.end, failed(EventSourceFault::Event(violation)));
    }
}

#[test]
fn a_status_can_count_as_an_attempt_in_vain() {
    let options = plain().retry_on(503).retry_on(429);
    let script = [
        Answer::Head(503, None),
        Answer::RetryAfter(429, 40),
        Answer::RetryAfter(503, u64::MAX / 2),
        stream("data: a\n\n"),
        Answer::Head(500, None),
    ];
    let transcript = get(&options, &script);
    assert_eq!(transcript.waits, [6000, 40_000, 3_600_000, 3000]);
    assert_eq!(transcript.data(), ["a"]);
    assert_eq!(transcript.end, failed(EventSourceFault::Status(500)));
    // A rule that says no leaves the status as the reason.
    let options = options.resume(|_| Resume::Stop);
    let transcript = get(&options, &[Answer::Head(503, None)]);
    assert_eq!(transcript.end, failed(EventSourceFault::Status(503)));
}

#[test]
fn a_source_that_is_closed_does_nothing_more() {
    let mut source = EventSourceCore::new(Method::GET, plain()).unwrap();
    let now = Instant::START;
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    source.next(now);
    source.response(200, TYPE.map(str::as_bytes), None, now, 0);
    assert_eq!(source.ready_state(), ReadyState::Open);
    let mut input = *b"data: a\n\ndata: b\n\n";
    assert!(matches!(
        source.receive(&mut input).unwrap().step,
        Step::Event(_)
    ));
    source.close();
    assert_eq!(source.ready_state(), ReadyState::Closed);
    let received = source.receive(&mut input[9..]).unwrap();
    assert_eq!((received.used, received.step), (9, Step::Done));
    source.lost(now, 0);
    source.elapsed(now, 0);
    source.try_now();
    assert_eq!(source.next(now), NextStep::Over);
    assert_eq!(source.end(), Some(&EventSourceEnd::Closed));
}

#[test]
fn word_that_the_network_is_back_ends_the_wait() {
    let mut source = EventSourceCore::new(Method::GET, plain()).unwrap();
    let now = Instant::START;
    source.next(now);
    source.lost(now, 5000);
    assert!(matches!(source.next(now), NextStep::WaitUntil(_)));
    source.try_now();
    assert_eq!(source.next(now), NextStep::Connect);
    source.lost(now, 0);
    let NextStep::WaitUntil(at) = source.next(now) else {
        panic!("it waits again");
    };
    assert_eq!(at.as_secs(), 12, "and no less than before");
}

#[test]
fn a_byte_order_mark_and_each_kind_of_line_end_belong_to_every_stream_anew() {
    let body = "\u{feff}data: a\r\n\r\ndata: b\r\rdata: c\n\n";
    let script = [stream(body), stream(body), Answer::Head(204, None)];
    let transcript = get(&plain(), &script);
    assert_eq!(transcript.data(), ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn nothing_of_a_stream_that_was_cut_belongs_to_the_next_one() {
    let script = [
        Answer::Lost(b"event: x\nid: 3\ndata: ha".to_vec()),
        stream("data: whole\n\n"),
        Answer::Head(204, None),
    ];
    let transcript = get(&plain(), &script);
    let expected = ("message".into(), "whole".into(), String::new());
    assert_eq!(transcript.messages, [expected]);
    assert_eq!(transcript.requests, [None, None, None]);
}
