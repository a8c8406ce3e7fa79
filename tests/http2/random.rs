//! Plausible frames in no order, against an application that does as it likes:
//! no panic, bounded streams, and an error that stays.
#![cfg(feature = "alloc")]

use crate::http2_support::*;
use barewire::http::{Field, Fields, Method, RequestHead, ResponseHead, Status, Target, Version};
use barewire::http2::{BodyLength, Connection, ErrorCode, Limits};
use barewire::wire::Instant;
use proptest::prelude::*;

/// A frame that may or may not make sense.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![8 => 0..8u32, 1 => any::<u32>()];
    let payload = prop_oneof![
        Just(block(&GET)),
        Just(block(&POST)),
        Just(block(&[(":status", "200"), ("content-length", "3")])),
        Just(block(&[(":status", "100")])),
        Just(block(&[("trailer", "x")])),
        Just(vec![0, 0, 0, 1]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(vec![0, 4, 0, 0, 0, 5]),
        Just(vec![0, 4, 0x7f, 0xff, 0xff, 0xff]),
        Just(b"12345678".to_vec()),
        Just(b"\0\0\0\x03\0\0\0\0bye".to_vec()),
        Just(vec![]),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let flags = prop_oneof![
        Just(0),
        Just(END_STREAM),
        Just(END_HEADERS),
        Just(END_HEADERS | END_STREAM),
        any::<u8>()
    ];
    (0..11u8, flags, stream, payload)
        .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload))
}

/// What an application does with stream `n`, whether it may or not.
fn act(machine: &mut Connection, action: u8, n: u32, out: &mut Vec<u8>) {
    let fields = [Field::new("Host", "a"), Field::new("X-Any", "thing")];
    let head = ResponseHead::new(Status::OK, Fields::new(&fields[1..]));
    let length = [
        None,
        Some(BodyLength::Unknown),
        Some(BodyLength::Known(3)),
        Some(BodyLength::Known(0)),
    ][usize::from(action / 16 % 4)];
    let now = Instant::START;
    let _ = match action % 12 {
        0 | 1 => machine.send_response(n, &head, length, None, out),
        2 => machine.send_data(n, b"abc", true, now, out).map(|_| ()),
        3 => machine
            .send_data(n, &[7; 40_000], false, now, out)
            .map(|_| ()),
        4 => machine.send_end(n, Fields::EMPTY, out),
        5 => machine.send_end(n, Fields::new(&fields[1..]), out),
        6 => machine.send_reset(n, ErrorCode::CANCEL, now, out),
        7 => machine.send_data(n, b"", true, now, out).map(|_| ()),
        8 => {
            machine.consume(n, 100_000, out);
            Ok(())
        }
        9 => machine.shutdown(now, out),
        10 => {
            let request = RequestHead {
                method: Method::POST,
                target: Target::Origin {
                    path: "/",
                    query: Some("q"),
                },
                version: Version::Http11,
                protocol: None,
                fields: Fields::new(&fields),
            };
            machine.send_request(&request, length, out).map(|_| ())
        }
        _ => {
            let _ = machine.ready();
            Ok(())
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn nothing_that_comes_makes_a_machine_panic(
        server: bool,
        steps in proptest::collection::vec((any_frame(), any::<u8>(), 0..8u32, 0..2000u64), 1..60),
    ) {
        let mut side = match server {
            true => Side::server_with(Limits::DEFAULT.with_streams(3)),
            false => Side::client(),
        };
        for (bytes, action, stream, millis) in steps {
            let events = side.feed(&bytes);
            if let Some(Seen::Failed(violation)) = events.last() {
                let again = side.feed(b"more");
                prop_assert_eq!(&again[..], &[Seen::Failed(*violation)]);
                prop_assert!(side.machine.is_done() && side.machine.deadline().is_none());
                break;
            }
            act(&mut side.machine, action, stream, &mut side.out);
            side.now += core::time::Duration::from_millis(millis);
            if side.machine.deadline().is_some_and(|due| due <= side.now) && side.elapsed().is_err() {
                break;
            }
            if server {
                prop_assert!(side.machine.streams() <= 3);
            }
        }
        // All that was said is whole frames.
        let _ = frames(&side.out);

    }
}
