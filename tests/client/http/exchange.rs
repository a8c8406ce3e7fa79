//! Requests as they are sent, and responses as they are given.

use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use barewire::client::{Body, ClientOptions, ErrorKind, Phase};
use barewire::http::{FieldBuffer, Version};

use super::script::{Act, Server, answer, send};
use super::{Client, RequestBuilder};

#[test]
fn a_get_is_sent_and_its_response_given() {
    let server = Server::once(vec![
        Act::Read,
        send("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello"),
    ]);
    let client = Client::new();
    let response = client.get(server.url("/a?b=c#d")).send().unwrap();
    assert_eq!(
        (response.status().code(), response.version()),
        (201, Version::Http11)
    );
    assert_eq!(
        (response.header("x-a"), response.content_length()),
        (Some("b"), Some(5))
    );
    assert_eq!(response.url().path(), "/a");
    assert_eq!(response.text().unwrap(), "hello");
    let seen = server.seen();
    // Which codings there are is for the features to say.
    let codings = seen[0].field("accept-encoding").unwrap_or_default();
    let has_codings = cfg!(any(feature = "gzip", feature = "brotli", feature = "zstd"));
    assert_eq!(!codings.is_empty(), has_codings);
    assert_eq!(codings.ends_with("gzip, deflate"), cfg!(feature = "gzip"));
    let line = match has_codings {
        true => format!("Accept-Encoding: {codings}\r\n"),
        false => String::new(),
    };
    let expected = format!(
        "GET /a?b=c HTTP/1.1\r\nHost: {}\r\nUser-Agent: barewire/{}\r\nAccept: */*\r\n{line}\r\n",
        server.address,
        env!("CARGO_PKG_VERSION"),
    );
    assert_eq!(seen[0].text, expected);
}

#[test]
fn a_connection_carries_one_request_after_another() {
    let script = [
        Act::Read,
        answer("a"),
        Act::Read,
        answer("bc"),
        Act::Read,
        answer(""),
    ];
    let server = Server::once(script.to_vec());
    let client = Client::new();
    for body in ["a", "bc", ""] {
        let response = client.get(server.url("/")).send().unwrap();
        assert_eq!(response.text().unwrap(), body);
    }
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn a_head_tells_the_length_of_what_does_not_come() {
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
    let unchanged = "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n";
    let script = [
        Act::Read,
        send(huge),
        Act::Read,
        send(unchanged),
        Act::Read,
        answer(""),
    ];
    let server = Server::once(script.to_vec());
    let client = Client::new();
    let methods = [("HEAD", 1_000_000_000_000), ("GET", 7), ("GET", 0)];
    for (method, length) in methods {
        let response = client.request(method, server.url("/")).send().unwrap();
        assert_eq!(response.content_length(), Some(length));
        assert_eq!(response.bytes().unwrap(), b"");
    }
    assert_eq!(server.seen().len(), 3);
}

/// More than all buffers on the way hold, so that both have to go on at one time.
#[test]
fn a_body_goes_out_while_its_echo_comes() {
    const LENGTH: usize = 20 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        for _ in 0..2 {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            let mut body = stream.try_clone().unwrap().take(LENGTH as u64);
            io::copy(&mut body, &mut stream).unwrap();
        }
    });
    let client = Client::new();
    let bytes: Vec<u8> = (0..LENGTH).map(|at| (at / 1000) as u8).collect();
    let whole = Body::from(bytes.clone());
    let read = Body::reader(io::Cursor::new(bytes.clone())).with_length(LENGTH as u64);
    for body in [whole, read] {
        let response = client.post(&url).body(body).send().unwrap();
        assert!(response.bytes().unwrap() == bytes);
    }
    server.join().unwrap();
    assert_eq!(client.metrics().connections_opened(), 1);
}

#[test]
fn bodies_go_out_by_what_they_are() {
    let script = [Act::Read, answer("")].into_iter().cycle().take(12);
    let server = Server::once(script.collect());
    let client = Client::new();
    let url = server.url("/");
    client.post(&url).send().unwrap();
    client.post(&url).body("text").send().unwrap();
    client
        .put(&url)
        .body(Body::reader(&b"read"[..]))
        .send()
        .unwrap();
    let known = Body::reader(&b"read"[..]).with_length(4);
    client.put(&url).body(known).send().unwrap();
    let pieces = ["a", "", "bc"].map(|it| Ok(it.into()));
    client
        .patch(&url)
        .body(Body::iterator(pieces.into_iter()))
        .send()
        .unwrap();
    client
        .post(&url)
        .form([("a b", "c"), ("d", "&")])
        .send()
        .unwrap();
    let seen = server.seen();
    let framed: Vec<_> = seen
        .iter()
        .map(|it| {
            (
                it.field("content-length"),
                it.field("transfer-encoding"),
                it.body(),
            )
        })
        .collect();
    assert_eq!(
        framed,
        [
            (Some("0"), None, ""),
            (Some("4"), None, "text"),
            (None, Some("chunked"), "4\r\nread\r\n0\r\n\r\n"),
            (Some("4"), None, "read"),
            (None, Some("chunked"), "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
            (Some("11"), None, "a+b=c&d=%26"),
        ]
    );
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(seen[5].field("content-type"), form);
}

#[test]
fn fields_may_follow_a_body() {
    let server = Server::once(vec![
        Act::Read,
        answer("a"),
        Act::Read,
        answer("b"),
        Act::Stall,
    ]);
    let client = Client::new();
    let put = |body: Body| client.put(server.url("/")).body(body).send();
    let trailing = |name: &'static str| {
        move || {
            let mut trailers = FieldBuffer::new();
            trailers.push(name, "1").unwrap();
            trailers
        }
    };
    let pieces = ["ab", "c"].map(|it| Ok(it.into())).into_iter();
    put(Body::iterator(pieces).with_trailers(trailing("Check"))).unwrap();
    put(Body::from("abc").with_trailers(trailing("Check"))).unwrap();
    let seen = server.seen();
    assert!(
        seen[0]
            .text
            .ends_with("2\r\nab\r\n1\r\nc\r\n0\r\nCheck: 1\r\n\r\n")
    );
    assert!(seen[1].text.ends_with("3\r\nabc\r\n0\r\nCheck: 1\r\n\r\n"));
    assert_eq!(seen[1].field("content-length"), None);
    let error = put(Body::from("abc").with_trailers(trailing("Content-Length"))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsendable(_)), "{error}");
}

#[test]
fn large_bodies_go_both_ways() {
    const MUCH: usize = 3 << 20;
    let body = "x".repeat(MUCH);
    let server = Server::once(vec![Act::Read, answer(&body)]);
    let response = Client::new()
        .post(server.url("/"))
        .body(body.clone())
        .send()
        .unwrap();
    assert_eq!(response.text().unwrap(), body);
    assert_eq!(server.seen()[0].body(), body);
}

#[test]
fn a_body_is_read_piece_by_piece() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 7\r\n\r\n";
    let server = Server::start([vec![Act::Read, send(chunked), Act::Read, send(chunked)]]);
    let client = Client::new();
    let mut response = client.get(server.url("/")).send().unwrap();
    let mut whole = Vec::new();
    while let Some(piece) = response.next_chunk().unwrap() {
        whole.extend_from_slice(piece);
    }
    assert_eq!(whole, b"hello world");
    assert_eq!(response.trailers().get_str("x-sum"), Some("7"));
    let response = client.get(server.url("/")).send().unwrap();
    let mut text = String::new();
    response.reader().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello world");
}

#[test]
fn what_is_wrong_with_a_request_is_told_before_anything_is_sent() {
    let client = Client::new();
    let fault = |request: RequestBuilder| {
        let error = request.send().unwrap_err();
        assert_eq!(error.phase(), Phase::Request);
        assert!(!error.may_have_been_processed());
        error
    };
    let url = "http://127.0.0.1:1/";
    assert!(matches!(
        fault(client.get("nonsense")).kind(),
        ErrorKind::Url(_)
    ));
    assert!(matches!(
        fault(client.get("ws://a/")).kind(),
        ErrorKind::Usage(_)
    ));
    assert!(matches!(
        fault(client.request("a b", url)).kind(),
        ErrorKind::Method(_)
    ));
    assert!(matches!(
        fault(client.request("CONNECT", url)).kind(),
        ErrorKind::Method(_)
    ));
    let field = client.get(url).header("a\r\nb", "c");
    assert!(matches!(fault(field).kind(), ErrorKind::Field(_)));
    let field = client.get(url).header("a", "b\nc");
    assert!(matches!(fault(field).kind(), ErrorKind::Field(_)));
    let options = Client::with(ClientOptions::new().header("a b", "c"));
    assert!(matches!(options.unwrap_err().kind(), ErrorKind::Field(_)));
}

#[test]
fn a_caller_may_have_a_connection_closed_behind_a_request() {
    let server = Server::start([
        vec![Act::Read, answer("a"), Act::ReadAll],
        vec![Act::Read, answer("b"), Act::Read, answer("c")],
    ]);
    let client = Client::new();
    let get = || client.get(server.url("/"));
    let response = get().header("connection", "Close").send().unwrap();
    assert_eq!(response.text().unwrap(), "a");
    server.wait(); // though the server would have kept it
    for body in ["b", "c"] {
        assert_eq!(get().send().unwrap().text().unwrap(), body);
    }
    let seen = server.seen();
    assert_eq!(seen[0].field("connection"), Some("close"));
    assert_eq!(seen[0].text.matches("onnection").count(), 1);
    let server = Server::once(vec![Act::Stall]);
    let request = client.get(server.url("/"));
    let refused = request.header("Connection", "keep-alive, close").send();
    let error = refused.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsendable(_)));
}

#[test]
fn an_error_names_request_phase_and_cause_and_no_secret() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user:secret@{address}/x");
    let error = Client::new().get(&url).send().unwrap_err();
    let start = format!("GET http://{address}/x: connecting: ");
    let text = error.to_string();
    assert!(
        text.starts_with(&start) && text.contains("refused"),
        "{text}"
    );
    assert!(error.is_connect() && error.is_retryable() && !error.is_timeout());
    let shown = format!("{error:?}");
    assert!(
        !shown.contains("secret") && !text.contains("secret"),
        "{shown}"
    );
}

#[test]
fn interim_responses_are_told_to_a_hook() {
    let server = Server::once(vec![
        Act::Read,
        send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n"),
        answer("x"),
    ]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    let request = Client::new().get(server.url("/"));
    let request = request.on_informational(move |status, fields| {
        let link = fields.get_str("link").map(str::to_owned);
        tells.lock().unwrap().push((status.code(), link));
    });
    assert_eq!(request.send().unwrap().text().unwrap(), "x");
    assert_eq!(
        *told.lock().unwrap(),
        [(103, Some("</a>".into())), (102, None)]
    );
}

#[test]
fn a_body_is_held_back_until_the_server_asks_for_it() {
    let server = Server::start([
        vec![
            Act::ReadHead,
            send("HTTP/1.1 100 Continue\r\n\r\n"),
            Act::ReadAll,
        ],
        vec![
            Act::ReadHead,
            send("HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n"),
            Act::ReadAll,
        ],
        vec![
            Act::ReadHead,
            send("HTTP/1.1 417 x\r\nContent-Length: 0\r\n\r\n"),
            Act::ReadAll,
        ],
        vec![Act::Read, answer("x")],
    ]);
    let client = Client::new();
    let post = || client.post(server.url("/")).body("body").expect_continue();
    let limits = barewire::client::ClientLimits::DEFAULT.with_response_time(super::SHORT);
    assert!(post().limits(limits).send().unwrap_err().is_timeout());
    assert_eq!(post().send().unwrap().status().code(), 413);
    assert_eq!(post().send().unwrap().text().unwrap(), "x");
    for _ in 0..4 {
        server.wait();
    }
    let mut seen = server.seen();
    seen.sort_by_key(|it| it.connection);
    let bodies: Vec<_> = seen
        .iter()
        .map(|it| {
            (
                it.connection,
                it.text.contains("Expect"),
                it.text.ends_with("body"),
            )
        })
        .collect();
    assert_eq!(
        bodies,
        [
            (0, true, false),
            (0, false, true),
            (1, true, false),
            (1, false, false),
            (2, true, false),
            (2, false, false),
            (3, false, true),
        ]
    );
}

#[test]
fn credentials_of_a_url_and_of_a_call_are_sent_as_such() {
    let script = [Act::Read, answer("")]
        .into_iter()
        .cycle()
        .take(6)
        .collect();
    let server = Server::once(script);
    let client = Client::new();
    let url = format!("http://Aladdin:open%20sesame@{}/", server.address);
    client.get(&url).send().unwrap();
    client.get(&url).bearer_auth("token").send().unwrap();
    client.get(&url).basic_auth("a", "b").send().unwrap();
    let auth: Vec<_> = server
        .seen()
        .iter()
        .map(|it| it.field("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(
        auth,
        [
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Bearer token",
            "Basic YTpi"
        ]
    );
}
