use super::*;
use alloc::vec::Vec;

fn three(origins: [&str; 3]) -> (Waiters, [Arc<Condvar>; 3]) {
    let mut waiters = Waiters::default();
    let bells = origins.map(|origin| {
        let bell = Arc::new(Condvar::new());
        waiters.join(origin.into(), bell.clone());
        bell
    });
    (waiters, bells)
}

fn woken(waiters: &Waiters) -> Vec<bool> {
    waiters.0.iter().map(|it| it.is_woken).collect()
}

#[test]
fn what_becomes_free_wakes_one_and_the_next_wakes_the_next() {
    let (mut waiters, bells) = three(["a", "b", "a"]);
    waiters.wake_one(|origin| origin == "a");
    assert_eq!(woken(&waiters), [true, false, false]);
    waiters.wake_one(|origin| origin == "a");
    assert_eq!(woken(&waiters), [true, false, true]);
    waiters.wake_one(|origin| origin == "a");
    assert_eq!(woken(&waiters), [true, false, true]);
    assert!(waiters.leave(&bells[0]) && !waiters.leave(&bells[1]));
    assert!(waiters.wait_for("a") && !waiters.wait_for("b"));
}

#[test]
fn nobody_is_overtaken_but_by_who_was_woken() {
    let (mut waiters, bells) = three(["a", "b", "a"]);
    let turns = |waiters: &Waiters| bells.each_ref().map(|it| waiters.has_turn(it));
    assert_eq!(turns(&waiters), [true, true, false]);
    waiters.wake_all(Some("a"));
    assert_eq!(turns(&waiters), [true, true, true]);
}

#[test]
fn who_was_woken_for_nothing_has_the_next_woken() {
    let (mut waiters, bells) = three(["a", "b", "a"]);
    waiters.wake_one(|_| true);
    waiters.looked_in_vain(&bells[0], |_| true);
    assert_eq!(woken(&waiters), [false, true, false]);
    waiters.looked_in_vain(&bells[1], |_| true);
    assert_eq!(woken(&waiters), [false, false, true]);
    waiters.looked_in_vain(&bells[2], |_| true);
    waiters.looked_in_vain(&bells[0], |_| true);
    assert_eq!(woken(&waiters), [false; 3]);
}
