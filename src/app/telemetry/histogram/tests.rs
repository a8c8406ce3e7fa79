use super::*;

#[test]
fn a_duration_falls_into_the_first_bucket_that_holds_it() {
    let histogram = Histogram::default();
    for nanos in [0, 10_000, 10_001, 999_999_999, 61_000_000_000] {
        histogram.add(Duration::from_nanos(nanos), 1);
    }
    let mut durations = Durations::default();
    histogram.read(&mut durations);
    histogram.read(&mut durations);
    let filled: std::vec::Vec<_> = durations
        .buckets()
        .filter(|&(_, count)| count > 0)
        .collect();
    let bound = |nanos| Some(Duration::from_nanos(nanos));
    assert_eq!(
        filled,
        [
            (bound(10_000), 4),
            (bound(25_000), 2),
            (bound(1_000_000_000), 2),
            (None, 2)
        ]
    );
    assert_eq!(durations.count(), 10);
    assert_eq!(durations.average(), Duration::from_nanos(12_400_004_000));
}

#[test]
fn a_quantile_is_the_bound_of_its_bucket() {
    let histogram = Histogram::default();
    for _ in 0..99 {
        histogram.add(Duration::from_micros(5), 1);
    }
    histogram.add(Duration::from_secs(1), 1);
    let mut durations = Durations::default();
    assert_eq!(durations.quantile(0.5), Duration::ZERO);
    assert_eq!(durations.average(), Duration::ZERO);
    histogram.read(&mut durations);
    assert_eq!(durations.quantile(0.5), Duration::from_micros(10));
    assert_eq!(durations.quantile(0.99), Duration::from_micros(10));
    assert_eq!(durations.quantile(1.0), Duration::from_secs(1));
}
