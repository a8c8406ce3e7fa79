use super::*;

#[test]
fn each_byte_that_waits_has_its_time_and_no_more() {
    let limits = ReconnectLimits::DEFAULT; // 20 s, and 1 s for 4 KiB
    let seconds = |n| Instant::START + Duration::from_secs(n);
    let mut pings = Pings::default();
    pings.put(40 << 10, 0, seconds(0), &limits);
    assert_eq!(pings.slow, Some((40 << 10, seconds(30))));
    pings.put(80 << 10, 0, seconds(5), &limits);
    pings.taken(39 << 10, seconds(29), &limits); // not yet all
    assert_eq!(pings.slow, Some((40 << 10, seconds(30))));
    pings.taken(40 << 10, seconds(29), &limits);
    assert_eq!(pings.slow, Some((80 << 10, seconds(29 + 30))));
    pings.taken(80 << 10, seconds(30), &limits);
    assert_eq!(pings.slow, None);

    pings.placed(1, 80 << 10, seconds(30), &limits);
    assert_eq!(pings.awaited, Some(seconds(30 + 20 + 20)));
    assert!(pings.answered() && !pings.answered());
    pings.placed(2, 84 << 10, seconds(50), &limits);
    assert_eq!(pings.awaited, Some(seconds(50 + 20 + 1)));
    let none = limits.with_rate(0);
    pings.placed(3, u64::MAX, seconds(50), &none); // no overflow
}
