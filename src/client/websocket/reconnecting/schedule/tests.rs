use super::*;

#[test]
fn windows_double_up_to_the_longest_and_begin_anew_after_a_stable_time() {
    let limits = ReconnectLimits::DEFAULT;
    let mut schedule = Schedule::default();
    let mut now = Instant::START;
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        schedule.failed(now, &limits, false);
        let most = schedule.delay(ComeBack::Retry, &limits, u64::MAX).unwrap();
        assert_eq!(most.as_millis(), seconds * 1000 - 1);
        let half = schedule.delay(ComeBack::Retry, &limits, 1 << 63).unwrap();
        assert_eq!(half.as_millis(), seconds * 500);
        let least = schedule.delay(ComeBack::Retry, &limits, 0).unwrap();
        assert_eq!(least, Duration::ZERO);
    }
    schedule.opened(now);
    now += Duration::from_secs(9);
    schedule.failed(now, &limits, false);
    assert_eq!(schedule.failures(), 9);
    schedule.opened(now);
    now += Duration::from_secs(10);
    schedule.failed(now, &limits, false);
    assert_eq!(schedule.failures(), 1);
}

#[test]
fn a_servers_word_counts_within_bounds() {
    let limits = ReconnectLimits::DEFAULT;
    let mut schedule = Schedule::default();
    schedule.failed(Instant::START, &limits, false);
    let secs = Duration::from_secs;
    let after = |least, most, dice| {
        let between = ComeBack::Between { least, most };
        schedule.delay(between, &limits, dice).unwrap()
    };
    assert_eq!(after(secs(5), secs(30), 0), secs(5));
    assert_eq!(after(secs(5), secs(30), u64::MAX).as_secs(), 29);
    assert_eq!(after(secs(7), secs(7), 1 << 63).as_millis(), 7500);
    assert_eq!(after(secs(86_400), secs(86_400), 0), secs(300));
    assert_eq!(schedule.delay(ComeBack::Never, &limits, 0), None);
    let none = limits.with_first(Duration::ZERO);
    assert_eq!(
        schedule.delay(ComeBack::Retry, &none, 9),
        Some(Duration::ZERO)
    );
}
