use super::*;
use std::vec::Vec;

#[test]
fn names_are_found_in_any_case() {
    for (name, trailer) in [
        ("Content-Length", Trailer::Malformed),
        ("TRANSFER-ENCODING", Trailer::Malformed),
        ("host", Trailer::Malformed),
        ("Authorization", Trailer::Malformed),
        ("Vary", Trailer::Dropped),
        ("Content-Type", Trailer::Dropped),
        ("date", Trailer::Dropped),
        ("Set-Cookie", Trailer::Dropped),
        ("Location", Trailer::Dropped),
        ("grpc-status", Trailer::Kept),
        ("ETag", Trailer::Kept),
        ("Digest", Trailer::Kept),
        ("Server-Timing", Trailer::Kept),
        ("Hosts", Trailer::Kept),
    ] {
        assert_eq!(Trailer::of(name.as_bytes()), trailer, "{name}");
    }
}

#[test]
fn no_name_stands_in_both_lists() {
    for name in MALFORMED {
        assert!(!DROPPED.contains(&name), "{name}");
    }
}

#[test]
fn what_is_left_out_leaves_no_gap() {
    let text = b"a date b vary c";
    let range = |at: usize, len: usize| FieldRange {
        name: at as u32,
        name_end: (at + len) as u32,
        value: 0,
        value_end: 1,
    };
    let mut ranges = [(0, 1), (2, 4), (7, 1), (9, 4), (14, 1)].map(|(at, len)| range(at, len));
    let sifted = sift(text, &mut ranges).unwrap();
    assert_eq!((sifted.kept, sifted.dropped), (3, 2));
    let names: Vec<_> = ranges[..3].iter().map(|it| it.name_in(text)).collect();
    assert_eq!(names, [&b"a"[..], b"b", b"c"]);
    let mut ranges = [range(0, 4)];
    assert_eq!(sift(b"host", &mut ranges), None);
}
