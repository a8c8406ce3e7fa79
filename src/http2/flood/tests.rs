use core::time::Duration;

use super::*;

/// One ping after so many seconds each; how many passed.
fn passed(flood: &mut Flood, idle: bool, gaps: &[u64]) -> usize {
    let mut now = Instant::START;
    let mut next = |gap: &u64| {
        now += Duration::from_secs(*gap);
        flood.ping(idle, &Limits::DEFAULT, now).is_ok()
    };
    gaps.iter().take_while(|gap| next(gap)).count()
}

fn of_calls() -> Flood {
    let mut flood = Flood::new();
    flood.judge_keep_alive();
    flood
}

#[test]
fn two_pings_before_their_time_are_forgiven() {
    assert_eq!(passed(&mut of_calls(), false, &[0; 9]), 3);
    assert_eq!(passed(&mut of_calls(), false, &[0, 299, 0, 0]), 3);
    // The time counts from the last ping that was in time.
    assert_eq!(passed(&mut of_calls(), false, &[0, 299, 1, 299, 1, 299]), 5);
}

#[test]
fn pings_in_time_pass_for_ever() {
    assert_eq!(passed(&mut of_calls(), false, &[300; 1000]), 1000);
    assert_eq!(passed(&mut of_calls(), true, &[7200; 1000]), 1000);
}

#[test]
fn without_a_stream_the_time_is_longer() {
    assert_eq!(passed(&mut of_calls(), true, &[300; 9]), 3);
}

#[test]
fn what_is_sent_wipes_out_the_strikes() {
    let mut flood = of_calls();
    // Two of each three count for the rate of all pings.
    for _ in 0..500 {
        (0..5).for_each(|_| flood.sent());
        assert_eq!(passed(&mut flood, false, &[0; 3]), 3);
    }
    assert_eq!(passed(&mut flood, false, &[0]), 0);
}

#[test]
fn a_connection_without_calls_is_judged_by_its_rates() {
    assert_eq!(passed(&mut Flood::new(), false, &[0; 2000]), 1000);
    assert_eq!(passed(&mut Flood::new(), true, &[0; 2000]), 20);
    assert_eq!(passed(&mut Flood::new(), true, &[1; 2000]), 2000);
}

#[test]
fn strikes_without_end_leave_the_rate() {
    let limits = Limits::DEFAULT.with_keep_alive_strikes(u16::MAX);
    let (mut flood, now) = (of_calls(), Instant::START);
    let passed = (0..2000).take_while(|_| flood.ping(false, &limits, now).is_ok());
    assert_eq!(passed.count(), 1000);
}
