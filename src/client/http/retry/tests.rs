use super::*;
use crate::http::Field;

#[test]
fn pauses_double_and_jitter_fully() {
    let policy = RetryPolicy::attempts(20);
    let busy = Status::SERVICE_UNAVAILABLE;
    let longest = |made| policy.pause(busy, None, made, 1024).unwrap();
    assert_eq!(longest(1), Duration::from_millis(500));
    assert_eq!(longest(3), Duration::from_secs(2));
    assert_eq!(longest(19), Duration::from_secs(30));
    assert_eq!(policy.pause(busy, None, 3, 0), Some(Duration::ZERO));
    assert_eq!(policy.pause(busy, None, 20, 0), None);
    assert_eq!(policy.pause(Status::BAD_GATEWAY, None, 1, 0), None);
    assert_eq!(RetryPolicy::none().pause(busy, None, 1, 0), None);
}

#[test]
fn a_server_says_how_long_within_reason() {
    let policy = RetryPolicy::attempts(3);
    let asked = |seconds| Some(Duration::from_secs(seconds));
    let pause = |seconds| policy.pause(Status::TOO_MANY_REQUESTS, asked(seconds), 1, 7);
    assert_eq!(pause(30), asked(30));
    assert_eq!(pause(31), None);
}

#[test]
fn a_budget_is_earned_by_tenths() {
    let budget = Budget::of_statuses();
    for _ in 0..10 {
        assert!(budget.take());
    }
    assert!(!budget.take());
    for _ in 0..9 {
        budget.earn();
        assert!(!budget.take());
    }
    budget.earn();
    assert!(budget.take() && !budget.take());
}

#[test]
fn seconds_and_dates_are_read_and_nothing_else() {
    let sent = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let read = |value, date: Option<(&'static str, &'static str)>| {
        let mut fields = alloc::vec![Field::new("retry-after", value)];
        fields.extend(date.map(|(name, value)| Field::new(name, value)));
        super::read(Fields::new(&fields)).map(|it| it.as_secs())
    };
    assert_eq!(read("120", None), Some(120));
    assert_eq!(read("0", None), Some(0));
    assert_eq!(read("-1", None), None);
    assert_eq!(read("1.5", None), None);
    assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT", Some(sent)), Some(60));
    assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT", Some(sent)), Some(0));
    assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
    assert_eq!(super::read(Fields::EMPTY), None);
}
