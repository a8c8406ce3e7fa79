use super::*;

#[test]
fn arithmetic_saturates_at_both_ends() {
    let t = Instant::from_nanos(5);
    assert_eq!(t + Duration::MAX, Instant::NEVER);
    assert_eq!(
        t.saturating_since(t + Duration::from_secs(1)),
        Duration::ZERO
    );
    assert_eq!((t + Duration::from_millis(1500)).as_secs(), 1);
    assert_eq!((t + Duration::from_millis(1500)).as_millis(), 1500);
}
