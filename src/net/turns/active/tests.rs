use super::*;

#[test]
fn a_thread_is_a_loops_during_turns() {
    assert!(!is_loop_thread());
    let outer = Active::begin();
    drop(Active::begin());
    assert!(is_loop_thread());
    let other = std::thread::spawn(is_loop_thread);
    assert!(!other.join().unwrap());
    drop(outer);
    assert!(!is_loop_thread());
}
