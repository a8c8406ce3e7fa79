//! Calls that would block what they wait for, and code of the application.

use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};

use barewire::app::{App, Message as Incoming, Socket};
use barewire::client::{
    Closed, ComeBack, Message, Position, ReceiptState, ReconnectListener, ReconnectOptions,
    ReconnectSender, Reconnecting, ResumeHook, Seen, WebSocket, WebSocketError,
};
use barewire::net::Address;

use super::server::{EchoServer, PATIENCE, Script, read_frame, shake_hands, write_frame};

struct Quiet;

impl ReconnectListener for Quiet {
    fn message(&mut self, _: &ReconnectSender, _: Message) {}
}

/// Does on its loop what would hold that up.
struct Blocks(String);

impl barewire::app::WebSocket for Blocks {
    fn message(&mut self, socket: &mut Socket<'_, '_>, _: Incoming<'_>) {
        let open = || Reconnecting::connect(&self.0, ReconnectOptions::new(), Quiet).unwrap();
        let error = WebSocket::connect(&self.0).unwrap_err();
        assert!(error.to_string().contains("runs a loop"), "{error}");
        let one = open();
        let receipt = one.send("a").unwrap();
        let refused = [
            receipt.wait(PATIENCE).map(drop),
            one.close(),
            open().abort(),
            open().wait(),
        ];
        let refused = refused.map(|it| matches!(it, Err(WebSocketError::OnLoop)));
        socket.send(format!("{refused:?}").as_str());
    }
}

#[test]
fn what_blocks_is_refused_on_the_thread_of_a_loop() {
    let target = EchoServer::start();
    let url = target.url();
    let app = App::new().websocket("/", move |_| Ok(Blocks(url.clone())));
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    let mut socket = WebSocket::connect(&format!("ws://{address}/")).unwrap();
    socket.send("go").unwrap();
    let answer = socket.receive_within(PATIENCE).unwrap().unwrap();
    assert_eq!(answer.text(), Some("[true, true, true, true]"));
    server.handle().shutdown(Duration::ZERO);
    server.join().unwrap();
}

/// Closes its own WebSocket, which it has in its hands.
struct Owner {
    own: Receiver<Reconnecting>,
    told: Sender<&'static str>,
}

impl ReconnectListener for Owner {
    fn opened(&mut self, socket: &ReconnectSender, _: Option<&str>) {
        let receipt = socket.send("a").unwrap();
        let waited = receipt.wait(PATIENCE);
        assert!(matches!(waited, Err(WebSocketError::OnLoop)));
        let closed = self.own.recv().unwrap().close();
        assert!(matches!(closed, Err(WebSocketError::OnLoop)));
        self.told.send("closed").unwrap();
    }

    fn message(&mut self, _: &ReconnectSender, _: Message) {}

    fn finished(&mut self, _: &ReconnectSender, _: &[barewire::client::Receipt]) {
        self.told.send("finished").unwrap();
    }
}

#[test]
fn a_listener_closes_its_own_websocket_without_waiting_for_itself() {
    let server = EchoServer::start();
    let (give, own) = channel();
    let (told, hears) = channel();
    let owner = Owner { own, told };
    let socket = Reconnecting::connect(&server.url(), ReconnectOptions::new(), owner).unwrap();
    give.send(socket).unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), "closed");
    assert_eq!(hears.recv_timeout(PATIENCE).unwrap(), "finished");
}

/// Uses its WebSocket wherever it is called.
struct Uses(Arc<OnceLock<ReconnectSender>>);

impl Uses {
    fn something(&self) {
        // The first question may come before the test has the sender.
        if let Some(sender) = self.0.get() {
            assert!(sender.position().is_some() || sender.held().0 < 9);
            sender.send("by the hook").unwrap();
        }
    }
}

impl ResumeHook for Uses {
    fn ask(&mut self, last: Option<&Position>) -> Option<Message> {
        self.something();
        last.map(|it| format!("resume {}", it.offset).into())
    }

    fn see(&mut self, message: &Message, _: Option<&Position>) -> Seen {
        self.something();
        match message.text() {
            Some("yes") => Seen::Resumed {
                recovered: true,
                position: None,
            },
            _ => Seen::At(Position {
                epoch: "e".into(),
                offset: 7,
            }),
        }
    }
}

#[test]
fn hooks_may_use_the_websocket_that_they_belong_to() {
    let script = Script::start(2, |nth, mut stream| {
        shake_hands(&mut stream);
        if nth == 0 {
            read_frame(&mut stream).unwrap(); // the test has the sender now
            write_frame(&mut stream, 0x81, b"news");
            return;
        }
        assert_eq!(read_frame(&mut stream).unwrap(), (0x81, b"resume 7".into()));
        write_frame(&mut stream, 0x81, b"yes");
        while let Some((first, payload)) = read_frame(&mut stream) {
            match first {
                0x89 => write_frame(&mut stream, 0x8a, &payload),
                0x88 => write_frame(&mut stream, 0x88, &payload),
                _ => {}
            }
        }
    });
    let sender = Arc::new(OnceLock::new());
    let (decides, used) = (Uses(sender.clone()), Uses(sender.clone()));
    let options = ReconnectOptions::new()
        .resume(used)
        .come_back(move |closed: &Closed| {
            decides.something();
            match closed {
                Closed::Lost(_) => ComeBack::Between {
                    least: Duration::ZERO,
                    most: Duration::ZERO,
                },
                closed => ComeBack::after(closed),
            }
        });
    let socket = Reconnecting::connect(&script.url(), options, Quiet).unwrap();
    sender.set(socket.sender().clone()).unwrap();
    socket.send("ready").unwrap();
    while !socket.sender().is_open() || socket.sender().position().is_none() {
        std::thread::yield_now();
    }
    let last = loop {
        // By the second connection, at the latest.
        let receipt = socket.send("last").unwrap();
        match receipt.wait(PATIENCE).unwrap() {
            ReceiptState::Confirmed => break receipt,
            state => assert_eq!(state, ReceiptState::Unknown),
        }
    };
    assert_eq!(last.state(), ReceiptState::Confirmed);
    socket.close().unwrap();
    script.join();
}
