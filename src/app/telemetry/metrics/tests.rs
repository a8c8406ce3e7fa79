use super::*;

#[test]
fn a_snapshot_sums_the_loops() {
    let metrics = Metrics::default();
    let blocks = [metrics.join(), metrics.join()];
    for block in &blocks {
        block.connection_opened();
        block.session_opened(Kind::Events);
        block.answered(Method::GET, Status::OK);
        block.took(Duration::from_millis(2), 1);
        block.received_message(3);
    }
    let [first, _] = &blocks;
    first.connection_closed();
    first.session_closed(Kind::Events);
    first.answered(Method::Extension("PURGE"), Status::NOT_FOUND);
    first.took(Duration::from_millis(4), 1);
    let snapshot = metrics.snapshot();
    assert_eq!(
        (snapshot.connections_total, snapshot.connections_active),
        (2, 1)
    );
    let events = Kind::Events;
    assert_eq!(
        (
            snapshot.sessions_total(events),
            snapshot.sessions_active(events)
        ),
        (2, 1)
    );
    assert_eq!((snapshot.messages_in, snapshot.bytes_in), (2, 6));
    assert_eq!(
        (snapshot.total(), snapshot.successful(), snapshot.failed()),
        (3, 2, 1)
    );
    let other = RequestCount {
        method: "other",
        status: Status::NOT_FOUND,
        count: 1,
    };
    assert_eq!(snapshot.requests.last(), Some(&other));
    assert!(snapshot.durations.average() > Duration::from_millis(2));
}

#[test]
fn blocks_share_no_cache_line() {
    assert_eq!(align_of::<Block>(), 128);
}
