use super::*;

#[test]
fn each_way_has_its_count() {
    let counters = Codings::default();
    let sent = (Kind::Events, Codec::Zstd, Direction::Sent);
    counters.add(sent, 100, 30);
    counters.add(sent, 100, 20);
    counters.add((Kind::Exchange, Codec::Deflate, Direction::Received), 7, 9);
    let mut counts = ways();
    counters.read(&mut counts);
    counts.retain(|it| it.plain > 0);
    let [event, body] = counts[..] else {
        panic!("{counts:?}")
    };
    assert_eq!((body.kind, body.coding), (Kind::Exchange, "deflate"));
    assert_eq!((body.plain, body.coded), (7, 9));
    assert_eq!(body.direction.as_str(), "received");
    assert_eq!((event.coding, event.direction), ("zstd", Direction::Sent));
    assert!((event.ratio() - 0.25).abs() < 1e-9);
}

#[test]
fn codecs_are_known_by_name() {
    for codec in Codec::ALL {
        assert_eq!(Codec::by_name(codec.name()), Some(codec));
    }
    assert_eq!(Codec::by_name("identity"), None);
}
