use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

#[test]
fn a_timer_without_delay_waits_for_the_next_turn() {
    let mut timers = Timers::new();
    timers.after(at(1), 0);
    let until = timers.mark();
    let mut turns = 0;
    while timers.expired(at(1), until).is_some() {
        timers.after(at(0), 0);
        turns += 1;
    }
    assert_eq!((turns, timers.next()), (1, Some(at(0))));
}

#[test]
fn a_timer_cancelled_by_one_of_the_same_time_does_not_pass() {
    let mut timers = Timers::new();
    timers.after(at(1), 1);
    let second = timers.after(at(1), 2);
    let until = timers.mark();
    assert_eq!(timers.expired(at(1), until).map(|(_, n)| n), Some(1));
    assert_eq!(timers.cancel(second), Some(2));
    assert_eq!(timers.expired(at(1), until), None);
    assert_eq!(timers.cancel(second), None);
}

#[test]
fn cancelled_timers_hold_no_memory() {
    let mut timers = Timers::new();
    for _ in 0..100_000 {
        let timer = timers.after(at(1_000_000), 0);
        timers.cancel(timer);
    }
    assert!(timers.heap.capacity() <= 256 && timers.running.slots() == 1);
    assert_eq!(timers.next(), None);
}

proptest! {
    #[test]
    fn timers_behave_like_a_sorted_list(
        steps in prop::collection::vec((0..4u8, 0..100u64), 0..300),
    ) {
        let mut timers = Timers::new();
        let mut model: Vec<(u64, usize)> = Vec::new(); // time, number
        let mut ids = Vec::new();
        let mut now = 0;
        for (step, n) in steps {
            match step {
                0 | 1 => {
                    let number = ids.len();
                    ids.push(timers.after(at(now + n), number));
                    model.push((now + n, number));
                }
                2 if !ids.is_empty() => {
                    let number = n as usize % ids.len();
                    let known = model.iter().position(|entry| entry.1 == number);
                    let expected = known.map(|place| model.remove(place).1);
                    prop_assert_eq!(timers.cancel(ids[number]), expected);
                }
                _ => {
                    now += n;
                    let until = timers.mark();
                    model.sort();
                    while let Some((id, number)) = timers.expired(at(now), until) {
                        prop_assert_eq!(id, ids[number]);
                        prop_assert_eq!(model.first().map(|entry| entry.1), Some(number));
                        model.remove(0);
                    }
                    prop_assert!(model.first().is_none_or(|entry| entry.0 > now));
                }
            }
            prop_assert_eq!(timers.len(), model.len());
            prop_assert_eq!(timers.next(), model.iter().min().map(|entry| at(entry.0)));
        }
    }
}

#[test]
fn each_owner_has_one_alarm() {
    let mut alarms = Alarms::default();
    let at = |seconds| Instant::START + Duration::from_secs(seconds);
    assert_eq!((alarms.next(), alarms.take_due(at(9))), (None, None));
    alarms.set(Owner(1), at(5));
    alarms.set(Owner(2), at(7));
    alarms.set(Owner(1), at(8));
    assert_eq!((alarms.len(), alarms.next()), (2, Some(at(7))));
    assert_eq!(alarms.take_due(at(6)), None);
    assert_eq!(alarms.take_due(at(7)), Some(Owner(2)));
    assert_eq!(alarms.take_due(at(7)), None);
    assert_eq!(alarms.take_due(at(9)), Some(Owner(1)));
    assert!(alarms.is_empty());
}

#[test]
fn a_round_is_told_once_and_is_no_alarm() {
    let mut alarms = Alarms::default();
    let at = |seconds| Instant::START + Duration::from_secs(seconds);
    alarms.set_round(Owner(1), at(5));
    alarms.set_round(Owner(1), at(6));
    assert_eq!(
        (alarms.new_round(), alarms.new_round()),
        (Some(at(6)), None)
    );
    assert_eq!((alarms.is_empty(), alarms.next()), (true, None));
    assert_eq!(
        (alarms.take_round(at(5)), alarms.next_round()),
        (None, Some(at(6)))
    );
    assert_eq!(alarms.take_round(at(6)), Some(Owner(1)));
    assert_eq!(
        (alarms.take_round(at(9)), alarms.next_round()),
        (None, None)
    );
}
