use super::*;
use core::time::Duration;
use proptest::prelude::*;

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

fn expired(deadlines: &mut Deadlines, millis: u64) -> Vec<u32> {
    let mut passed = Vec::new();
    deadlines.expired(at(millis), &mut passed);
    passed
}

#[test]
fn a_restarted_deadline_passes_at_its_new_time_only() {
    let mut deadlines = Deadlines::new();
    deadlines.set(0, Some(at(10_000)));
    deadlines.set(0, Some(at(20_500)));
    assert_eq!(deadlines.next(), Some(at(10_000)));
    assert!(expired(&mut deadlines, 10_000).is_empty());
    assert_eq!(deadlines.next(), Some(at(21_000)));
    assert!(expired(&mut deadlines, 20_999).is_empty());
    assert_eq!(expired(&mut deadlines, 21_000), [0]);
    assert_eq!(
        (expired(&mut deadlines, 90_000), deadlines.next()),
        (Vec::new(), None)
    );
}

#[test]
fn an_ended_deadline_never_passes() {
    let mut deadlines = Deadlines::new();
    deadlines.set(3, None);
    assert_eq!(deadlines.seconds.len(), 0);
    deadlines.set(3, Some(at(1000)));
    deadlines.set(3, None);
    assert!(expired(&mut deadlines, u64::MAX / 2_000_000).is_empty());
    assert_eq!(deadlines.next(), None);
}

#[test]
fn the_end_of_the_clock_is_a_deadline_too() {
    let mut deadlines = Deadlines::new();
    deadlines.set(0, Some(Instant::NEVER));
    let mut passed = Vec::new();
    deadlines.expired(Instant::NEVER, &mut passed);
    assert_eq!(passed, [0]);
}

proptest! {
    #[test]
    fn deadlines_behave_like_a_list(
        steps in prop::collection::vec((0..4u8, 0..300u32, 0..90_000u64), 0..100),
    ) {
        let mut deadlines = Deadlines::new();
        let mut model = std::collections::BTreeMap::new();
        let mut now = 0;
        for (step, slot, millis) in steps {
            match step {
                0 | 1 => {
                    deadlines.set(slot, Some(at(now + millis)));
                    model.insert(slot, (now + millis).div_ceil(1000) * 1000);
                }
                2 => {
                    deadlines.set(slot, None);
                    model.remove(&slot);
                }
                _ => {
                    now += millis / 4;
                    let due: Vec<u32> = model
                        .iter()
                        .filter(|&(_, &second)| second <= now)
                        .map(|(&slot, _)| slot)
                        .collect();
                    model.retain(|_, second| *second > now);
                    prop_assert_eq!(expired(&mut deadlines, now), due);
                }
            }
            // Never later than the earliest, and none only if there is none.
            let earliest = model.values().min().map(|&millis| at(millis));
            match (deadlines.next(), earliest) {
                (Some(next), Some(earliest)) => prop_assert!(next <= earliest),
                (next, earliest) => prop_assert!(next.is_some() || earliest.is_none()),
            }
        }
    }
}
