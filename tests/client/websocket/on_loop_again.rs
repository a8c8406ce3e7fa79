//! WebSockets that reconnect on a loop, over real sockets.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use barewire::app::{App, Message as Given, Socket, WebSocket};
use barewire::client::{
    Canceller, Closed, LoopReconnecting, LoopWebSockets, Message, Receipt, ReceiptState,
    ReconnectError, ReconnectLimits, ReconnectListener, ReconnectOptions, WebSocketError,
    WebSocketOptions,
};
use barewire::net::{Limits, Loop};

use super::server::{
    EchoServer, PATIENCE, Script, read_frame, read_head, shake_hands, write_frame,
};

/// What a listener was told.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn note(&self, line: String) {
        self.0.borrow_mut().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn is_over(&self) -> bool {
        let lines = self.0.borrow();
        let last = lines.last().map_or("", String::as_str);
        last.starts_with("gave up") || last.starts_with("finished")
    }
}

impl ReconnectListener<LoopReconnecting> for Notes {
    fn opened(&mut self, socket: &LoopReconnecting, protocol: Option<&str>) {
        assert!(socket.is_open());
        self.note(format!("opened {protocol:?}"));
    }

    fn message(&mut self, socket: &LoopReconnecting, message: Message) {
        let text = message.text().unwrap_or("binary");
        self.note(format!("message {text}"));
        match text {
            "again" => socket.reconnect(Duration::from_millis(1)),
            "panic" => panic!("a test's"),
            _ => {}
        }
    }

    fn closed(&mut self, _: &LoopReconnecting, closed: &Closed, unknown: &[Receipt]) {
        let how = match closed {
            Closed::ByPeer { code, .. } => format!("by peer {code}"),
            Closed::Lost(_) => "lost".into(),
            Closed::Refused { status, .. } => format!("refused {}", status.code()),
            Closed::Unreachable(_) => "unreachable".into(),
            Closed::NotTried(why) => format!("not tried: {why}"),
            Closed::ToReconnect { .. } => "to reconnect".into(),
            other => format!("{other:?}"),
        };
        self.note(format!("closed {how}, unknown {}", unknown.len()));
    }

    fn waiting(&mut self, _: &LoopReconnecting, _: Duration, attempt: u32) {
        self.note(format!("waiting {attempt}"));
    }

    fn gave_up(&mut self, _: &LoopReconnecting, _: &Closed, unsent: &[Receipt]) {
        self.note(format!("gave up, unsent {}", unsent.len()));
    }

    fn finished(&mut self, _: &LoopReconnecting, unsent: &[Receipt]) {
        self.note(format!("finished, unsent {}", unsent.len()));
    }
}

fn soon() -> ReconnectOptions {
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_millis(2))
        .with_longest(Duration::from_millis(20));
    ReconnectOptions::new().limits(limits)
}

fn options() -> WebSocketOptions {
    WebSocketOptions::new().no_proxy()
}

/// A loop, one socket on it, and what is told of that.
struct World {
    events: Loop,
    socket: LoopReconnecting,
    notes: Notes,
}

impl World {
    fn new(url: &str, options: WebSocketOptions, how: ReconnectOptions) -> Self {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let sockets = LoopWebSockets::on(&mut events, options);
        let notes = Notes::default();
        let socket = LoopReconnecting::connect(&sockets, url, how, notes.clone()).unwrap();
        Self {
            events,
            socket,
            notes,
        }
    }

    fn until(&mut self, what: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !what(self) {
            assert!(Instant::now() < until, "{:?}", self.notes.lines());
            self.events.turn(Some(Duration::from_millis(50))).unwrap();
        }
    }

    fn until_over(&mut self) -> Vec<String> {
        self.until(|it| it.notes.is_over());
        assert!(matches!(
            self.socket.send("late"),
            Err(ReconnectError::Over(_))
        ));
        self.notes.lines()
    }
}

#[test]
fn messages_are_confirmed_and_the_end_is_told() {
    let server = EchoServer::start();
    for over_http2 in [false, true] {
        let options = options().http2_prior_knowledge(over_http2);
        let mut world = World::new(&server.url(), options, soon());
        let receipt = world.socket.send("one").unwrap(); // though it is not open yet
        world.until(|it| it.notes.lines().len() == 2);
        world.until(|_| receipt.state() == ReceiptState::Confirmed);
        let waits = receipt.wait(Duration::ZERO);
        assert!(matches!(waits, Ok(ReceiptState::Confirmed))); // no turn runs
        let receipt = world.socket.send(vec![0; 300_000]).unwrap();
        world.socket.close();
        let lines = world.until_over();
        assert_eq!(receipt.state(), ReceiptState::Confirmed);
        let expected = [
            "opened None",
            "message one",
            "message binary",
            "closed by peer 1000, unknown 0",
            "finished, unsent 0",
        ];
        assert_eq!(lines, expected);
    }
}

#[test]
fn what_has_not_left_goes_in_order_on_the_next_connection() {
    let (came, has_come) = channel();
    let script = Script::start(4, move |nth, mut stream| match nth {
        0 => {
            read_head(&mut stream);
            let busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(busy).unwrap();
        }
        1 => shake_hands(&mut stream), // and it is gone
        2 => {
            shake_hands(&mut stream);
            // It reads two messages, confirms none, and is gone.
            let mut messages = 0;
            while messages < 2 {
                let (first, payload) = read_frame(&mut stream).unwrap();
                if first == 0x81 {
                    messages += 1;
                    came.send(String::from_utf8(payload).unwrap()).unwrap();
                }
            }
            write_frame(&mut stream, 0x81, b"seen");
        }
        _ => {
            shake_hands(&mut stream);
            while let Some((first, payload)) = read_frame(&mut stream) {
                match first {
                    0x81 => came.send(String::from_utf8(payload).unwrap()).unwrap(),
                    0x89 => write_frame(&mut stream, 0x8a, &payload),
                    _ => {
                        write_frame(&mut stream, 0x88, &payload);
                        break;
                    }
                }
            }
        }
    });
    let mut world = World::new(&script.url(), options(), soon());
    world.until(|it| {
        it.notes
            .lines()
            .iter()
            .filter(|it| *it == "opened None")
            .count()
            == 2
    });
    let first: Vec<_> = ["a", "b"].map(|it| world.socket.send(it).unwrap()).into();
    world.until(|it| it.notes.lines().iter().any(|it| it == "message seen"));
    world.until(|it| !it.socket.is_open());
    let rest: Vec<_> = ["c", "d", "e"]
        .map(|it| world.socket.send(it).unwrap())
        .into();
    world.until(|_| rest.iter().all(|it| it.state() == ReceiptState::Confirmed));
    assert!(first.iter().all(|it| it.state() == ReceiptState::Unknown));
    world.socket.close();
    let lines = world.until_over();
    script.join();
    let came: Vec<String> = has_come.iter().collect();
    assert_eq!(came, ["a", "b", "c", "d", "e"]); // each once
    assert!(lines.contains(&"closed refused 503, unknown 0".into()));
    assert!(
        lines.contains(&"closed lost, unknown 2".into()),
        "{lines:?}"
    );
}

/// Notes what comes, and that something has.
struct Noting(std::sync::mpsc::Sender<String>, std::sync::Arc<AtomicBool>);

impl WebSocket for Noting {
    fn message(&mut self, _: &mut Socket<'_, '_>, message: Given<'_>) {
        let text = String::from_utf8(message.payload().to_vec()).unwrap();
        let _ = self.0.send(text);
        self.1.store(true, Relaxed);
    }
}

#[test]
fn a_server_that_is_killed_again_and_again_gets_each_message_at_most_once() {
    const KILLS: usize = 10;
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let (came, has_come) = channel();
    let (stop, stops) = channel();
    let killing = thread::spawn(move || {
        for nth in 0..=KILLS {
            let came = came.clone();
            let heard = std::sync::Arc::new(AtomicBool::new(false));
            let hears = heard.clone();
            let app = App::new().websocket("/", move |_| Ok(Noting(came.clone(), hears.clone())));
            let server = app.listen(&address.to_string()).unwrap().spawn().unwrap();
            match nth < KILLS {
                true => {
                    let until = Instant::now() + PATIENCE;
                    while !heard.load(Relaxed) && Instant::now() < until {
                        thread::sleep(Duration::from_millis(1));
                    }
                    thread::sleep(Duration::from_millis(20));
                }
                false => stops.recv_timeout(PATIENCE).unwrap(),
            }
            server.handle().shutdown(Duration::ZERO);
            server.join().unwrap();
        }
    });
    let retry = soon().come_back(|_| barewire::client::ComeBack::Retry);
    let mut world = World::new(&format!("ws://{address}/"), options(), retry);
    let mut receipts = Vec::new();
    let opened = |it: &World| {
        let lines = it.notes.lines();
        lines.iter().filter(|it| *it == "opened None").count()
    };
    let until = Instant::now() + PATIENCE;
    while opened(&world) < KILLS || receipts.len() < 500 {
        assert!(Instant::now() < until, "{:?}", world.notes.lines());
        if let Ok(receipt) = world.socket.send(receipts.len().to_string()) {
            receipts.push(receipt);
        }
        world.events.turn(Some(Duration::from_millis(1))).unwrap();
    }
    world.until(|_| receipts.iter().all(|it| it.state().is_final()));
    stop.send(()).unwrap();
    world.socket.abort();
    world.until_over();
    killing.join().unwrap();
    let came: Vec<usize> = has_come.iter().map(|it| it.parse().unwrap()).collect();
    assert!(came.windows(2).all(|it| it[0] < it[1]), "{came:?}");
    for (nth, receipt) in receipts.iter().enumerate() {
        let has_come = came.binary_search(&nth).is_ok();
        match receipt.state() {
            ReceiptState::Confirmed => assert!(has_come, "{nth}"),
            ReceiptState::Unknown => {}
            other => panic!("{nth}: {other:?}"),
        }
    }
}

#[test]
fn it_gives_up_and_it_is_asked_anew_for_each_attempt() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", free.local_addr().unwrap());
    drop(free);
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let notes = Notes::default();
    let asked = Rc::new(Cell::new(0));
    let counted = asked.clone();
    let ask = move |_: &barewire::client::ConnectAttempt| {
        counted.set(counted.get() + 1);
        match counted.get() {
            1 => Err("no token".into()),
            _ => Ok((url.clone(), options())),
        }
    };
    let how = soon().attempts(3);
    let socket = LoopReconnecting::connect_by(&sockets, ask, how, notes.clone()).unwrap();
    let receipt = socket.send("a").unwrap();
    let mut world = World {
        events,
        socket,
        notes,
    };
    let expected = [
        "closed not tried: no token, unknown 0",
        "waiting 2",
        "closed unreachable, unknown 0",
        "waiting 3",
        "closed unreachable, unknown 0",
        "gave up, unsent 1",
    ];
    assert_eq!(world.until_over(), expected);
    assert_eq!((asked.get(), receipt.state()), (3, ReceiptState::Unsent));
}

#[test]
fn it_is_ended_in_every_state() {
    // While it connects.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", free.local_addr().unwrap());
    let mut world = World::new(&url, options(), soon());
    world.events.turn(Some(Duration::ZERO)).unwrap();
    world.socket.close();
    let expected = ["closed lost, unknown 0", "finished, unsent 0"];
    assert_eq!(world.until_over(), expected);
    // While it waits, which is cut short first.
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_secs(3600))
        .with_attempt(Duration::from_millis(20));
    let slow = ReconnectOptions::new().limits(limits);
    let mut world = World::new(&url, options(), slow);
    world.until(|it| it.notes.lines().len() == 2);
    assert_eq!(world.notes.lines(), ["closed lost, unknown 0", "waiting 2"]);
    assert!(world.socket.try_now());
    world.until(|it| it.notes.lines().len() == 4);
    world.socket.close();
    world.until_over();
    // By a canceller, and with the loop.
    let canceller = Canceller::new();
    let given = options().canceller(&canceller);
    let mut world = World::new(&url, given, soon());
    world.events.turn(Some(Duration::ZERO)).unwrap();
    thread::spawn(move || canceller.cancel()).join().unwrap();
    assert_eq!(world.until_over(), ["finished, unsent 0"]);
    let world = World::new(&url, options(), soon());
    let World {
        events,
        notes,
        socket,
    } = world;
    let receipt = socket.send("a").unwrap();
    drop(events);
    assert_eq!(notes.lines(), ["finished, unsent 1"]);
    assert_eq!(receipt.state(), ReceiptState::Unsent);
}

#[test]
fn a_listener_asks_to_reconnect_and_one_that_panics_is_left() {
    let server = EchoServer::start();
    let mut world = World::new(&server.url(), options(), soon());
    world.socket.send("again").unwrap();
    let opened = |it: &World| {
        let lines = it.notes.lines();
        lines.iter().filter(|it| *it == "opened None").count()
    };
    world.until(|it| opened(it) == 2);
    let line = "closed to reconnect, unknown 0".to_owned();
    assert!(world.notes.lines().contains(&line));
    world.socket.send("panic").unwrap();
    world.until(|it| it.notes.lines().last().unwrap() == "message panic");
    world.until(|it| matches!(it.socket.send("a"), Err(ReconnectError::Over(_))));
    assert_eq!(world.notes.lines().last().unwrap(), "message panic");
}

#[test]
fn a_server_that_answers_no_ping_is_left() {
    let script = Script::start(2, |nth, mut stream| {
        shake_hands(&mut stream);
        if nth == 1 {
            write_frame(&mut stream, 0x88, b"\x03\xe8");
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_millis(1))
        .with_confirm(Duration::from_millis(50));
    let how = ReconnectOptions::new().limits(limits);
    let mut world = World::new(&script.url(), options(), how);
    let receipt = world.socket.send("a").unwrap();
    let lines = world.until_over();
    assert_eq!(receipt.state(), ReceiptState::Unknown);
    assert_eq!(lines[1], "closed lost, unknown 1");
    assert_eq!(lines.last().unwrap(), "gave up, unsent 0");
    drop(world);
    script.join();
    let url = LoopReconnecting::connect(
        &LoopWebSockets::on(&mut Loop::new(Limits::DEFAULT).unwrap(), options()),
        "no url",
        soon(),
        Notes::default(),
    );
    assert!(matches!(url, Err(WebSocketError::Url(_))));
}
