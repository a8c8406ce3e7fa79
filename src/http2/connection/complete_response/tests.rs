use super::*;
use crate::http::date::Date;
use crate::http::{
    CallContext, Field, FieldBuffer, Fields, Method, OwnedScratch, RequestHead, ResponseHead,
    Status, Target, Version,
};
use crate::http2::{BodyLength, Event, Limits};
use crate::wire::{Instant, Step};
use alloc::vec::Vec;

/// Feeds all of `input`; the streams of the requests in it.
fn feed(machine: &mut Connection, input: &[u8], out: &mut Vec<u8>) -> Vec<u32> {
    let (mut input, mut at, mut streams) = (input.to_vec(), 0, Vec::new());
    let mut scratch = OwnedScratch::new(100);
    loop {
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch: scratch.lend(),
        };
        let received = machine.receive(&mut input[at..], lent, out).unwrap();
        at += received.used;
        match received.step {
            Step::Event(Event::Request { stream, .. }) => streams.push(stream),
            Step::Event(_) => {}
            _ => {
                assert_eq!(at, input.len());
                return streams;
            }
        }
    }
}

fn request(method: Method<'static>) -> RequestHead<'static> {
    RequestHead {
        method,
        target: Target::Absolute {
            scheme: "http",
            authority: "a",
            path: "/",
            query: None,
        },
        version: Version::Http2,
        protocol: None,
        fields: Fields::EMPTY,
    }
}

fn send_in_pieces(machine: &mut Connection, id: u32, answer: &Answer<'_>, out: &mut Vec<u8>) {
    let Answer {
        head,
        date,
        content,
        trailers,
    } = *answer;
    let length = match trailers {
        Some(_) => BodyLength::Unknown,
        None => BodyLength::Known(content.len() as u64),
    };
    let sent = machine.send_response(id, &head, Some(length), date, out);
    sent.unwrap();
    if !content.is_empty() {
        let end = trailers.is_none();
        let sent = machine.send_data(id, content, end, Instant::START, out);
        assert_eq!(sent, Ok(content.len()));
    }
    if let Some(trailers) = trailers {
        machine.send_end(id, trailers, out).unwrap();
    }
}

/// Whether blocks are remembered, and used.
fn is_known() -> bool {
    [shortcut!("http2_response"), shortcut!("known_blocks")] == [true; 2]
}

#[test]
fn what_leaves_at_once_is_what_would_leave_in_pieces() {
    let date = Date::from_unix(784_111_777);
    let mut plain = FieldBuffer::new();
    plain.push("Content-Type", "text/plain").unwrap();
    let mut sums = FieldBuffer::new();
    sums.push("X-Sum", "7").unwrap();
    let listed = [Field::new("content-type", "text/plain")];
    let (fields, status) = ([plain.as_fields(), Fields::new(&listed)], [200, 404, 304]);
    let ends = [Field::new("grpc-status", "0")];
    let trailers = [None, Some(Fields::new(&ends)), Some(sums.as_fields())];

    let start = Instant::START;
    let mut client = Connection::new(Role::Client, start);
    let mut servers = [(); 2].map(|()| Connection::new(Role::Server, start));
    let (mut asked, mut at_once) = (Vec::new(), 0);
    client.open(&Limits::DEFAULT, start, &mut asked).unwrap();
    for round in 0..400_usize {
        let kind = round / 8; // the third of a kind is known
        let method = match round % 7 {
            6 => Method::HEAD,
            _ => Method::GET,
        };
        let answer = Answer {
            head: ResponseHead::new(Status::new(status[kind / 3 % 3]).unwrap(), fields[kind % 2]),
            date: (kind % 5 != 4).then_some(&date),
            content: [b"", &b"hello"[..], &[b'x'; 300]][kind / 2 % 3],
            trailers: trailers[kind / 4 % 3],
        };
        client
            .send_request(&request(method), None, &mut asked)
            .unwrap();
        let outs = servers.each_mut().map(|_| Vec::new());
        let [mut whole, mut pieces] = outs;
        let [first, second] = &mut servers;
        for id in feed(first, &asked, &mut whole) {
            let done = first.send_at_once(id, &answer, &mut whole);
            at_once += usize::from(done);
            if !done {
                send_in_pieces(first, id, &answer, &mut whole);
            }
        }
        for id in feed(second, &asked, &mut pieces) {
            send_in_pieces(second, id, &answer, &mut pieces);
        }
        assert_eq!(whole, pieces, "{round}");
        assert_eq!((first.streams(), second.streams()), (0, 0));
        assert_eq!(first.flow.open(), second.flow.open());
        asked.clear();
        feed(&mut client, &whole, &mut asked);
    }
    assert!(at_once > 20 || !is_known(), "{at_once}");
}

#[test]
fn a_request_that_goes_on_is_not_answered_at_once() {
    let mut client = Connection::new(Role::Client, Instant::START);
    let mut server = Connection::new(Role::Server, Instant::START);
    let (mut asked, mut out) = (Vec::new(), Vec::new());
    client
        .open(&Limits::DEFAULT, Instant::START, &mut asked)
        .unwrap();
    let answer = Answer {
        head: ResponseHead::new(Status::OK, Fields::EMPTY),
        date: None,
        content: b"hello",
        trailers: None,
    };
    for (round, length) in [None, None, None, None, Some(BodyLength::Unknown)]
        .into_iter()
        .enumerate()
    {
        let head = request(Method::POST);
        client.send_request(&head, length, &mut asked).unwrap();
        let streams = feed(&mut server, &asked, &mut out);
        let done = server.send_at_once(streams[0], &answer, &mut out);
        // The second time, the block is remembered.
        assert_eq!(done, is_known() && (2..4).contains(&round), "{round}");
        if !done && length.is_none() {
            send_in_pieces(&mut server, streams[0], &answer, &mut out);
        }
        asked.clear();
    }
}
