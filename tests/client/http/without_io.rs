//! A call without I/O, whose bytes and time a test gives.

use std::time::Duration;

use barewire::client::{
    Body, Client, ClientLimits, ClientOptions, ErrorKind, HttpCall, HttpEvent, Phase,
};
use barewire::http::FieldBuffer;
use barewire::wire::Instant;

use super::http_codec::fetch;
use super::script::{Act, Server, answer, redirect, send};

const NOW: Instant = Instant::START;
const SECOND: Duration = Duration::from_secs(1);

fn client(limits: ClientLimits) -> Client {
    Client::with(ClientOptions::new().limits(limits)).unwrap()
}

fn call(method: &str, url: &str) -> HttpCall {
    let client = client(ClientLimits::DEFAULT);
    client
        .request(method, url)
        .body("x")
        .into_call(NOW)
        .unwrap()
}

/// Takes all output.
fn written(call: &mut HttpCall) -> String {
    let output = call.output(NOW).to_vec();
    call.sent(output.len(), NOW);
    String::from_utf8_lossy(&output).into_owned()
}

/// What the call tells until it waits, wants a connection, or is over.
fn events(call: &mut HttpCall) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let (text, goes_on) = match call.next_event(NOW) {
            Ok(HttpEvent::Wait) => return all,
            Ok(HttpEvent::Connect { url, fresh, .. }) => (
                format!("connect {url}{}", if fresh { " fresh" } else { "" }),
                false,
            ),
            Ok(HttpEvent::Informational(status, _)) => (format!("informational {status}"), true),
            Ok(HttpEvent::Response(head)) => (format!("response {}", head.status), true),
            Ok(HttpEvent::Body(piece)) => {
                let piece = String::from_utf8_lossy(piece).into_owned();
                match all.last_mut().filter(|it| it.starts_with("body ")) {
                    Some(last) => {
                        last.push_str(&piece);
                        continue;
                    }
                    None => (format!("body {piece}"), true),
                }
            }
            Ok(HttpEvent::End(trailers)) => {
                let check = trailers.get_str("check").unwrap_or_default();
                (format!("end {check}"), false)
            }
            Ok(event) => panic!("{event:?}"),
            Err(error) => (format!("error {error}"), false),
        };
        all.push(text);
        if !goes_on {
            return all;
        }
    }
}

/// The example, over sockets.
#[test]
fn a_call_goes_over_a_socket_of_the_callers() {
    let server = Server::start([
        vec![Act::Read, redirect(301, "/b"), Act::Fin],
        vec![Act::Read, answer("hello"), Act::Stall],
        vec![
            Act::Read,
            send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"),
            Act::Fin,
        ],
    ]);
    let mut body = Vec::new();
    let status = fetch(&server.url("/a"), &mut body).unwrap();
    assert_eq!((status.code(), &*body), (200, &b"hello"[..]));
    assert_eq!(server.seen()[1].line(), "GET /b HTTP/1.1");
    body.clear();
    let error = fetch(&server.url("/c"), &mut body).unwrap_err();
    assert_eq!(body, b"hel");
    assert!(
        error
            .to_string()
            .ends_with("the server closed the connection"),
        "{error}"
    );
    assert!(fetch("https://127.0.0.1:1/", &mut body).is_err());
}

#[test]
fn a_call_follows_a_redirect_in_any_pieces() {
    let moved = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: //b/c\r\n\
                 Content-Length: 3\r\n\r\nxyz";
    let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\
                  Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nCheck: 1\r\n\r\n";
    for size in [1, 2, 7, 1000] {
        let client = client(ClientLimits::DEFAULT);
        let request = client.get("http://a/").on_informational(|_, _| {});
        let mut call = request.into_call(NOW).unwrap();
        assert_eq!(events(&mut call), ["connect http://a/"]);
        call.connected(NOW);
        assert!(written(&mut call).starts_with("GET / HTTP/1.1\r\nHost: a\r\n"));
        let mut all = Vec::new();
        for piece in moved.as_bytes().chunks(size) {
            call.receive(&mut piece.to_vec(), NOW);
            all.extend(events(&mut call));
        }
        assert_eq!(all, ["informational 100 Continue", "connect http://b/c"]);
        assert!(call.take_connection().is_some(), "it can be used again");
        assert!(call.take_connection().is_none());
        call.connected(NOW);
        assert!(written(&mut call).starts_with("GET /c HTTP/1.1\r\nHost: b\r\n"));
        let mut all: Vec<String> = Vec::new();
        for piece in answer.as_bytes().chunks(size) {
            call.receive(&mut piece.to_vec(), NOW);
            for event in events(&mut call) {
                let more = event.strip_prefix("body ");
                match (more, all.last_mut()) {
                    (Some(more), Some(last)) if last.starts_with("body ") => {
                        last.push_str(more);
                    }
                    _ => all.push(event),
                }
            }
        }
        let expected = [
            "informational 103 Early Hints",
            "response 200 OK",
            "body hello",
            "end 1",
        ];
        assert_eq!(all, expected);
        assert_eq!(call.url().to_string(), "http://b/c");
    }
}

#[test]
fn a_connection_goes_from_call_to_call_and_may_turn_out_to_be_dead() {
    let mut first = call("GET", "http://a/");
    events(&mut first);
    first.connected(NOW);
    written(&mut first);
    first.receive(&mut b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), NOW);
    assert_eq!(events(&mut first), ["response 204 No Content", "end "]);
    let connection = first.take_connection().unwrap();

    let mut second = call("GET", "http://a/");
    events(&mut second);
    second.resume_on(connection, NOW);
    written(&mut second);
    second.receive_eof(NOW);
    assert_eq!(events(&mut second), ["connect http://a/ fresh"]);
    assert!(second.take_connection().is_none());
    second.connected(NOW);
    written(&mut second);
    second.receive_eof(NOW);
    let error = second.next_event(NOW).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed), "{error}");
    assert!(error.may_have_been_processed());

    // A POST goes again only as long as nothing of it was taken.
    let mut third = call("POST", "http://a/");
    events(&mut third);
    third.connected(NOW);
    assert!(!third.output(NOW).is_empty());
    third.failed(NOW);
    assert_eq!(events(&mut third), ["connect http://a/ fresh"]);
    third.connected(NOW);
    third.output(NOW);
    third.sent(1, NOW);
    third.failed(NOW);
    let error = third.next_event(NOW).unwrap_err();
    assert!(error.may_have_been_processed() && !error.is_retryable());
}

#[test]
fn what_was_taken_bounds_how_long_a_call_takes() {
    let limits = ClientLimits::DEFAULT
        .with_head_time(SECOND)
        .with_response_time(SECOND * 2)
        .with_total_time(SECOND * 10);
    let begun = || {
        let mut call = client(limits).get("http://a/").into_call(NOW).unwrap();
        assert_eq!(call.deadline(), NOW + SECOND * 10);
        events(&mut call);
        call.connected(NOW);
        call
    };
    let timed_out = |mut call: HttpCall, at: Instant| {
        assert_eq!(call.deadline(), at);
        call.elapsed(at);
        match call.next_event(at).unwrap_err().kind() {
            ErrorKind::TimedOut(limit) => *limit,
            other => panic!("{other:?}"),
        }
    };
    let mut call = begun();
    assert!(call.output(NOW).len() > 10);
    assert_eq!(timed_out(call, NOW + SECOND), "head_time");
    let mut call = begun();
    written(&mut call);
    assert_eq!(timed_out(call, NOW + SECOND * 2), "response_time");
    let mut call = client(limits).get("http://a/").into_call(NOW).unwrap();
    call.next_event(NOW).unwrap();
    assert_eq!(timed_out(call, NOW + SECOND * 10), "total_time");
}

#[test]
fn a_server_that_cannot_be_reached_is_an_error_of_its_phase() {
    let mut call = call("GET", "http://a/");
    events(&mut call);
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    call.unreachable(Phase::Connect, refused, NOW);
    let error = call.next_event(NOW).unwrap_err();
    assert_eq!(error.phase(), Phase::Connect);
    assert!(error.is_connect() && !error.may_have_been_processed());
    let mut over = error.to_string();
    over.truncate(30);
    assert_eq!(over, "GET http://a/: connecting: con");
    assert!(call.next_event(NOW).is_err(), "and stays over");
}

#[test]
fn a_call_that_is_cancelled_or_asks_amiss_does_no_harm() {
    let mut call = call("GET", "http://a/");
    // Nobody has asked for these.
    call.receive(&mut b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), NOW);
    call.receive_eof(NOW);
    call.failed(NOW);
    call.sent(5, NOW);
    assert!(call.output(NOW).is_empty());
    assert_eq!(events(&mut call), ["connect http://a/"]);
    call.connected(NOW);
    call.connected(NOW); // a second one is not needed
    call.sent(1_000_000, NOW); // more than there was
    call.cancel();
    assert!(call.next_event(NOW).unwrap_err().is_cancelled());
}

/// Fields behind a body over HTTP/2 are a HEADERS frame that ends the stream.
#[test]
fn fields_follow_a_body_over_http2() {
    let client = Client::with(ClientOptions::new().http2_prior_knowledge()).unwrap();
    let body = Body::from("abc").with_trailers(|| {
        let mut trailers = FieldBuffer::new();
        trailers.push("Check", "1").unwrap();
        trailers
    });
    let mut call = client.put("http://a/").body(body).into_call(NOW).unwrap();
    events(&mut call);
    call.connected(NOW);
    let output = call.output(NOW);
    let mut frames = &output[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()..];
    let mut kinds = Vec::new();
    while let [a, b, c, kind, flags, ..] = *frames {
        if frames[5..9] == [0, 0, 0, 1] {
            kinds.push((kind, flags));
        }
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        frames = &frames[9 + length..];
    }
    assert_eq!(kinds, [(1, 4), (0, 0), (1, 5)]);
}

/// A server that is known to speak HTTP/2.
#[test]
fn a_call_over_http2_waits_until_it_is_allowed() {
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    const NONE: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\0";
    const SOME: &[u8] = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x05";
    const ANSWER: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\x01\0\0\0\x01hi";
    let limits = ClientLimits::DEFAULT.with_response_time(SECOND);
    let options = ClientOptions::new().http2_prior_knowledge().limits(limits);
    let client = Client::with(options).unwrap();
    let begun = || {
        let mut call = client.get("http://a/").into_call(NOW).unwrap();
        events(&mut call);
        call.connected(NOW);
        call
    };
    let mut call = begun();
    assert!(written(&mut call).starts_with("PRI * HTTP/2.0"));
    call.receive(&mut SETTINGS.to_vec(), NOW);
    call.receive(&mut ANSWER.to_vec(), NOW);
    assert_eq!(events(&mut call), ["response 200 OK", "body hi", "end "]);
    let connection = call.take_connection().unwrap();

    // The next one is allowed none at first.
    let mut next = client.get("http://a/").into_call(NOW).unwrap();
    events(&mut next);
    next.resume_on(connection, NOW);
    assert!(!written(&mut next).is_empty());
    let refused = b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x07";
    next.receive(&mut NONE.to_vec(), NOW);
    next.receive(&mut refused.to_vec(), NOW);
    assert_eq!(events(&mut next), ["connect http://a/"]);
    let connection = next.take_connection().unwrap();
    next.resume_on(connection, NOW);
    written(&mut next);
    assert!(events(&mut next).is_empty(), "none is allowed");
    let until = NOW + SECOND;
    next.elapsed(NOW);
    assert!(next.deadline() <= until);
    next.receive(&mut SOME.to_vec(), NOW);
    let head = b"\0\0\x01\x01\x04\0\0\0\x05\x88\0\0\x02\0\x01\0\0\0\x05hi";
    next.receive(&mut head.to_vec(), NOW);
    assert_eq!(events(&mut next), ["response 200 OK", "body hi", "end "]);

    // One that never allows any has as long as for an answer.
    let mut never = begun();
    never.receive(&mut NONE.to_vec(), NOW);
    never.receive(&mut b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07".to_vec(), NOW);
    assert_eq!(events(&mut never), ["connect http://a/"]);
    let connection = never.take_connection().unwrap();
    never.resume_on(connection, NOW);
    never.elapsed(until);
    let error = never.next_event(until).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TimedOut("response_time")),
        "{error}"
    );
    assert!(!error.may_have_been_processed());

    let mut leaving = begun();
    leaving.receive(&mut SETTINGS.to_vec(), NOW);
    written(&mut leaving);
    let goaway = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    leaving.receive(&mut goaway.to_vec(), NOW);
    leaving.receive_eof(NOW);
    assert_eq!(events(&mut leaving), ["connect http://a/"]);
    assert!(leaving.take_connection().is_none());
}
