//! Answers that a server of our own does not give.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use barewire::client::{CallOptions, Channel, ChannelLimits, Ending};
use barewire::grpc::{Code, Protocol};

use super::options;

type Bytes = Vec<u8>;

/// A server that answers each request on each connection by `answer`, and the channel to it.
fn told(answer: &'static [u8], is_last: bool) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 10_000];
                let mut seen = Vec::new();
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    seen.extend_from_slice(&buffer[..n]);
                    let is_chunked = seen.windows(8).any(|it| it == b": chunke");
                    let end = if is_chunked { &b"0\r\n\r\n"[..] } else { b"!" };
                    if !seen.ends_with(end) {
                        continue;
                    }
                    seen.clear();
                    stream.write_all(answer).unwrap();
                    if is_last {
                        stream.shutdown(std::net::Shutdown::Write).unwrap();
                    }
                }
            });
        }
    });
    let limits = ChannelLimits::DEFAULT.with_message(80).with_metadata(500);
    let options = options((Protocol::Connect, true)).limits(limits);
    Channel::connect_with(&target, options).unwrap()
}

fn unary(channel: &Channel) -> Result<Bytes, Ending> {
    let call = channel.unary::<Bytes, Bytes>("/a.B/C", &b"!".to_vec(), CallOptions::new());
    call.map(|it| it.into_message())
}

fn stream(channel: &Channel) -> Result<Vec<Bytes>, Ending> {
    let mut call = channel
        .client_streaming::<Bytes, Bytes>("/a.B/C", CallOptions::new())
        .unwrap();
    call.send(&b"!".to_vec())?;
    call.finish().map(|it| vec![it.into_message()])
}

#[test]
fn an_answer_that_is_not_of_connect_has_the_code_of_its_http_status() {
    for (answer, code) in [
        (&b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno"[..], Code::Internal),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", Code::Unauthenticated),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", Code::PermissionDenied),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Code::Unimplemented),
        (b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", Code::Unavailable),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", Code::Unknown),
        (b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", Code::Unavailable),
        (b"HTTP/1.1 503 No\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>", Code::Unavailable),
        (b"HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n", Code::Unavailable),
        (b"HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Code::Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>", Code::Unknown),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", Code::Internal),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\na", Code::Internal),
    ] {
        let channel = told(answer, false);
        for _ in 0..2 {
            let text = String::from_utf8_lossy(answer);
            assert_eq!(unary(&channel).unwrap_err().code(), code, "{text}");
        }
    }
}

#[test]
fn an_error_may_leave_its_code_to_its_status() {
    for (answer, code, message) in [
        (&b"HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n{\"code\":\"aborted\",\"message\":\"a\"}"[..], Code::Aborted, "a"),
        (b"HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", Code::Unimplemented, ""),
        (b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n<", Code::Unavailable, "HTTP status 503"),
    ] {
        let ending = unary(&told(answer, false)).unwrap_err();
        assert_eq!((ending.code(), &*ending.status.message), (code, message));
    }
}

#[test]
fn a_message_over_the_limit_ends_its_call() {
    let long = b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 81\r\n\r\n123456789012345678901234567890123456789012345678901234567890123456789012345678901";
    let channel = told(long, false);
    for _ in 0..3 {
        assert_eq!(unary(&channel).unwrap_err().code(), Code::ResourceExhausted);
    }
    let fits = b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 80\r\n\r\n12345678901234567890123456789012345678901234567890123456789012345678901234567890";
    assert_eq!(unary(&told(fits, false)).unwrap().len(), 80);
}

#[test]
fn a_head_over_the_limit_ends_its_call() {
    static LONG: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let long = LONG.get_or_init(|| {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nx: {}\r\nContent-Length: 0\r\n\r\n", "a".repeat(600)).into_bytes()
    });
    let ending = unary(&told(long, false)).unwrap_err();
    assert_eq!(ending.code(), Code::ResourceExhausted, "{ending}");
}

#[test]
fn a_stream_without_its_end_is_no_success() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/connect+proto\r\n";
    let case = |content: &[u8]| {
        let answer = format!("{HEAD}Content-Length: {}\r\n\r\n", content.len());
        let answer = [answer.as_bytes(), content].concat();
        stream(&told(answer.leak(), false))
    };
    let code = |content: &[u8]| case(content).unwrap_err().code();
    assert_eq!(case(b"\0\0\0\0\x01a\x02\0\0\0\x02{}").unwrap(), [b"a"]);
    assert_eq!(code(b"\0\0\0\0\x01a"), Code::Internal);
    assert_eq!(code(b""), Code::Internal);
    assert_eq!(code(b"\0\0\0\0\x01a\x02\0\0\0\x02{"), Code::Internal);
    assert_eq!(code(b"\0\0\0\0\x01a\x02\0\0\0\x01{"), Code::Internal);
    assert_eq!(code(b"\0\0\0\0\x01a\x02\0\0\0\x02{}\0"), Code::Internal);
    assert_eq!(code(b"\0\0\0\0\x01a\x08\0\0\0\x02{}"), Code::Internal);
    assert_eq!(code(b"\0\0\0\0\x51a"), Code::ResourceExhausted);
    assert_eq!(code(b"\x02\0\0\0\x02{}"), Code::Unimplemented); // no message
    let twice = b"\0\0\0\0\x01a\0\0\0\0\x01b\x02\0\0\0\x02{}";
    assert_eq!(code(twice), Code::Unimplemented);
    let error = br#"{"error":{"code":"aborted","message":"m"},"metadata":{"x":["1","2"]}}"#;
    let envelope = [&b"\x02\0\0\0"[..], &[error.len() as u8], error].concat();
    let ending = case(&envelope).unwrap_err();
    assert_eq!(ending.to_string(), "ABORTED: m");
    assert_eq!(ending.trailers().get_all("x").count(), 2);
}

#[test]
fn a_connection_that_is_cut_loses_its_call() {
    for cut in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 3\r\n\r\nab",
    ] {
        let ending = unary(&told(cut, true)).unwrap_err();
        assert_eq!(ending.code(), Code::Unavailable, "{ending}");
    }
    let garbage = unary(&told(b"SSH-2.0-OpenSSH\r\n\r\n", false)).unwrap_err();
    assert_eq!(garbage.code(), Code::Unavailable, "{garbage}");
}
