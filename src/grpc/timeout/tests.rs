use super::*;
use proptest::prelude::*;

#[test]
fn durations_beyond_eight_digits_of_hours_saturate() {
    assert_eq!(Timeout::new(Duration::MAX).as_str(), "99999999H");
    assert_eq!(Timeout::new(Duration::ZERO).as_str(), "0n");
}

proptest! {
    #[test]
    fn a_timeout_is_never_shortened_and_hardly_stretched(secs in 0..400_000_000_000u64, nanos in 0..1_000_000_000u32, shift in 0..40u32) {
        let timeout = Duration::new(secs >> shift, nanos);
        let back = parse(Timeout::new(timeout).as_bytes()).unwrap();
        prop_assert!(back >= timeout.min(Duration::from_secs(99_999_999 * 3600)));
        prop_assert!(back.as_nanos() <= timeout.as_nanos() + timeout.as_nanos() / 100_000 + 1);
    }
}
