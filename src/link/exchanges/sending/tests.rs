use super::*;
use crate::wire::Sink;

#[test]
fn content_keeps_the_length_that_was_announced() {
    let mut sending = Sending::NONE;
    sending.begin(BodyLength::Known(3));
    assert_eq!(sending.book(2), Ok(()));
    assert_eq!(sending.check_end(), Err(UsageError::BodyTooShort));
    assert_eq!(sending.book(2), Err(UsageError::BodyTooLong));
    assert_eq!(sending.book(1), Ok(()));
    assert_eq!(sending.check_end(), Ok(()));
    sending.finished = true;
    assert_eq!(sending.book(0), Err(UsageError::State));
}

#[test]
fn what_is_given_up_is_counted() {
    let mut sending = Sending::NONE;
    sending.outbox.insert(Box::default()).put(b"abc");
    assert_eq!(sending.queued(), 3);
    assert!(sending.close().is_some());
    assert_eq!((sending.queued(), sending.unsent), (0, 3));
}
