//! Servers that stand still, and connections that are cut off.

use std::sync::mpsc::channel;
use std::time::Duration;

use barewire::app::{Backplane, History, Inlet, RedisLimits, RedisOptions};

use crate::member::{Process, Told, got, wait};
use crate::server::{Server, is_there, until};

const KEEP: Option<History> = Some(History::DEFAULT);

#[test]
fn a_server_that_stands_still_is_left_and_nothing_is_lost() {
    if !is_there() {
        return;
    }
    let server = Server::start();
    let limits = RedisLimits::DEFAULT
        .with_retry_time(Duration::from_millis(200))
        .with_check_time(Duration::from_millis(300))
        .with_answer_time(Duration::from_millis(300));
    let process = || {
        let options = RedisOptions::at(&server.address()).unwrap();
        Process::with(options.limits(limits))
    };
    let (one, two) = (process(), process());
    let (here, there) = (one.member("tea", KEEP), two.member("tea", KEEP));
    let mut expected = Vec::new();
    let mut later = Vec::new();
    for nth in 1..=300 {
        // Also at a moment at which answers and messages are under way.
        later.push(there.begin(&nth.to_string()));
        expected.push(got(&nth.to_string(), nth));
        if nth % 100 == 0 {
            server.signal("STOP");
            for process in [&one, &two] {
                let failed = process.0.metrics().failed;
                // It connects again, as the kernel answers, and hears nothing.
                until(|| process.0.metrics().failed > failed + 1);
                assert!(!process.0.metrics().is_connected);
            }
            server.signal("CONT");
        }
    }
    for it in later {
        assert!(it.recv().unwrap().is_ok());
    }
    for member in [&here, &there] {
        assert_eq!(member.told(300), expected);
    }
    assert_eq!(one.0.metrics().lost, 0);
}

#[test]
fn who_is_cut_off_for_its_output_reads_what_it_has_missed() {
    if !is_there() {
        return;
    }
    let limit = "pubsub 1mb 0 0";
    let server = Server::with(&["--save", "", "--client-output-buffer-limit", limit]);
    let limits = RedisLimits::DEFAULT.with_past(1 << 30);
    let options = RedisOptions::at(&server.address()).unwrap();
    let (one, two) = (
        Process::with(options.limits(limits)),
        Process::at(&server.address()),
    );
    // Its thread stands still with the first publication.
    let (go_on, stop) = channel::<()>();
    let (tell, told) = channel();
    let stop = std::sync::Mutex::new(stop);
    let deliver = move |it: barewire::app::Publication| {
        let _ = stop.lock().unwrap().recv(); // an error from the second one on
        let place = it.position().map(|it| it.offset);
        let _ = tell.send(Told::Got(format!("{}", it.payload().len()), place));
    };
    let big = History::DEFAULT
        .with_bytes(1 << 30)
        .with_publications(2_000);
    let line = one
        .0
        .subscribe("tea", Some(big), Inlet::new(deliver, |_| {}));
    line.first_member();
    wait(|later| line.history(&[], later)).unwrap();
    let there = two.publisher("tea", Some(big));
    let key = barewire::redis::Names::new("barewire", "tea");
    let name = std::str::from_utf8(key.channel()).unwrap();
    until(|| server.ask(&["PUBSUB", "SHARDNUMSUB", name]).ends_with(":1"));
    let text = "x".repeat(100_000);
    // As much as the buffers of the kernel take, and more.
    let mut count = 0;
    while !server.ask(&["PUBSUB", "SHARDNUMSUB", name]).ends_with(":0") {
        count += 1;
        assert_eq!(there.publish(&text).unwrap().unwrap().offset, count);
    }
    drop(go_on);
    for nth in 1..=count {
        assert_eq!(told.recv().unwrap(), got("100000", nth));
    }
    assert!(one.0.metrics().failed > 0);
}
