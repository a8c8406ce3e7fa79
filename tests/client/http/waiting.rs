//! Deadlines, cancelling, and connections between requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use barewire::client::{Canceller, Client, ClientLimits, ClientOptions, ErrorKind, Phase};

use super::script::{Act, Server, answer, send};
use super::{SHORT, hurried};

#[test]
fn each_phase_has_its_own_time_and_error() {
    let limits = ClientLimits::DEFAULT;
    for (limits, script, phase, limit) in [
        (
            limits.with_response_time(SHORT),
            vec![Act::Read, Act::Stall],
            Phase::Response,
            "response_time",
        ),
        (
            limits.with_silence_time(SHORT),
            vec![
                Act::Read,
                send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
                Act::Stall,
            ],
            Phase::Body,
            "silence_time",
        ),
        (
            limits.with_total_time(SHORT),
            vec![Act::Read, Act::Stall],
            Phase::Response,
            "total_time",
        ),
        (
            limits.with_total_time(SHORT),
            vec![
                Act::Read,
                send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
                Act::Stall,
            ],
            Phase::Body,
            "total_time",
        ),
    ] {
        let server = Server::once(script);
        let response = hurried(limits).get(server.url("/")).send();
        let error = response.and_then(|it| it.text()).unwrap_err();
        assert_eq!(
            (error.phase(), error.is_timeout()),
            (phase, true),
            "{error}"
        );
        assert!(
            matches!(error.kind(), ErrorKind::TimedOut(it) if *it == limit),
            "{error}"
        );
        assert_eq!(server.wait(), 0, "{limit}: it was left open");
    }
}

#[test]
fn the_time_that_a_caller_takes_is_not_the_servers_silence() {
    let server = Server::once(vec![
        Act::Read,
        send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
        Act::Sleep(SHORT),
        send("y"),
    ]);
    let limits = ClientLimits::DEFAULT.with_silence_time(SHORT * 2);
    let mut response = hurried(limits).get(server.url("/")).send().unwrap();
    assert_eq!(response.next_chunk().unwrap(), Some(&b"x"[..]));
    thread::sleep(SHORT * 5);
    assert_eq!(response.next_chunk().unwrap(), Some(&b"y"[..]));
    assert_eq!(response.next_chunk().unwrap(), None);
}

#[test]
fn another_thread_cancels_in_any_phase() {
    for script in [
        vec![Act::Read, Act::Stall],
        vec![
            Act::Read,
            send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx"),
            Act::Stall,
        ],
    ] {
        let server = Server::once(script);
        let canceller = Canceller::new();
        let cancels = canceller.clone();
        let request = Client::new().get(server.url("/")).canceller(&canceller);
        let canceling = thread::spawn(move || {
            thread::sleep(SHORT);
            cancels.cancel();
        });
        let error = request.send().and_then(|it| it.text()).unwrap_err();
        assert!(error.is_cancelled() && !error.is_retryable(), "{error}");
        canceling.join().unwrap();
        assert_eq!(server.wait(), 0);
    }
    let canceller = Canceller::new();
    canceller.cancel();
    let request = Client::new()
        .get("http://127.0.0.1:1/")
        .canceller(&canceller);
    assert!(request.send().unwrap_err().is_cancelled());
}

#[test]
fn cancelling_ends_the_wait_for_a_connection() {
    let server = Server::once(vec![Act::Read, Act::Stall]);
    let limits = ClientLimits::DEFAULT.with_connections_per_origin(1);
    let client = hurried(limits);
    let (first, url) = (Canceller::new(), server.url("/"));
    let (holds, cancel, held) = (client.clone(), first.clone(), url.clone());
    let holding = thread::spawn(move || holds.get(&held).canceller(&cancel).send().unwrap_err());
    while server.seen().is_empty() {
        thread::yield_now();
    }
    let second = Canceller::new();
    let cancels = second.clone();
    let canceling = thread::spawn(move || {
        thread::sleep(SHORT);
        cancels.cancel();
    });
    let error = client.get(&url).canceller(&second).send().unwrap_err();
    assert!(error.is_cancelled() && !error.may_have_been_processed());
    let error = client.get(&url).timeout(SHORT).send().unwrap_err();
    assert_eq!((error.phase(), error.is_timeout()), (Phase::Pool, true));
    canceling.join().unwrap();
    first.cancel();
    assert!(holding.join().unwrap().is_cancelled());
}

#[test]
fn a_response_that_is_dropped_gives_back_what_is_little() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}",
        "x".repeat(200_000)
    );
    let server = Server::start([
        vec![
            Act::Read,
            answer("little"),
            Act::Read,
            send(long),
            Act::Stall,
        ],
        vec![Act::Read, answer("")],
    ]);
    let client = Client::new();
    for _ in 0..3 {
        drop(client.get(server.url("/")).send().unwrap());
    }
    let connections: Vec<_> = server.lines().iter().map(|it| it.0).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[test]
fn a_body_that_nobody_wants_may_come_after_its_head() {
    let apart = |status: &str, framing: &str, body: &str| {
        let head = format!("HTTP/1.1 {status}\r\n{framing}\r\n\r\n");
        let time = SHORT / 10;
        vec![Act::Read, send(head), Act::Sleep(time), send(body)]
    };
    let chunked = "Transfer-Encoding: chunked";
    let server = Server::start([
        [
            apart("404 x", "Content-Length: 6", "little"),
            apart("200 x", "Content-Length: 6", "little"),
            apart("500 x", chunked, "6\r\nlittle\r\n0\r\n\r\n"),
            // This one may go on for ever, and is not waited for.
            apart("200 x", chunked, "6\r\nlittle\r\n0\r\n\r\n"),
        ]
        .concat(),
        [
            apart("404 x", "Content-Length: 6", "little"),
            // Nor is this one for long.
            vec![
                Act::Read,
                send("HTTP/1.1 404 x\r\nContent-Length: 1\r\n\r\n"),
            ],
            vec![Act::Stall],
        ]
        .concat(),
        vec![Act::Read, answer("")],
    ]);
    let limits = ClientLimits::DEFAULT.with_drain_time(SHORT * 5);
    let client = hurried(limits);
    for is_error in [true, false, true, false, true, true, false] {
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.error_for_status().is_err(), is_error);
    }
    let connections: Vec<_> = server.lines().iter().map(|it| it.0).collect();
    assert_eq!(connections, [0, 0, 0, 0, 1, 1, 2]);
}

#[test]
fn many_threads_share_few_connections_to_several_servers() {
    let servers = [(); 3].map(|()| {
        let script = || (0..400).flat_map(|_| [Act::Read, answer("x")]).collect();
        Server::start((0..400).map(|_| script()))
    });
    let limits = ClientLimits::DEFAULT
        .with_connections(4)
        .with_connections_per_origin(2);
    let client = hurried(limits);
    let urls = servers.each_ref().map(|it| it.url("/"));
    thread::scope(|scope| {
        for nth in 0..16 {
            let (client, urls) = (&client, &urls);
            scope.spawn(move || {
                for turn in 0..25 {
                    let url = &*urls[(nth + turn) % 3];
                    let response = client.get(url).send().unwrap();
                    assert_eq!(response.text().unwrap(), "x");
                }
            });
        }
    });
    assert!(client.metrics().connections() <= 4);
    assert_eq!(servers.iter().map(|it| it.seen().len()).sum::<usize>(), 400);
}

#[test]
fn connections_at_rest_are_bounded_in_number_and_time() {
    let slow = || [Act::Read, Act::Sleep(SHORT), answer("x")];
    let script = || [slow(), slow(), slow()].concat();
    let server = Server::start((0..8).map(|_| script()));
    let limits = ClientLimits::DEFAULT.with_idle(2).with_idle_time(SHORT * 5);
    let client = hurried(limits);
    let url = server.url("/");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(client.get(&url).send().unwrap()));
        }
    });
    assert_eq!(client.metrics().connections_opened(), 4);
    assert_eq!(
        (
            client.metrics().connections(),
            client.metrics().connections_idle()
        ),
        (2, 2)
    );
    client.get(&url).send().unwrap();
    assert_eq!(client.metrics().connections_opened(), 4);
    thread::sleep(SHORT * 6);
    client.get(&url).send().unwrap();
    assert_eq!(
        client.metrics().connections_opened(),
        5,
        "they were too old"
    );
    client.close_idle();
    assert_eq!(client.metrics().connections(), 0);
}

#[test]
fn an_old_connection_is_not_used_again() {
    let server = Server::start([vec![Act::Read, answer("x")], vec![Act::Read, answer("y")]]);
    let limits = ClientLimits::DEFAULT.with_connection_age(Duration::ZERO);
    let client = hurried(limits);
    for body in ["x", "y"] {
        assert_eq!(
            client.get(server.url("/")).send().unwrap().text().unwrap(),
            body
        );
    }
}

#[test]
fn a_connection_that_has_grown_old_at_rest_is_not_used_again() {
    let server = Server::start([
        vec![Act::Read, answer("x"), Act::Stall],
        vec![Act::Read, answer("y"), Act::Stall],
    ]);
    let client = hurried(ClientLimits::DEFAULT.with_connection_age(SHORT));
    let get = || client.get(server.url("/")).send().unwrap().text().unwrap();
    assert_eq!(get(), "x");
    thread::sleep(SHORT * 2);
    assert_eq!(get(), "y");
    assert_eq!(server.wait(), 0, "it was left open");
}

#[test]
fn the_cap_of_all_connections_makes_room_from_other_origins() {
    let servers = [0, 1, 2].map(|_| Server::start([vec![Act::Read, answer("x"), Act::Stall]]));
    let client = hurried(ClientLimits::DEFAULT.with_connections(2));
    for server in &servers {
        client.get(server.url("/")).send().unwrap();
    }
    assert_eq!(client.metrics().connections(), 2);
    assert_eq!(
        servers[0].wait(),
        0,
        "the one that rested longest is closed"
    );
}

#[test]
fn a_dead_connection_is_found_before_a_post_is_sent_on_it() {
    let server = Server::start([
        vec![Act::Read, answer(""), Act::Fin],
        vec![Act::Read, answer("posted")],
    ]);
    let client = Client::new();
    client.get(server.url("/")).send().unwrap();
    server.wait();
    thread::sleep(SHORT); // until the end has come
    let response = client.post(server.url("/")).body("x").send().unwrap();
    assert_eq!(response.text().unwrap(), "posted");
    assert_eq!(server.lines().len(), 2);
    client.close_dead();
}

#[test]
fn a_look_closes_the_dead_and_keeps_the_others() {
    let dead = Server::once(vec![Act::Read, answer(""), Act::Fin]);
    let alive = Server::once(vec![Act::Read, answer(""), Act::Read, answer("again")]);
    let client = Client::new();
    for server in [&alive, &dead] {
        client.get(server.url("/")).send().unwrap();
    }
    while client.metrics().connections() > 1 {
        client.close_dead(); // the end may be still to come
    }
    assert_eq!(client.metrics().connections_idle(), 1);
    let response = client.get(alive.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "again");
    assert_eq!(client.metrics().connections_opened(), 2);
}

#[test]
fn a_thread_may_look_while_nobody_calls() {
    let server = Server::once(vec![Act::Read, answer(""), Act::Fin]);
    let client = Client::new();
    let driver = client.drive_in_background(SHORT / 10).unwrap();
    client.get(server.url("/")).send().unwrap();
    assert_eq!(server.wait(), 0, "it is closed though nobody calls");
    drop(driver);
    client.get(server.url("/")).send().unwrap_err(); // the client is still of use
}

/// A server closes connections at rest just as requests come: no GET fails, no POST is
/// seen twice, and each that fails says whether it may have been acted on.
#[test]
fn a_server_that_closes_just_as_a_request_comes_fails_no_get() {
    use std::io::{Read as _, Write as _};
    const RACES: usize = 300;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let posts = Arc::new(AtomicUsize::new(0));
    let counts = posts.clone();
    let accepting = thread::spawn(move || {
        let mut nth = 0_u32;
        while let Ok((mut stream, _)) = listener.accept() {
            nth += 1;
            let counts = counts.clone();
            let serving = thread::spawn(move || {
                let mut buffer = [0; 4096];
                for turn in 0.. {
                    let Ok(bytes @ 1..) = stream.read(&mut buffer) else {
                        return false;
                    };
                    let text = String::from_utf8_lossy(&buffer[..bytes]).into_owned();
                    if text.starts_with("STOP") {
                        return true;
                    }
                    if text.starts_with("POST") {
                        counts.fetch_add(1, Ordering::SeqCst);
                    }
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        .unwrap();
                    // Some hundred microseconds, so that the next request comes just then.
                    if turn == 0 {
                        for _ in 0..nth % 50 * 20 {
                            std::hint::spin_loop();
                        }
                        return false;
                    }
                }
                false
            });
            if serving.join().unwrap() {
                return;
            }
        }
    });
    let client = Client::with(ClientOptions::new().no_proxy()).unwrap();
    let url = format!("http://{address}/");
    let (mut done, mut unsure, mut unsent) = (0, 0, 0);
    for race in 0..RACES {
        client.get(&url).send().expect("no GET fails");
        if race % 3 == 0 {
            match client.post(&url).body("x").send() {
                Ok(_) => done += 1,
                Err(error) if error.may_have_been_processed() => unsure += 1,
                Err(_) => unsent += 1,
            }
        }
    }
    let mut stop = std::net::TcpStream::connect(address).unwrap();
    stop.write_all(b"STOP").unwrap();
    accepting.join().unwrap();
    let seen = posts.load(Ordering::SeqCst);
    assert!(
        (done..=done + unsure).contains(&seen),
        "{seen} of {done} and {unsure}, {unsent}"
    );
}

#[test]
fn a_thread_that_runs_a_loop_is_refused() {
    use barewire::app::App;
    let client = Client::new();
    let app = App::new().get("/{url}", move |request, reply| {
        let error = client
            .get(request.param("url"))
            .send()
            .map(drop)
            .unwrap_err();
        reply.text(format!(
            "{:?} {}",
            error.kind(),
            error.may_have_been_processed()
        ))
    });
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let barewire::net::Address::Tcp(address) = server.local_addresses()[0].clone() else {
        unreachable!()
    };
    let url = format!("http://{address}/http%3A%2F%2F127.0.0.1");
    let text = Client::new().get(&url).send().unwrap().text().unwrap();
    assert_eq!(text, "OnLoop false");
    server.handle().shutdown(std::time::Duration::from_secs(1));
    server.join().unwrap();
}

#[test]
fn a_call_that_ends_in_a_panic_is_counted_as_failed() {
    let hint = send("HTTP/1.1 103 Early Hints\r\n\r\n");
    let server = Server::once(vec![Act::Read, hint, Act::Stall]);
    let client = Client::new();
    let request = client.get(server.url("/"));
    let request = request.on_informational(|_, _| panic!("a hook that panics"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| request.send())).unwrap_err();
    let metrics = client.metrics();
    assert_eq!((metrics.in_flight(), metrics.errors()), (0, 1));
    assert_eq!(server.wait(), 0, "it was left open");
}

#[test]
fn a_call_is_in_flight_until_its_response_is_dropped() {
    let server = Server::once(vec![Act::Read, answer("x")]);
    let client = Client::new();
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(client.metrics().in_flight(), 1);
    drop(response);
    assert_eq!(client.metrics().in_flight(), 0);
}
