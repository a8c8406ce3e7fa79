use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::*;
use crate::app::channels::position::Epoch;
use crate::websocket::Kind;

fn position(epoch: u64, offset: u64) -> Position {
    Position::new(Epoch::new(epoch), offset)
}

fn publication(epoch: u64, offset: u64) -> Publication {
    let text = format!("{offset}");
    let made = Publication::from_elsewhere(Kind::Text, text.as_bytes(), b"", 0).unwrap();
    made.at(position(epoch, offset))
}

fn run(epoch: u64, from: u64, to: u64) -> Run {
    Run {
        head: position(epoch, to),
        from,
        entries: (from + 1..=to).map(|it| publication(epoch, it)).collect(),
    }
}

/// What a tracker tells, in short: `8`, or `lost 8`.
fn told(act: impl FnOnce(&mut dyn FnMut(Told))) -> Vec<String> {
    let mut told = Vec::new();
    act(&mut |it| {
        told.push(match it {
            Told::Deliver(publication) => format!("{}", publication.offset()),
            Told::Lost(position) => format!("lost {}", position.offset),
        });
    });
    told
}

#[test]
fn what_comes_before_the_history_is_held_and_joined_without_gap_or_double() {
    let mut tracker = Tracker::default();
    for offset in [4, 5, 7] {
        let early = told(|tell| tracker.arrived(publication(1, offset), 1_000, tell));
        assert!(early.is_empty() && tracker.is_behind());
    }
    assert_eq!(told(|tell| tracker.read(&run(1, 2, 4), tell)), ["5"]);
    assert!(tracker.is_behind());
    assert_eq!(told(|tell| tracker.read(&run(1, 5, 6), tell)), ["6", "7"]);
    assert!(!tracker.is_behind());
    assert_eq!(
        told(|tell| tracker.arrived(publication(1, 7), 1_000, tell)),
        vec![""; 0]
    );
    assert_eq!(
        told(|tell| tracker.arrived(publication(1, 8), 1_000, tell)),
        ["8"]
    );
    // An answer that is older than what has come.
    assert_eq!(told(|tell| tracker.read(&run(1, 5, 7), tell)), vec![""; 0]);
    assert_eq!(tracker.delivered(), Some(position(1, 8)));
}

#[test]
fn what_cannot_be_filled_is_lost_and_so_is_an_epoch() {
    let mut tracker = Tracker::default();
    tracker.read(&run(1, 3, 3), &mut |_| panic!());
    // The history begins behind what is missing.
    assert_eq!(
        told(|tell| tracker.arrived(publication(1, 9), 1_000, tell)),
        vec![""; 0]
    );
    assert_eq!(
        told(|tell| tracker.read(&run(1, 6, 8), tell)),
        ["lost 8", "9"]
    );
    // An epoch that is new.
    for offset in [1, 2] {
        assert!(told(|tell| tracker.arrived(publication(2, offset), 1_000, tell)).is_empty());
    }
    assert!(tracker.is_behind());
    assert_eq!(
        told(|tell| tracker.read(&run(2, 0, 1), tell)),
        ["lost 1", "2"]
    );
}

#[test]
fn what_is_held_is_bounded() {
    let mut tracker = Tracker::default();
    tracker.read(&run(1, 0, 0), &mut |_| panic!());
    for offset in 2..100 {
        tracker.arrived(publication(1, offset), 20, &mut |_| panic!());
    }
    assert!(tracker.held_bytes <= 20 && tracker.is_behind());
    assert_eq!(told(|tell| tracker.read(&run(1, 0, 99), tell)).len(), 99);
    assert_eq!((tracker.held_bytes, tracker.held.len()), (0, 0));
}
