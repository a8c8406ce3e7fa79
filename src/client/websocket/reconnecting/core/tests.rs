use super::*;

#[test]
fn a_ping_that_cannot_be_written_has_no_deadline() {
    let now = Instant::START;
    let mut core = Reconnector::new(ReconnectOptions::new());
    core.task(now);
    core.opened(None, now);
    core.send("a".into()).unwrap();
    core.next(now);
    core.placed(0, 10, now);
    core.handed_over(10, now);
    assert_eq!(core.deadline(), Some(now));
    assert_eq!(core.deadline_where(false), None);
}
