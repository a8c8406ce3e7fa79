//! Bodies that blocking work writes through `std::io::Write`.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use barewire::app::App;
use barewire::http::Status;
use barewire::link::EndReason;
use barewire::test::{TestApp, TestError};

fn both(app: App) -> [TestApp; 2] {
    let app = app.test().unwrap();
    [app.clone(), app.http2()]
}

#[test]
fn what_is_written_is_the_body() {
    let app = App::new()
        .get("/lines", |_request, reply| {
            reply
                .header("Content-Type", "text/csv")
                .blocking_writer(|body| {
                    for number in 0..50_000 {
                        writeln!(body, "{number}")?;
                    }
                    Ok(())
                })
        })
        .get("/nothing", |_request, reply| {
            reply.blocking_writer(|_body| Ok(()))
        })
        .get("/known", |_request, reply| {
            reply
                .length(5)
                .blocking_writer(|body| body.write_all(b"12345"))
        });
    let lines: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    for app in both(app) {
        let response = app.get("/lines").send().unwrap();
        assert_eq!(response.header("content-type"), Some("text/csv"));
        assert!(response.text() == lines);
        let nothing = app.get("/nothing").send().unwrap();
        assert_eq!((nothing.status(), nothing.body()), (Status::OK, &b""[..]));
        let known = app.get("/known").send().unwrap();
        assert_eq!(known.header("content-length"), Some("5"));
        assert_eq!(known.text(), "12345");
        assert_eq!(app.head("/lines").send().unwrap().body(), b"");
    }
}

#[cfg(feature = "json")]
#[test]
fn serde_json_writes_into_it() {
    let app = App::new().get("/json", |_request, reply| {
        reply
            .header("Content-Type", "application/json")
            .blocking_writer(|body| {
                serde_json::to_writer(body, &(0..100_000).collect::<Vec<u32>>())?;
                Ok(())
            })
    });
    for app in both(app) {
        let numbers: Vec<u32> = app.get("/json").send().unwrap().json().unwrap();
        assert_eq!(numbers.len(), 100_000);
    }
}

#[test]
fn a_flush_brings_what_there_is() {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(Some(wait));
    let app = App::new().get("/", move |_request, reply| {
        let wait = wait.lock().unwrap().take().unwrap();
        reply.blocking_writer(move |body| {
            body.write_all(b"first")?;
            body.flush()?;
            let _ = wait.recv();
            body.write_all(b"second")
        })
    });
    let app = app.test().unwrap();
    let exchange = app.get("/").start().unwrap();
    assert_eq!(exchange.read().unwrap().unwrap(), b"first");
    go_on.send(()).unwrap();
    assert_eq!(exchange.response().unwrap().text(), "second");
}

/// Writes without an end, and says how that ended and how much it was.
fn endless(written: &Arc<AtomicUsize>, ended: &mpsc::Sender<ErrorKind>) -> App {
    let (written, ended) = (written.clone(), ended.clone());
    App::new().get("/", move |_request, reply| {
        let (written, ended) = (written.clone(), ended.clone());
        reply.blocking_writer(move |body| {
            let error = loop {
                match body.write_all(&[b'x'; 1000]) {
                    Ok(()) => drop(written.fetch_add(1000, Ordering::SeqCst)),
                    Err(error) => break error,
                }
            };
            ended.send(error.kind()).unwrap();
            Err(error)
        })
    })
}

#[test]
fn a_slow_client_holds_the_writer_back_and_one_that_leaves_breaks_its_pipe() {
    let written = Arc::new(AtomicUsize::new(0));
    let (sender, ended) = mpsc::channel();
    for app in both(endless(&written, &sender)) {
        app.set_patience(Duration::from_secs(30));
        let before = written.load(Ordering::SeqCst);
        let exchange = app.get("/").start().unwrap();
        let mut read = 0;
        while read < 3 << 20 {
            read += exchange.read().unwrap().unwrap().len();
        }
        let ahead = written.load(Ordering::SeqCst) - before - read;
        // The client's buffer, the loop's backlog, and what waits for it.
        assert!(ahead < 4 << 20, "{ahead}");
        assert!(ended.try_recv().is_err());
        exchange.cancel().unwrap();
        assert_eq!(ended.recv().unwrap(), ErrorKind::BrokenPipe);
    }
}

#[test]
fn what_fails_before_the_head_is_answered_and_what_fails_later_is_cut() {
    let failed = || io::Error::other("the disk is full");
    let app = App::new()
        .get("/early", move |_request, reply| {
            reply.blocking_writer(move |body| {
                body.write_all(b"gathered")?;
                Err(failed())
            })
        })
        .get("/late", move |_request, reply| {
            reply.blocking_writer(move |body| {
                body.write_all(b"sent")?;
                body.flush()?;
                Err(failed())
            })
        })
        .get("/panic", |_request, reply| {
            reply.blocking_writer(|_body| panic!("of the test"))
        });
    for app in both(app) {
        let early = app.get("/early").send().unwrap();
        assert_eq!(early.status(), Status::INTERNAL_SERVER_ERROR);
        let panicked = app.get("/panic").send().unwrap();
        assert_eq!(panicked.status(), Status::INTERNAL_SERVER_ERROR);
        let late = app.get("/late").send();
        let is_cut = matches!(
            late,
            Err(TestError::Ended(
                EndReason::Reset
                    | EndReason::Disconnected
                    | EndReason::StreamReset { .. }
                    | EndReason::ProtocolError(_)
            ))
        );
        assert!(is_cut, "{late:?}");
    }
}
