use super::*;

#[test]
fn the_last_streams_closed_are_remembered() {
    let mut closed = Closed::new();
    for id in (1..=63).step_by(2) {
        closed.push(id, id % 4 == 1);
    }
    assert_eq!((closed.find(1), closed.find(3)), (Past::Reset, Past::Ended));
    assert!(!closed.is_forgetful());
    closed.push(65, false);
    assert_eq!(
        (closed.find(1), closed.find(65)),
        (Past::Unknown, Past::Ended)
    );
    assert!(closed.is_forgetful());
}
