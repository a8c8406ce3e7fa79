use super::*;

impl Driven {
    pub(crate) fn probe(&mut self) -> bool {
        self.probe_at(clock::now())
    }
}

#[test]
fn a_connection_at_rest_is_small() {
    // And beside it, on the heap, the socket alone where it is plain HTTP/1.1.
    assert!(size_of::<Driven>() <= 360);
    assert!(size_of::<Socket>() <= 8);
}

#[test]
fn equal_times_are_set_once() {
    let seconds = Duration::from_secs;
    let set = patience(Duration::ZERO, seconds(30));
    assert_eq!(set, Duration::from_millis(8192));
    for left in [30, 29, 17, 60, 200] {
        assert_eq!(patience(set, seconds(left)), set, "{left}");
    }
    assert_eq!(patience(set, seconds(10)), Duration::from_millis(4096));
    assert!(patience(set, seconds(1000)) > set);
    for millis in [32, 33, 1000, 123_456, u64::MAX] {
        let left = Duration::from_millis(millis);
        let set = patience(Duration::ZERO, left);
        assert!(!set.is_zero() && set <= left / 2);
    }
}
