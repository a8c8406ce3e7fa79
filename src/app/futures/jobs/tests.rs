use super::*;

#[test]
fn no_future_is_a_word() {
    assert_eq!(size_of::<Jobs<Box<dyn FnMut()>>>(), size_of::<usize>());
    let mut jobs: Jobs<()> = Jobs::new();
    assert!(!jobs.cancel(FutureId::READY) && jobs.take(0).is_none());
    assert!(jobs.unblock().is_empty());
}
