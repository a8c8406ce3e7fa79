//! The life of a process: its start, its restart, and its end. Other processes are this
//! program again, which then runs the test `child`.

use barewire::app::{App, Error, Response};
use core::time::Duration;
use std::env;
use std::net::TcpListener;
use std::thread;

use crate::app_support::{Running, wait_until, wait_until_drained};

#[cfg(unix)]
mod processes;

#[test]
fn readiness_turns_before_a_drain_and_liveness_does_not() {
    let app = App::new().health("/healthz", "/readyz");
    let readiness = app.readiness();
    let running = Running::start(app);
    let ready = || {
        let answer = running.get("/readyz");
        assert_eq!(answer.header("cache-control"), "no-store");
        (answer.status, answer.body)
    };
    assert_eq!(ready(), (200, "ready".into()));
    readiness.set(false);
    assert_eq!(ready(), (503, "not ready".into()));
    readiness.set(true);
    assert_eq!(ready(), (200, "ready".into()));

    let address = running.connect().peer_addr().unwrap();
    running
        .server()
        .handle()
        .drain_after(Duration::from_secs(2), None);
    // It serves on, and says that it is leaving, whatever the app says.
    assert_eq!(ready().0, 503);
    readiness.set(true);
    assert!(!readiness.is_ready());
    assert_eq!(running.get("/healthz").body, "alive");
    wait_until_drained(address);
}

#[test]
fn what_runs_is_finished_after_the_grace() {
    let app = App::new().get("/slow", |_request, reply| {
        reply.blocking(|| {
            thread::sleep(Duration::from_millis(300));
            Response::text("done")
        })
    });
    let running = Running::start(app);
    thread::scope(|scope| {
        let asked = scope.spawn(|| running.get("/slow").body);
        wait_until("it is asked", || running.get("/none").status == 404);
        thread::sleep(Duration::from_millis(50));
        running.server().handle().drain_after(Duration::ZERO, None);
        assert_eq!(asked.join().unwrap(), "done");
    });
}

#[test]
fn all_loops_accept_from_a_socket_that_listens_already() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let app = App::new()
        .threads(3)
        .get("/", |_request, reply| reply.text("hello"));
    let server = app.listen_on(socket).spawn().unwrap();
    assert_eq!(server.local_addresses(), [address.into()]);
    for _ in 0..20 {
        let stream = std::net::TcpStream::connect(address).unwrap();
        let answer = crate::app_support::Answer::new(&ask(stream));
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"));
    }
    server.handle().shutdown(Duration::ZERO);
    server.join().unwrap();
    // No handle of it is left.
    TcpListener::bind(address).unwrap();
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    // The environment of this process is what it is: the rules are tested beside them.
    let error = App::from_env("nowhere").map(drop).unwrap_err();
    match env::var_os("LISTEN").or_else(|| env::var_os("PORT")) {
        None => assert!(matches!(error, Error::Address { .. }), "{error}"),
        Some(_) => assert!(matches!(error, Error::Variable { .. }), "{error}"),
    }
}

/// One request on a connection of its own, read to the end.
fn ask(mut stream: std::net::TcpStream) -> Vec<u8> {
    use std::io::{Read, Write};
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}
