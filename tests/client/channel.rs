//! Channels over real sockets, from threads and on a loop.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::client_support::Server;
use barewire::client::{CallListener, CallOptions, Channel, Ending, GrpcChannelOptions, Outgoing};
use barewire::grpc::{Code, Payload};
use barewire::http2::{self, ErrorCode};
use barewire::net::{Limits, Loop};
use barewire::wire::Instant;

type Bytes = Vec<u8>;

/// A server on a thread of its own, and what was reset on it.
struct Site {
    target: String,
    resets: Receiver<ErrorCode>,
}

fn site() -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let (send, resets) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let send = send.clone();
            thread::spawn(move || {
                serve(stream.unwrap(), |code| {
                    let _ = send.send(code); // the test may be over
                });
            });
        }
    });
    Site { target, resets }
}

/// What was done for a stream so far.
#[derive(Default)]
struct Done {
    head: bool,
    echoed: usize,
    over: bool,
}

fn serve(mut stream: TcpStream, told: impl Fn(ErrorCode)) {
    stream.set_nodelay(true).unwrap();
    let limits = http2::Limits::DEFAULT.with_stream_window(20_000);
    let mut server = Server::new(limits, Instant::START);
    let mut done: std::collections::BTreeMap<u32, Done> = Default::default();
    let mut buffer = [0; 10_000];
    loop {
        let Ok(n @ 1..) = stream.read(&mut buffer) else {
            return;
        };
        server.take(&buffer[..n]);
        let streams: Vec<u32> = server.seen.keys().copied().collect();
        for id in streams {
            let done = done.entry(id).or_default();
            if done.over {
                continue;
            }
            let seen = &server.seen[&id];
            if let Some(code) = seen.reset {
                done.over = true;
                told(code);
                continue;
            }
            let (body, ended) = (seen.body.clone(), seen.ended);
            match seen.path.as_str() {
                // One that says whatever it echoes is compressed as the request.
                "/t.T/Echo" | "/t.T/Packed" => {
                    let first = match seen.path.as_str() {
                        "/t.T/Echo" => ("x-first", "1"),
                        _ => ("grpc-encoding", "gzip"),
                    };
                    if !done.head {
                        server.head(id, &[first]);
                        done.head = true;
                    }
                    server.body(id, &body[done.echoed..]);
                    done.echoed = body.len();
                    if ended && server.waiting(id) == 0 {
                        server.status(id, &[("grpc-status", "0"), ("x-last", "2")]);
                        done.over = true;
                    }
                }
                "/t.T/Count" if ended => {
                    server.answer(id, body.len().to_string().as_bytes());
                    done.over = true;
                }
                // The request, as if it were compressed.
                "/t.T/Flagged" if ended => {
                    server.head(id, &[("grpc-encoding", "gzip")]);
                    server.body(id, &[&[1], &body[1..]].concat());
                    server.status(id, &[("grpc-status", "0")]);
                    done.over = true;
                }
                "/t.T/Fail" => {
                    server.head(id, &[]);
                    server.status(id, &[("grpc-status", "9"), ("grpc-message", "no")]);
                    done.over = true;
                }
                "/t.T/Leave" => return,
                _ => {} // it hangs
            }
        }
        let mut out = std::mem::take(&mut server.out);
        if stream.write_all(&out).is_err() {
            return;
        }
        out.clear();
    }
}

fn options() -> CallOptions {
    CallOptions::new()
}

fn code<T>(result: Result<T, Ending>) -> Code {
    result.err().map_or(Code::Ok, |ending| ending.code())
}

#[test]
fn all_four_kinds_of_calls_block_until_they_are_answered() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let hello = b"hello".to_vec();
    let response = channel
        .unary::<Bytes, Bytes>("/t.T/Echo", &hello, options())
        .unwrap();
    assert_eq!(response.message, hello);
    assert_eq!(response.metadata().get("x-first").unwrap(), b"1");
    assert_eq!(response.trailers().get("x-last").unwrap(), b"2");

    let mut responses = channel
        .server_streaming::<Bytes, Bytes>("/t.T/Echo", &hello, options())
        .unwrap();
    let head = responses.metadata().unwrap();
    assert_eq!(head.as_fields().get("x-first").unwrap(), b"1");
    assert_eq!(responses.next().unwrap().unwrap(), hello);
    assert!(responses.next().is_none() && responses.next().is_none());
    let ending = responses.ending().unwrap();
    assert_eq!(ending.trailers().get("x-last").unwrap(), b"2");

    let mut requests = channel
        .client_streaming::<Bytes, Bytes>("/t.T/Count", options())
        .unwrap();
    for n in 0..100 {
        requests.send(&vec![n; 1000]).unwrap();
    }
    let count = requests.finish().unwrap().into_message();
    assert_eq!(count, b"100500");

    let mut chat = channel
        .bidirectional::<Bytes, Bytes>("/t.T/Echo", options())
        .unwrap();
    for n in 0..10 {
        chat.send(&vec![n; 10]).unwrap();
        assert_eq!(chat.receive().unwrap().unwrap(), [n; 10]);
    }
    let mut responses = chat.close_sending();
    assert!(responses.receive().unwrap().is_none());
}

#[test]
fn the_halves_of_a_call_serve_two_threads() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let chat = channel.bidirectional::<Bytes, Bytes>("/t.T/Echo", options());
    let (mut sender, responses) = chat.unwrap().split();
    let sending = thread::spawn(move || {
        for n in 0..100u32 {
            sender.send(&vec![n as u8; 5000]).unwrap();
        }
        sender.close();
    });
    let mut count = 0u32;
    for response in responses {
        assert_eq!(response.unwrap(), [count as u8; 5000]);
        count += 1;
    }
    sending.join().unwrap();
    assert_eq!(count, 100);
}

#[test]
fn many_threads_share_a_channel() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let threads: Vec<_> = (0..20u8)
        .map(|n| {
            let channel = channel.clone();
            thread::spawn(move || {
                let message = vec![n; 30_000];
                let response = channel.unary::<Bytes, Bytes>("/t.T/Echo", &message, options());
                assert!(response.unwrap().message == message);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn the_failure_of_a_call_is_its_status() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let failed = channel.unary::<Bytes, Bytes>("/t.T/Fail", &vec![], options());
    assert_eq!(failed.unwrap_err().to_string(), "FAILED_PRECONDITION: no");
    let late = options().timeout(Duration::from_millis(20));
    let failed = channel.unary::<Bytes, Bytes>("/t.T/Hang", &vec![], late);
    assert_eq!(code(failed), Code::DeadlineExceeded);
    // Two messages are one too many, and none is one too few.
    let mut chat = channel
        .client_streaming::<Bytes, Bytes>("/t.T/Echo", options())
        .unwrap();
    chat.send(&vec![1]).unwrap();
    chat.send(&vec![2]).unwrap();
    assert_eq!(code(chat.finish()), Code::Unimplemented);
    let none = channel.client_streaming::<Bytes, Bytes>("/t.T/Echo", options());
    assert_eq!(code(none.unwrap().finish()), Code::Unimplemented);
}

/// A message that is never what it should be.
#[derive(Debug)]
struct Picky;

impl Payload for Picky {
    fn decode(_: &[u8]) -> Result<Self, barewire::grpc::CallStatus> {
        Err(barewire::grpc::Status::new(Code::Internal, "not picky enough").into())
    }

    fn encode(&self, _: &mut Vec<u8>) {}
}

#[test]
fn a_message_that_cannot_be_read_ends_its_call() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let mut chat = channel
        .bidirectional::<Picky, Picky>("/t.T/Echo", options())
        .unwrap();
    chat.send(&Picky).unwrap();
    assert_eq!(code(chat.receive()), Code::Internal);
    assert_eq!(site.resets.recv().unwrap(), ErrorCode::CANCEL);
    assert_eq!(code(chat.send(&Picky)), Code::Internal);
}

/// gRPC compression.
#[cfg(feature = "gzip")]
mod gzip {
    use super::*;
    use barewire::grpc::Gzip;

    const PACKED: &str = "/t.T/Packed";

    fn compressed() -> CallOptions {
        options().compression()
    }

    #[test]
    fn messages_are_compressed_and_inflated() {
        let site = site();
        let channel = Channel::connect(&site.target).unwrap();
        let long = vec![7; 300_000];
        let response = channel
            .unary::<Bytes, Bytes>(PACKED, &long, compressed())
            .unwrap();
        assert!(response.is_compressed());
        assert_eq!(response.message, long);
        let count = channel.unary::<Bytes, Bytes>("/t.T/Count", &long, compressed());
        let count = String::from_utf8(count.unwrap().message).unwrap();
        assert!(count.parse::<usize>().unwrap() < 3_000, "{count}");

        let mut chat = channel
            .bidirectional::<Bytes, Bytes>(PACKED, compressed())
            .unwrap();
        for is in [true, false, true] {
            match is {
                true => chat.send(&long).unwrap(),
                false => chat.send_uncompressed(&long).unwrap(),
            }
            assert_eq!(chat.receive().unwrap().as_ref(), Some(&long));
            assert_eq!(chat.is_compressed(), is);
        }
    }

    #[test]
    fn listeners_get_messages_inflated() {
        let site = site();
        let channel = Channel::connect(&site.target).unwrap();
        let (send, receive) = channel_of_results();
        channel
            .unary_then(PACKED, &vec![7; 9_000], compressed(), send)
            .unwrap();
        let response = receive.recv().unwrap().unwrap();
        assert!(response.is_compressed());
        assert_eq!(response.message, vec![7; 9_000]);
    }

    type Answered = Result<barewire::client::CallResponse<Bytes>, Ending>;

    fn channel_of_results() -> (impl FnOnce(Answered) + Send, Receiver<Answered>) {
        let (send, receive) = channel();
        (move |result| drop(send.send(result)), receive)
    }

    #[test]
    fn what_inflates_beyond_the_limit_ends_the_call() {
        let site = site();
        let limits = barewire::client::ChannelLimits::DEFAULT.with_message(100_000);
        let options = GrpcChannelOptions::new().limits(limits);
        let channel = Channel::connect_with(&site.target, options).unwrap();
        let call = |n| channel.unary::<Bytes, Bytes>(PACKED, &vec![0; n], compressed());
        assert_eq!(code(call(100_000)), Code::Ok);
        assert_eq!(code(call(100_001)), Code::ResourceExhausted);
        let (send, receive) = channel_of_results();
        channel
            .unary_then(PACKED, &vec![0; 100_001], compressed(), send)
            .unwrap();
        assert_eq!(code(receive.recv().unwrap()), Code::ResourceExhausted);
    }

    #[test]
    fn what_is_no_gzip_ends_the_call() {
        let site = site();
        let channel = Channel::connect(&site.target).unwrap();
        let mut packed = Vec::new();
        Gzip::new().compress(b"hello", &mut packed);
        let whole = packed.clone();
        packed.pop();
        for (bytes, expected) in [(whole, Code::Ok), (packed, Code::Internal)] {
            let answer = channel.unary::<Bytes, Bytes>("/t.T/Flagged", &bytes, options());
            assert_eq!(
                code(answer.map(|answer| assert_eq!(answer.message, b"hello"))),
                expected
            );
        }
    }
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let request = vec![];
    let streaming = || channel.server_streaming::<Bytes, Bytes>("/t.T/Hang", &request, options());
    let chat = || channel.bidirectional::<Bytes, Bytes>("/t.T/Echo", options());
    // Each is on the server when it is dropped.
    let mut met = chat().unwrap();
    met.send(&vec![1]).unwrap();
    met.receive().unwrap();
    drop(met);
    assert_eq!(site.resets.recv().unwrap(), ErrorCode::CANCEL);
    let mut met = chat().unwrap();
    met.send(&vec![1]).unwrap();
    met.receive().unwrap();
    let (sender, mut responses) = met.split();
    drop(sender); // without `close` it is not the whole
    assert_eq!(code(responses.receive()), Code::Cancelled);
    assert_eq!(site.resets.recv().unwrap(), ErrorCode::CANCEL);
    let cancelled = streaming().unwrap();
    cancelled.cancel();
    assert_eq!(cancelled.ending().unwrap().code(), Code::Cancelled);
}

#[test]
fn a_lost_connection_ends_its_calls_and_is_followed_by_another() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let hello = b"hello".to_vec();
    for _ in 0..3 {
        let echo = channel.unary::<Bytes, Bytes>("/t.T/Echo", &hello, options());
        assert_eq!(echo.unwrap().message, hello);
        let lost = channel.unary::<Bytes, Bytes>("/t.T/Leave", &hello, options());
        assert_eq!(code(lost), Code::Unavailable);
    }
}

/// How a call ends that does not wait for its server.
fn unreachable(target: &str) -> String {
    let channel = Channel::connect(target).unwrap();
    let call = channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![], options());
    call.unwrap_err().to_string()
}

#[test]
fn a_server_that_is_not_there_is_unavailable_and_the_message_says_why() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    assert_eq!(
        unreachable(&format!("http://{address}")),
        format!("UNAVAILABLE: cannot connect to {address}: connection refused")
    );
    // An empty label: no name server is asked for that.
    assert_eq!(
        unreachable("no..name:50051"),
        "UNAVAILABLE: cannot connect to no..name:50051: the name cannot be resolved"
    );
}

#[cfg(unix)]
#[test]
fn a_call_that_waits_for_its_server_has_its_deadline() {
    let nobody = std::env::temp_dir().join("barewire-nobody-listens-here");
    let target = format!("unix:{}", nobody.display());
    assert_eq!(
        unreachable(&target),
        format!("UNAVAILABLE: cannot connect to {target}: no such socket")
    );
    let channel = Channel::connect(&target).unwrap();
    let patient = options()
        .wait_for_ready(true)
        .timeout(Duration::from_millis(50));
    let late = channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![], patient);
    assert_eq!(code(late), Code::DeadlineExceeded);
}

/// Sends back what comes, until there was enough.
struct Bouncing {
    left: u32,
    head: bool,
    done: std::sync::mpsc::Sender<(u32, Code)>,
}

impl CallListener for Bouncing {
    type Request = Bytes;
    type Response = Bytes;

    fn metadata(&mut self, fields: barewire::http::Fields<'_>) {
        self.head = fields.get("x-first") == Some(b"1");
    }

    fn message(&mut self, message: Bytes, call: &Outgoing<Bytes>) {
        assert!(self.head);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                call.send(&message).unwrap();
            }
            None => call.close_sending(),
        }
    }

    fn end(self, ending: Ending) {
        self.done.send((self.left, ending.code())).unwrap();
    }
}

#[test]
fn listeners_are_told_on_the_loop_of_the_application() {
    let site = site();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let channel = Channel::on(&mut events, &site.target, GrpcChannelOptions::new()).unwrap();
    let (done, told) = std::sync::mpsc::channel();
    let bouncing = Bouncing {
        left: 20,
        head: false,
        done,
    };
    let call = channel.open("/t.T/Echo", options(), bouncing).unwrap();
    call.send(&b"ball".to_vec()).unwrap();
    let (send, answers) = std::sync::mpsc::channel();
    let again = channel.clone();
    let other = Channel::connect(&site.target).unwrap();
    let free = other.unary::<Bytes, Bytes>("/t.T/Echo", &vec![1], options());
    assert_eq!(free.unwrap().message, [1]);
    let first = move |result: Result<barewire::client::CallResponse<Bytes>, Ending>| {
        // A call within the callback of another, and one that would never end.
        let blocked = again.unary::<Bytes, Bytes>("/t.T/Echo", &vec![], options());
        assert_eq!(code(blocked), Code::FailedPrecondition);
        // Another channel's calls would hold up this loop.
        let blocked = other.unary::<Bytes, Bytes>("/t.T/Echo", &vec![], options());
        assert_eq!(code(blocked), Code::FailedPrecondition);
        let send = send.clone();
        let message = result.unwrap().message;
        again
            .unary_then::<Bytes, Bytes>("/t.T/Echo", &message, options(), move |result| {
                send.send(result.unwrap().message).unwrap();
            })
            .unwrap();
    };
    channel
        .unary_then("/t.T/Echo", &b"twice".to_vec(), options(), first)
        .unwrap();
    let mut heard = (None, None);
    while heard.0.is_none() || heard.1.is_none() {
        events.turn(None).unwrap();
        heard.0 = heard.0.or(told.try_recv().ok());
        heard.1 = heard.1.or(answers.try_recv().ok());
    }
    assert_eq!(heard, (Some((0, Code::Ok)), Some(b"twice".to_vec())));
}

#[test]
fn a_loop_serves_its_own_handlers_and_the_blocking_calls_of_other_threads() {
    let site = site();
    let (send, receive) = channel();
    let target = site.target.clone();
    let running = thread::spawn(move || {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let channel = Channel::on(&mut events, &target, GrpcChannelOptions::new()).unwrap();
        send.send((channel, events.remote())).unwrap();
        events.run().unwrap()
    });
    let (channel, remote) = receive.recv().unwrap();
    let echo = || channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![7], options());
    assert_eq!(echo().unwrap().message, [7]);
    remote.drain(Duration::from_secs(60));
    assert_eq!(running.join().unwrap(), 0);
    assert_eq!(code(echo()), Code::Unavailable);
}

/// Panics at the first message.
struct Panicking(std::sync::mpsc::Sender<()>);

impl CallListener for Panicking {
    type Request = Bytes;
    type Response = Bytes;

    fn message(&mut self, _: Bytes, _: &Outgoing<Bytes>) {
        self.0.send(()).unwrap();
        panic!("on purpose");
    }

    fn end(self, _: Ending) {}
}

#[test]
fn a_listener_that_panics_loses_its_call_and_nothing_else() {
    let site = site();
    let channel = Channel::connect(&site.target).unwrap();
    let (send, panicked) = std::sync::mpsc::channel();
    let call = channel.open("/t.T/Echo", options(), Panicking(send));
    let call = call.unwrap();
    call.send(&vec![1]).unwrap();
    panicked.recv().unwrap();
    assert_eq!(site.resets.recv().unwrap(), ErrorCode::CANCEL);
    let echo = channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![7], options());
    assert_eq!(echo.unwrap().message, [7]);
}

#[test]
fn a_channel_ends_its_connection_when_nobody_has_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(stream, |_| {}); // until the client is gone
    });
    let channel = Channel::connect(&target).unwrap();
    let echo = channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![7], options());
    assert_eq!(echo.unwrap().message, [7]);
    drop(channel);
    serving.join().unwrap();
}

#[test]
fn targets_that_are_none_are_refused_by_name() {
    for (target, message) in [
        (
            "nonsense",
            "cannot call \"nonsense\": no port: expected host:port, or a scheme in front of the host",
        ),
        (
            "a:0",
            "cannot call \"a:0\": the port is not a number from 1 to 65535",
        ),
        #[cfg(not(feature = "tls"))]
        (
            "https://a:1",
            "cannot call \"https://a:1\": this build has no TLS (feature `tls`)",
        ),
    ] {
        let error = Channel::connect(target).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// A proxy on a thread: `way` talks to the client and says where its bytes are to go, or how
/// its connection ends. Its port.
fn proxy(way: impl Fn(&mut TcpStream) -> Option<String> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = stream.unwrap();
            let Some(server) = way(&mut client) else {
                continue;
            };
            let server = TcpStream::connect(server).unwrap();
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            for (mut from, mut to) in [(from, to), (server, client)] {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to); // until one of them ends
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    port
}

/// The head of a request to a proxy.
fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn echo_by(target: &str, options: GrpcChannelOptions) -> Result<Bytes, Ending> {
    let channel = Channel::connect_with(target, options).unwrap();
    let call = channel.unary("/t.T/Echo", &vec![7], self::options());
    call.map(|it| it.message)
}

fn through(proxy: &str) -> GrpcChannelOptions {
    GrpcChannelOptions::new().proxy(proxy.parse().unwrap())
}

#[test]
fn a_tunnel_leads_to_a_server_that_the_proxy_finds() {
    let site = site().target.replace("http://", "");
    let (send, heads) = channel();
    let port = proxy(move |client| {
        send.send(head(client)).unwrap();
        client.write_all(b"HTTP/1.1 200 Found\r\n\r\n").unwrap();
        Some(site.clone())
    });
    // An empty label: nobody but the proxy is asked for that name.
    let options = through(&format!("http://user:secret@127.0.0.1:{port}"));
    assert_eq!(echo_by("http://no..name", options).unwrap(), [7]);
    let asked = heads.recv().unwrap();
    assert!(
        asked.starts_with("CONNECT no..name:80 HTTP/1.1\r\n"),
        "{asked}"
    );
    let who = "proxy-authorization: basic dxnlcjpzzwnyzxq=\r\n";
    assert!(asked.to_ascii_lowercase().contains(who), "{asked}");
}

#[test]
fn a_socks_proxy_is_told_the_name_of_the_server() {
    let site = site().target.replace("http://", "");
    let port = proxy(move |client| {
        let mut hello = [0; 3];
        client.read_exact(&mut hello).unwrap();
        assert_eq!(hello, [5, 1, 0]);
        client.write_all(&[5, 0]).unwrap();
        let mut asked = [0; 15];
        client.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"\x05\x01\x00\x03\x08no..name\x1f\x90");
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        Some(site.clone())
    });
    for scheme in ["socks5", "socks5h"] {
        let options = through(&format!("{scheme}://127.0.0.1:{port}"));
        assert_eq!(echo_by("no..name:8080", options).unwrap(), [7], "{scheme}");
    }
}

#[test]
fn what_a_proxy_refuses_names_both_and_no_secret() {
    for (answer, fault) in [
        (
            &b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"[..],
            "the proxy has answered with status 403",
        ),
        (
            b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n",
            "the proxy does not accept user and password, or asks for them",
        ),
        (b"", "the proxy has closed the connection"),
        (b"SSH-2.0-a\r\n\r\n", "the proxy does not speak HTTP"),
    ] {
        let port = proxy(move |client| {
            head(client);
            client.write_all(answer).unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            None
        });
        let options = through(&format!("user:secret@127.0.0.1:{port}"));
        let error = echo_by("server.example:50051", options).unwrap_err();
        let place = format!("server.example:50051 through http://127.0.0.1:{port}");
        let message = format!("UNAVAILABLE: cannot connect to {place}: {fault}");
        assert!(error.to_string().starts_with(&message), "{error}");
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.is::<barewire::client::DialError>(), "{cause:?}");
        assert!(cause.source().unwrap().is::<barewire::client::ProxyError>());
    }
}

#[test]
fn a_proxy_that_is_silent_has_its_time() {
    let (send, clients) = channel();
    let port = proxy(move |client| {
        send.send(client.try_clone().unwrap()).unwrap();
        None
    });
    let limits = Limits::DEFAULT.with_handshake_time(Duration::from_secs(1));
    let (tell, told) = channel();
    let running = thread::spawn(move || {
        let mut events = Loop::new(limits).unwrap();
        let options = through(&format!("http://127.0.0.1:{port}"));
        let channel = Channel::on(&mut events, "server.example:1", options).unwrap();
        tell.send((channel, events.remote())).unwrap();
        events.run().unwrap()
    });
    let (channel, remote) = told.recv().unwrap();
    let call = channel.unary::<Bytes, Bytes>("/t.T/Echo", &vec![], options());
    let message = call.unwrap_err().to_string();
    assert!(
        message.ends_with("the proxy has not answered in time"),
        "{message}"
    );
    drop(clients);
    remote.drain(Duration::from_secs(60));
    running.join().unwrap();
}

#[test]
fn servers_that_are_left_out_are_reached_directly() {
    let site = site();
    // Nobody listens there.
    let nowhere = || through("http://127.0.0.1:1");
    let direct = nowhere().proxy_except("localhost, 127.0.0.0/8");
    assert_eq!(echo_by(&site.target, direct).unwrap(), [7]);
    assert_eq!(echo_by(&site.target, nowhere().no_proxy()).unwrap(), [7]);
    let error = echo_by(&site.target, nowhere().proxy_except("localhost")).unwrap_err();
    let server = site.target.replace("http://", "");
    let place = format!("{server} through http://127.0.0.1:1");
    let message = format!("UNAVAILABLE: cannot connect to {place}: connection refused");
    assert_eq!(error.to_string(), message);
}
