use super::*;

#[test]
fn no_wake_up_is_lost_in_any_order() {
    let states = search(World::new(2, 3, 2), Fault::None).unwrap();
    assert!(states > 1000, "{states}");
    let mut three = World::new(3, 2, 0);
    three.threads[0].patience = 1;
    let states = search(three, Fault::None).unwrap();
    assert!(states > 10_000, "{states}");
}

#[test]
fn the_search_finds_what_is_done_wrongly() {
    let faults = [
        Fault::SilentAppointment,
        Fault::NoGoodbye,
        Fault::SilentNews,
        Fault::Blind,
    ];
    for fault in faults {
        assert!(search(World::new(2, 2, 1), fault).is_err(), "{fault:?}");
    }
}
