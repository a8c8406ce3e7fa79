use super::*;
use alloc::format;

const ALL: Bounds = Bounds {
    head: 1024,
    target: 256,
    fields: 100,
};

/// Looks for a head of one field, and notes it if it is not known; whether it is.
fn ask(known: &mut KnownRequests, text: &str, bounds: Bounds) -> bool {
    let text = text.as_bytes();
    let line = text.windows(2).position(|two| two == b"\r\n").unwrap();
    let name = line as u32 + 2;
    let colon = text[line..].iter().position(|&b| b == b':').unwrap() + line;
    let range = FieldRange {
        name,
        name_end: colon as u32,
        value: colon as u32 + 2,
        value_end: text.len() as u32 - 4,
    };
    if !known.is_worth_a_look() {
        return false;
    }
    let place = known.find(text, bounds);
    if let Some(place) = place {
        let found = known.head(place, text).unwrap();
        assert_eq!(found.used, text.len());
        assert_eq!(found.head.fields.at(0), Some(range.field(text)));
        assert!(found.persists);
    } else {
        assert!(known.has_missed());
        known.note((text, line), &[range], true);
    }
    place.is_some()
}

#[test]
fn an_empty_place_is_the_head_of_nothing() {
    let mut known = KnownRequests::default();
    assert_eq!(Place::of(&[0; 64]).unwrap().spread, known.places[0].spread);
    for length in 0..64 {
        assert!(known.find(&[0; 64][..length], ALL).is_none());
    }
}

#[test]
fn a_head_is_known_once_it_has_come_twice_in_a_row() {
    let mut known = KnownRequests::default();
    let short = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(
        [(); 3].map(|()| ask(&mut known, short, ALL)),
        [false, false, true]
    );
    let head = "POST /a?b=c HTTP/1.0\r\nHost: example.org\r\n\r\n";
    let asked = [(); 4].map(|()| ask(&mut known, head, ALL));
    assert_eq!(asked, [false, false, true, true]);
    let place = Place::of(head.as_bytes()).unwrap();
    let found = known.head(place, head.as_bytes()).unwrap().head;
    assert_eq!(
        (found.method, found.version),
        (Method::POST, Version::Http10)
    );
    assert_eq!(found.target.path(), "/a");
    assert_eq!(found.target.query(), Some("b=c"));
    // Another that begins as it does takes its place when that is not used.
    let other = head.replace("org", "com");
    let times = (0..100).take_while(|_| !ask(&mut known, &other, ALL));
    assert_eq!(times.count(), usize::from(WORTH) + 2);
    assert!(!ask(&mut known, head, ALL));
}

#[test]
fn a_known_head_is_still_subject_to_the_limits() {
    let mut known = KnownRequests::default();
    let head = "GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(
        [(); 3].map(|()| ask(&mut known, head, ALL)),
        [false, false, true]
    );
    let (length, target) = (head.len() as u32, 11);
    for (bounds, fits) in [
        (
            Bounds {
                head: length,
                ..ALL
            },
            true,
        ),
        (
            Bounds {
                head: length - 1,
                ..ALL
            },
            false,
        ),
        (Bounds { target, ..ALL }, true),
        (
            Bounds {
                target: target - 1,
                ..ALL
            },
            false,
        ),
        (Bounds { fields: 1, ..ALL }, true),
        (Bounds { fields: 0, ..ALL }, false),
    ] {
        assert_eq!(known.find(head.as_bytes(), bounds).is_some(), fits);
    }
}

#[test]
fn heads_that_let_their_holder_in_and_long_ones_are_not_kept() {
    for field in ["Cookie: a=b", "authorization: Basic YTpi", "X-Api-Key: 1"] {
        let mut known = KnownRequests::default();
        let head = format!("GET /0123456789 HTTP/1.1\r\n{field}\r\n\r\n");
        assert_eq!([(); 9].map(|()| ask(&mut known, &head, ALL)), [false; 9]);
    }
    let mut known = KnownRequests::default();
    let head = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(LONGEST));
    assert_eq!([(); 9].map(|()| ask(&mut known, &head, ALL)), [false; 9]);
}

#[test]
fn while_no_head_comes_again_few_are_looked_for() {
    let mut known = KnownRequests::default();
    let head = |n| format!("GET /{n:04} HTTP/1.1\r\nHost: a\r\n\r\n");
    let looked = |known: &mut KnownRequests, n: u32| {
        let worth = known.pause == 0;
        ask(known, &head(n), ALL);
        worth
    };
    let looks = (0..1000).filter(|&n| looked(&mut known, n)).count();
    assert!((30..60).contains(&looks), "{looks}");
    // One that does is known in the end.
    assert!((0..1000).any(|_| ask(&mut known, &head(0), ALL)));
}
