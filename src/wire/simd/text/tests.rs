use super::*;

#[test]
fn targets_are_judged_as_byte_by_byte() {
    for b in 0..=255 {
        for len in [1, 2, 15, 16, 17, 31, 32, 33, 50] {
            for at in [0, len / 2, len - 1] {
                // What stands around it does not count.
                let mut text = [b'\xff'; 90];
                for from in [0, 5, 40] {
                    text.fill(b'#');
                    text[from..from + len].fill(b'a');
                    text[from + at] = b;
                    let octets = &text[from..from + len];
                    let good = matches!(b, b'!'..=b'~') && !b"\"#<>\\`{}".contains(&b);
                    let known = good.then(|| {
                        let text = core::str::from_utf8(octets).unwrap();
                        (text, (b == b'?').then_some(at))
                    });
                    assert_eq!(target(&text, from, from + len), known, "{b} {len} {at}");
                    assert_eq!(target(octets, 0, len), known, "{b} {len} {at}");
                }
            }
        }
    }
}

#[test]
fn a_query_may_hold_what_a_path_may_not() {
    for b in 0..=255 {
        for len in [3, 15, 16, 17, 40] {
            for at in 1..len {
                let mut text = [b'a'; 60];
                (text[at], text[at - 1]) = (b, b'?');
                let good = matches!(b, b'!'..=b'~') && !b"\"#<>".contains(&b);
                let known = good.then_some(Some(at - 1));
                let found = |text: &[u8]| target(text, 0, len).map(|(_, question)| question);
                assert_eq!(found(&text), known, "{b} {len} {at}");
                assert_eq!(found(&text[..len]), known, "{b} {len} {at}");
            }
        }
    }
}

#[test]
fn the_first_question_mark_counts() {
    let text = b"/0123456789?123456789?123456789?1234";
    for from in 0..text.len() {
        for to in from..=text.len() {
            let first = text[from..to].iter().position(|&b| b == b'?');
            assert_eq!(target(text, from, to).unwrap().1, first);
        }
    }
    assert_eq!(target(text, 0, text.len() + 1), None);
    assert_eq!(target(text, 2, 1), None);
}
