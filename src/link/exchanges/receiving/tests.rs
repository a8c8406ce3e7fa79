use super::*;
use crate::http::Field;

#[test]
fn what_lies_in_the_inbox_is_taken_once() {
    let mut receiving = Receiving::NONE;
    receiving.keep(2);
    receiving.keep(3);
    assert_eq!((receiving.take_unread(), receiving.take_unread()), (5, 0));
}

#[test]
fn an_end_is_told_once_and_keeps_its_trailers() {
    let mut receiving = Receiving::NONE;
    let trailers = [Field::new("a", "b")];
    receiving.keep_end(Fields::new(&trailers), 1, None);
    assert!(receiving.take_end() && !receiving.take_end());
    assert_eq!(receiving.dropped, 1);
    assert_eq!(receiving.trailers.unwrap().fields().get_str("a"), Some("b"));
}
