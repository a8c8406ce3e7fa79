use super::*;

#[test]
fn the_defaults_work_together() {
    assert!(Limits::DEFAULT.check().is_ok());
}

#[test]
fn no_address_takes_all_descriptors() {
    let of = |descriptors, loops| {
        let limits = Limits::DEFAULT.within(descriptors, loops);
        assert_eq!(limits.connections, Limits::DEFAULT.connections);
        assert!(limits.check().is_ok());
        (limits.per_address, limits.files.address)
    };
    assert_eq!(of(1024, 1), (720, 120));
    assert_eq!(of(1024, 4), (180, 30));
    assert_eq!(of(256, 1), (144, 24));
    assert_eq!(of(20_000, 1), (1024, 512), "enough for what was asked");
    assert_eq!(of(u64::MAX, 1), (1024, 512));
    assert_eq!(of(3, 1), (1, 1));
    assert_eq!(of(0, 0), (1, 1));
    let none = Limits::DEFAULT.with_per_address(1).within(1024, 1);
    assert_eq!(none.per_address, 1, "never more than was asked");
}

#[test]
fn numbers_that_cannot_work_are_named() {
    let cases = [
        (Limits::DEFAULT.with_connections(0), "connections"),
        (Limits::DEFAULT.with_backlog_low(1 << 30), "backlog_low"),
        (Limits::DEFAULT.with_backlog_cap(1), "backlog_high"),
        (Limits::DEFAULT.with_read_size(10), "read_size"),
        (Limits::DEFAULT.with_rounds(0), "rounds"),
        (Limits::DEFAULT.with_handshakes(0), "handshakes"),
    ];
    for (limits, name) in cases {
        assert!(matches!(limits.check(), Err(Error::Config(text)) if text.starts_with(name)));
    }
}
