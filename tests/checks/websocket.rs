//! WebSocket: the law of splits for both roles and modes, and what one side
//! sends the other gets.

use super::input::{Input, pieces};
use super::websocket_support::{Driver, Seen, frame};
use barewire::websocket::{CloseCode, Connection, Kind, Limits};
use barewire::wire::{Instant, Role};

const MESSAGE: usize = 512;

/// The most that may be kept: a message, as many dead bytes, and one frame head
/// or control frame.
const MOST: usize = 2 * MESSAGE + 14 + 131;

fn role(flags: u8) -> Role {
    if flags & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    }
}

fn transcript(flags: u8, all: &[&[u8]]) -> (Vec<Seen>, Vec<u8>) {
    let mut limits = Limits::DEFAULT;
    let small = flags & 4 != 0;
    if small {
        limits = limits.with_message(MESSAGE as u64);
    }
    let mut driver = Driver::with_limits(role(flags), flags & 2 != 0, limits);
    for piece in all {
        driver.feed(piece);
        let ended = driver.machine.is_closing() || driver.machine.is_done();
        if small && !ended && all.len() > 1 {
            assert!(
                driver.kept.len() <= MOST,
                "{} bytes kept",
                driver.kept.len()
            );
        }
    }
    (driver.seen, driver.out)
}

/// Any cut gives the same transcript. The input is bytes as they stand, or a
/// list of frames.
pub fn receive(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let bytes = if flags & 8 == 0 {
        input.rest().to_vec()
    } else {
        let mut bytes = Vec::new();
        while !input.is_empty() {
            let first = input.byte();
            bytes.extend(frame(role(flags), first, input.run()));
        }
        bytes
    };
    let cut = transcript(flags, &pieces(&bytes, manner));
    let whole = transcript(flags, &[&bytes]);
    assert_eq!(cut, whole, "{bytes:x?}");
}

/// Messages, chunks, pings and a Close that one side agrees to send are what
/// the other side sees.
pub fn roundtrip(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let (ours, theirs) = match role(flags) {
        Role::Client => (Role::Client, Role::Server),
        Role::Server => (Role::Server, Role::Client),
    };
    let now = Instant::START;
    let (mut machine, mut wire) = (Connection::new(ours, now), Vec::new());
    let (mut expected, mut open) = (Vec::new(), None::<(Kind, Vec<u8>)>);
    for _ in 0..32 {
        if input.is_empty() {
            break;
        }
        let (act, mask_key, text) = (input.byte(), input.array(), input.text());
        let kind = if act & 8 == 0 {
            Kind::Text
        } else {
            Kind::Binary
        };
        // A length that takes another form of head.
        let text = if act & 0x10 == 0 {
            text
        } else {
            text.repeat(70)
        };
        let payload = text.as_bytes();
        let before = wire.len();
        let sent = match act & 7 {
            0 | 1 => machine
                .send_message(kind, payload, mask_key, now, &mut wire)
                .map(|()| {
                    expected.push(Seen::Message(kind, payload.to_vec()));
                }),
            2..=4 => {
                let last = act & 7 == 4;
                machine
                    .send_chunk(kind, payload, last, mask_key, now, &mut wire)
                    .map(|()| {
                        open.get_or_insert((kind, Vec::new())).1.extend(payload);
                        if last && let Some((kind, whole)) = open.take() {
                            expected.push(Seen::Message(kind, whole));
                        }
                    })
            }
            5 => machine.send_ping(payload, mask_key, &mut wire).map(|()| {
                expected.push(Seen::Ping(payload.to_vec()));
            }),
            6 => machine.send_pong(payload, mask_key, &mut wire).map(|()| {
                expected.push(Seen::Pong(payload.to_vec()));
            }),
            _ => {
                let code = CloseCode::new(u16::from_be_bytes([mask_key[0] & 0x1f, mask_key[1]]));
                machine
                    .send_close(code, &text, mask_key, now, &mut wire)
                    .map(|()| {
                        expected.push(Seen::Close(Some(code.get()), text.clone()));
                    })
            }
        };
        if sent.is_err() {
            assert_eq!(wire.len(), before, "refused, but written");
        }
    }
    let mut driver = Driver::new(theirs, false);
    pieces(&wire, manner)
        .into_iter()
        .for_each(|piece| driver.feed(piece));
    assert_eq!(driver.seen, expected);
}
