//! Reconnecting with compression: each connection begins with an empty window.
#![cfg(feature = "deflate")]

use core::time::Duration;
use std::cell::RefCell;
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use barewire::app::{App, Message as Given, Server, Socket, WebSocket, WebSocketRoute};
use barewire::client::{
    LoopReconnecting, LoopWebSockets, Message, ReceiptState, ReconnectLimits, ReconnectListener,
    ReconnectOptions, ReconnectSender, Reconnecting, WebSocketOptions,
};
use barewire::net::{Address, Limits, Loop};
use barewire::websocket::deflate::{Offer, Policy};
use barewire::wire::codec::Compression;

use super::server::{PATIENCE, Script, answer, read_frame, read_head};

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Given<'_>) {
        socket.send(message);
    }
}

/// A server whose messages refer to earlier ones, in both directions.
fn echo() -> (Server, String) {
    let route = WebSocketRoute::new(|_request| Ok(Echo));
    let route = route.deflate(Policy::TAKEOVER, Compression::DEFAULT);
    let app = App::new().websocket_route("/", route);
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    let url = format!("ws://{address}/");
    (server, url)
}

fn stop(server: Server) {
    server.handle().shutdown(Duration::from_millis(100));
    server.join().unwrap();
}

/// Offers takeover.
fn compressed() -> WebSocketOptions {
    WebSocketOptions::new()
        .no_proxy()
        .deflate(&[Offer::DEFAULT], Compression::DEFAULT)
}

fn soon() -> ReconnectOptions {
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_millis(2))
        .with_longest(Duration::from_millis(20));
    ReconnectOptions::new().limits(limits)
}

/// Messages that resemble each other.
fn text(nth: usize) -> String {
    let item = format!("{{\"type\":\"notification\",\"payload\":{{\"number\":{nth}}}}}");
    item.repeat(20)
}

struct Told(Sender<String>);

impl ReconnectListener for Told {
    fn message(&mut self, _: &ReconnectSender, message: Message) {
        let _ = self.0.send(message.text().unwrap_or("binary").into());
    }
}

fn next(told: &Receiver<String>) -> String {
    told.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn messages_come_back_over_connections_one_after_another() {
    let (server, url) = echo();
    let (tell, told) = channel();
    let socket = Reconnecting::connect_with(&url, compressed(), soon(), Told(tell)).unwrap();
    for connection in 0..3 {
        for nth in 0..10 {
            let text = text(10 * connection + nth);
            socket.send(text.as_str()).unwrap();
            assert_eq!(next(&told), text);
        }
        socket.sender().reconnect(Duration::ZERO);
        // Written before or after: it arrives once, and whole.
        let between = text(1000 + connection);
        let receipt = socket.send(between.as_str()).unwrap();
        assert!(matches!(
            receipt.wait(PATIENCE),
            Ok(ReceiptState::Confirmed)
        ));
        assert_eq!(next(&told), between);
    }
    drop(socket);
    stop(server);
}

#[derive(Clone, Default)]
struct Texts(Rc<RefCell<Vec<String>>>);

impl ReconnectListener<LoopReconnecting> for Texts {
    fn message(&mut self, _: &LoopReconnecting, message: Message) {
        let text = message.text().unwrap_or("binary").into();
        self.0.borrow_mut().push(text);
    }
}

#[test]
fn messages_come_back_over_connections_of_a_loop() {
    let (server, url) = echo();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, compressed());
    let texts = Texts::default();
    let socket = LoopReconnecting::connect(&sockets, &url, soon(), texts.clone()).unwrap();
    let mut turn_until = |what: &dyn Fn() -> bool| {
        let until = Instant::now() + PATIENCE;
        while !what() {
            assert!(Instant::now() < until, "{}", texts.0.borrow().len());
            events.turn(Some(Duration::from_millis(50))).unwrap();
        }
    };
    let mut sent = Vec::new();
    for connection in 0..3 {
        for nth in 0..10 {
            sent.push(text(10 * connection + nth));
            socket.send(sent.last().unwrap().as_str()).unwrap();
        }
        turn_until(&|| texts.0.borrow().len() == sent.len());
        socket.reconnect(Duration::ZERO);
        turn_until(&|| !socket.is_open());
    }
    assert_eq!(*texts.0.borrow(), sent);
    socket.abort();
    drop(events);
    stop(server);
}

#[test]
fn each_connection_offers_compression_and_uses_it() {
    let (came, has_come) = channel();
    let script = Script::start(2, move |_, mut stream| {
        use std::io::Write as _;
        let head = read_head(&mut stream);
        assert!(head.contains("Sec-WebSocket-Extensions: permessage-deflate"));
        let field = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        let answer = answer(&head).replace("\r\n\r\n", field);
        stream.write_all(answer.as_bytes()).unwrap();
        let (first, payload) = read_frame(&mut stream).unwrap();
        assert_eq!(first, 0xc1, "a compressed text");
        came.send(payload).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        while read_frame(&mut stream).is_some() {}
    });
    let (tell, _told) = channel();
    let again = soon().unknown(barewire::client::UnknownPolicy::SendAgain);
    let socket =
        Reconnecting::connect_with(&script.url(), compressed(), again, Told(tell)).unwrap();
    let text = text(1);
    socket.send(text.as_str()).unwrap();
    let first = has_come.recv_timeout(PATIENCE).unwrap();
    let second = has_come.recv_timeout(PATIENCE).unwrap();
    assert!(first.len() < text.len() / 4);
    assert_eq!(first, second); // it refers to nothing of the connection before
    script.join();
    drop(socket);
}
