//! Each limit stops the attack it was made for, and an honest peer beside it
//! does not notice.
#![cfg(feature = "alloc")]

use core::time::Duration;

use crate::http1_driver::{Driver, Handler, date};
use barewire::http::{CallContext, OwnedScratch};
use barewire::http1::{Closing, Limits, ProtocolError};
use barewire::wire::{Instant, Role};

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn server(limits: Limits) -> Driver {
    Driver::with_limits(Role::Server, Handler::Echo, limits)
}

/// Feeds everything, and tells the violation and the status that answered it.
fn outcome(limits: Limits, input: &[u8]) -> (Option<ProtocolError>, String) {
    let mut driver = server(limits);
    driver.feed(input);
    let transcript = driver.finish();
    let out = String::from_utf8(transcript.out).unwrap();
    if transcript.error.is_some() {
        assert!(out.contains("Connection: close\r\n"), "{out}");
        assert!(out.contains("Date: "), "{out}");
        assert_eq!(transcript.closing, Some(Closing::Linger));
    }
    let status = out.rsplit("HTTP/1.1 ").next().unwrap_or("");
    (transcript.error, status.chars().take(3).collect())
}

/// Lets time pass until `now` and tells what the machine makes of it.
fn wait(driver: &mut Driver, now: Instant) -> Result<(), ProtocolError> {
    driver.now = now;
    let mut scratch = OwnedScratch::new(0);
    let date = date();
    let lent = CallContext {
        now,
        date: Some(&date),
        mask_key: [0; 4],
        limits: &driver.limits,
        scratch: scratch.lend(),
    };
    let elapsed = driver.connection.elapsed(lent, &mut driver.transcript.out);
    elapsed.map(|event| assert!(event.is_none()))
}

fn after(seconds: u64) -> Instant {
    Instant::START + Duration::from_secs(seconds)
}

#[test]
fn head_stops_a_head_without_end() {
    let limits = Limits::DEFAULT.with_head(1000);
    let start = "GET / HTTP/1.1\r\nHost: a\r\n";
    let exact = format!("{start}X: {}\r\n\r\n", "x".repeat(1000 - start.len() - 7));
    assert_eq!(exact.len(), 1000);
    assert_eq!(outcome(limits, exact.as_bytes()), (None, "200".into()));
    let one_more = format!("{start}X: {}\r\n\r\n", "x".repeat(1001 - start.len() - 7));
    let refused = (Some(ProtocolError::HeadTooLarge), "431".into());
    assert_eq!(outcome(limits, one_more.as_bytes()), refused);
    assert_eq!(outcome(limits, &exact.as_bytes()[..999]), (None, "".into()));
    let endless = format!("{start}{}", "Y: y\r\n".repeat(1000));
    assert_eq!(outcome(limits, endless.as_bytes()), refused);
}

#[test]
fn fields_stops_a_flood_of_tiny_fields() {
    let head = |n: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "a:\r\n".repeat(n - 1)
        )
    };
    assert_eq!(outcome(Limits::DEFAULT, head(100).as_bytes()).0, None);
    let refused = (Some(ProtocolError::TooManyFields), "431".into());
    assert_eq!(outcome(Limits::DEFAULT, head(101).as_bytes()), refused);
    assert_eq!(
        outcome(Limits::DEFAULT.with_fields(3), head(4).as_bytes()),
        refused
    );
    // The scratch is a limit as well: the driver lends 100.
    let many = Limits::DEFAULT.with_fields(200);
    assert_eq!(outcome(many, head(101).as_bytes()), refused);
}

#[test]
fn target_stops_a_target_that_chokes_routers() {
    let limits = Limits::DEFAULT.with_target(10);
    let head = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(n - 1));
    assert_eq!(outcome(limits, head(10).as_bytes()).0, None);
    let refused = (Some(ProtocolError::TargetTooLong), "414".into());
    assert_eq!(outcome(limits, head(11).as_bytes()), refused);
    // A request line that never ends.
    assert_eq!(outcome(Limits::DEFAULT, head(20_000).as_bytes()), refused);
}

#[test]
fn empty_lines_without_end_are_stopped() {
    let head = |n: usize| format!("{}GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n".repeat(n));
    assert_eq!(outcome(Limits::DEFAULT, head(4).as_bytes()).0, None);
    let refused = (Some(ProtocolError::EmptyLines), "400".into());
    assert_eq!(outcome(Limits::DEFAULT, head(5).as_bytes()), refused);
}

#[test]
fn chunk_extensions_stops_a_body_of_nothing_but_extensions() {
    let limits = Limits::DEFAULT.with_chunk_extensions(12);
    let body = |text: &str| [CHUNKED, text.as_bytes()].concat();
    let fits = body("1;aaaaa\r\nx\r\n1;bbbbb\r\nx\r\n0\r\n\r\n");
    assert_eq!(outcome(limits, &fits).0, None);
    let refused = (Some(ProtocolError::ChunkExtensionsTooLarge), "400".into());
    let over = body("1;aaaaa\r\nx\r\n1;bbbbb\r\nx\r\n0;\r\n\r\n");
    assert_eq!(outcome(limits, &over), refused);
    let spaces = body(&format!("1{};\r\n", " ".repeat(20)));
    assert_eq!(outcome(limits, &spaces), refused);
}

#[test]
fn trailers_stops_a_trailer_section_without_end() {
    let limits = Limits::DEFAULT.with_trailers(20);
    let body = |text: &str| [CHUNKED, b"0\r\n", text.as_bytes()].concat();
    assert_eq!(outcome(limits, &body("A: 345678901234\r\n\r\n")).0, None);
    let refused = (Some(ProtocolError::TrailersTooLarge), "431".into());
    assert_eq!(
        outcome(limits, &body("A: 3456789012345678\r\n\r\n")),
        refused
    );
    let many = body(&format!("{}\r\n", "a:\r\n".repeat(101)));
    let refused = (Some(ProtocolError::TooManyFields), "431".into());
    assert_eq!(outcome(Limits::DEFAULT, &many), refused);
}

#[test]
fn chunk_sizes_never_wrap() {
    for (size, answer) in [
        ("fffffffffffffff", None),
        ("1000000000000000", Some(ProtocolError::ChunkSize)),
        ("0000000000000001", Some(ProtocolError::ChunkSize)),
    ] {
        let input = [CHUNKED, size.as_bytes(), b"\r\nhello"].concat();
        assert_eq!(outcome(Limits::DEFAULT, &input).0, answer, "{size}");
    }
}

#[test]
fn head_timeout_stops_a_head_that_trickles() {
    let mut driver = server(Limits::DEFAULT);
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(10)));
    for second in 0..10 {
        assert_eq!(wait(&mut driver, after(second)), Ok(()));
        driver.feed(&b"GET / HTTP/1.1"[second as usize..][..1]);
        assert_eq!(driver.connection.deadline(&driver.limits), Some(after(10)));
    }
    assert_eq!(
        wait(&mut driver, after(10)),
        Err(ProtocolError::HeadTimeout)
    );
    assert_eq!(
        wait(&mut driver, after(11)),
        Err(ProtocolError::HeadTimeout)
    );
    assert_eq!(driver.connection.deadline(&driver.limits), None);
    let out = driver.finish().out;
    assert!(out.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
    assert_eq!(out.windows(4).filter(|w| w == b"408 ").count(), 1);
}

#[test]
fn a_connection_on_which_nothing_came_ends_without_a_word() {
    let mut driver = server(Limits::DEFAULT);
    assert_eq!(wait(&mut driver, after(10)), Ok(()));
    assert_eq!(driver.connection.closing(), Some(Closing::Now));
    assert!(driver.finish().out.is_empty());
}

#[test]
fn a_server_that_stops_waits_for_a_first_request_no_longer_than_it_takes_to_arrive() {
    let mut silent = server(Limits::DEFAULT);
    silent.connection.shutdown_after_next();
    let half = Instant::START + Duration::from_millis(500);
    assert_eq!(silent.connection.deadline(&silent.limits), Some(half));
    assert_eq!(wait(&mut silent, half), Ok(()));
    assert_eq!(silent.connection.closing(), Some(Closing::Now));

    let mut asking = server(Limits::DEFAULT);
    asking.connection.shutdown_after_next();
    asking.feed(b"GET / HTTP/1.1\r\nHost: a\r\n");
    assert_eq!(asking.connection.deadline(&asking.limits), Some(after(10)));
    asking.feed(b"\r\n");
    let out = String::from_utf8(asking.finish().out).unwrap();
    assert!(out.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(out.contains("Connection: close\r\n"));
}

#[test]
fn a_later_head_is_timed_from_its_first_byte() {
    let mut driver = server(Limits::DEFAULT);
    driver.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(60)));
    driver.now = after(50);
    driver.feed(b"\r");
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(60)));
    driver.now = after(55);
    driver.feed(b"\nG");
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(60)));
    assert_eq!(
        wait(&mut driver, after(60)),
        Err(ProtocolError::HeadTimeout)
    );
}

#[test]
fn idle_timeout_ends_an_idle_connection_in_silence() {
    let mut driver = server(Limits::DEFAULT.with_idle_timeout(Duration::from_secs(5)));
    driver.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let sent = driver.transcript.out.len();
    assert_eq!(wait(&mut driver, after(4)), Ok(()));
    assert_eq!(driver.connection.closing(), None);
    assert_eq!(wait(&mut driver, after(5)), Ok(()));
    assert_eq!(driver.connection.closing(), Some(Closing::Now));
    assert_eq!(driver.transcript.out.len(), sent);
}

#[test]
fn body_rate_stops_a_body_that_trickles() {
    for head in [
        &b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ] {
        let mut driver = server(Limits::DEFAULT); // 500 B/s, 10 s behind
        driver.feed(head);
        let mut second = 0;
        let end = loop {
            second += 1;
            match wait(&mut driver, after(second)) {
                Ok(()) => driver.feed(b"xxxxxxxxxx"),
                Err(violation) => break violation,
            }
        };
        assert_eq!(
            (end, second),
            (ProtocolError::BodyTimeout, 11),
            "10 s and what was paid"
        );
        let out = driver.finish().out;
        assert!(out.starts_with(b"HTTP/1.1 408 "));
    }
}

#[test]
fn a_body_at_the_asked_pace_is_never_cut() {
    let mut driver = server(Limits::DEFAULT);
    driver.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
    for second in 1..1000 {
        assert_eq!(wait(&mut driver, after(second)), Ok(()));
        driver.feed(&[b'x'; 500]);
    }
    // A lead is not saved up: silence costs the same early and late.
    driver.feed(&[b'x'; 100_000]);
    assert_eq!(wait(&mut driver, after(1008)), Ok(()));
    assert_eq!(
        wait(&mut driver, after(1009)),
        Err(ProtocolError::BodyTimeout)
    );
}

#[test]
fn time_in_which_we_did_not_read_is_not_held_against_the_peer() {
    let mut driver = server(Limits::DEFAULT);
    driver.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
    driver.connection.resume(after(100));
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(110)));
}

#[test]
fn drain_stops_bodies_that_we_would_read_for_nothing() {
    let limits = Limits::DEFAULT.with_drain(10);
    for (length, ends) in [(10, false), (11, true)] {
        let mut driver = Driver::with_limits(Role::Server, Handler::Early, limits);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        driver.feed(head.as_bytes());
        let sent = String::from_utf8(driver.transcript.out.clone()).unwrap();
        assert_eq!(sent.contains("Connection: close"), ends, "{sent}");
        driver.feed(&vec![b'x'; length]);
        driver.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let transcript = driver.finish();
        assert_eq!(transcript.events.len(), if ends { 1 } else { 2 });
        assert_eq!(transcript.closing, ends.then_some(Closing::Linger));
    }
}

#[test]
fn a_discarded_body_has_a_pace_to_keep_as_well() {
    let mut driver = Driver::new(Role::Server, Handler::Early);
    driver.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nxxx");
    let sent = driver.transcript.out.len();
    assert_eq!(driver.connection.deadline(&driver.limits), Some(after(10)));
    assert_eq!(
        wait(&mut driver, after(10)),
        Err(ProtocolError::BodyTimeout)
    );
    assert_eq!(driver.finish().out.len(), sent, "one request, one response");
}

#[test]
fn a_request_line_without_end_is_refused_for_what_it_is() {
    for (line, violation, status) in [
        (
            "A".repeat(17_000) + " / HTTP/1.1\r\n",
            ProtocolError::MethodTooLong,
            "501",
        ),
        ("A".repeat(17_000), ProtocolError::MethodTooLong, "501"),
        (
            "A".repeat(33) + " /" + &"a".repeat(17_000),
            ProtocolError::MethodTooLong,
            "501",
        ),
        (
            "GE{".to_owned() + &"T".repeat(17_000),
            ProtocolError::Method,
            "400",
        ),
        (
            "GET /".to_owned() + &"a".repeat(17_000),
            ProtocolError::TargetTooLong,
            "414",
        ),
    ] {
        let (found, answer) = outcome(Limits::DEFAULT, line.as_bytes());
        assert_eq!((found, answer.as_str()), (Some(violation), status));
        for size in [1, 1000, 16_383] {
            let mut driver = server(Limits::DEFAULT);
            line.as_bytes()
                .chunks(size)
                .for_each(|piece| driver.feed(piece));
            assert_eq!(driver.finish().error, Some(violation), "{size}");
        }
    }
}

#[test]
fn strict_targets_are_those_of_rfc_3986_alone() {
    for (target, is_strict) in [
        ("/a%20b;c=d/:@?e=f&g/?", true),
        ("/", true),
        ("*", true),
        ("http://a/b?c", true),
        ("/a|b", false),
        ("/a^b", false),
        ("/a[b]", false),
        ("/?{}", false),
        ("/?a|b", false),
        ("/?`", false),
        ("/?\\", false),
        ("/100%", false),
        ("/?%zz", false),
        ("http://a/b|c", false),
    ] {
        let method = if target == "*" { "OPTIONS" } else { "GET" };
        let request = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(
            outcome(Limits::DEFAULT, request.as_bytes()).0,
            None,
            "{target}"
        );
        let found = outcome(Limits::DEFAULT.with_strict_target(true), request.as_bytes()).0;
        assert_eq!(
            found,
            (!is_strict).then_some(ProtocolError::Target),
            "{target}"
        );
    }
}

#[test]
fn every_setter_sets_its_own_number() {
    let second = Duration::from_secs(1);
    let limits = Limits::default()
        .with_head(1)
        .with_fields(2)
        .with_target(3)
        .with_chunk_extensions(4)
        .with_trailers(5)
        .with_drain(6)
        .with_head_timeout(7 * second)
        .with_idle_timeout(8 * second)
        .with_response_timeout(9 * second)
        .with_body_rate(10)
        .with_body_grace(11 * second)
        .with_strict_target(true);
    let expected = Limits {
        strict_target: true,
        head: 1,
        fields: 2,
        target: 3,
        chunk_extensions: 4,
        trailers: 5,
        drain: 6,
        head_timeout: 7 * second,
        idle_timeout: 8 * second,
        response_timeout: 9 * second,
        body_rate: 10,
        body_grace: 11 * second,
    };
    assert_eq!(limits, expected);
}
