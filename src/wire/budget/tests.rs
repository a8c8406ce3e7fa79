use super::*;
use core::time::Duration;

#[test]
fn an_honest_rate_is_never_refused() {
    let rate = Rate {
        burst: 10,
        per_second: 100,
    };
    let (mut budget, mut now) = (Budget::new(), Instant::START);
    for _ in 0..10_000 {
        assert!(budget.spend(1, rate, now));
        now += Duration::from_millis(10);
    }
}

#[test]
fn twice_the_rate_is_refused_within_two_bursts() {
    let rate = Rate {
        burst: 10,
        per_second: 100,
    };
    let (mut budget, mut now) = (Budget::new(), Instant::START);
    let taken = (0..10_000)
        .take_while(|_| {
            now += Duration::from_millis(5);
            budget.spend(1, rate, now)
        })
        .count();
    assert!((10..=21).contains(&taken), "{taken}");
}

#[test]
fn a_cost_beyond_the_burst_is_refused_at_once() {
    let rate = Rate {
        burst: 10,
        per_second: 0,
    };
    assert!(!Budget::new().spend(11, rate, Instant::START));
    assert!(!Budget::new().spend(u32::MAX, rate, Instant::START));
}
