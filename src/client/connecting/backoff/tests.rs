use super::*;

#[test]
fn attempts_spread_out_to_the_most_and_jitter_by_a_fifth() {
    for jitter in [0, 1638, 900, u32::MAX] {
        let mut backoff = Backoff::new(Duration::from_secs(120));
        let mut now = Instant::START;
        let mut expected = 1.0;
        for _ in 0..20 {
            backoff.begin(now, jitter);
            let wait = backoff.next().saturating_since(now).as_secs_f64();
            assert!((0.799..1.201).contains(&(wait / expected)), "{wait}");
            now = backoff.next();
            expected = f64::min(expected * 1.6, 120.0);
        }
        backoff.skip();
        assert!(backoff.next() <= now);
        backoff.begin(now, jitter);
        assert!(backoff.next() >= now + Duration::from_secs(90));
        backoff.reset();
        assert!(backoff.next() <= now);
        backoff.begin(now, jitter);
        assert!(backoff.next() <= now + Duration::from_millis(1200));
    }
}
