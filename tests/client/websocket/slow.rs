//! Peers that read slowly, or not at all: nobody waits for them for ever.

use core::time::Duration;
use std::io::Read as _;
use std::sync::mpsc::channel;

use barewire::client::{
    Closed, Confirmation, Message, ReceiptState, ReconnectLimits, ReconnectListener,
    ReconnectOptions, ReconnectSender, ReconnectTask, Reconnecting, Reconnector, ToWrite,
};
use barewire::wire::Instant;

use super::server::{Script, shake_hands};

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

/// One that is open and has a message in the output: of so many bytes, behind 100 others.
fn sending(limits: ReconnectLimits, bytes: u64) -> Reconnector {
    let options = ReconnectOptions::new()
        .limits(limits)
        .confirmation(Confirmation::Application);
    let mut core = Reconnector::new(options);
    assert!(matches!(core.task(at(0)), ReconnectTask::Connect(_)));
    core.opened(None, at(0));
    core.handed_over(100, at(0));
    core.send(vec![0; bytes as usize].into()).unwrap();
    assert!(matches!(core.next(at(0)), Some(ToWrite::Message(_))));
    core.placed(100, 100 + bytes, at(0));
    core
}

#[test]
fn a_peer_that_reads_a_byte_a_second_is_left_after_the_time_for_the_bytes() {
    let limits = ReconnectLimits::DEFAULT.with_bytes(1 << 20).with_rate(1024);
    let mut core = sending(limits, 10 << 10);
    for second in 0..30 {
        assert_eq!(core.elapsed(at(second * 1000)), None, "{second}");
        core.handed_over(100 + second, at(second * 1000));
    }
    assert_eq!(core.deadline(), Some(at(30_000)));
    let Some(Closed::Lost(why)) = core.elapsed(at(30_000)) else {
        panic!()
    };
    assert_eq!(why, "the server reads too slowly");
}

#[test]
fn a_peer_that_reads_fast_enough_has_all_the_time_that_it_needs() {
    // 20 s and 1 KiB a second; it reads 2 KiB a second for an hour.
    let limits = ReconnectLimits::DEFAULT.with_bytes(1 << 30).with_rate(1024);
    let mut core = sending(limits, 10 << 10);
    let (mut place, mut read) = (100 + (10 << 10), 100);
    for second in 0..3600 {
        let now = at(second * 1000);
        assert_eq!(core.elapsed(now), None, "{second}");
        read = place.min(read + 2048);
        core.handed_over(read, now);
        if place - read < 65_536 {
            core.send(vec![0; 100_000].into()).unwrap();
            assert!(matches!(core.next(now), Some(ToWrite::Message(_))));
            core.placed(place, place + 100_000, now);
            place += 100_000;
            for id in 0..4000 {
                core.confirm(id);
            }
        }
    }
}

#[test]
fn leaving_has_its_time_whatever_the_peer_does() {
    let limits = ReconnectLimits::DEFAULT.with_bytes(1 << 20);
    let mut core = sending(limits.with_leave(Duration::from_secs(7)), 1 << 20);
    core.close(at(1000));
    core.close(at(2000)); // changes nothing
    assert_eq!(core.deadline(), Some(at(8000)));
    assert_eq!(core.elapsed(at(7999)), None);
    assert!(matches!(core.elapsed(at(8000)), Some(Closed::Lost(_))));
    // Also while it connects.
    let options = ReconnectOptions::new();
    let mut core = Reconnector::new(options);
    assert!(matches!(core.task(at(0)), ReconnectTask::Connect(_)));
    assert_eq!(core.deadline(), None);
    core.close(at(0));
    assert_eq!(core.deadline(), Some(at(60_000)));
    assert!(core.elapsed(at(60_000)).is_some());
}

#[test]
fn a_message_that_waits_for_its_window_has_not_left() {
    let options = || ReconnectOptions::new();
    let open = || {
        let mut core = Reconnector::new(options());
        assert!(matches!(core.task(at(0)), ReconnectTask::Connect(_)));
        core.opened(None, at(0));
        let receipt = core.send("held".into()).unwrap();
        assert!(matches!(core.next(at(0)), Some(ToWrite::Message(_))));
        core.held_back(at(0));
        core.handed_over(500, at(1)); // other output
        assert_eq!(receipt.state(), ReceiptState::Queued);
        assert_eq!(core.held(), (1, 4));
        (core, receipt)
    };
    // Nothing of it has left: it goes on the next connection.
    let (mut core, receipt) = open();
    core.lost(Closed::Lost("reset".into()), at(2), 0);
    assert_eq!(receipt.state(), ReceiptState::Queued);
    assert!(matches!(core.task(at(2)), ReconnectTask::Connect(_)));
    core.opened(None, at(2));
    assert!(matches!(core.next(at(2)), Some(ToWrite::Message(_))));
    // A part of it has.
    for from in [500, 490] {
        let (mut core, receipt) = open();
        core.begun(from);
        core.handed_over(501, at(3));
        assert_eq!(receipt.state(), ReceiptState::Written);
        assert_eq!(core.held(), (1, 0));
        core.lost(Closed::Lost("reset".into()), at(4), 0);
        assert_eq!(receipt.state(), ReceiptState::Unknown);
    }
    // The window never opens, or opens and the output is not read.
    let (core, _) = open();
    assert_eq!(core.deadline(), Some(at(0)), "a ping is due");
    let (mut core, _) = open();
    assert!(core.elapsed(at(20_000)).is_some());
    core.begun(500);
    core.left(600, at(10_000));
    assert_eq!(core.elapsed(at(20_000)), None);
    assert!(core.elapsed(at(30_000)).is_some());
}

struct Quiet;

impl ReconnectListener for Quiet {
    fn message(&mut self, _: &ReconnectSender, _: Message) {}
}

#[test]
fn a_client_closes_though_its_server_takes_a_byte_now_and_then() {
    let (opened, is_open) = channel();
    let script = Script::start(1, move |_, mut stream| {
        shake_hands(&mut stream);
        opened.send(()).unwrap();
        while !matches!(stream.read(&mut [0]), Ok(0) | Err(_)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let limits = ReconnectLimits::DEFAULT
        .with_bytes(64 << 20)
        .with_leave(Duration::from_millis(200));
    let options = ReconnectOptions::new().limits(limits);
    let socket = Reconnecting::connect(&script.url(), options, Quiet).unwrap();
    is_open.recv().unwrap();
    let receipts: Vec<_> = (0..16)
        .map(|_| socket.send(vec![0; 1 << 20]).unwrap())
        .collect();
    socket.close().unwrap();
    assert!(receipts.iter().all(|it| it.state().is_final()));
    assert_eq!(receipts[15].state(), ReceiptState::Unsent);
    // What the kernel has taken it goes on to read, until all of that is gone.
    drop(script);
}
