use super::*;
use alloc::vec;

const DELAY: Duration = Duration::from_millis(250);

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

/// The fate of an address: it answers, or fails, so long after it was tried.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Connects(u64),
    Fails(u64),
    Silent,
}
use Fate::{Connects, Fails, Silent};

/// Runs a schedule to its end: when which address connected, and when each was begun.
fn run(fates: &[Fate]) -> (Option<(usize, u64)>, Vec<u64>) {
    let mut attempts = Attempts::new(fates.iter().copied(), DELAY);
    let (mut now, mut begun, mut running) = (at(0), vec![], vec![]);
    loop {
        match attempts.next(now) {
            Next::Over => return (None, begun),
            Next::Begin(nth) => {
                begun.push(now.as_millis());
                running.push((nth, now.as_millis()));
            }
            Next::Wait(until) => {
                let ends = running.iter().filter_map(|&(nth, since)| match fates[nth] {
                    Connects(after) | Fails(after) => Some((since + after, nth)),
                    Silent => None,
                });
                match ends.min() {
                    Some((end, nth)) if at(end) <= until => {
                        now = at(end);
                        if let Connects(_) = fates[nth] {
                            return (Some((nth, end)), begun);
                        }
                        attempts.failed();
                        running.retain(|&(it, _)| it != nth);
                    }
                    _ if until == Instant::NEVER => return (None, begun),
                    _ => now = until,
                }
            }
        }
    }
}

#[test]
fn a_black_hole_costs_the_delay_and_a_round_trip() {
    let black_hole = run(&[Silent, Connects(40)]);
    assert_eq!(black_hole, (Some((1, 290)), vec![0, 250]));
}

#[test]
fn the_first_that_connects_is_taken() {
    for (fates, expected) in [
        (&[Connects(10), Connects(1)][..], (Some((0, 10)), vec![0])),
        // Slower than the delay, and still the first.
        (
            &[Connects(260), Connects(40)],
            (Some((0, 260)), vec![0, 250]),
        ),
        (
            &[Connects(300), Connects(40)],
            (Some((1, 290)), vec![0, 250]),
        ),
        // What fails hands on immediately, and its successors have the delay anew.
        (&[Fails(5), Connects(1)], (Some((1, 6)), vec![0, 5])),
        (
            &[Silent, Fails(10), Silent, Connects(1)],
            (Some((3, 511)), vec![0, 250, 260, 510]),
        ),
        (&[Fails(1), Fails(2), Fails(3)], (None, vec![0, 1, 3])),
        (&[Fails(300), Silent], (None, vec![0, 250])),
        (&[], (None, vec![])),
    ] {
        assert_eq!(run(fates), expected, "{fates:?}");
    }
}

#[test]
fn there_are_few_attempts_and_they_are_not_all_made_together() {
    assert_eq!(run(&[Fails(0); 1000]).1.len(), MOST_ADDRESSES);
    let mut hasty = Attempts::new([0; 2], Duration::ZERO);
    assert_eq!(hasty.next(at(0)), Next::Begin(0));
    assert_eq!(hasty.next(at(0)), Next::Wait(at(10)));
}
