//! HTTP/2: the law of splits in both roles.

use super::http2_support::pipe::{Talk, Whim, talk};
use super::http2_support::{Seen, Sent, Side, WINDOW_UPDATE, block, frame, opening};
use super::input::{Input, pieces};
use barewire::http::{Fields, Method, RequestHead, ResponseHead, Status, Target, Version};
use barewire::http2::{BodyLength, Limits};
use barewire::wire::{Instant, Role};

/// Events with adjacent pieces of content joined, and the frames that were
/// sent, with window updates summed for each stream.
type Transcript = (Vec<Seen>, Vec<Sent>, Vec<(u32, u64)>);

/// The longest frame, its head, and a block as long as lists may be.
pub(super) const MOST: usize = 2 * (16_384 + 9) + 64 * 1024;

fn transcript(mut side: Side, all: &[&[u8]]) -> Transcript {
    let mut events: Vec<Seen> = Vec::new();
    for piece in all {
        let got = side.feed_with(piece, |machine, event, out| {
            if let Seen::Request { stream, .. } = event {
                let head = ResponseHead::new(Status::OK, Fields::EMPTY);
                let length = Some(BodyLength::Known(2));
                // The peer may have reset the stream, or closed its window.
                if machine
                    .send_response(*stream, &head, length, None, out)
                    .is_ok()
                {
                    let _ = machine.send_data(*stream, b"ok", true, Instant::START, out);
                }
            }
        });
        for event in got {
            match (events.last_mut(), event) {
                (Some(Seen::Data(stream, data)), Seen::Data(next, more)) if *stream == next => {
                    data.extend(more);
                }
                (Some(Seen::Failed(_) | Seen::Done), Seen::Failed(_) | Seen::Done) => {}
                (_, event) => events.push(event),
            }
        }
        let ended = matches!(events.last(), Some(Seen::Failed(_) | Seen::Done));
        assert!(
            ended || side.input.len() <= MOST,
            "{} bytes kept",
            side.input.len()
        );
    }
    let (mut sent, mut updates) = (Vec::new(), Vec::<(u32, u64)>::new());
    for one in side.sent() {
        if one.kind != WINDOW_UPDATE {
            sent.push(one);
            continue;
        }
        match updates.iter_mut().find(|(stream, _)| *stream == one.stream) {
            Some((_, sum)) => *sum += u64::from(one.number()),
            None => updates.push((one.stream, u64::from(one.number()))),
        }
    }
    updates.sort_unstable();
    (events, sent, updates)
}

fn side(flags: u8) -> Side {
    let mut limits = Limits::DEFAULT;
    if flags & 2 != 0 {
        limits.streams = 3;
        limits.fields = 8;
        limits.header_list = 512;
        limits.header_table = 256;
        limits.continuations = 2;
    }
    if flags & 1 == 0 {
        return Side::new(Role::Server, limits);
    }
    let mut side = Side::new(Role::Client, limits);
    for _ in 0..3 {
        let head = RequestHead {
            method: Method::GET,
            target: Target::Absolute {
                scheme: "http",
                authority: "a",
                path: "/",
                query: None,
            },
            version: Version::Http11,
            protocol: None,
            fields: Fields::EMPTY,
        };
        side.machine
            .send_request(&head, None, &mut side.out)
            .expect("a correct request");
    }
    side
}

const HEADS: [&[(&str, &str)]; 8] = [
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/"),
    ],
    &[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/x"),
        ("content-length", "5"),
    ],
    &[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("te", "trailers"),
    ],
    &[(":status", "200"), ("content-length", "3")],
    &[(":status", "103"), ("link", "</a>")],
    &[("grpc-status", "0")],
    &[(":method", "GET"), ("Upper", "1"), ("connection", "close")],
];

/// Frames, each of kind, flags, stream and payload; blocks of common fields are
/// at hand.
pub(super) fn frames(input: &mut Input<'_>, heads: &[&[(&str, &str)]; 8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !input.is_empty() && bytes.len() < 64 * 1024 {
        let [kind, flags, stream] = input.array();
        let payload = match kind & 0xe0 {
            0x20 => block(heads[usize::from(input.byte() & 7)]),
            0x40 => vec![input.byte(); usize::from(input.byte()) * 70],
            _ => input.run().to_vec(),
        };
        let kind = if kind & 0x80 == 0 { kind & 0x0f } else { kind };
        bytes.extend(frame(kind, flags, stream.into(), &payload));
    }
    bytes
}

/// Any cut gives the same transcript. The input is bytes as they stand, or a
/// list of frames behind the right opening.
pub fn receive(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let mut bytes = Vec::new();
    if flags & 8 == 0 && flags & 1 == 0 {
        bytes.extend(opening());
    } else if flags & 8 == 0 {
        bytes.extend(frame(4, 0, 0, &[]));
    }
    match flags & 4 {
        0 => bytes.extend(frames(&mut input, &HEADS)),
        _ => bytes.extend(input.rest()),
    }
    let cut = transcript(side(flags), &pieces(&bytes, manner));
    let whole = transcript(side(flags), &[&bytes]);
    assert_eq!(cut, whole, "{bytes:x?}");
}

/// A client and a server understand each other whatever the pipe between them
/// does, the windows are, and streams are reset.
pub fn pipe(data: &[u8]) {
    let mut input = Input::new(data);
    let [requests, window, size, room, resets] = input.array();
    let scale = |byte: u8| 1_u32 << (byte >> 4) | u32::from(byte & 15);
    let window = scale(window);
    let how = Talk {
        requests: usize::from(requests % 12) + 1,
        window,
        size: u64::from(scale(size).min(window * 20).min(8000)),
        room: 400 + scale(room) as usize,
        resets: resets.into(),
    };
    talk(how, &mut Whim::new(input.rest(), 1));
}
