use super::*;

#[test]
fn it_follows_what_the_socket_takes() {
    let mut room = Room::UNKNOWN;
    assert_eq!(room.batch(), BATCH);
    room.note(BATCH, BATCH);
    assert_eq!(room.batch(), BATCH);
    room.note(BATCH, 10_000);
    assert_eq!(room.batch(), BATCH, "79,632 until it was full");
    room.note(BATCH, 30_000);
    assert_eq!(room.batch(), 30_000);
    // The rest of what was sealed is taken, and there is room for less.
    room.note(10_000, 10_000);
    assert_eq!(room.batch(), 20_000);
    room.note(20_000, 20_000);
    assert_eq!(room.batch(), LEAST);
    room.note(LEAST, 5_000);
    assert_eq!(room.batch(), 35_000);
    // One that takes nothing is offered a record.
    room.note(LEAST, 0);
    assert_eq!(room.batch(), LEAST);
    // One that is not full any more is offered more each time.
    room.begin();
    room.note(LEAST, LEAST);
    room.note(LEAST, LEAST);
    room.begin();
    assert_eq!(room.batch(), 2 * LEAST);
}
