use super::*;
use crate::client::RequestSender as _;
use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
use crate::link::{Account, Body};
use crate::net::Flow;

const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

fn asked(connection: &mut Connection) -> u32 {
    let host = [Field::new("host", "a")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).unwrap(),
        version: Version::Http2,
        protocol: None,
        fields: Fields::new(&host),
    };
    connection.wire().request(&head, None).unwrap()
}

fn told(connection: &mut Connection, bytes: &[u8]) -> Vec<(u32, alloc::string::String)> {
    let mut all = Vec::new();
    connection.receive(&mut bytes.to_vec(), Instant::START, |_, stream, event| {
        all.push((stream, alloc::format!("{event:?}")));
    });
    all
}

#[test]
fn what_its_owner_keeps_within_windows_comes_though_memory_is_full() {
    let mut connection = Connection::http2(Limits::DEFAULT, Instant::START);
    told(&mut connection, SETTINGS);
    let all = Account::new(1000);
    connection.wire.link.charge_to(all.child());
    let stream = asked(&mut connection);
    let _other = all.charge(2000);
    let response = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\0\0\0\0\x01hi";
    let events = told(&mut connection, response);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1], (stream, "Body([104, 105])".into()));
}

#[test]
fn a_body_over_http1_waits_for_room_in_the_output() {
    let mut connection = Connection::http1(Limits::DEFAULT, Instant::START);
    let fields = [Field::new("host", "a")];
    let head = RequestHead {
        method: Method::PUT,
        target: Target::parse(b"/", Method::PUT).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    };
    let body = Body::Streamed {
        length: None,
        endless: false,
    };
    let wire = connection.wire();
    let stream = wire.request(&head, Some(body)).unwrap();
    assert_eq!(wire.write(stream, &[0; 1000]), Flow::Go);
    assert_eq!(wire.write(stream, &[0; 70_000]), Flow::Wait);
    for (left, relieved) in [(70_000, 0), (40_000, 0), (1000, 1), (0, 0)] {
        let output = connection.output();
        output.drain(..output.len() - left);
        let mut events = 0;
        connection.flush(Instant::START, |_, of, event| {
            assert!(of == stream && matches!(event, Event::Writable));
            events += 1;
        });
        assert_eq!(events, relieved, "{left}");
    }
}

#[test]
fn the_end_of_input_ends_what_waits_for_more_and_the_connection() {
    let mut connection = Connection::http2(Limits::DEFAULT, Instant::START);
    told(&mut connection, SETTINGS);
    let stream = asked(&mut connection);
    let mut ended = Vec::new();
    connection.receive_eof(Instant::START, |_, stream, event| {
        assert!(matches!(event, Event::Ended(EndReason::Disconnected)));
        ended.push(stream);
    });
    assert_eq!(ended, [stream, 0]);
    assert!(connection.is_over() && connection.deadline().is_none());
    assert_eq!(connection.wire().allowance(), 0);
    assert!(told(&mut connection, SETTINGS).is_empty());
}

#[test]
fn nothing_is_looked_at_behind_an_event_at_which_the_owner_pauses() {
    // A response on each of three streams, and what breaks the protocol after them.
    let mut bytes = Vec::new();
    for stream in [1, 3, 5] {
        bytes.extend_from_slice(&[0, 0, 1, 1, 5, 0, 0, 0, stream, 0x88]);
    }
    bytes.extend_from_slice(&[0, 0, 1, 0, 0, 0, 0, 0, 0, 0]); // DATA for stream 0
    for cut in 0..=bytes.len() {
        let mut connection = Connection::http2(Limits::DEFAULT, Instant::START);
        told(&mut connection, SETTINGS);
        for _ in 0..3 {
            asked(&mut connection);
        }
        let mut events = Vec::new();
        let mut owner = |wire: &mut Wire, stream: u32, event: Event<'_>| {
            wire.pause();
            events.push((stream, matches!(event, Event::Ended(_))));
        };
        let (front, back) = bytes.split_at_mut(cut);
        connection.receive(front, Instant::START, &mut owner);
        connection.receive(back, Instant::START, &mut owner);
        connection.receive_eof(Instant::START, &mut owner);
        let mut counts = Vec::new();
        for _ in 0..20 {
            assert!(connection.is_over() || connection.is_paused());
            connection.resume(Instant::START, |wire, stream, event| {
                wire.pause();
                counts.push((stream, matches!(event, Event::Ended(_))));
            });
        }
        events.extend(counts);
        assert!(connection.is_over());
        let responses: Vec<u32> = events.iter().filter(|it| !it.1).map(|it| it.0).collect();
        assert_eq!(responses, [1, 3, 5], "{cut}: {events:?}");
        assert_eq!(events.last(), Some(&(0, true)));
    }
}
