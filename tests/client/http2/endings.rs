//! How calls end that others share a connection with.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use barewire::client::{Canceller, ClientLimits, ErrorKind, Phase};
use barewire::http::Fields;
use barewire::http2::StreamError;

use super::by_hand::{DATA, END_STREAM, Listening, RST_STREAM, SETTINGS};
use super::{client, on_threads};

const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

#[test]
fn a_cancel_resets_its_own_stream_also_where_that_call_leads() {
    let listening = Listening::new();
    let url = listening.url("/");
    let (told, came) = mpsc::channel();
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        // The first one leads, as it waits alone.
        let first = server.request();
        told.send(()).unwrap();
        let second = server.request();
        told.send(()).unwrap();
        assert_eq!(server.reset(first), CANCEL);
        server.answer(second, "still here");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let canceller = Canceller::new();
    let leading = {
        let (client, url, canceller) = (client.clone(), url.clone(), canceller.clone());
        thread::spawn(move || client.get(&url).canceller(&canceller).send().unwrap_err())
    };
    came.recv().unwrap();
    let following = {
        let (client, url) = (client.clone(), url.clone());
        thread::spawn(move || client.get(&url).send().unwrap().text().unwrap())
    };
    came.recv().unwrap();
    canceller.cancel();
    let error = leading.join().unwrap();
    assert!(error.is_cancelled() && error.may_have_been_processed());
    assert_eq!(following.join().unwrap(), "still here");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn one_that_follows_is_cancelled_as_well() {
    let listening = Listening::new();
    let url = listening.url("/");
    let (told, came) = mpsc::channel();
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let first = server.request();
        told.send(()).unwrap();
        let second = server.request();
        told.send(()).unwrap();
        assert_eq!(server.reset(second), CANCEL);
        server.answer(first, "still here");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let canceller = Canceller::new();
    let leading = {
        let (client, url) = (client.clone(), url.clone());
        thread::spawn(move || client.get(&url).send().unwrap().text().unwrap())
    };
    came.recv().unwrap();
    let following = {
        let (client, url, canceller) = (client.clone(), url.clone(), canceller.clone());
        thread::spawn(move || client.get(&url).canceller(&canceller).send().unwrap_err())
    };
    came.recv().unwrap();
    canceller.cancel();
    assert!(following.join().unwrap().is_cancelled());
    assert_eq!(leading.join().unwrap(), "still here");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn a_panic_in_a_callback_costs_its_own_call_only() {
    let listening = Listening::new();
    let url = listening.url("/");
    let (told, came) = mpsc::channel();
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let first = server.request();
        told.send(()).unwrap();
        let second = server.request();
        server.hint(first);
        assert_eq!(server.reset(first), CANCEL);
        server.answer(second, "still here");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let leading = {
        let (client, url) = (client.clone(), url.clone());
        thread::spawn(move || {
            let hook = |_, _: Fields<'_>| panic!("as the test wants it");
            let request = client.get(&url).on_informational(hook);
            catch_unwind(AssertUnwindSafe(|| request.send().map(drop))).is_err()
        })
    };
    came.recv().unwrap();
    let response = client.get(&url).send().unwrap();
    assert_eq!(response.text().unwrap(), "still here");
    assert!(leading.join().unwrap());
    drop(client);
    serving.join().unwrap();
}

#[test]
fn a_panic_in_the_source_of_a_body_costs_its_own_call_only() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let first = server.request();
        assert_eq!(server.reset(first), CANCEL);
        let second = server.request();
        server.answer(second, "still here");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let pieces = (0..3).map(|nth| {
        assert!(nth < 1, "as the test wants it");
        Ok(vec![0; 10].into())
    });
    let request = client
        .post(&url)
        .body(barewire::client::Body::iterator(pieces));
    assert!(catch_unwind(AssertUnwindSafe(|| request.send().map(drop))).is_err());
    let response = client.get(&url).send().unwrap();
    assert_eq!(response.text().unwrap(), "still here");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn what_a_leaving_server_has_not_looked_at_goes_to_a_new_connection() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut first = listening.accept(&[]);
        let streams = [(); 3].map(|()| first.request());
        first.go_away(streams[0]);
        let mut second = listening.accept(&[]);
        for _ in 0..2 {
            let stream = second.request();
            second.answer(stream, "new");
        }
        first.answer(streams[0], "old");
        second.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let calling = client.clone();
    let mut texts = on_threads(3, move |nth| {
        // A POST is not sent twice, unless it was provably not looked at.
        let request = match nth {
            0 => calling.get(&url),
            _ => calling.post(&url).body("once"),
        };
        request.send().unwrap().text().unwrap()
    });
    texts.sort();
    assert_eq!(texts, ["new", "new", "old"]);
    drop(client);
    serving.join().unwrap();
}

#[test]
fn a_stream_that_was_refused_goes_again_on_the_same_connection() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        for _ in 0..2 {
            let stream = server.request();
            server.refuse(stream);
        }
        let stream = server.request();
        server.answer(stream, "at last");
        // One that is refused each time fails, and was never looked at.
        while let Some(frame) = server.next() {
            if frame.kind != RST_STREAM && frame.kind != 0 {
                server.refuse(frame.stream);
            }
        }
    });
    let client = client(ClientLimits::DEFAULT);
    let response = client.post(&url).body("once").send().unwrap();
    assert_eq!(response.text().unwrap(), "at last");
    let error = client.post(&url).body("once").send().unwrap_err();
    assert!(!error.may_have_been_processed());
    drop(client);
    serving.join().unwrap();
}

#[test]
fn a_connection_lost_in_the_middle_says_what_may_have_been_processed() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut first = listening.accept(&[]);
        let _ = (first.request(), first.request());
        drop(first);
        // The GET goes again, on a fresh connection, if the first was used before.
        drop(listening);
    });
    let client = client(ClientLimits::DEFAULT);
    let errors = on_threads(2, move |_| client.post(&url).body("x").send().unwrap_err());
    assert!(errors.iter().all(|it| it.may_have_been_processed()));
    serving.join().unwrap();
}

#[test]
fn a_connection_that_died_at_rest_is_not_noticed() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        for nth in 0..4 {
            let mut server = listening.accept(&[]);
            let stream = server.request();
            server.answer(stream, "here");
            if nth % 2 == 0 {
                server.go_away(stream);
            }
            server.leave(); // the client may or may not have seen it when it comes again
        }
    });
    let client = client(ClientLimits::DEFAULT);
    for nth in 0..4 {
        let request = match nth {
            // One that must not be sent twice is sent on one that was looked at.
            3 => {
                thread::sleep(std::time::Duration::from_millis(100));
                client.post(&url).body("once")
            }
            _ => client.get(&url),
        };
        let response = request.send().unwrap();
        assert_eq!(response.text().unwrap(), "here");
    }
    serving.join().unwrap();
}

#[test]
fn a_server_that_breaks_the_protocol_fails_all_on_the_connection() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let _ = (server.request(), server.request());
        server.send(0x0, 0, 0, b"content of no stream");
        while server.next().is_some() {}
        let mut server = listening.accept(&[]);
        let stream = server.request();
        server.answer(stream, "another");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT);
    let (calling, asked) = (client.clone(), url.clone());
    let errors = on_threads(2, move |_| calling.get(&asked).send().unwrap_err());
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("broke the protocol"), "{text}");
    }
    // The connection is not used again.
    assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "another");
    drop(client);
    serving.join().unwrap();
}

#[test]
fn a_server_that_allows_no_stream_is_not_waited_for_without_end() {
    let listening = Listening::new();
    let url = listening.url("/");
    let serving = thread::spawn(move || {
        let mut server = listening.accept(&[]);
        let stream = server.request();
        server.send(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 0]); // MAX_CONCURRENT_STREAMS
        server.answer(stream, "the last");
        server.end();
    });
    let client = client(ClientLimits::DEFAULT.with_response_time(Duration::from_millis(100)));
    let first = client.get(&url).send().unwrap();
    assert_eq!(first.text().unwrap(), "the last");
    for request in [client.get(&url), client.post(&url).body("x")] {
        let error = request.send().unwrap_err();
        let is_late = matches!(error.kind(), ErrorKind::TimedOut("response_time"));
        assert!(is_late && !error.may_have_been_processed(), "{error}");
    }
    drop(client);
    serving.join().unwrap();
}

#[test]
fn more_than_a_limit_names_the_limit_and_blames_nobody_else() {
    let long = "x".repeat(100);
    let (many, large) = (vec!["b"; 6], vec![long.as_str(); 3]);
    let limits = ClientLimits::DEFAULT.with_fields(5).with_head(350);
    let listening = Listening::new();
    let url = listening.url("/");
    let client = client(limits);
    thread::scope(|scope| {
        let lists = [&many, &large];
        scope.spawn(move || {
            let mut server = listening.accept(&[]);
            for values in lists {
                let stream = server.request();
                server.head_with(stream, values);
                assert_eq!(server.reset(stream), ENHANCE_YOUR_CALM);
                let stream = server.request();
                server.head(stream);
                server.trailers(stream, values);
                assert_eq!(server.reset(stream), ENHANCE_YOUR_CALM);
            }
            let stream = server.request();
            server.answer(stream, "still here");
            server.end();
        });
        for limit in ["fields", "head"] {
            for phase in [Phase::Response, Phase::Body] {
                let response = client.get(&url).send();
                let error = response.and_then(|it| it.text()).unwrap_err();
                let ErrorKind::TooLarge(name) = error.kind() else {
                    panic!("{error}")
                };
                assert_eq!((*name, error.phase()), (limit, phase));
            }
        }
        let response = client.get(&url).send().unwrap();
        assert_eq!(response.text().unwrap(), "still here");
        drop(client);
    });
}

#[test]
fn a_request_has_limits_of_its_own_below_the_clients() {
    let listening = Listening::new();
    let url = listening.url("/");
    let client = client(ClientLimits::DEFAULT.with_fields(5));
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut server = listening.accept(&[]);
            for fields in [3, 3, 5, 6] {
                let stream = server.request();
                server.head_with(stream, &vec!["b"; fields - 1]); // and the status
                if fields == 5 {
                    server.send(DATA, END_STREAM, stream, &[]);
                }
            }
            server.end();
        });
        let lower = ClientLimits::DEFAULT.with_fields(1);
        let small = ClientLimits::DEFAULT.with_head(60);
        let higher = ClientLimits::DEFAULT.with_fields(9);
        for (limits, limit) in [
            (lower, Some("fields")),
            (small, Some("head")),
            (higher, None),
            (higher, Some("fields")),
        ] {
            let response = client.get(&url).limits(limits).send();
            let found = match &response {
                Ok(_) => None,
                Err(error) => match error.kind() {
                    ErrorKind::TooLarge(limit) => Some(*limit),
                    _ => panic!("{error}"),
                },
            };
            assert_eq!(found, limit);
        }
        drop(client);
    });
}

#[test]
fn a_fault_of_the_server_in_one_exchange_is_no_reset_by_it() {
    let listening = Listening::new();
    let url = listening.url("/");
    let client = client(ClientLimits::DEFAULT);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut server = listening.accept(&[]);
            let stream = server.request();
            server.send(DATA, 0, stream, b"content without a head");
            assert_eq!(server.reset(stream), 1);
            let stream = server.request();
            server.send(RST_STREAM, 0, stream, &1u32.to_be_bytes());
            server.end();
        });
        let error = client.get(&url).send().unwrap_err();
        let fault = ErrorKind::Stream(StreamError::Malformed);
        assert_eq!(format!("{:?}", error.kind()), format!("{fault:?}"));
        assert!(error.may_have_been_processed() && !error.is_retryable());
        let error = client.get(&url).send().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::StreamReset(1)), "{error}");
        drop(client);
    });
}
