//! The connections of a channel over HTTP/1.1.

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use barewire::app::{App, Service};
use barewire::client::{CallOptions, CallResponse, Channel, ChannelLimits, Ending};
use barewire::grpc::{CallStatus, Code, Protocol};
use barewire::net::{Limits, Loop, Scripted};

use super::{channel, options};
use crate::app_support::{PATIENCE, Running, read_until};

type Bytes = Vec<u8>;

const WAY: super::Way = (Protocol::Connect, true);

fn call(channel: &Channel, path: &str, options: CallOptions) -> Result<Bytes, Ending> {
    let answer = channel.unary::<Bytes, Bytes>(path, &b"!".to_vec(), options);
    answer.map(|it| it.into_message())
}

/// A listener, and a channel to it with at most so many connections.
fn listen(most: usize) -> (TcpListener, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let limits = ChannelLimits::DEFAULT.with_connections(most);
    let channel = Channel::connect_with(&target, options(WAY).limits(limits)).unwrap();
    (listener, channel)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn answer(stream: &mut TcpStream, message: &str) {
    let length = message.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\n";
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{message}").unwrap();
}

/// Calls on a thread of its own.
fn spawn(channel: &Channel, options: CallOptions) -> thread::JoinHandle<Result<Bytes, Ending>> {
    let channel = channel.clone();
    thread::spawn(move || call(&channel, "/a.B/C", options))
}

#[test]
fn calls_one_after_the_other_share_a_connection() {
    let (listener, channel) = listen(8);
    let server = thread::spawn(move || {
        let mut stream = accept(&listener);
        for n in 0..10 {
            let head = read_until(&mut stream, "\r\n\r\n!");
            assert!(head.starts_with("POST /a.B/C HTTP/1.1\r\n"), "{head}");
            answer(&mut stream, &n.to_string());
        }
        stream
    });
    for n in 0..10 {
        let got = call(&channel, "/a.B/C", CallOptions::new()).unwrap();
        assert_eq!(got, n.to_string().into_bytes());
    }
    drop(server.join().unwrap());
}

#[test]
fn calls_at_one_time_have_a_connection_each_within_the_limit() {
    let (listener, channel) = listen(3);
    let calls: Vec<_> = (0..7)
        .map(|_| spawn(&channel, CallOptions::new()))
        .collect();
    let mut streams: Vec<_> = (0..3).map(|_| accept(&listener)).collect();
    for stream in &mut streams {
        read_until(stream, "\r\n\r\n!");
    }
    // The others wait for these: no further connection is made.
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    answer(&mut streams[0], "a");
    for _ in 0..4 {
        read_until(&mut streams[0], "\r\n\r\n!");
        answer(&mut streams[0], "a");
    }
    answer(&mut streams[1], "a");
    answer(&mut streams[2], "a");
    for call in calls {
        assert_eq!(call.join().unwrap().unwrap(), b"a");
    }
    assert!(listener.accept().is_err());
}

#[test]
fn many_threads_call_at_one_time() {
    const THREADS: usize = 8;
    let meets = Arc::new(Barrier::new(THREADS));
    let service = Service::new("test.Meet").unary_later("All", move |_: Bytes, _, later| {
        let meets = meets.clone();
        thread::spawn(move || {
            meets.wait();
            later.send(Ok::<Bytes, CallStatus>(b"met".to_vec()));
        });
    });
    let running = Running::start(App::new().grpc(service));
    let channel = channel(&running, WAY);
    let threads = (0..THREADS).map(|_| {
        let channel = channel.clone();
        thread::spawn(move || {
            for _ in 0..20 {
                let met = call(&channel, "/test.Meet/All", CallOptions::new());
                assert_eq!(met.unwrap(), b"met");
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    threads.into_iter().for_each(|it| it.join().unwrap());
}

#[test]
fn a_call_that_is_cancelled_ends_its_connection_and_no_other() {
    let (listener, channel) = listen(2);
    let (told, ended) = mpsc::channel();
    let one = channel.clone();
    let first = thread::spawn(move || {
        let responses = one
            .server_streaming::<Bytes, Bytes>("/a.B/C", &b"!".to_vec(), CallOptions::new())
            .unwrap();
        ended.recv().unwrap();
        drop(responses);
    });
    let mut stream = accept(&listener);
    read_until(&mut stream, "!");
    told.send(()).unwrap();
    first.join().unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    let second = spawn(&channel, CallOptions::new());
    let mut stream = accept(&listener);
    read_until(&mut stream, "\r\n\r\n!");
    answer(&mut stream, "b");
    assert_eq!(second.join().unwrap().unwrap(), b"b");
}

#[test]
fn only_a_get_is_sent_again() {
    let (listener, channel) = listen(2);
    let get = spawn(&channel, CallOptions::new().http_get());
    let mut first = accept(&listener);
    let head = read_until(&mut first, "\r\n\r\n");
    assert!(
        head.starts_with("GET /a.B/C?connect=v1&base64=1&encoding=proto&message=IQ HTTP/1.1\r\n"),
        "{head}"
    );
    drop(first);
    let mut second = accept(&listener);
    assert_eq!(read_until(&mut second, "\r\n\r\n"), head);
    answer(&mut second, "a");
    assert_eq!(get.join().unwrap().unwrap(), b"a");

    let post = spawn(&channel, CallOptions::new());
    read_until(&mut second, "\r\n\r\n!");
    drop(second);
    assert_eq!(post.join().unwrap().unwrap_err().code(), Code::Unavailable);
}

/// As for a request of HTTP: nothing of it has left, so that no server has acted on it.
#[test]
fn a_post_that_has_not_left_is_sent_again() {
    let world = Scripted::new();
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let channel = Channel::on(&mut events, "192.0.2.1:80", options(WAY)).unwrap();
    let (send, ended) = mpsc::channel();
    let mut turns = || (0..5).for_each(|_| events.turn(Some(Duration::ZERO)).unwrap());
    let call = |message: &str| {
        let send = send.clone();
        let done = move |result: Result<CallResponse<Bytes>, Ending>| {
            let code = result.map_or_else(|it| it.code(), |_| Code::Ok);
            send.send(code).unwrap();
        };
        let message = message.as_bytes().to_vec();
        channel
            .unary_then("/a.B/C", &message, CallOptions::new(), done)
            .unwrap();
    };
    call("1");
    turns();
    let dialled = || world.dials().last().unwrap().0;
    let first = dialled();
    world.complete(first);
    turns();
    let respond = |client, message: &str| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/proto\r\nContent-Length: 1\r\n\r\n";
        world.send(client, [head, message].concat().as_bytes());
    };
    assert!(!world.take_output(first).is_empty());
    respond(first, "a");
    turns();
    assert_eq!(ended.try_recv(), Ok(Code::Ok));
    // The system takes nothing more, and then the connection is gone.
    world.stop_reading(first);
    call("2");
    turns();
    world.break_with(first, ErrorKind::ConnectionReset);
    turns();
    let second = dialled();
    assert_ne!(second, first);
    world.complete(second);
    turns();
    assert!(
        world
            .take_output(second)
            .starts_with(b"POST /a.B/C HTTP/1.1\r\n")
    );
    respond(second, "b");
    turns();
    assert_eq!(ended.try_recv(), Ok(Code::Ok));
    // Some of it has left.
    world.stop_reading(second);
    world.allow_write(second, 20);
    call("3");
    turns();
    world.break_with(second, ErrorKind::ConnectionReset);
    turns();
    assert_eq!(ended.try_recv(), Ok(Code::Unavailable));
}

/// It answers before it has the whole request, and closes.
#[test]
fn a_refusal_is_read_although_the_rest_of_the_call_cannot_be_written() {
    let world = Scripted::new();
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let channel = Channel::on(&mut events, "192.0.2.1:80", options(WAY)).unwrap();
    let (send, ended) = mpsc::channel();
    let mut turns = || (0..5).for_each(|_| events.turn(Some(Duration::ZERO)).unwrap());
    let done = move |result: Result<CallResponse<Bytes>, Ending>| {
        let code = result.map_or_else(|it| it.code(), |_| Code::Ok);
        send.send(code).unwrap();
    };
    channel
        .unary_then("/a.B/C", &vec![7; 100], CallOptions::new(), done)
        .unwrap();
    turns();
    let client = world.dials().last().unwrap().0;
    world.stop_reading(client);
    world.allow_write(client, 20);
    world.complete(client);
    turns();
    assert_eq!(world.take_output(client).len(), 20);
    let head = "HTTP/1.1 429 x\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n";
    let answer = [head, r#"{"code":"resource_exhausted"}"#].concat();
    world.refuse_writes(client, ErrorKind::ConnectionReset);
    world.allow_all(client);
    world.send(client, answer.as_bytes());
    world.eof(client);
    turns();
    assert_eq!(ended.try_recv(), Ok(Code::ResourceExhausted));
    // Without an answer it is lost.
    let (send, ended) = mpsc::channel();
    let done = move |result: Result<CallResponse<Bytes>, Ending>| {
        send.send(result.unwrap_err().code()).unwrap();
    };
    channel
        .unary_then("/a.B/C", &vec![7; 100], CallOptions::new(), done)
        .unwrap();
    turns();
    let client = world.dials().last().unwrap().0;
    world.stop_reading(client);
    world.allow_write(client, 20);
    world.complete(client);
    turns();
    world.refuse_writes(client, ErrorKind::ConnectionReset);
    world.allow_all(client);
    turns();
    assert_eq!(ended.try_recv(), Ok(Code::Unavailable));
}

#[test]
fn a_server_that_outruns_its_reader_has_to_wait() {
    let (listener, channel) = listen(1);
    let (told, blocked) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut stream = accept(&listener);
        read_until(&mut stream, "!");
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/connect+proto\r\n\r\n";
        stream.write_all(head).unwrap();
        stream.set_nonblocking(true).unwrap();
        let message = [&[0, 0, 0, 0x40, 0][..], &[7; 0x4000]].concat();
        let (mut sent, mut refusals) = (0, 0);
        // The buffers of the system are full, and so is that of the call.
        while refusals < 100 {
            match stream.write(&message[sent % message.len()..]) {
                Ok(n) => (sent, refusals) = (sent + n, 0),
                Err(_) => {
                    refusals += 1;
                    thread::sleep(core::time::Duration::from_millis(3));
                }
            }
            assert!(sent < 256 << 20, "everything is taken");
        }
        told.send(()).unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.write_all(&message[sent % message.len()..]).unwrap();
        stream.write_all(b"\x02\0\0\0\x02{}").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        (sent / message.len() + 1, stream)
    });
    let request = b"!".to_vec();
    let responses = channel
        .server_streaming::<Bytes, Bytes>("/a.B/C", &request, CallOptions::new())
        .unwrap();
    blocked.recv_timeout(PATIENCE).unwrap();
    let came = responses.inspect(|it| assert_eq!(it.as_ref().unwrap().len(), 0x4000));
    let count = came.count();
    let (sent, stream) = server.join().unwrap();
    assert_eq!(count, sent);
    drop(stream);
}
