//! A server that ends, resets, stalls or lies in each state of an answer: which error it
//! is, and whether the request was sent again.

use std::thread;
use std::time::Duration;

use barewire::client::{ClientLimits, Error, ErrorKind, Phase};

use super::script::{Act, Server, answer, send};
use super::{Client, RequestBuilder, SHORT, hurried};

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// To its whole response.
    Through,
    /// To an error in this phase, whether it may have been acted on.
    Failed(Phase, What, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Closed,
    Reset,
    TimedOut,
    Protocol,
    TooLarge,
}

fn what(error: &Error) -> What {
    match error.kind() {
        ErrorKind::Closed => What::Closed,
        ErrorKind::Reset => What::Reset,
        ErrorKind::TimedOut(_) => What::TimedOut,
        ErrorKind::Protocol(_) => What::Protocol,
        ErrorKind::TooLarge(_) => What::TooLarge,
        other => panic!("{other:?}"),
    }
}

fn came(request: RequestBuilder) -> Came {
    match request.send().and_then(|response| response.text()) {
        Ok(_) => Came::Through,
        Err(error) => Came::Failed(error.phase(), what(&error), error.may_have_been_processed()),
    }
}

/// How the server leaves.
const LEAVES: [fn() -> Act; 3] = [|| Act::Fin, || Act::Reset, || Act::Stall];

/// One that waits for a slow machine.
fn client() -> Client {
    hurried(ClientLimits::DEFAULT)
}

/// One for a server that leaves in this way: it does not wait long for one that stalls.
fn client_for(what: What, short: Duration) -> Client {
    let limits = match what {
        What::TimedOut => ClientLimits::DEFAULT
            .with_response_time(short)
            .with_silence_time(short),
        _ => ClientLimits::DEFAULT,
    };
    hurried(limits)
}

/// Checks something for which a server must answer within a short time: with a longer one
/// before it counts as failed, as the machine may be slow.
fn patiently(check: impl Fn(Duration) -> Result<(), String>) {
    let failed = [SHORT, 8 * SHORT].into_iter().all(|it| check(it).is_err());
    if failed && let Err(why) = check(64 * SHORT) {
        panic!("{why}");
    }
}

/// The states of an answer: what was sent of it, the phase, and whether the body has an
/// end by then without one.
const STATES: [(&str, Phase); 9] = [
    ("", Phase::Response),
    ("H", Phase::Response),
    ("HTTP/1.1 100 Continue\r\n\r\n", Phase::Response),
    ("HTTP/1.1 200 OK\r\nContent-Le", Phase::Response),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Phase::Response),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Phase::Body),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        Phase::Body,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        Phase::Body,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        Phase::Body,
    ),
];

#[test]
fn on_a_fresh_connection_nothing_is_sent_again() {
    for (sent, phase) in STATES {
        for (leave, what) in LEAVES
            .iter()
            .zip([What::Closed, What::Reset, What::TimedOut])
        {
            patiently(|short| {
                let server = Server::start([
                    vec![Act::Read, send(sent), leave(), Act::Stall],
                    vec![Act::Read, answer("again")],
                ]);
                let result = came(client_for(what, short).get(server.url("/")));
                let is_right = result == Came::Failed(phase, what, true)
                    // What a reset has overtaken is gone: it may be seen earlier.
                    || what == What::Reset && matches!(result, Came::Failed(_, What::Reset, true));
                (is_right && server.seen().len() == 1)
                    .then_some(())
                    .ok_or(format!("{sent:?} {what:?}: {result:?}"))
            });
        }
    }
}

#[test]
fn on_a_connection_that_was_at_rest_an_unanswered_get_goes_again_once() {
    for (sent, phase) in STATES {
        for (leave, what) in LEAVES
            .iter()
            .zip([What::Closed, What::Reset, What::TimedOut])
        {
            for method in ["GET", "PUT", "POST"] {
                patiently(|short| {
                    let server = Server::start([
                        vec![
                            Act::Read,
                            answer(""),
                            Act::Read,
                            send(sent),
                            leave(),
                            Act::Stall,
                        ],
                        vec![Act::Read, answer("again")],
                    ]);
                    let client = client_for(what, short);
                    let url = server.url("/");
                    let first = client.get(&url).limits(ClientLimits::DEFAULT);
                    first.send().unwrap();
                    let result = came(client.request(method, &url).body("b"));
                    let again = sent.is_empty() && method != "POST" && what != What::TimedOut;
                    let is_right = match again {
                        true => result == Came::Through,
                        // A reset overtakes what was sent before it.
                        false if what == What::Reset => {
                            matches!(result, Came::Failed(_, What::Reset, true))
                                || method != "POST" && result == Came::Through
                        }
                        false => result == Came::Failed(phase, what, true),
                    };
                    let lines = server.lines();
                    let times = lines.iter().filter(|it| it.1.starts_with(method)).count();
                    let first = usize::from(method == "GET");
                    let expected = if result == Came::Through { 2 } else { 1 };
                    (is_right && times - first == expected)
                        .then_some(())
                        .ok_or(format!("{method} {sent:?} {what:?}: {result:?}"))
                });
            }
        }
    }
}

#[test]
fn it_goes_again_once_and_no_more() {
    let dead = || vec![Act::Read, Act::Fin];
    let server = Server::start([
        vec![Act::Read, answer(""), Act::Read, Act::Fin],
        dead(),
        dead(),
        dead(),
    ]);
    let client = client();
    client.get(server.url("/")).send().unwrap();
    let result = came(client.get(server.url("/")));
    assert_eq!(result, Came::Failed(Phase::Response, What::Closed, true));
    let connections: Vec<_> = server.lines().iter().map(|it| it.0).collect();
    assert_eq!(connections, [0, 0, 1]);
}

#[test]
fn what_can_be_given_once_is_not_sent_again() {
    let server = Server::start([
        vec![Act::Read, answer(""), Act::Read, Act::Fin],
        vec![Act::Read, answer("again")],
    ]);
    let client = client();
    client.get(server.url("/")).send().unwrap();
    let body = barewire::client::Body::reader(&b"once"[..]);
    let result = came(client.put(server.url("/")).body(body));
    assert_eq!(result, Came::Failed(Phase::Response, What::Closed, true));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn an_idempotency_key_lets_a_post_go_again() {
    let server = Server::start([
        vec![Act::Read, answer(""), Act::Read, Act::Fin],
        vec![Act::Read, answer("again")],
    ]);
    let client = client();
    client.get(server.url("/")).send().unwrap();
    let post = client.post(server.url("/")).header("Idempotency-Key", "7");
    assert_eq!(came(post), Came::Through);
}

#[test]
fn a_refusal_to_wait_any_longer_is_no_answer_to_a_later_request() {
    let timeout = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start([
        vec![Act::Read, answer(""), Act::Read, send(timeout), Act::Fin],
        vec![Act::Read, answer("again")],
        vec![Act::Read, send(timeout), Act::Fin],
    ]);
    let client = client();
    client.get(server.url("/")).send().unwrap();
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "again");
    client.close_idle();
    let response = client.get(server.url("/")).send().unwrap();
    assert_eq!(response.status().code(), 408, "of a fresh connection");
}

#[test]
fn what_breaks_the_protocol_is_an_error_and_ends_the_connection() {
    for (lie, phase) in [
        ("nonsense\r\n\r\n", Phase::Response),
        ("HTTP/2.0 200 OK\r\n\r\n", Phase::Response),
        ("HTTP/1.1 099 x\r\n\r\n", Phase::Response),
        ("HTTP/1.1 101 x\r\n\r\n", Phase::Response),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            Phase::Response,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            Phase::Response,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Phase::Response,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n",
            Phase::Response,
        ),
        ("HTTP/1.1 200 OK\r\na b: c\r\n\r\n", Phase::Response),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            Phase::Body,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
            Phase::Body,
        ),
    ] {
        let server = Server::start([
            vec![Act::Read, send(lie), Act::Stall],
            vec![Act::Read, answer("")],
        ]);
        let client = client();
        let result = came(client.get(server.url("/")));
        assert_eq!(result, Came::Failed(phase, What::Protocol, true), "{lie:?}");
        assert_eq!(server.wait(), 0, "{lie:?}: it was left open");
        assert_eq!(came(client.get(server.url("/"))), Came::Through);
    }
}

#[test]
fn more_than_the_limits_is_an_error_and_ends_the_connection() {
    let limits = ClientLimits::DEFAULT
        .with_head(1000)
        .with_fields(5)
        .with_informational(3)
        .with_collected(1000);
    let long = "x".repeat(2000);
    let fields = "a: b\r\n".repeat(6);
    let interim = "HTTP/1.1 102 x\r\n\r\n".repeat(4);
    for (lie, phase, limit) in [
        (
            format!("HTTP/1.1 200 OK\r\na: {long}\r\n\r\n"),
            Phase::Response,
            "head",
        ),
        (format!("HTTP/1.1 200 {long}"), Phase::Response, "head"),
        (
            format!("HTTP/1.1 200 OK\r\n{fields}\r\n"),
            Phase::Response,
            "fields",
        ),
        (interim, Phase::Response, "informational"),
        (
            format!("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{long}"),
            Phase::Body,
            "collected",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n\r\n{long}"),
            Phase::Body,
            "collected",
        ),
        (
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: {long}\r\n\r\n"),
            Phase::Body,
            "head",
        ),
    ] {
        let server = Server::once(vec![Act::Read, send(&lie), Act::Stall]);
        let response = hurried(limits).get(server.url("/")).send();
        let error = response.and_then(|it| it.text()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::TooLarge(it) if *it == limit),
            "{error}"
        );
        assert_eq!(error.phase(), phase, "{error}");
        assert_eq!(server.wait(), 0, "{limit}: it was left open");
    }
}

#[test]
fn a_body_until_the_end_of_the_connection_ends_with_it() {
    let server = Server::start([
        vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\nhello"), Act::Fin],
        vec![
            Act::Read,
            send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
            Act::Stall,
        ],
        vec![Act::Read, answer("third")],
    ]);
    let client = client();
    for body in ["hello", "hi", "third"] {
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), body);
    }
    let connections: Vec<_> = server.lines().iter().map(|it| it.0).collect();
    assert_eq!(connections, [0, 1, 2]);
}

#[test]
fn what_comes_unasked_makes_a_connection_useless() {
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb";
    let server = Server::start([
        vec![Act::Read, send(two), Act::Stall],
        vec![Act::Read, answer("c")],
    ]);
    let client = client();
    for body in ["a", "c"] {
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), body);
    }
}

#[test]
fn what_follows_a_response_answers_no_later_request() {
    let head = send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    for (method, first, body) in [
        ("HEAD", head, ""),
        ("GET", send("HTTP/1.1 204 No Content\r\n\r\n"), ""),
        ("GET", send("HTTP/1.1 304 Not Modified\r\n\r\n"), ""),
        ("GET", answer("first"), "first"),
        ("POST", answer("first"), "first"),
    ] {
        let server = Server::start([
            vec![
                Act::Read,
                first,
                Act::Sleep(SHORT / 10),
                answer("evil"),
                Act::Stall,
            ],
            vec![Act::Read, answer("good")],
        ]);
        let client = client();
        let request = client.request(method, server.url("/"));
        assert_eq!(request.send().unwrap().text().unwrap(), body);
        thread::sleep(SHORT * 4); // a short rest, and long enough for what comes late
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "good");
    }
}

#[test]
fn an_answer_before_the_end_of_the_request_is_taken_and_the_connection_closed() {
    let server = Server::start([
        vec![
            Act::ReadHead,
            send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!"),
            Act::ReadAll,
        ],
        vec![Act::Read, answer("")],
    ]);
    let client = client();
    let body = vec![b'x'; 50 << 20];
    let response = client.post(server.url("/")).body(body).send().unwrap();
    assert_eq!(response.status().code(), 413);
    assert_eq!(response.text().unwrap(), "no!");
    assert_eq!(came(client.get(server.url("/"))), Came::Through);
    let connections: Vec<_> = server.lines().iter().map(|it| it.0).collect();
    assert!(connections.contains(&1));
}

#[test]
fn a_server_that_takes_nothing_is_given_up() {
    let server = Server::once(vec![Act::ReadHead, Act::Sleep(SHORT * 20)]);
    let limits = ClientLimits::DEFAULT.with_send_time(SHORT);
    let body = vec![b'x'; 50 << 20];
    let error = hurried(limits)
        .post(server.url("/"))
        .body(body)
        .send()
        .unwrap_err();
    assert_eq!((error.phase(), error.is_timeout()), (Phase::Send, true));
    assert!(matches!(error.kind(), ErrorKind::TimedOut("send_time")));
    assert!(error.may_have_been_processed());
}
