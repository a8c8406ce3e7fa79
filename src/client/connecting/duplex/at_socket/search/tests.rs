use super::*;

#[test]
fn no_thread_waits_in_vain_in_any_order() {
    for (senders, calls, patience, room) in [(1, 2, 1, 1), (2, 1, 1, 0), (2, 1, 1, 1), (2, 2, 0, 1)]
    {
        let states = search(World::new(senders, calls, patience, room), Fault::None).unwrap();
        assert!(states > 1000, "{states}");
    }
}

#[test]
fn the_search_finds_what_is_done_wrongly() {
    let faults = [
        Fault::SilentReturn,
        Fault::SilentReceiver,
        Fault::SilentLeave,
        Fault::SilentOutput,
        Fault::SilentWriter,
        Fault::SilentSleepers,
    ];
    for fault in faults {
        assert!(search(World::new(2, 2, 1, 1), fault).is_err(), "{fault:?}");
    }
}
