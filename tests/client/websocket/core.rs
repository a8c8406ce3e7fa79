//! What one that reconnects decides, with a scripted clock, dice and server.

use core::cell::Cell;
use core::time::Duration;

use barewire::client::{
    Closed, ComeBack, Confirmation, Message, Position, QueuePolicy, Receipt, ReceiptState,
    ReconnectError, ReconnectEvent, ReconnectLimits, ReconnectOptions, ReconnectTask, Reconnector,
    ResumeHook, Seen, ToWrite, UnknownPolicy,
};
use barewire::http::Status;
use barewire::websocket::CloseCode;
use barewire::wire::Instant;

fn at(millis: u64) -> Instant {
    Instant::START + Duration::from_millis(millis)
}

fn lost() -> Closed {
    Closed::Lost("cable".into())
}

fn by_peer(code: u16) -> Closed {
    Closed::ByPeer {
        code: CloseCode::new(code),
        reason: String::new(),
    }
}

/// One that is open.
fn open(options: ReconnectOptions) -> Reconnector {
    let mut core = Reconnector::new(options);
    assert!(matches!(core.task(at(0)), ReconnectTask::Connect(_)));
    core.opened(None, at(0));
    core
}

std::thread_local! {
    /// What the last Ping said.
    static PING: Cell<[u8; 8]> = const { Cell::new([0; 8]) };
}

/// Writes all that there is; what it was, each message as 10 bytes of output.
fn write(core: &mut Reconnector, place: &mut u64, now: Instant) -> Vec<String> {
    let mut written = Vec::new();
    loop {
        written.push(match core.next(now) {
            None => return written,
            Some(ToWrite::Message(message)) => message.text().unwrap().into(),
            Some(ToWrite::Ping(payload)) => {
                PING.set(payload);
                "ping".into()
            }
            Some(ToWrite::Close { code, reason }) if code.get() == 1000 => format!("close{reason}"),
            Some(ToWrite::Close { code, reason }) => format!("close {} {reason}", code.get()),
            Some(other) => panic!("{other:?}"),
        });
        core.placed(*place, *place + 10, now);
        *place += 10;
    }
}

fn states(receipts: &[Receipt]) -> Vec<ReceiptState> {
    receipts.iter().map(Receipt::state).collect()
}

fn send(core: &mut Reconnector, texts: &[&str]) -> Vec<Receipt> {
    let sent = texts.iter().map(|&text| core.send(text.into()).unwrap());
    sent.collect()
}

fn events(core: &mut Reconnector) -> Vec<String> {
    core::iter::from_fn(|| core.event())
        .map(|event| match event {
            ReconnectEvent::Closed { unknown, .. } => {
                let ids: Vec<u64> = unknown.iter().map(Receipt::id).collect();
                format!("closed, unknown {ids:?}")
            }
            ReconnectEvent::Waiting { attempt, .. } => format!("waiting {attempt}"),
            ReconnectEvent::GaveUp { unsent, .. } => format!("gave up, unsent {}", unsent.len()),
            ReconnectEvent::Finished { unsent } => format!("finished, unsent {}", unsent.len()),
            ReconnectEvent::Opened { .. } => "opened".into(),
            ReconnectEvent::Resumed { recovered } => format!("resumed {recovered}"),
            ReconnectEvent::Message(message) => message.text().unwrap().into(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_loss_tells_apart_what_has_left_and_what_has_not() {
    use ReceiptState::{Confirmed, Queued, Unknown, Unsent, Written};
    let mut core = open(ReconnectOptions::new());
    let receipts = send(&mut core, &["a", "b"]);
    let mut place = 100; // behind the handshake
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "b", "ping"]);
    core.handed_over(130, at(0));
    assert_eq!(states(&receipts), [Written, Written]);
    core.pong(&7_u64.to_be_bytes()); // of nobody
    core.pong(&PING.get());
    assert_eq!(states(&receipts), [Confirmed, Confirmed]);
    let receipts = send(&mut core, &["c", "d", "e"]);
    assert_eq!(
        write(&mut core, &mut place, at(100)),
        ["c", "d", "e", "ping"]
    );
    core.handed_over(141, at(0)); // one byte of the second
    let waits = send(&mut core, &["f"]);
    core.lost(lost(), at(200), 0);
    assert_eq!(states(&receipts), [Unknown, Unknown, Queued]);
    assert_eq!(
        events(&mut core),
        ["opened", "closed, unknown [3, 4]", "waiting 2"]
    );
    // What has not left does so on the next connection, in order.
    assert!(matches!(core.task(at(200)), ReconnectTask::Connect(_)));
    core.opened(None, at(201));
    assert_eq!(write(&mut core, &mut 50, at(201)), ["e", "f", "ping"]);
    core.handed_over(80, at(0));
    core.pong(&PING.get());
    assert_eq!(states(&receipts), [Unknown, Unknown, Confirmed]);
    assert_eq!(states(&waits), [Confirmed]);
    assert_eq!(core.held(), (0, 0));
    let last = send(&mut core, &["g"]);
    drop(core);
    assert_eq!(states(&last), [Unsent]);
}

#[test]
fn only_a_policy_sends_unknown_messages_again_and_in_order() {
    let options = ReconnectOptions::new().unknown(UnknownPolicy::SendAgain);
    let mut core = open(options);
    let receipts = send(&mut core, &["a", "b", "c"]);
    write(&mut core, &mut 10, at(0));
    core.handed_over(25, at(0));
    core.lost(lost(), at(0), 0);
    assert_eq!(
        events(&mut core),
        ["opened", "closed, unknown []", "waiting 2"]
    );
    assert_eq!(states(&receipts), [ReceiptState::Queued; 3]);
    assert!(matches!(core.task(at(0)), ReconnectTask::Connect(_)));
    core.opened(None, at(0));
    assert_eq!(write(&mut core, &mut 10, at(0)), ["a", "b", "c", "ping"]);
}

#[test]
fn a_full_queue_does_what_its_policy_says() {
    let limits = ReconnectLimits::DEFAULT.with_messages(2).with_bytes(10);
    let options = || ReconnectOptions::new().limits(limits);
    let mut core = Reconnector::new(options());
    send(&mut core, &["a", "b"]);
    let full = core.send("c".into()).unwrap_err();
    assert_eq!(full, ReconnectError::Full("c".into()));

    let mut core = Reconnector::new(options().queue(QueuePolicy::DropNewest));
    let receipts = send(&mut core, &["12345", "1234567", "1"]);
    use ReceiptState::{Queued, Unsent};
    assert_eq!(states(&receipts), [Queued, Unsent, Queued]);
    assert_eq!(core.held(), (2, 6));

    let mut core = Reconnector::new(options().queue(QueuePolicy::DropOldest));
    let receipts = send(&mut core, &["12345", "1234", "123"]);
    assert_eq!(states(&receipts), [Unsent, Queued, Queued]);
    // One that never fits drops nothing.
    assert!(core.send("12345678901".into()).is_err());
    assert_eq!(core.held(), (2, 7));
    let all = send(&mut core, &["1234567890"]);
    assert_eq!(
        (states(&receipts), states(&all)),
        (vec![Unsent; 3], vec![Queued])
    );

    // What is written gives no way.
    let mut core = open(options().queue(QueuePolicy::DropOldest));
    send(&mut core, &["a", "b"]);
    write(&mut core, &mut 0, at(0));
    core.handed_over(1, at(0));
    assert!(core.send("c".into()).is_err());
}

#[test]
fn pings_behind_messages_are_one_at_a_time_and_not_too_many() {
    let mut core = open(ReconnectOptions::new());
    let mut place = 10;
    send(&mut core, &["a"]);
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "ping"]);
    send(&mut core, &["b"]);
    assert_eq!(write(&mut core, &mut place, at(10)), ["b"]);
    core.pong(&PING.get()); // nobody can have read it
    assert_eq!(core.deadline(), Some(at(20_000)));
    core.handed_over(place, at(0));
    core.pong(&PING.get());
    assert_eq!(write(&mut core, &mut place, at(10)), Vec::<String>::new());
    assert_eq!(core.deadline(), Some(at(50)));
    assert_eq!(write(&mut core, &mut place, at(50)), ["ping"]);
    // That one is never answered.
    assert_eq!(core.deadline(), Some(at(20_050)));
    assert_eq!(core.elapsed(at(20_049)), None);
    assert!(matches!(core.elapsed(at(20_050)), Some(Closed::Lost(_))));
    // The application's own answers need none.
    let options = ReconnectOptions::new().confirmation(Confirmation::Application);
    let mut core = open(options);
    let receipts = send(&mut core, &["a", "b"]);
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "b"]);
    core.handed_over(place, at(0));
    assert_eq!(core.deadline(), None);
    assert!(core.confirm(receipts[1].id()) && !core.confirm(receipts[1].id()));
    assert_eq!(core.held().0, 1);
}

#[test]
fn codes_and_statuses_say_whether_to_come_back() {
    let never = [1000, 1002, 1003, 1007, 1008, 1009, 1010];
    for code in never {
        assert_eq!(ComeBack::after(&by_peer(code)), ComeBack::Never, "{code}");
    }
    for code in [1001, 1005, 1011, 1014, 4000] {
        assert_eq!(ComeBack::after(&by_peer(code)), ComeBack::Retry, "{code}");
    }
    let seconds = |closed: &Closed| match ComeBack::after(closed) {
        ComeBack::Between { least, most } => (least.as_secs(), most.as_secs()),
        other => panic!("{other:?}"),
    };
    assert_eq!(seconds(&by_peer(1012)), (5, 30));
    assert_eq!(seconds(&by_peer(1013)), (30, 60));
    let refused = |status: u16, after: Option<u64>| Closed::Refused {
        status: Status::new(status).unwrap(),
        retry_after: after.map(Duration::from_secs),
    };
    assert_eq!(seconds(&refused(503, Some(9))), (9, 9));
    for status in [401, 408, 429, 500, 503] {
        assert_eq!(ComeBack::after(&refused(status, None)), ComeBack::Retry);
    }
    for status in [301, 400, 403, 404, 410] {
        assert_eq!(ComeBack::after(&refused(status, Some(1))), ComeBack::Never);
    }
    let mut core = open(ReconnectOptions::new());
    send(&mut core, &["a"]);
    core.lost(by_peer(1000), at(0), 0);
    assert_eq!(
        events(&mut core),
        ["opened", "closed, unknown []", "gave up, unsent 1"]
    );
    assert_eq!(core.task(at(0)), ReconnectTask::Over);
    assert!(matches!(
        core.send("b".into()),
        Err(ReconnectError::Over(_))
    ));
    assert!(!core.try_now());
}

#[test]
fn attempts_are_counted_until_a_connection_is_stable() {
    let mut core = Reconnector::new(ReconnectOptions::new().attempts(3));
    let mut now = at(0);
    for nth in 1..=2 {
        let ReconnectTask::Connect(attempt) = core.task(now) else {
            panic!()
        };
        assert_eq!(attempt.number, nth);
        core.lost(lost(), now, 1 << 63);
        let ReconnectTask::Wait(until) = core.task(now) else {
            panic!()
        };
        assert_eq!(until, now + Duration::from_millis(500) * nth);
        now = until;
    }
    // Open for too short a time to count, and then long enough.
    core.task(now);
    core.opened(None, at(0));
    now += Duration::from_secs(10);
    core.lost(lost(), now, 0);
    for _ in 0..3 {
        assert!(matches!(core.task(now), ReconnectTask::Connect(_)));
        core.lost(lost(), now, 0);
    }
    let events = events(&mut core);
    assert_eq!(events.last().unwrap(), "gave up, unsent 0");
}

#[test]
fn the_end_of_a_stable_connection_is_no_failed_attempt_nor_is_one_that_was_asked_for() {
    let mut core = open(ReconnectOptions::new().attempts(1));
    core.lost(lost(), at(10_000), 0);
    assert!(matches!(core.task(at(10_000)), ReconnectTask::Connect(_)));
    core.opened(None, at(10_000));
    core.reconnect(Duration::ZERO);
    core.lost(by_peer(1000), at(10_001), 0);
    assert!(matches!(core.task(at(12_000)), ReconnectTask::Connect(_)));
    core.lost(lost(), at(12_000), 0);
    assert_eq!(core.task(at(12_000)), ReconnectTask::Over);
}

#[test]
fn somebody_asks_to_try_now() {
    let mut core = open(ReconnectOptions::new());
    assert!(!core.try_now());
    core.lost(lost(), at(0), u64::MAX);
    assert!(matches!(core.task(at(1)), ReconnectTask::Wait(_)));
    assert!(core.try_now());
    assert!(matches!(core.task(at(1)), ReconnectTask::Connect(_)));
}

#[test]
fn leaving_waits_for_what_was_sent() {
    let mut core = open(ReconnectOptions::new());
    let receipts = send(&mut core, &["a", "b"]);
    core.close(at(0));
    assert!(core.send("c".into()).is_err());
    let mut place = 10;
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "b", "ping"]);
    core.handed_over(place, at(0));
    core.pong(&PING.get());
    assert_eq!(write(&mut core, &mut place, at(1)), ["close"]);
    assert_eq!(write(&mut core, &mut place, at(1)), Vec::<String>::new());
    core.lost(by_peer(1000), at(2), 0);
    assert_eq!(
        events(&mut core),
        ["opened", "closed, unknown []", "finished, unsent 0"]
    );
    assert_eq!(states(&receipts), [ReceiptState::Confirmed; 2]);

    // To reconnect, nothing more is begun, and what waits goes out later.
    let mut core = open(ReconnectOptions::new());
    let mut place = 10;
    send(&mut core, &["a"]);
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "ping"]);
    send(&mut core, &["b"]);
    core.reconnect(Duration::from_secs(3));
    assert_eq!(write(&mut core, &mut place, at(1)), Vec::<String>::new());
    core.handed_over(place, at(0));
    core.pong(&PING.get());
    assert_eq!(write(&mut core, &mut place, at(2)), ["close"]);
    core.lost(by_peer(1000), at(3), 0);
    assert_eq!(core.task(at(3)), ReconnectTask::Wait(at(3003)));
    assert!(matches!(core.task(at(3003)), ReconnectTask::Connect(_)));
    core.opened(None, at(3003));
    assert_eq!(write(&mut core, &mut 10, at(3003)), ["b", "ping"]);
}

/// Speaks `resume EPOCH OFFSET`, `yes`, `no` and `OFFSET:text`.
struct Hub;

impl ResumeHook for Hub {
    fn ask(&mut self, last: Option<&Position>) -> Option<Message> {
        let last = last?;
        Some(format!("resume {} {}", last.epoch, last.offset).into())
    }

    fn see(&mut self, message: &Message, _: Option<&Position>) -> Seen {
        let text = message.text().unwrap();
        let position = |offset: &str| Position {
            epoch: "e".into(),
            offset: offset.parse().unwrap(),
        };
        match text.split_once(':') {
            Some((offset, _)) => Seen::At(position(offset)),
            None if text == "yes" => Seen::Resumed {
                recovered: true,
                position: None,
            },
            None if text == "no" => Seen::Resumed {
                recovered: false,
                position: Some(position("90")),
            },
            None => Seen::Message,
        }
    }
}

#[test]
fn a_lost_connection_is_taken_up_where_it_ended_before_anything_else_is_sent() {
    let mut core = open(ReconnectOptions::new().resume(Hub));
    let mut place = 10;
    send(&mut core, &["a"]);
    // Of a first connection there is nothing to resume.
    assert_eq!(write(&mut core, &mut place, at(0)), ["a", "ping"]);
    core.handed_over(place, at(0));
    core.received("7:x".into());
    core.received("8:y".into());
    core.lost(lost(), at(0), 0);
    send(&mut core, &["b"]);
    let ReconnectTask::Connect(attempt) = core.task(at(0)) else {
        panic!()
    };
    assert_eq!(attempt.position.unwrap().offset, 8);
    core.opened(None, at(0));
    let mut place = 10;
    assert_eq!(write(&mut core, &mut place, at(0)), ["resume e 8"]);
    core.received("yes".into());
    core.received("9:z".into());
    assert_eq!(write(&mut core, &mut place, at(1)), ["b", "ping"]);
    core.lost(lost(), at(1), 0);
    core.task(at(1));
    core.opened(None, at(1));
    let mut place = 10;
    assert_eq!(write(&mut core, &mut place, at(1)), ["resume e 9"]);
    core.received("no".into());
    assert_eq!(core.position().unwrap().offset, 90);
    let told = events(&mut core);
    assert_eq!(told[..2], ["opened", "7:x"]);
    assert_eq!(
        told[told.len() - 3..],
        ["waiting 3", "opened", "resumed false"]
    );
    assert!(told.contains(&"resumed true".into()));
}

/// Asks for two things, and counts the answers.
struct Two {
    left: usize,
    answers: usize,
}

impl ResumeHook for Two {
    fn ask(&mut self, _: Option<&Position>) -> Option<Message> {
        (self.left, self.answers) = (1, 0);
        Some("first".into())
    }

    fn ask_more(&mut self) -> Option<Message> {
        self.left = self.left.checked_sub(1)?;
        Some("second".into())
    }

    fn see(&mut self, message: &Message, _: Option<&Position>) -> Seen {
        if message.text() != Some("yes") {
            return Seen::Message;
        }
        self.answers += 1;
        match self.answers {
            2 => Seen::Resumed {
                recovered: true,
                position: None,
            },
            _ => Seen::Message,
        }
    }
}

#[test]
fn several_questions_leave_together_and_what_waits_does_so_until_the_last_answer() {
    let two = Two {
        left: 0,
        answers: 0,
    };
    let mut core = open(ReconnectOptions::new().resume(two));
    for _ in 0..2 {
        send(&mut core, &["a"]);
        let mut place = 10;
        assert_eq!(write(&mut core, &mut place, at(0)), ["first", "second"]);
        core.received("yes".into());
        assert!(write(&mut core, &mut place, at(0)).is_empty());
        core.received("yes".into());
        assert_eq!(write(&mut core, &mut place, at(0)), ["a", "ping"]);
        core.handed_over(place, at(0));
        core.lost(lost(), at(0), 0);
        core.task(at(0));
        core.opened(None, at(0));
    }
}

#[test]
fn a_server_that_never_says_what_it_resumes_is_left() {
    let mut core = open(ReconnectOptions::new().resume(Hub));
    core.set_position(Some(Position {
        epoch: "e".into(),
        offset: 3,
    }));
    assert_eq!(write(&mut core, &mut 10, at(0)), ["resume e 3"]);
    assert_eq!(core.deadline(), Some(at(10_000)));
    assert!(core.elapsed(at(10_000)).is_some());
}

#[test]
fn a_server_that_resumes_too_late_is_told_so_and_asked_again() {
    let overdue = CloseCode::new(4504);
    let options = ReconnectOptions::new().resume(Hub);
    let mut core = open(options.close_overdue(overdue, "too late"));
    core.set_position(Some(Position {
        epoch: "e".into(),
        offset: 3,
    }));
    let _waits = send(&mut core, &["a"]);
    let mut place = 10;
    assert_eq!(write(&mut core, &mut place, at(0)), ["resume e 3"]);
    assert_eq!(core.elapsed(at(10_000)), None);
    assert_eq!(
        write(&mut core, &mut place, at(10_000)),
        ["close 4504 too late"]
    );
    core.received("yes".into()); // it has crossed the Close
    assert_eq!(write(&mut core, &mut place, at(10_001)), [""; 0]);
    core.lost(by_peer(4504), at(10_002), 1 << 63);
    let told = events(&mut core);
    assert!(told.iter().any(|it| it.starts_with("waiting")), "{told:?}");
    // The message that waits is not lost.
    let ReconnectTask::Wait(until) = core.task(at(10_002)) else {
        panic!()
    };
    assert!(matches!(core.task(until), ReconnectTask::Connect(_)));
    core.opened(None, until);
    assert_eq!(write(&mut core, &mut place, until), ["resume e 3"]);
    core.received("yes".into());
    assert_eq!(write(&mut core, &mut place, until)[0], "a");
}

#[test]
fn one_that_is_closed_with_a_code_says_it_before_all_that_waits() {
    let mut core = open(ReconnectOptions::new());
    let receipts = send(&mut core, &["a", "b"]);
    core.close_with(CloseCode::new(4004), "no", at(0));
    assert!(core.send("c".into()).is_err());
    assert_eq!(write(&mut core, &mut 10, at(0)), ["close 4004 no"]);
    core.lost(by_peer(4004), at(1), 0);
    assert!(core.is_over());
    assert_eq!(states(&receipts), [ReceiptState::Unsent; 2]);
    // What may not be sent is not.
    for (code, reason) in [(1005, ""), (4004, &*"x".repeat(124))] {
        let mut core = open(ReconnectOptions::new());
        core.close_with(CloseCode::new(code), reason, at(0));
        assert_eq!(write(&mut core, &mut 10, at(0)), ["close"]);
    }
}

#[test]
fn clients_of_a_server_that_restarts_come_back_spread_over_the_window() {
    for seed in 1..=20_u64 {
        let mut state = seed;
        let mut dice = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mixed = (state ^ (state >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            mixed ^ (mixed >> 33)
        };
        let mut slots = [0_u32; 10];
        for _ in 0..1000 {
            let mut core = open(ReconnectOptions::new());
            core.lost(by_peer(1001), at(5000), dice());
            let ReconnectTask::Wait(until) = core.task(at(5000)) else {
                slots[0] += 1;
                continue;
            };
            let after = until.saturating_since(at(5000)).as_millis() as usize;
            slots[after / 100] += 1; // in the window
        }
        assert_eq!(slots.iter().sum::<u32>(), 1000);
        let most = slots.iter().max().unwrap();
        assert!(*most <= 200, "seed {seed}: {slots:?}");
        assert!(slots.iter().all(|&n| n > 0), "seed {seed}: {slots:?}");
    }
}
