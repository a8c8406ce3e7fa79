//! Peers that read slowly but without a stop: what the kernel has taken for them
//! is under way for minutes, and nothing of it may be lost.

use core::time::Duration;

use barewire::net::{Fate, KernelQueue, Limits, ScriptedClient};
use proptest::prelude::*;

use crate::scene::{Scene, Setting, UPGRADE, frame, get, text};

/// A kernel that holds megabytes for a peer that reads this many bytes a second.
const fn slow(rate: usize) -> KernelQueue {
    KernelQueue {
        size: 2_700_000,
        rate,
        step: 1460,
    }
}

fn connect(scene: &mut Scene, queue: KernelQueue) -> ScriptedClient {
    let client = scene.connect();
    scene.world.set_kernel_queue(client, queue);
    client
}

/// A WebSocket whose peer is slow from here on.
fn socket(scene: &mut Scene, queue: KernelQueue) -> ScriptedClient {
    let (client, _) = scene.ask(UPGRADE);
    scene.world.set_kernel_queue(client, queue);
    client
}

/// Lets seconds pass until so many bytes have arrived, or no more are under way.
fn collect(scene: &mut Scene, client: ScriptedClient, wanted: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < wanted && scene.world.queued(client) > 0 {
        scene.pass(1);
        all.extend(scene.world.take_output(client));
    }
    all
}

#[test]
fn who_never_pauses_gets_all_however_long_the_kernel_is_silent() {
    // A third of the queue takes a minute; nothing says that it shrinks.
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(15_000));
    scene.send(client, &get("/big/4000000"));
    let all = collect(&mut scene, client, 4_000_100);
    assert!(all.len() > 4_000_000, "{} bytes", all.len());
    assert_eq!(scene.fate(client), Fate::Open);
    assert_eq!(scene.events.counters().stalled, 0);
}

#[test]
fn who_takes_nothing_of_what_waits_is_reset_in_time() {
    for told in [true, false] {
        let mut scene = Scene::site();
        scene.world.tell_under_way(told);
        let client = connect(&mut scene, slow(0));
        scene.send(client, &get("/big/4000000"));
        scene.pass(29);
        assert_eq!(scene.fate(client), Fate::Open);
        scene.pass(4);
        assert_eq!(scene.fate(client), Fate::Reset, "{told}");
        assert!(scene.has("Gone Stalled"));
    }
}

#[test]
fn who_stops_in_the_middle_is_reset_though_we_write_and_it_talks() {
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(15_000));
    for _ in 0..5 {
        scene.send(client, &text(&"x".repeat(700_000)));
    }
    scene.pass(60);
    assert_eq!(scene.fate(client), Fate::Open);
    scene.world.set_kernel_queue(client, slow(0));
    // What the peer sends is no sign that it takes anything.
    for second in 0..64 {
        assert!(second > 29 || scene.fate(client) == Fate::Open);
        scene.send(client, &frame(0x89, b""));
        scene.pass(1);
    }
    assert_eq!(scene.fate(client), Fate::Reset);
}

#[test]
fn where_the_system_does_not_say_what_is_under_way_a_write_is_tried() {
    let mut scene = Scene::site();
    scene.world.tell_under_way(false);
    let client = connect(&mut scene, slow(15_000));
    scene.send(client, &get("/big/4000000"));
    let all = collect(&mut scene, client, 4_000_100);
    assert!(all.len() > 4_000_000, "{} bytes", all.len());
    assert_ne!(
        scene.fate(client),
        Fate::Reset,
        "closed: idle, as far as it can be seen"
    );
}

#[test]
fn what_was_sent_before_a_close_arrives_at_a_slow_peer_that_talks() {
    let mut scene = Scene::with(Setting::default(), |context, event| match event {
        barewire::link::Event::Message { kind, .. } => {
            context.send(kind, &[b'b'; 1_000_000]);
            let code = barewire::websocket::CloseCode::new(4000);
            let _ = context.close(code, ""); // refused the second time
        }
        event => crate::scene::serve(context, event),
    });
    let client = socket(&mut scene, slow(30_000));
    scene.send(client, &text("go"));
    let mut all = Vec::new();
    for second in 0..60 {
        if second % 3 == 0 && !scene.is_over(client) {
            scene.send(client, &text("are you there?"));
        }
        scene.pass(1);
        all.extend(scene.world.take_output(client));
    }
    assert_eq!(all.len(), 10 + 1_000_000 + 4);
    assert!(all.ends_with(&[0x88, 2, 0x0f, 0xa0]));
    assert_ne!(scene.fate(client), Fate::Reset);
    // It answers the Close, and all ends well.
    scene.send(client, &frame(0x88, &[0x0f, 0xa0]));
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
    assert!(scene.has("Gone Finished"));
}

/// It cannot answer, and so is asked for nothing; whether it reads is seen from
/// what it takes.
#[test]
fn who_has_sent_its_fin_and_reads_slowly_gets_all() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(15_000));
    scene.send(client, &get("/big/4000000"));
    scene.eof(client);
    let all = collect(&mut scene, client, usize::MAX);
    assert!(all.len() > 4_000_000, "{} bytes", all.len());
    assert_eq!(scene.fate(client), Fate::Closed);

    let client = socket(&mut scene, slow(15_000));
    for _ in 0..5 {
        scene.send(client, &text(&"x".repeat(700_000)));
    }
    scene.eof(client);
    let all = collect(&mut scene, client, usize::MAX);
    assert_eq!(all.len(), 5 * 700_010);
    assert_eq!(scene.fate(client), Fate::Closed);

    // Who takes nothing is given up as always.
    let client = connect(&mut scene, slow(0));
    scene.send(client, &get("/big/4000000"));
    scene.eof(client);
    scene.pass(33);
    assert_eq!(scene.fate(client), Fate::Reset);
}

#[test]
fn a_next_request_behind_a_minute_of_reading_is_answered() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(15_000));
    scene.send(client, &get("/big/2000000"));
    assert_eq!(
        scene.world.queued(client) / 1000,
        2000,
        "nothing waits here"
    );
    let mut all = collect(&mut scene, client, 1_500_000);
    scene.send(client, &get("/hello"));
    all.extend(collect(&mut scene, client, 500_500));
    assert!(
        all.len() > 2_000_000 && all.ends_with(b"hello"),
        "{}",
        all.len()
    );
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(130);
    assert_eq!(scene.fate(client), Fate::Closed, "idle");
}

#[test]
fn an_answer_is_not_lost_by_closing_behind_it() {
    let request = b"GET /big/1000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(30_000));
    scene.send(client, request);
    assert_eq!(scene.fate(client), Fate::Finished, "it lingers");
    scene.pass(10);
    scene.send(client, &get("/hello")); // would meet a closed socket
    let all = collect(&mut scene, client, 1_000_100);
    assert!(all.len() > 1_000_000, "{}", all.len());
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn a_peer_that_sends_without_end_behind_our_last_word_gets_that() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(20_000));
    scene.send(client, &get("/big/300000"));
    scene.send(client, b"nonsense\r\n\r\n");
    for _ in 0..40 {
        scene.send(client, &[b'x'; 65_536]);
    }
    let all = collect(&mut scene, client, 300_300);
    let all = String::from_utf8(all).unwrap();
    assert!(all.contains("HTTP/1.1 400 "), "{}", all.len());
    scene.pass(4);
    assert!(scene.is_over(client), "more than a MiB was thrown away");
    assert_eq!(scene.active(), 0);
}

#[test]
fn who_takes_nothing_of_our_last_words_does_not_linger_for_ever() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(0));
    scene.send(client, b"nonsense\r\n\r\n");
    scene.pass(29);
    assert_eq!(scene.fate(client), Fate::Finished);
    scene.pass(4);
    assert!(scene.is_over(client));
    assert_eq!(scene.active(), 0);
}

#[test]
fn a_ping_has_its_time_from_when_it_can_be_seen() {
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(9_000));
    scene.send(client, &text(&"x".repeat(900_000)));
    // The ping is put behind the message after 30 seconds, and read after 100.
    let all = collect(&mut scene, client, 900_012);
    assert_eq!(all.len(), 900_012);
    assert!(all.ends_with(&[0x89, 0]));
    scene.send(client, &frame(0x8a, b""));
    scene.pass(25);
    assert_eq!(scene.fate(client), Fate::Open);
    assert!(scene.world.take_output(client).is_empty());
}

#[test]
fn a_receive_buffer_or_a_proxy_may_hold_what_was_acknowledged() {
    // All of it is acknowledged in a moment; the peer reads it in 100 seconds.
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(9_000_000));
    scene.send(client, &text(&"x".repeat(900_000)));
    scene.pass(31);
    assert!(scene.world.take_output(client).ends_with(&[0x89, 0]));
    scene.pass(100);
    assert_eq!(scene.fate(client), Fate::Open);
    scene.send(client, &frame(0x8a, b""));
    scene.pass(31);
    assert!(scene.world.take_output(client).ends_with(&[0x89, 0]));
    // Behind a minute of silence a pong takes no longer than usual.
    scene.pass(31);
    assert!(scene.world.take_output(client).starts_with(&[0x88]));
}

#[test]
fn who_reads_all_and_answers_no_ping_is_closed_all_the_same() {
    // The queue is never empty: what comes behind the ping is no excuse.
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(1_000));
    scene.send(client, &text(&"x".repeat(10_000)));
    let exchange = scene.exchange_of("Message");
    let mut seconds = 0;
    while !scene.is_over(client) && seconds < 200 {
        scene.act(|context| {
            context.with(exchange, |context| {
                context.send(barewire::websocket::Kind::Text, &[b'y'; 990]);
            })
        });
        scene.pass(1);
        seconds += 1;
    }
    assert!((50..120).contains(&seconds), "{seconds}");
    assert!(scene.has("Gone ProtocolError"));
}

#[test]
fn who_takes_nothing_is_no_longer_waited_for_than_who_is_gone() {
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(0));
    scene.send(client, &text(&"x".repeat(900_000)));
    scene.pass(30 + 20 + 20 + 20);
    assert!(scene.has("Gone ProtocolError"), "{:?}", scene.log.borrow());
    scene.pass(35);
    assert!(scene.is_over(client));
}

#[test]
fn a_body_is_not_late_that_waits_for_a_continue_behind_other_output() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(10_000));
    scene.send(client, &get("/big/300000"));
    let head =
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    scene.send(client, head);
    let all = collect(&mut scene, client, usize::MAX);
    assert!(
        all.ends_with(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "{}",
        all.len()
    );
    scene.send(client, b"hello");
    assert!(collect(&mut scene, client, usize::MAX).ends_with(b"hello"));
    // Who has seen it is judged as always.
    scene.send(client, head);
    scene.pass(25);
    assert!(scene.take(client).contains("HTTP/1.1 408 "));
}

#[test]
fn draining_does_not_wait_for_a_reader_that_has_all_and_stays() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(50_000_000));
    scene.send(client, &get("/big/4000000"));
    scene.events.drain(Duration::from_secs(30));
    scene.settle();
    assert!(collect(&mut scene, client, 4_000_000).len() > 4_000_000);
    scene.pass(8);
    assert!(scene.events.is_drained(), "its time of lingering is over");
    assert_eq!(scene.fate(client), Fate::Closed);
}

#[test]
fn draining_resets_no_websocket_that_was_sent_its_close() {
    let mut scene = Scene::site();
    let client = socket(&mut scene, slow(12_000));
    scene.send(client, &text(&"x".repeat(400_000)));
    scene.events.drain(Duration::from_secs(10));
    scene.settle();
    scene.pass(12);
    assert!(scene.events.is_drained());
    assert_eq!(scene.fate(client), Fate::Closed);
    assert!(collect(&mut scene, client, 400_014).ends_with(&[0x88, 2, 3, 0xe9]));
}

#[test]
fn draining_leaves_what_is_under_way_to_the_kernel() {
    let mut scene = Scene::site();
    let client = connect(&mut scene, slow(15_000));
    let stalls = connect(&mut scene, slow(15_000));
    scene.send(client, &get("/big/600000"));
    scene.send(stalls, &get("/big/6000000"));
    scene.events.drain(Duration::from_secs(10));
    scene.settle();
    scene.pass(12);
    assert!(scene.events.is_drained());
    assert_eq!(scene.fate(stalls), Fate::Reset, "some of it never left");
    assert_eq!(scene.fate(client), Fate::Closed);
    assert!(collect(&mut scene, client, 600_000).len() > 400_000);
}

/// One life with a slow peer: what it asks for, and how it reads.
fn live(websocket: bool, sizes: &[usize], queue: KernelQueue, pauses: &[(u64, u64)]) {
    let limits = Limits::DEFAULT.with_backlog_cap(8 << 20);
    let mut scene = Scene::site_with(Setting {
        limits,
        ..Setting::default()
    });
    let client = match websocket {
        true => socket(&mut scene, queue),
        false => connect(&mut scene, queue),
    };
    let mut wanted = 0;
    for &size in sizes {
        let asked = match websocket {
            true => text(&"x".repeat(size)),
            false => get(&format!("/big/{size}")),
        };
        scene.send(client, &asked);
        wanted += size;
        if websocket {
            // Its length in the frame's head may look like content.
            wanted += size
                .to_be_bytes()
                .iter()
                .filter(|&&byte| byte == b'x')
                .count();
        }
    }
    let (mut got, mut second, mut pongs) = (0, 0, 0);
    let mut tail = Vec::new();
    while got < wanted {
        let paused = pauses
            .iter()
            .any(|&(from, long)| (from..from + long).contains(&second));
        let rate = if paused { 0 } else { queue.rate };
        scene
            .world
            .set_kernel_queue(client, KernelQueue { rate, ..queue });
        scene.pass(1);
        second += 1;
        let more = scene.world.take_output(client);
        got += more.iter().filter(|&&byte| byte == b'x').count();
        tail.extend(more);
        // It answers each ping as soon as it sees it: the only frame without
        // content.
        let pings = tail.windows(2).filter(|pair| pair == &[0x89, 0]).count();
        for _ in pongs..pings {
            scene.send(client, &frame(0x8a, b""));
        }
        pongs = pings;
        // Who has all may be idle by now: that counts from the last exchange.
        assert!(
            !scene.is_over(client) || got == wanted,
            "ended after {second} s and {got} of {wanted} bytes"
        );
    }
    assert_eq!(got, wanted);
    assert_ne!(scene.fate(client), Fate::Reset);
    assert!(!scene.has("Gone Stalled") && !scene.has("Gone ProtocolError"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    /// `docs/limits.md`: who reads at least R bytes a second, acknowledges in
    /// steps of at most S, and never pauses for longer than P loses nothing and
    /// is never ended.
    #[test]
    fn who_keeps_the_pace_loses_nothing(
        websocket in any::<bool>(),
        sizes in prop::collection::vec(1..500_000_usize, 1..4),
        size in 20_000..3_000_000_usize,
        rate in 4096..60_000_usize,
        step in 1..=32_768_usize,
        pauses in prop::collection::vec((0..300_u64, 1..=10_u64), 0..4),
    ) {
        let step = step.min(size / 3);
        // Two pauses in a row would be a longer one.
        let pauses: Vec<_> = pauses.into_iter().enumerate().map(|(at, (from, long))| {
            (from / 4 + 90 * at as u64, long)
        }).collect();
        live(websocket, &sizes, KernelQueue { size, rate, step }, &pauses);
    }
}

mod over_http2 {
    use super::{KernelQueue, Scene, ScriptedClient, collect, slow};
    use crate::http2_support::*;
    use barewire::net::Fate;
    use proptest::prelude::*;

    const WINDOW: u32 = 4 << 20;

    /// A client whose windows are wide open, as those of browsers are.
    fn wide(scene: &mut Scene, queue: KernelQueue) -> ScriptedClient {
        let client = scene.connect();
        let mut bytes = opening();
        let mut setting = vec![0, 4];
        setting.extend(WINDOW.to_be_bytes());
        bytes.extend(frame(SETTINGS, 0, 0, &setting));
        bytes.extend(number(WINDOW_UPDATE, 0, 1 << 29));
        scene.send(client, &bytes);
        scene.world.take_output(client);
        scene.world.set_kernel_queue(client, queue);
        client
    }

    fn asked(id: u32, path: &str) -> Vec<u8> {
        let list = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
        ];
        frame(HEADERS, END_HEADERS | END_STREAM, id, &block(&list))
    }

    /// Reads on, and returns what was read as WINDOW_UPDATE; the frames that came.
    fn read(scene: &mut Scene, client: ScriptedClient, seconds: usize) -> Vec<u8> {
        let mut all = Vec::new();
        for _ in 0..seconds {
            scene.pass(1);
            let more = scene.world.take_output(client);
            if !more.is_empty() && !scene.is_over(client) {
                scene.send(client, &number(WINDOW_UPDATE, 0, more.len() as u32));
            }
            all.extend(more);
        }
        all
    }

    fn whole(out: &[u8]) -> (usize, Vec<Sent>) {
        let frames = frames(out);
        let data = frames.iter().filter(|frame| frame.kind == DATA);
        (data.map(|frame| frame.payload.len()).sum(), frames)
    }

    /// One life with a slow peer that opens its windows as it reads.
    fn live(window: u32, sizes: &[usize], queue: KernelQueue, pauses: &[(u64, u64)]) {
        let mut scene = Scene::site();
        let client = scene.connect();
        let mut bytes = opening();
        let mut setting = vec![0, 4];
        setting.extend(window.to_be_bytes());
        bytes.extend(frame(SETTINGS, 0, 0, &setting));
        bytes.extend(number(WINDOW_UPDATE, 0, window));
        scene.send(client, &bytes);
        scene.world.take_output(client);
        scene.world.set_kernel_queue(client, queue);
        for (n, size) in sizes.iter().enumerate() {
            scene.send(client, &asked(2 * n as u32 + 1, &format!("/big/{size}")));
        }
        let wanted = sizes.iter().sum();
        let (mut got, mut second, mut rest) = (0, 0, Vec::new());
        while got < wanted {
            let is_pause = |&(from, long): &(u64, u64)| (from..from + long).contains(&second);
            let rate = if pauses.iter().any(is_pause) {
                0
            } else {
                queue.rate
            };
            scene
                .world
                .set_kernel_queue(client, KernelQueue { rate, ..queue });
            scene.pass(1);
            second += 1;
            rest.extend(scene.world.take_output(client));
            let mut said = Vec::new();
            for it in frames(&take_front(&mut rest)) {
                assert!(it.kind != RST_STREAM, "after {second} s");
                if it.kind == DATA && !it.payload.is_empty() {
                    let len = it.payload.len();
                    got += len;
                    said.extend(number(WINDOW_UPDATE, 0, len as u32));
                    if it.flags & END_STREAM == 0 {
                        said.extend(number(WINDOW_UPDATE, it.stream, len as u32));
                    }
                }
                if it.kind == PING && it.flags & ACK == 0 {
                    said.extend(frame(PING, ACK, 0, &it.payload));
                }
            }
            assert!(
                !scene.is_over(client) || got == wanted,
                "ended after {second} s and {got} of {wanted} bytes"
            );
            if !said.is_empty() && !scene.is_over(client) {
                scene.send(client, &said);
            }
        }
        assert_eq!(got, wanted);
        assert_ne!(scene.fate(client), Fate::Reset);
        assert!(!scene.has("Gone Stalled") && !scene.has("Gone ProtocolError"));
    }

    /// Takes the frames that are there to their ends.
    fn take_front(bytes: &mut Vec<u8>) -> Vec<u8> {
        let mut len = 0;
        while let Some(&[a, b, c]) = bytes.get(len..len + 3) {
            let next = len + 9 + u32::from_be_bytes([0, a, b, c]) as usize;
            if next > bytes.len() {
                break;
            }
            len = next;
        }
        bytes.drain(..len).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]

        /// The promise of `docs/limits.md`, for who opens windows as it reads.
        #[test]
        fn who_keeps_the_pace_loses_nothing(
            window in 20_000..4_000_000_u32,
            sizes in prop::collection::vec(1..400_000_usize, 1..4),
            size in 20_000..3_000_000_usize,
            rate in 4096..60_000_usize,
            step in 1..=32_768_usize,
            pauses in prop::collection::vec((0..300_u64, 1..=10_u64), 0..4),
        ) {
            let step = step.min(size / 3);
            // Two pauses in a row would be a longer one.
            let pauses: Vec<_> = pauses.into_iter().enumerate().map(|(at, (from, long))| {
                (from / 4 + 90 * at as u64, long)
            }).collect();
            live(window, &sizes, KernelQueue { size, rate, step }, &pauses);
        }
    }

    #[test]
    fn who_has_sent_its_fin_and_reads_slowly_gets_all() {
        let mut scene = Scene::site();
        let client = scene.connect();
        scene.world.set_kernel_queue(client, slow(30_000));
        let mut bytes = opening();
        let window = (1_u32 << 30).to_be_bytes();
        bytes.extend(frame(SETTINGS, 0, 0, &[&[0, 4], &window[..]].concat()));
        bytes.extend(number(WINDOW_UPDATE, 0, 1 << 29));
        bytes.extend(asked(1, "/big/6000000"));
        scene.send(client, &bytes);
        scene.eof(client);
        let out = collect(&mut scene, client, usize::MAX);
        let (data, frames) = whole(&out);
        assert_eq!(data, 6_000_000);
        assert!(frames.iter().all(|frame| frame.kind != PING));
        assert_eq!(scene.fate(client), Fate::Closed);
    }

    #[test]
    fn the_end_of_a_response_is_not_lost_to_the_idle_time() {
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(15_000));
        scene.send(client, &asked(1, "/big/1500000"));
        let out = read(&mut scene, client, 104);
        let (data, frames) = whole(&out);
        assert_eq!(data, 1_500_000);
        assert_eq!(
            frames.iter().filter(|frame| frame.kind == GOAWAY).count(),
            0
        );
        // Then it is idle, and PINGs do not change that.
        let mut out = Vec::new();
        for _ in 0..16 {
            if !scene.is_over(client) {
                scene.send(client, &frame(PING, 0, 0, b"12345678"));
            }
            out.extend(read(&mut scene, client, 8));
        }
        assert!(frames_of(&out, GOAWAY) > 0);
        assert!(scene.is_over(client));
    }

    fn frames_of(out: &[u8], kind: u8) -> usize {
        frames(out)
            .iter()
            .filter(|frame| frame.kind == kind)
            .count()
    }

    #[test]
    fn who_uses_what_it_was_sent_is_not_idle() {
        // All is acknowledged in a moment, and used at 15 kB a second.
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000_000));
        scene.send(client, &asked(1, "/big/1500000"));
        for _ in 0..100 {
            scene.send(client, &number(WINDOW_UPDATE, 0, 15_000));
            scene.pass(1);
        }
        assert_eq!(frames_of(&scene.world.take_output(client), GOAWAY), 0);
        assert_eq!(scene.fate(client), Fate::Open);
        // More than it was sent it cannot use.
        for _ in 0..70 {
            scene.send(client, &number(WINDOW_UPDATE, 0, 15_000));
            scene.pass(1);
        }
        assert_eq!(frames_of(&scene.world.take_output(client), GOAWAY), 1);
    }

    #[test]
    fn a_drip_of_windows_does_not_hold_a_connection() {
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000_000));
        scene.send(client, &asked(1, "/big/1500000"));
        for _ in 0..75 {
            scene.send(client, &number(WINDOW_UPDATE, 0, 100));
            scene.pass(1);
        }
        assert_eq!(frames_of(&scene.world.take_output(client), GOAWAY), 1);
    }

    #[test]
    fn a_ping_has_its_time_from_when_it_can_be_seen() {
        // A stream is open, so that the connection is pinged and not idle.
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000));
        scene.send(client, &asked(1, "/feed"));
        scene.send(client, &asked(3, "/big/1200000"));
        let mut out = Vec::new();
        while frames_of_front(&out, PING) == 0 && !scene.is_over(client) {
            scene.pass(1);
            out.extend(scene.world.take_output(client));
        }
        assert!(out.len() > 1_200_000, "{}", out.len());
        scene.send(client, &frame(PING, ACK, 0, b"alive???"));
        scene.pass(30);
        assert_eq!(scene.fate(client), Fate::Open);
        assert!(!scene.has("Gone"));
    }

    /// Counts frames of a kind in an output that may end within one.
    fn frames_of_front(out: &[u8], kind: u8) -> usize {
        let (mut rest, mut found) = (out, 0);
        while let [a, b, c, this, ..] = *rest {
            let len = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
            if rest.len() < len {
                break;
            }
            found += usize::from(this == kind);
            rest = &rest[len..];
        }
        found
    }

    #[test]
    fn a_body_is_not_late_that_waits_for_a_window_behind_other_output() {
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(10_000));
        scene.send(client, &asked(1, "/big/400000"));
        let list = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/take"),
        ];
        scene.send(client, &frame(HEADERS, END_HEADERS, 3, &block(&list)));
        // All that its window allows; the next one is 40 seconds away.
        for _ in 0..4 {
            scene.send(client, &frame(DATA, 0, 3, &[0; 16_000]));
        }
        let out = read(&mut scene, client, 30);
        assert!(!scene.has("Gone"), "{}", out.len());
        scene.pass(30);
        assert!(
            scene.has("Gone Stalled"),
            "it is judged when it has its window"
        );
    }

    #[test]
    fn a_window_is_not_shut_for_long_if_its_peer_cannot_have_seen_the_data() {
        // The second stream's window is used up behind the first one's data.
        let mut scene = Scene::site();
        let client = scene.connect();
        let mut bytes = opening();
        bytes.extend(number(WINDOW_UPDATE, 0, 1 << 29));
        scene.send(client, &bytes);
        scene.world.take_output(client);
        scene.world.set_kernel_queue(client, slow(9_000));
        scene.send(client, &asked(1, "/big/1000000"));
        scene.send(client, &number(WINDOW_UPDATE, 1, WINDOW));
        scene.send(client, &asked(3, "/big/100000"));
        let mut out = Vec::new();
        for _ in 0..200 {
            scene.pass(1);
            out.extend(scene.world.take_output(client));
            if out.len() > 1_065_000 {
                break;
            }
        }
        assert!(!scene.has("Gone Stalled"), "{} bytes", out.len());
        scene.send(client, &number(WINDOW_UPDATE, 3, 40_000));
        let more = collect(&mut scene, client, 34_000);
        assert!(out.len() + more.len() > 1_100_000);
        // Windows that never open are still given up.
        scene.send(client, &asked(5, "/big/100000"));
        assert!(!scene.has("Gone"));
        scene.pass(400);
        assert!(scene.has("Gone"));
    }

    /// Opens a WebSocket on a stream.
    fn socket(scene: &mut Scene, client: ScriptedClient, id: u32) {
        let list = [
            (":method", "CONNECT"),
            (":protocol", "websocket"),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", "/ws"),
            ("sec-websocket-version", "13"),
        ];
        scene.send(client, &frame(HEADERS, END_HEADERS, id, &block(&list)));
    }

    /// The content of a stream, in an output that may end within a frame.
    fn content(out: &[u8], id: u32) -> Vec<u8> {
        let all = frames(&take_front(&mut out.to_vec()));
        let of_it = all.iter().filter(|it| it.kind == DATA && it.stream == id);
        of_it.flat_map(|it| it.payload.clone()).collect()
    }

    /// A WebSocket in a stream beside one that fills the kernel's queue without an
    /// end: how many seconds its peer is waited for, and what it was sent.
    fn silent(scene: &mut Scene, client: ScriptedClient, id: u32, most: u64) -> (u64, Vec<u8>) {
        scene.send(client, &asked(101, "/feed"));
        let feed = scene.exchange_of("Request");
        let mut out = Vec::new();
        for second in 0..most {
            scene.act(|context| context.with(feed, |context| context.write(&[b'y'; 990])));
            scene.pass(1);
            out.extend(scene.world.take_output(client));
            // It shows that the connection lives, and not that the WebSocket does.
            scene.send(client, &frame(PING, 0, 0, b"12345678"));
            if content(&out, id)
                .windows(4)
                .any(|it| it == [0x88, 14, 3, 0xf3])
            {
                return (second, out);
            }
        }
        (most, out)
    }

    #[test]
    fn a_websocket_that_answers_no_ping_is_closed_though_others_are_sent_much() {
        // The queue is never empty: what comes behind the ping is no excuse.
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000_000));
        socket(&mut scene, client, 1);
        scene.world.take_output(client);
        scene.send(client, &asked(3, "/big/10000"));
        scene.world.set_kernel_queue(client, slow(1_100));
        let (seconds, out) = silent(&mut scene, client, 1, 300);
        assert!((50..120).contains(&seconds), "{seconds}");
        assert!(content(&out, 1).starts_with(&[0x89, 0]));
    }

    #[test]
    fn a_websocket_that_answers_nothing_is_waited_for_no_longer_than_it_may_take() {
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000_000));
        socket(&mut scene, client, 1);
        scene.world.take_output(client);
        let (seconds, _) = silent(&mut scene, client, 1, 300);
        assert!(
            (50..53).contains(&seconds),
            "30 to the ping, and 20: {seconds}"
        );
    }

    #[test]
    fn the_ping_of_a_websocket_has_its_time_from_when_it_can_be_seen() {
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000));
        socket(&mut scene, client, 1);
        scene.send(client, &asked(3, "/big/900000"));
        // The ping is put behind that after 30 seconds, and read after 100.
        let mut out = Vec::new();
        while !content(&out, 1).ends_with(&[0x89, 0]) {
            assert!(scene.world.queued(client) > 0, "{} bytes", out.len());
            out.extend(read(&mut scene, client, 1));
        }
        assert!(out.len() > 900_000, "{}", out.len());
        let pong = crate::scene::frame(0x8a, b"");
        scene.send(client, &frame(DATA, 0, 1, &pong));
        out = read(&mut scene, client, 25);
        assert_eq!(content(&out, 1), b"");
        assert!(!scene.has("Gone Violation"), "{:?}", scene.log.borrow());
    }

    #[test]
    fn a_receive_buffer_or_a_proxy_may_hold_the_ping_of_a_websocket() {
        // All of it is acknowledged in a moment; the peer reads it in 100 seconds.
        let mut scene = Scene::site();
        let client = wide(&mut scene, slow(9_000_000));
        socket(&mut scene, client, 1);
        scene.send(client, &asked(3, "/big/900000"));
        let read = |scene: &mut Scene, client, seconds: usize| {
            let mut all = Vec::new();
            for _ in 0..seconds {
                // It shows that the connection lives, and not that the WebSocket does.
                scene.send(client, &frame(PING, 0, 0, b"12345678"));
                all.extend(read(scene, client, 1));
            }
            all
        };
        let mut out = read(&mut scene, client, 32);
        assert!(content(&out, 1).ends_with(&[0x89, 0]));
        out = read(&mut scene, client, 100);
        assert_eq!(content(&out, 1), b"");
        let pong = crate::scene::frame(0x8a, b"");
        scene.send(client, &frame(DATA, 0, 1, &pong));
        out = read(&mut scene, client, 32);
        assert_eq!(content(&out, 1), [0x89, 0]);
        // Behind a minute of silence a pong takes no longer than usual.
        out = read(&mut scene, client, 32);
        assert!(content(&out, 1).starts_with(&[0x88]), "{out:?}");
    }
}
