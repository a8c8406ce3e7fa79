use alloc::vec;

use super::super::publication::Parts;
use super::*;
use crate::websocket::Kind;

const EPOCH: Epoch = Epoch::new(9);

fn publication(length: usize) -> Publication {
    Publication::new(&Parts {
        kind: Kind::Binary,
        payload: &vec![0; length],
        note: b"",
        event: "",
        publisher: 0,
        unix_millis: 0,
    })
    .unwrap()
}

fn at(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

fn since(log: &mut Log, offset: u64, now: Instant, keep: &History) -> Option<Vec<u64>> {
    let missed = log.since(Position::new(EPOCH, offset), now, keep)?;
    Some(
        missed
            .iter()
            .map(|it| it.position().unwrap().offset)
            .collect(),
    )
}

#[test]
fn it_is_exact_in_count_bytes_and_age() {
    let (now, later) = (at(0), at(10));
    let keep = History::DEFAULT.with_publications(3);
    let mut log = Log::new(EPOCH, None, now);
    for _ in 0..5 {
        log.place(publication(1), now, &keep);
    }
    assert_eq!(since(&mut log, 2, now, &keep), Some(vec![3, 4, 5]));
    assert_eq!(since(&mut log, 1, now, &keep), None);
    assert_eq!(since(&mut log, 5, now, &keep), Some(vec![]));

    // A frame of 8 bytes has a head of 2.
    let keep = History::DEFAULT.with_bytes(20);
    let mut log = Log::new(EPOCH, None, now);
    for _ in 0..5 {
        log.place(publication(8), now, &keep);
    }
    assert_eq!(log.held(), (2, 20));
    assert_eq!(since(&mut log, 3, now, &keep), Some(vec![4, 5]));
    assert_eq!(since(&mut log, 2, now, &keep), None);

    let keep = History::DEFAULT.with_age(Duration::from_secs(10));
    let mut log = Log::new(EPOCH, None, now);
    log.place(publication(1), now, &keep);
    log.place(publication(1), at(1), &keep);
    let before = later.as_nanos() - 1;
    assert_eq!(
        since(&mut log, 0, Instant::from_nanos(before), &keep),
        Some(vec![1, 2])
    );
    assert_eq!(since(&mut log, 0, later, &keep), None);
    assert_eq!(since(&mut log, 1, later, &keep), Some(vec![2]));
}

#[test]
fn a_foreign_or_future_position_is_not_recovered() {
    let (now, keep) = (at(0), History::DEFAULT);
    let mut log = Log::new(EPOCH, None, now);
    log.place(publication(1), now, &keep);
    assert_eq!(since(&mut log, 2, now, &keep), None);
    assert_eq!(since(&mut log, u64::MAX, now, &keep), None);
    let foreign = Position::new(Epoch::new(8), 1);
    assert!(log.since(foreign, now, &keep).is_none());
}

#[test]
fn what_is_not_kept_cannot_be_recovered_and_nothing_before_it() {
    let (now, keep) = (at(0), History::DEFAULT.with_bytes(10));
    let mut log = Log::new(EPOCH, None, now);
    log.place(publication(1), now, &keep);
    log.place(publication(100), now, &keep);
    assert_eq!(log.held(), (0, 0));
    assert_eq!(since(&mut log, 1, now, &keep), None);
    log.place(publication(1), now, &keep);
    assert_eq!(since(&mut log, 2, now, &keep), Some(vec![3]));
}

#[test]
fn it_holds_what_its_account_has_room_for() {
    let (now, keep) = (at(0), History::DEFAULT);
    let account = Account::new(3 * (12 + size_of::<Entry>()));
    let mut log = Log::new(EPOCH, Some(&account), now);
    for _ in 0..5 {
        log.place(publication(10), now, &keep);
    }
    assert_eq!(log.held(), (3, 36));
    assert_eq!(account.held(), account.limit());
    assert_eq!(since(&mut log, 2, now, &keep), Some(vec![3, 4, 5]));
    log.place(publication(1_000), now, &keep);
    assert_eq!(log.held(), (0, 0), "it makes room for nothing in vain");
    assert_eq!(since(&mut log, 6, now, &keep), Some(vec![]));
    assert_eq!(since(&mut log, 5, now, &keep), None);
    drop(log);
    assert_eq!(account.held(), 0);
}

#[test]
fn it_is_over_when_nobody_can_come_back_for_anything() {
    let keep = History::DEFAULT.with_age(Duration::from_secs(10));
    let mut log = Log::new(EPOCH, None, at(0));
    assert!(!log.is_over(at(9), &keep));
    log.place(publication(1), at(9), &keep);
    assert!(!log.is_over(at(18), &keep));
    log.touch(at(15));
    assert!(!log.is_over(at(24), &keep));
    assert!(log.is_over(at(25), &keep));
}

#[test]
fn any_history_is_the_end_of_all_that_was_published() {
    let mut random = 7_u64;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..200 {
        let keep = History {
            publications: draw(6) as usize,
            bytes: draw(60) as usize,
            age: Duration::from_secs(draw(6)),
        };
        let mut log = Log::new(EPOCH, None, at(0));
        let mut model: Vec<(u64, usize)> = Vec::new(); // when, and how long
        let mut now = 0;
        for _ in 0..40 {
            now += draw(3);
            let length = draw(20) as usize;
            log.place(publication(length), at(now), &keep);
            model.push((now, length + 2));
            now += draw(3);
            let mut bytes = 0;
            let kept = model
                .iter()
                .rev()
                .enumerate()
                .take_while(|&(nth, &(when, length))| {
                    bytes += length;
                    nth < keep.publications
                        && bytes <= keep.bytes
                        && when + keep.age.as_secs() > now
                });
            let (kept, total) = (kept.count() as u64, model.len() as u64);
            for back in 0..=total {
                let expected = (back <= kept).then(|| (total - back + 1..=total).collect());
                assert_eq!(since(&mut log, total - back, at(now), &keep), expected);
            }
        }
    }
}
