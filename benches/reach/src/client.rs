//! A client process: as many idle WebSockets as it is told, on one loop.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;

use barewire::client::{
    CloseFrame, LoopWebSocket, LoopWebSockets, Message, WebSocketError, WebSocketListener,
    WebSocketOptions,
};
use barewire::net::{Limits, Loop};

use crate::{Result, now};

/// Connections that are being opened at one time.
const AT_ONCE: usize = 128;

/// What all connections of the process have seen.
#[derive(Default)]
struct Seen {
    opened: Cell<usize>,
    lost: RefCell<Option<String>>,
    /// Of the publication that is arriving: its number, and how many microseconds it took to
    /// each connection.
    number: Cell<u64>,
    took: RefCell<Vec<u64>>,
}

struct Subscriber(Rc<Seen>);

impl WebSocketListener for Subscriber {
    fn opened(&mut self, _socket: &LoopWebSocket, _protocol: Option<&str>) {
        self.0.opened.set(self.0.opened.get() + 1);
    }

    fn message(&mut self, _socket: &LoopWebSocket, message: Message) {
        let now = now();
        let text = message.text().unwrap_or_default();
        let mut numbers = text.split_whitespace().map_while(|it| it.parse().ok());
        let (Some(number), Some(then)) = (numbers.next(), numbers.next()) else {
            return self.lose(&format!("a message that nobody published: {text:?}"));
        };
        let mut took = self.0.took.borrow_mut();
        if took.is_empty() {
            self.0.number.set(number);
        }
        // Each publication begins when the one before has arrived everywhere.
        if number != self.0.number.get() {
            return self.lose(&format!("{number} before all had {}", self.0.number.get()));
        }
        took.push(now.saturating_sub(then) / 1000);
    }

    fn closed(&mut self, frame: &CloseFrame) {
        self.lose(&format!("closed: {frame:?}"));
    }

    fn failed(&mut self, error: &WebSocketError) {
        self.lose(&error.to_string());
    }
}

impl Subscriber {
    fn lose(&self, why: &str) {
        self.0.lost.borrow_mut().get_or_insert(why.to_owned());
    }
}

/// Says `ready`, opens so many connections, says `open`, and for each publication that has come to all of
/// them `NUMBER` and how long it took to each, in microseconds, sorted.
pub(crate) fn hold(url: &str, count: usize) -> Result<()> {
    let all = crate::process::raise_descriptors();
    if (all as usize) < count + 32 {
        return Err(format!("{count} connections, but only {all} descriptors").into());
    }
    let limits = Limits::DEFAULT.with_connections(u32::try_from(count)? + 32);
    let mut events = Loop::new(limits)?;
    let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new().no_proxy());
    let seen = Rc::new(Seen::default());
    let (mut asked, mut is_said) = (0, false);
    println!("ready");
    loop {
        while asked < count && asked - seen.opened.get() < AT_ONCE {
            sockets.connect(url, Subscriber(seen.clone()))?;
            asked += 1;
        }
        events.turn(None)?;
        if let Some(why) = seen.lost.borrow_mut().take() {
            return Err(format!("of {count} connections one was lost: {why}").into());
        }
        if seen.opened.get() == count && !is_said {
            is_said = true;
            println!("open");
        }
        if seen.took.borrow().len() == count {
            let mut took = seen.took.take();
            took.sort_unstable();
            let mut line = seen.number.get().to_string();
            for micros in took {
                line.push(' ');
                line.push_str(&micros.to_string());
            }
            println!("{line}");
            io::stdout().flush()?;
        }
    }
}
