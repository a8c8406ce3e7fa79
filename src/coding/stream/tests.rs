use super::super::tests::decoded;
use super::super::work::Purpose;
use super::*;
use alloc::format;
use alloc::string::String;

fn event(number: u32) -> String {
    let id = number.wrapping_mul(2_654_435_761);
    format!(
        "id: {number}\ndata: {{\"symbol\":\"BW{}\",\"price\":{id}}}\n\n",
        id % 100
    )
}

/// Orders of sending: o for an own event, p for a part.
const ORDERS: [&str; 8] = ["oooo", "pppp", "opop", "ooppoo", "p", "o", "", "popoopppo"];

#[test]
fn own_events_and_parts_make_one_stream_which_ends_in_order() {
    for coding in Coding::ALL.into_iter().filter(|it| it.is_available()) {
        let new = || Encoder::new(coding, coding.level(), Purpose::Events).unwrap();
        let (mut lent, mut dedicated) = (new(), new());
        for (order, is_dedicated) in ORDERS.iter().flat_map(|it| [(it, false), (it, true)]) {
            let position = Position::new(coding, coding.level());
            let (mut plain, mut coded) = (String::new(), Vec::new());
            for (number, kind) in order.chars().enumerate() {
                let event = event(number as u32);
                plain.push_str(&event);
                if kind == 'p' {
                    let part = Part::new(event.as_bytes(), coding, &mut lent).unwrap();
                    let (front, range) = position.append(&part);
                    coded.extend_from_slice(front);
                    coded.extend_from_slice(&part.bytes[range]);
                } else {
                    let state = match (is_dedicated, number) {
                        (false, _) => (&mut lent, Ownership::Lent),
                        // It is let go of now and then.
                        (true, 0 | 4) => (&mut dedicated, Ownership::New),
                        (true, _) => (&mut dedicated, Ownership::Own),
                    };
                    let text = event.as_bytes();
                    position.put_own(text, state, &mut coded).unwrap();
                }
                // It is there before the next one.
                let so_far = decoded(coding, &coded);
                assert_eq!(so_far, plain.as_bytes(), "{coding:?} {order} {number}");
            }
            position.put_end(&mut coded);
            assert_eq!(position.written(), coded.len() as u64);
            let all = super::super::tests::complete(coding, &coded);
            assert_eq!(all.as_deref(), Some(plain.as_bytes()), "{coding:?} {order}");
        }
    }
}

#[test]
fn own_events_refer_to_those_before_them() {
    for coding in Coding::ALL.into_iter().filter(|it| it.is_available()) {
        let mut encoder = Encoder::new(coding, coding.level(), Purpose::Events).unwrap();
        let position = Position::new(coding, coding.level());
        let mut lengths = Vec::new();
        for number in 0..40 {
            let mut coded = Vec::new();
            let state = (&mut encoder, Ownership::Own);
            position
                .put_own(event(number).as_bytes(), state, &mut coded)
                .unwrap();
            lengths.push(coded.len());
        }
        assert!(
            lengths[39] * 10 < event(39).len() * 9,
            "{coding:?} {lengths:?}"
        );
    }
}

#[test]
fn nothing_is_nothing_at_any_place() {
    for coding in Coding::ALL.into_iter().filter(|it| it.is_available()) {
        let new = || Encoder::new(coding, coding.level(), Purpose::Events).unwrap();
        let (mut lent, mut dedicated) = (new(), new());
        let nothing = Part::new(b"", coding, &mut lent).unwrap();
        for before in [&b""[..], b"data: a\n\n"] {
            let position = Position::new(coding, coding.level());
            let mut coded = Vec::new();
            let mut own = |text: &[u8], coded: &mut Vec<u8>| {
                let state = (&mut dedicated, Ownership::New);
                position.put_own(text, state, coded).unwrap();
            };
            own(before, &mut coded);
            own(b"", &mut coded);
            let (front, range) = position.append(&nothing);
            coded.extend_from_slice(front);
            coded.extend_from_slice(&nothing.bytes[range]);
            position.put_end(&mut coded);
            // Without a frame of zstd there is nothing to decode.
            if !coded.is_empty() {
                let all = super::super::tests::complete(coding, &coded);
                assert_eq!(all.as_deref(), Some(before), "{coding:?}");
            }
        }
    }
}
