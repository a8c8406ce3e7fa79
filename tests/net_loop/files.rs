//! Bodies that are sent from files.

use core::time::Duration;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use barewire::http::{Fields, ResponseHead, Status};
use barewire::link::{Body, Event};
use barewire::net::{Context, Fate, FilePart, Flow, Limits, ScriptedClient};

use crate::scene::{Scene, Setting, begin, get, ok, path};

const CAP: usize = 20_000;

fn small() -> Limits {
    Limits::DEFAULT
        .with_backlog_high(1000)
        .with_backlog_low(100)
        .with_backlog_cap(CAP)
}

/// A file that is removed with its last handle.
fn file(len: usize) -> (Arc<File>, Vec<u8>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("barewire-net-{}-{number}", std::process::id());
    let place: PathBuf = std::env::temp_dir().join(name);
    let bytes: Vec<u8> = (0..len).map(|at| (at / 7 % 251) as u8).collect();
    let options = &mut File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&place)
        .unwrap();
    std::fs::remove_file(&place).unwrap();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    (Arc::new(file), bytes)
}

fn head(context: &mut Context<'_>, length: Option<u64>) {
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let body = Body::Streamed {
        length,
        endless: false,
    };
    context.respond(&head, body).unwrap();
}

/// `/file` is the file, `/hello` is not.
fn site(limits: Limits, file: &Arc<File>) -> Scene {
    let file = file.clone();
    Scene::with(
        Setting {
            limits,
            ..Setting::default()
        },
        move |context, event| {
            let Event::Request { head: request, .. } = event else {
                return;
            };
            if path(&request) == "/hello" {
                return ok(context, b"hello");
            }
            let part = FilePart::whole(file.try_clone().unwrap()).unwrap();
            let part = FilePart::new(file.clone(), 0, part.len());
            head(context, Some(part.len()));
            assert!(context.write_file(part).is_taken());
            context.finish(Fields::EMPTY).unwrap();
        },
    )
}

/// What was written since the last call, as head and body.
fn answer(scene: &Scene, client: ScriptedClient) -> (String, Vec<u8>) {
    let out = scene.world.take_output(client);
    let end = out.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    (
        String::from_utf8(out[..end].to_vec()).unwrap(),
        out[end..].to_vec(),
    )
}

#[test]
fn a_file_follows_its_head() {
    let (file, bytes) = file(300_000);
    let mut scene = site(Limits::DEFAULT, &file);
    let client = scene.connect();
    for _ in 0..3 {
        scene.send(client, &get("/file"));
        let (head, body) = answer(&scene, client);
        assert!(head.contains("Content-Length: 300000\r\n"), "{head}");
        assert!(body == bytes);
        assert_eq!(scene.fate(client), Fate::Open);
    }
    assert_eq!(Arc::strong_count(&file), 2, "no part is left");
}

#[test]
fn a_file_that_leaves_at_once_takes_one_turn() {
    let (file, bytes) = file(900_000);
    let mut scene = site(Limits::DEFAULT, &file);
    let client = scene.connect();
    scene.world.send(client, &get("/file"));
    scene.turn();
    assert!(answer(&scene, client).1 == bytes);
    scene.turn();
    assert_ne!(
        scene.world.last_timeout(),
        Some(Duration::ZERO),
        "there is more to do"
    );
    assert!(!scene.has("Writable"), "to whom?");
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("hello"));
}

#[test]
fn a_head_request_gets_the_length_and_nothing_of_the_file() {
    let (file, _) = file(5000);
    let mut scene = site(Limits::DEFAULT, &file);
    let (client, text) = scene.ask(b"HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        text.contains("Content-Length: 5000\r\n") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("\r\n\r\nhello"));
    assert_eq!(Arc::strong_count(&file), 2);
}

#[test]
fn a_long_file_goes_out_in_turns_and_others_are_served_between() {
    let (file, bytes) = file(10 * CAP);
    let mut scene = site(small(), &file);
    let (fast, other) = (scene.connect(), scene.connect());
    scene.world.send(fast, &get("/file"));
    let mut turns = 0;
    let mut sent = Vec::new();
    while sent.len() < bytes.len() {
        scene.world.send(other, &get("/hello"));
        scene.turn();
        let more = scene.world.take_output(fast);
        // A share when its turn begins, and one at its end.
        assert!(more.len() <= 2 * CAP + 1024, "{}", more.len());
        sent.extend(more);
        assert!(scene.take(other).ends_with("hello"), "in turn {turns}");
        turns += 1;
        assert!(turns < 20);
    }
    assert!(sent.ends_with(&bytes));
    assert!(turns >= 5);
}

#[test]
fn a_peer_that_reads_slowly_gets_every_byte() {
    let (file, bytes) = file(70_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &get("/file"));
    let mut sent = Vec::new();
    for n in 0.. {
        // Within the head, to its end, and in pieces of any size behind it.
        scene.world.allow_write(client, 1 + n * 37 % 5000);
        scene.settle();
        let more = scene.world.take_output(client);
        if more.is_empty() {
            break;
        }
        sent.extend(more);
    }
    assert!(sent.ends_with(&bytes));
    assert_eq!(scene.fate(client), Fate::Open);
    assert_eq!(Arc::strong_count(&file), 2);
}

#[test]
fn what_is_pipelined_behind_a_file_waits_and_is_answered_behind_it() {
    let (file, bytes) = file(50_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.stop_reading(client);
    for _ in 0..20 {
        scene.send(client, &[get("/file"), get("/hello")].concat());
    }
    assert_eq!(
        scene.count("Request"),
        1,
        "each request would hold a file open"
    );
    scene.world.allow_all(client);
    scene.settle();
    assert_eq!(scene.count("Request"), 40);
    let out = scene.world.take_output(client);
    assert!(out.len() > 20 * bytes.len());
    assert!(out.ends_with(b"\r\n\r\nhello"));
}

#[test]
fn a_file_that_became_too_short_cuts_the_connection() {
    let (file, bytes) = file(50_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &[get("/file"), get("/hello")].concat());
    scene.world.allow_write(client, 10_000);
    scene.settle();
    file.set_len(30_000).unwrap();
    scene.world.allow_all(client);
    scene.settle();
    let (head, body) = answer(&scene, client);
    assert!(head.contains("Content-Length: 50000\r\n"), "{head}");
    assert!(body.len() <= 30_000 && body == bytes[..body.len()]);
    assert_eq!(scene.fate(client), Fate::Reset, "not closed in peace");
    assert!(scene.has("Gone Aborted"));
    assert_eq!((scene.active(), Arc::strong_count(&file)), (0, 2));
}

#[test]
fn a_file_that_grows_is_sent_as_long_as_it_was_announced() {
    let (file, bytes) = file(50_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.stop_reading(client);
    scene.send(client, &get("/file"));
    file.set_len(90_000).unwrap();
    scene.world.allow_all(client);
    scene.settle();
    assert!(answer(&scene, client).1 == bytes);
    scene.send(client, &get("/hello"));
    assert!(scene.take(client).ends_with("hello"));
}

#[test]
fn a_peer_that_resets_in_the_middle_frees_the_file() {
    let (file, _) = file(50_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.allow_write(client, 10_000);
    scene.send(client, &get("/file"));
    assert_eq!(Arc::strong_count(&file), 3);
    scene.reset(client);
    assert!(scene.has("Gone Reset"));
    assert_eq!((scene.active(), Arc::strong_count(&file)), (0, 2));
}

#[test]
fn a_peer_that_has_finished_sending_gets_the_whole_file() {
    let (file, bytes) = file(50_000);
    let mut scene = site(small(), &file);
    let client = scene.connect();
    scene.world.allow_write(client, 10_000);
    scene.send(client, &get("/file"));
    scene.eof(client);
    assert_eq!(scene.fate(client), Fate::Open);
    scene.world.allow_all(client);
    scene.settle();
    assert!(answer(&scene, client).1 == bytes);
    assert!(scene.is_over(client));
}

#[test]
fn a_peer_that_takes_nothing_is_cut_in_time() {
    let (file, _) = file(50_000);
    let limits = small().with_write_progress(Duration::from_secs(5));
    let mut scene = site(limits, &file);
    let client = scene.connect();
    scene.world.allow_write(client, 10_000);
    scene.send(client, &get("/file"));
    scene.pass(4);
    assert_eq!(scene.fate(client), Fate::Open);
    scene.pass(4);
    assert_eq!(scene.fate(client), Fate::Reset);
    assert!(scene.has("Gone Stalled"));
    assert_eq!(Arc::strong_count(&file), 2);
}

#[test]
fn the_length_of_a_file_is_no_memory() {
    let (file, _) = file(3_000_000);
    let mut scene = site(Limits::DEFAULT.with_memory(100_000), &file);
    let clients: Vec<_> = (0..10).map(|_| scene.connect()).collect();
    for &client in &clients {
        scene.world.stop_reading(client);
        scene.send(client, &get("/file"));
    }
    assert!(clients.iter().all(|&it| scene.fate(it) == Fate::Open));
    for &client in &clients {
        scene.world.allow_all(client);
    }
    scene.settle();
    assert!(
        clients
            .iter()
            .all(|&it| scene.world.output(it).len() > 3_000_000)
    );
}

#[test]
fn parts_and_bytes_leave_in_the_order_in_which_they_were_written() {
    let (file, bytes) = file(60_000);
    let mut scene = Scene::with(
        Setting {
            limits: small(),
            ..Setting::default()
        },
        move |context, event| {
            let Event::Request { .. } = event else { return };
            head(context, Some(6 + 3 * 30_000));
            for from in [0, 30_000, 7] {
                assert!(context.write(b"--").is_taken());
                // Far beyond the cap together, but not in memory.
                let part = FilePart::new(file.clone(), from, 30_000);
                assert_eq!(context.write_file(part), Flow::Wait);
            }
            context.finish(Fields::EMPTY).unwrap();
        },
    );
    let client = scene.connect();
    scene.send(client, &get("/parts"));
    let expected = [
        b"--",
        &bytes[..30_000],
        b"--",
        &bytes[30_000..],
        b"--",
        &bytes[7..30_007],
    ]
    .concat();
    assert!(answer(&scene, client).1 == expected);
    assert_eq!(scene.fate(client), Fate::Open);
}

#[test]
fn more_than_was_announced_is_refused() {
    let (file, _) = file(100);
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        let Event::Request { .. } = event else { return };
        head(context, Some(99));
        let part = FilePart::new(file.clone(), 0, 100);
        assert!(matches!(context.write_file(part), Flow::Over(_)));
        assert_eq!(
            context.write_file(FilePart::new(file.clone(), 1, 99)),
            Flow::Go
        );
        context.finish(Fields::EMPTY).unwrap();
    });
    let (_, text) = scene.ask(&get("/"));
    assert!(text.contains("Content-Length: 99\r\n"));
    assert_eq!(text.split_once("\r\n\r\n").unwrap().1.len(), 99);
}

#[test]
fn in_a_chunked_body_a_part_is_a_chunk() {
    let (file, bytes) = file(0x1234);
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        let Event::Request { .. } = event else { return };
        begin(context, false);
        assert!(context.write(b"a").is_taken());
        assert!(
            context
                .write_file(FilePart::new(file.clone(), 0, 0x1234))
                .is_taken()
        );
        context.finish(Fields::EMPTY).unwrap();
    });
    let client = scene.connect();
    scene.send(client, &get("/"));
    let (_, body) = answer(&scene, client);
    let expected = [b"1\r\na\r\n1234\r\n", &bytes[..], b"\r\n0\r\n\r\n"].concat();
    assert!(body == expected);
}

#[test]
fn a_raw_connection_sends_files_too() {
    let (file, bytes) = file(5000);
    let mut scene = Scene::raw(Limits::DEFAULT, move |context, event| {
        if let Event::Data(_) = event {
            assert_eq!(context.write(b"<"), Flow::Go);
            assert_eq!(
                context.write_file(FilePart::new(file.clone(), 0, 5000)),
                Flow::Go
            );
            assert_eq!(context.write(b">"), Flow::Go);
        }
    });
    let client = scene.connect();
    scene.send(client, b"?");
    assert!(scene.world.take_output(client) == [b"<", &bytes[..], b">"].concat());
}

#[test]
fn a_panic_takes_the_file_back() {
    let (file, _) = file(5000);
    let kept = file.clone();
    let mut scene = Scene::with(Setting::default(), move |context, event| {
        let Event::Request { .. } = event else { return };
        head(context, Some(5000));
        assert!(
            context
                .write_file(FilePart::new(file.clone(), 0, 5000))
                .is_taken()
        );
        panic!("as asked");
    });
    let (_, text) = scene.ask(&get("/"));
    assert!(text.starts_with("HTTP/1.1 500 "), "{text}");
    assert_eq!(Arc::strong_count(&kept), 2);
}
