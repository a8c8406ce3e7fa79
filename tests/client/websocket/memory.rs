//! What waits to be sent on a loop is charged to it, before it is held.

use core::time::Duration;
use std::cell::Cell;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Instant;

use barewire::client::{
    CloseFrame, LoopReconnecting, LoopWebSocket, LoopWebSockets, Message, QueuePolicy,
    ReceiptState, ReconnectError, ReconnectLimits, ReconnectListener, ReconnectOptions,
    WebSocketError, WebSocketListener, WebSocketOptions,
};
use barewire::net::{Limits, Loop};

use super::server::{EchoServer, PATIENCE};

const MESSAGE: usize = 64 << 10;

/// Notes that it is over.
#[derive(Clone, Default)]
struct Over(Rc<Cell<bool>>);

impl ReconnectListener<LoopReconnecting> for Over {
    fn message(&mut self, _: &LoopReconnecting, _: Message) {}

    fn finished(&mut self, _: &LoopReconnecting, _: &[barewire::client::Receipt]) {
        self.0.set(true);
    }
}

impl WebSocketListener for Over {
    fn message(&mut self, _: &LoopWebSocket, _: Message) {}

    fn closed(&mut self, _: &CloseFrame) {
        self.0.set(true);
    }

    fn failed(&mut self, _: &WebSocketError) {
        self.0.set(true);
    }
}

/// A loop with little memory, and one who opens WebSockets on it.
fn small() -> (Loop, LoopWebSockets) {
    let mut events = Loop::new(Limits::DEFAULT.with_memory(2 << 20)).unwrap();
    let options = WebSocketOptions::new().no_proxy().queue(usize::MAX);
    let sockets = LoopWebSockets::on(&mut events, options);
    (events, sockets)
}

/// A server that is reached and says nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    (listener, url)
}

fn turn_until(events: &mut Loop, what: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < until);
        events.turn(Some(Duration::from_millis(50))).unwrap();
    }
}

fn reconnecting(
    sockets: &LoopWebSockets,
    url: &str,
    policy: QueuePolicy,
) -> (LoopReconnecting, Over) {
    let limits = ReconnectLimits::DEFAULT.with_bytes(usize::MAX);
    let options = ReconnectOptions::new().limits(limits).queue(policy);
    let over = Over::default();
    let socket = LoopReconnecting::connect(sockets, url, options, over.clone()).unwrap();
    (socket, over)
}

#[test]
fn the_queue_of_one_that_reconnects_counts_for_its_loop() {
    let (mut events, sockets) = small();
    let (_listener, url) = silent();
    let (socket, over) = reconnecting(&sockets, &url, QueuePolicy::Refuse);
    let before = events.memory().held();
    let mut taken = 0;
    let refused = loop {
        match socket.send(vec![0; MESSAGE]) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 64, "more than there may be");
        assert!(events.memory().held() >= before + taken * MESSAGE);
    };
    assert!(
        matches!(&refused, ReconnectError::NoMemory(_)),
        "{refused:?}"
    );
    assert_eq!(refused.into_message().payload().len(), MESSAGE);
    assert!(taken >= 16, "{taken}");
    assert!(events.memory().held() <= 2 << 20);
    // Others on the loop are refused as well, and have it once it is given back.
    let other = sockets.connect(&url, Over::default()).unwrap();
    let full = other.send(vec![0; MESSAGE]);
    assert!(matches!(full, Err(WebSocketError::NoMemory)), "{full:?}");
    socket.abort();
    turn_until(&mut events, || over.0.get());
    assert!(events.memory().held() < before + MESSAGE);
    other.send(vec![0; MESSAGE]).unwrap();
}

#[test]
fn where_memory_lacks_the_policy_of_the_queue_decides() {
    let (events, sockets) = small();
    let (_listener, url) = silent();
    let (newest, _) = reconnecting(&sockets, &url, QueuePolicy::DropNewest);
    let send = |socket: &LoopReconnecting, bytes| socket.send(vec![0; bytes]);
    let first = send(&newest, MESSAGE).unwrap();
    let dropped = loop {
        let receipt = send(&newest, MESSAGE).unwrap();
        if receipt.state() == ReceiptState::Unsent {
            break newest.held();
        }
    };
    assert_eq!(first.state(), ReceiptState::Queued);
    assert!(dropped.1 <= 2 << 20);
    newest.abort();
    drop((newest, sockets, events));

    let (events, sockets) = small();
    let (oldest, _) = reconnecting(&sockets, &url, QueuePolicy::DropOldest);
    let first = send(&oldest, MESSAGE).unwrap();
    let mut last = first.clone();
    while first.state() == ReceiptState::Queued {
        last = send(&oldest, MESSAGE).unwrap();
        assert!(events.memory().held() <= 2 << 20);
    }
    assert_eq!(first.state(), ReceiptState::Unsent);
    assert_eq!(last.state(), ReceiptState::Queued);
    // Nothing is dropped for one that could not be held alone.
    let (count, _) = oldest.held();
    let refused = send(&oldest, 4 << 20).unwrap_err();
    assert!(matches!(refused, ReconnectError::NoMemory(_)));
    assert_eq!(oldest.held().0, count);
}

#[test]
fn what_waits_before_a_websocket_is_open_counts_and_arrives() {
    let server = EchoServer::start();
    let (mut events, sockets) = small();
    let before = events.memory().held();
    let over = Over::default();
    let socket = sockets.connect(&server.url(), over.clone()).unwrap();
    let mut taken = 0;
    while socket.send(vec![0; MESSAGE]).is_ok() {
        taken += 1;
        assert!(taken < 64, "more than there may be");
    }
    assert!(events.memory().held() >= before + taken * MESSAGE);
    turn_until(&mut events, || socket.queued() == 0);
    socket.send("close me").unwrap();
    turn_until(&mut events, || over.0.get());
    let held = events.memory().held();
    assert!(
        held < before + taken * MESSAGE / 2,
        "{held}, {taken} were held"
    ); // pools keep some
}
