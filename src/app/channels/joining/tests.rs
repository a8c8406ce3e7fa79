use super::super::position::{Epoch, Position};
use super::super::publication::Parts;
use super::*;
use crate::websocket::Kind;

fn at(offset: u64) -> Position {
    Position::new(Epoch::new(1), offset)
}

fn publication(offset: u64) -> Publication {
    let parts = Parts {
        kind: Kind::Text,
        payload: b"x",
        note: b"",
        event: "",
        publisher: 0,
        unix_millis: 0,
    };
    let position = Position::new(Epoch::new(1), offset);
    Publication::new(&parts).unwrap().at(position)
}

/// A member that was at `from`, of a channel at `head`, to which everything after
/// `first` is published live, `early` of it before the history comes.
fn run(from: u64, head: u64, first: u64, early: u64, last: u64) -> Vec<u64> {
    let mut joining = Joining::waiting(true);
    let mut live = first + 1..=last;
    for offset in live.by_ref().take(early as usize) {
        joining.push(&publication(offset));
    }
    joining.history(at(head), (from + 1..=head).map(publication).collect());
    for offset in live {
        joining.push(&publication(offset));
    }
    let (all, is_whole) = joining.finish();
    assert!(is_whole);
    all.map(|it| it.position().unwrap().offset).collect()
}

#[test]
fn what_is_lost_on_its_way_is_noticed() {
    for lost in 3..=6 {
        let mut joining = Joining::waiting(true);
        joining.history(at(2), alloc::vec![publication(2)]);
        for offset in (1..=7).filter(|it| *it != lost) {
            match offset {
                5 => joining.skip(Some(at(offset))), // its own
                _ => drop(joining.push(&publication(offset))),
            }
        }
        let (all, is_whole) = joining.finish();
        let all: Vec<u64> = all.map(|it| it.position().unwrap().offset).collect();
        let expected = (2..lost).filter(|it| *it != 5);
        assert_eq!((all, is_whole), (expected.collect(), false), "{lost}");
    }
}

#[test]
fn each_comes_once_and_in_order_wherever_history_and_live_meet() {
    for head in 0..6 {
        for from in 0..=head {
            for first in 0..=head {
                for early in 0..6 {
                    let all: Vec<u64> = (from + 1..=7).collect();
                    assert_eq!(run(from, head, first, early, 7), all);
                }
            }
        }
    }
}
