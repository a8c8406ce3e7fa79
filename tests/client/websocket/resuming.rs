//! Resuming on a loop: what is asked first on each connection, and what messages say.

use core::time::Duration;
use std::cell::RefCell;
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Instant;

use barewire::client::{
    LoopReconnecting, LoopWebSockets, Message, Position, ReceiptState, ReconnectLimits,
    ReconnectListener, ReconnectOptions, ResumeHook, Seen, WebSocketOptions,
};
use barewire::net::{Limits, Loop};

use super::server::{PATIENCE, Script, read_frame, shake_hands, write_frame};

/// Speaks `resume EPOCH OFFSET`, `yes`, `no` and `OFFSET:text`.
struct Numbered;

impl ResumeHook for Numbered {
    fn ask(&mut self, last: Option<&Position>) -> Option<Message> {
        let last = last?;
        Some(format!("resume {} {}", last.epoch, last.offset).into())
    }

    fn see(&mut self, message: &Message, last: Option<&Position>) -> Seen {
        let resumed = |recovered, position| Seen::Resumed {
            recovered,
            position,
        };
        match message.text().unwrap_or_default() {
            "yes" => resumed(true, None),
            "no" => resumed(
                false,
                Some(Position {
                    epoch: "f".into(),
                    offset: 1,
                }),
            ),
            text => match text.split_once(':').map(|(offset, _)| offset.parse()) {
                Some(Ok(offset)) => Seen::At(Position {
                    epoch: last.map_or("e".into(), |it| it.epoch.clone()),
                    offset,
                }),
                _ => Seen::Message,
            },
        }
    }
}

#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn note(&self, line: String) {
        self.0.borrow_mut().push(line);
    }

    fn has(&self, line: &str) -> bool {
        self.0.borrow().iter().any(|it| it == line)
    }
}

impl ReconnectListener<LoopReconnecting> for Notes {
    fn opened(&mut self, _: &LoopReconnecting, _: Option<&str>) {
        self.note("opened".into());
    }

    fn resumed(&mut self, socket: &LoopReconnecting, recovered: bool) {
        let position = socket
            .position()
            .map(|it| format!("{} {}", it.epoch, it.offset));
        self.note(format!(
            "resumed {recovered} at {}",
            position.unwrap_or_default()
        ));
    }

    fn message(&mut self, _: &LoopReconnecting, message: Message) {
        self.note(message.text().unwrap_or("binary").into());
    }

    fn finished(&mut self, _: &LoopReconnecting, _: &[barewire::client::Receipt]) {
        self.note("finished".into());
    }
}

#[test]
fn a_connection_is_resumed_before_anything_else_is_sent() {
    let (came, has_come) = channel();
    let (go_on, goes_on) = channel::<()>();
    let script = Script::start(3, move |nth, mut stream| {
        shake_hands(&mut stream);
        if nth == 0 {
            write_frame(&mut stream, 0x81, b"7:a");
            write_frame(&mut stream, 0x81, b"8:b");
            return goes_on.recv_timeout(PATIENCE).unwrap(); // and it is gone
        }
        let mut is_first = true;
        while let Some((first, payload)) = read_frame(&mut stream) {
            match first {
                0x81 => {
                    came.send(String::from_utf8(payload).unwrap()).unwrap();
                    if core::mem::take(&mut is_first) {
                        let answers: [&[u8]; 2] = [b"yes", b"no"];
                        write_frame(&mut stream, 0x81, answers[nth - 1]);
                        write_frame(&mut stream, 0x81, b"9:c");
                    } else if nth == 1 {
                        // It says nothing more, and reads what was sent until the end.
                        stream.shutdown(Shutdown::Write).unwrap();
                        while read_frame(&mut stream).is_some() {}
                        return;
                    }
                }
                0x89 => write_frame(&mut stream, 0x8a, &payload),
                _ => return write_frame(&mut stream, 0x88, &payload),
            }
        }
    });
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let options = WebSocketOptions::new().no_proxy();
    let sockets = LoopWebSockets::on(&mut events, options);
    let limits = ReconnectLimits::DEFAULT
        .with_first(Duration::from_millis(2))
        .with_longest(Duration::from_millis(20));
    let how = ReconnectOptions::new().limits(limits).resume(Numbered);
    let notes = Notes::default();
    let socket = LoopReconnecting::connect(&sockets, &script.url(), how, notes.clone()).unwrap();
    let mut turn_until = |what: &dyn Fn() -> bool| {
        let until = Instant::now() + PATIENCE;
        while !what() {
            assert!(Instant::now() < until, "{:?}", notes.0.borrow());
            events.turn(Some(Duration::from_millis(50))).unwrap();
        }
    };
    // Of a first connection there is nothing to resume.
    turn_until(&|| notes.has("8:b"));
    assert_eq!(socket.position().map(|it| it.offset), Some(8));
    go_on.send(()).unwrap();
    turn_until(&|| !socket.is_open());
    let while_away = socket.send("while away").unwrap();
    turn_until(&|| notes.has("resumed true at e 8"));
    turn_until(&|| while_away.state() == ReceiptState::Unknown);
    turn_until(&|| notes.has("resumed false at f 1"));
    let last = socket.send("last").unwrap();
    turn_until(&|| last.state() == ReceiptState::Confirmed);
    socket.close();
    turn_until(&|| notes.has("finished"));
    script.join();
    let came: Vec<String> = has_come.iter().collect();
    assert_eq!(came, ["resume e 8", "while away", "resume e 9", "last"]);
    let told = notes.0.borrow().clone();
    let expected = [
        "opened",
        "7:a",
        "8:b",
        "opened",
        "resumed true at e 8",
        "9:c",
        "opened",
        "resumed false at f 1",
        "9:c",
        "finished",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_server_that_never_says_what_it_resumes_is_left() {
    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        assert_eq!(read_frame(&mut stream).unwrap().1, b"resume e 3");
        while read_frame(&mut stream).is_some() {} // until the client is gone
    });
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let options = WebSocketOptions::new().no_proxy();
    let sockets = LoopWebSockets::on(&mut events, options);
    let limits = ReconnectLimits::DEFAULT.with_resume(Duration::from_millis(20));
    let how = ReconnectOptions::new()
        .limits(limits)
        .resume(Numbered)
        .attempts(1);
    struct End(Rc<RefCell<Option<String>>>);
    impl ReconnectListener<LoopReconnecting> for End {
        fn message(&mut self, _: &LoopReconnecting, _: Message) {}

        fn gave_up(
            &mut self,
            _: &LoopReconnecting,
            closed: &barewire::client::Closed,
            _: &[barewire::client::Receipt],
        ) {
            *self.0.borrow_mut() = Some(format!("{closed:?}"));
        }
    }
    let end = Rc::new(RefCell::new(None));
    let listener = End(end.clone());
    let socket = LoopReconnecting::connect(&sockets, &script.url(), how, listener).unwrap();
    socket.set_position(Some(Position {
        epoch: "e".into(),
        offset: 3,
    }));
    let until = Instant::now() + PATIENCE;
    while end.borrow().is_none() {
        assert!(Instant::now() < until);
        events.turn(Some(Duration::from_millis(50))).unwrap();
    }
    let end = end.borrow().clone().unwrap();
    assert!(end.contains("does not say what it resumes"), "{end}");
    script.join();
}
