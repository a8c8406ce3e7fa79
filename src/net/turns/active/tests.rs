use super::*;

#[test]
fn a_thread_is_a_loops_during_turns() {
    assert_eq!(current(), 0);
    let outer = Active::begin(7);
    let inner = Active::begin(8);
    assert_eq!(current(), 8);
    drop(inner);
    assert_eq!(current(), 7);
    let other = std::thread::spawn(current);
    assert_eq!(other.join().unwrap(), 0);
    drop(outer);
    assert_eq!(current(), 0);
}
