//! Messages compressed by permessage-deflate (RFC 7692): JSON that differs from message to
//! message.

use std::cell::{Cell, RefCell};
use std::io::{self, Error, ErrorKind, Write};
use std::rc::Rc;

use barewire::http::{CallContext, OwnedScratch};
use barewire::websocket::deflate::{Agreement, Session};
use barewire::websocket::extension::Extension;
use barewire::websocket::{Connection, Event, Kind, Limits};
use barewire::wire::codec::{Compression, Deflater};
use barewire::wire::{Instant, Role, Step};

use crate::drive::{Replies, Talk};
use crate::json::json;
use crate::options::Options;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// So many different messages are sent in turn.
const MESSAGES: u64 = 1024;

/// What all connections share.
pub struct Shared {
    messages: Vec<String>,
    agreement: Cell<Agreement>,
    codecs: RefCell<(Deflater, OwnedScratch)>,
    limits: Limits,
    /// Bytes of the server's frames.
    received: Cell<u64>,
    replies: Cell<u64>,
}

impl Shared {
    pub fn new(options: &Options) -> Rc<Self> {
        let mut deflater = Deflater::new();
        deflater.add(Compression {
            dedicated: true,
            ..Compression::DEFAULT
        });
        Rc::new(Self {
            messages: (0..MESSAGES).map(|at| json(at, options.payload)).collect(),
            agreement: Cell::default(),
            codecs: RefCell::new((deflater, OwnedScratch::new(0))),
            limits: Limits::DEFAULT,
            received: Cell::new(0),
            replies: Cell::new(0),
        })
    }

    /// Notes what a server's head says, which every connection is told.
    pub fn agree(&self, head: &str) -> io::Result<()> {
        let line = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.eq_ignore_ascii_case("sec-websocket-extensions");
            is_it.then(|| value.trim())
        });
        let line = line.ok_or_else(|| Error::other("the server compresses nothing"))?;
        let extension = Extension::parse(line.as_bytes()).map_err(Error::other)?;
        let agreement = Agreement::parse(&extension).map_err(Error::other)?;
        self.agreement.set(agreement);
        Ok(())
    }

    /// A line with what was agreed on, and the bytes of a message on the wire.
    pub fn report(&self, line: &str) -> String {
        let bytes = self.received.get() as f64 / self.replies.get().max(1) as f64;
        let (line, agreed) = (line.trim_end_matches('}'), self.agreement.get());
        format!("{line},\"wire_bytes\":{bytes:.1},\"agreed\":\"{agreed}\"}}")
    }
}

/// A message as a client sends it to a room, and as members get it compressed: so that it
/// refers to nothing before it.
pub fn publication(options: &Options) -> (Vec<u8>, Vec<u8>) {
    let message = json(0, options.payload);
    let (mut sent, mut received, now) = (Vec::new(), Vec::new(), Instant::START);
    Connection::new(Role::Client, now)
        .send_message(Kind::Text, message.as_bytes(), MASK, now, &mut sent)
        .expect("the connection is open");
    let alone = Agreement {
        server_no_context_takeover: true,
        ..Agreement::default()
    };
    Connection::new(Role::Server, now)
        .compressed(Session::new(&alone, Role::Server))
        .send_message_deflated(
            Kind::Text,
            message.as_bytes(),
            [0; 4],
            now,
            &mut Deflater::new(),
            &mut received,
        )
        .expect("the connection is open");
    (sent, received)
}

/// One connection.
pub struct Deflated {
    shared: Rc<Shared>,
    machine: Connection,
    asked: usize,
    answered: usize,
    output: Vec<u8>,
    written: usize,
    input: Vec<u8>,
}

impl Deflated {
    pub fn new(shared: &Rc<Shared>) -> Self {
        let session = Session::new(&shared.agreement.get(), Role::Client).compressing(1);
        Self {
            shared: shared.clone(),
            machine: Connection::new(Role::Client, Instant::START).compressed(session),
            asked: 0,
            answered: 0,
            output: Vec::new(),
            written: 0,
            input: Vec::new(),
        }
    }
}

impl Talk for Deflated {
    fn ask(&mut self, count: u64) {
        let shared = self.shared.clone();
        let (deflater, _) = &mut *shared.codecs.borrow_mut();
        for _ in 0..count {
            let message = shared.messages[self.asked % shared.messages.len()].as_bytes();
            let (out, now) = (&mut self.output, Instant::START);
            self.machine
                .send_message_deflated(Kind::Text, message, MASK, now, deflater, out)
                .expect("the connection is open");
            self.asked += 1;
        }
    }

    fn write(&mut self, to: &mut impl Write) -> io::Result<()> {
        while self.written < self.output.len() {
            match to.write(&self.output[self.written..]) {
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }
}

impl Replies for Deflated {
    fn check(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let shared = self.shared.clone();
        let (_, scratch) = &mut *shared.codecs.borrow_mut();
        shared
            .received
            .set(shared.received.get() + bytes.len() as u64);
        self.input.extend_from_slice(bytes);
        let (mut count, mut at) = (0, 0);
        loop {
            let lent = CallContext {
                now: Instant::START,
                date: None,
                mask_key: MASK,
                limits: &shared.limits,
                scratch: scratch.lend(),
            };
            let received = self
                .machine
                .receive(&mut self.input[at..], lent, &mut self.output)
                .map_err(Error::other)?;
            let used = received.used;
            match received.step {
                Step::Event(Event::Message { payload, .. }) => {
                    let index = self.answered % shared.messages.len();
                    if *payload != *shared.messages[index].as_bytes() {
                        return Err(Error::other("a wrong message"));
                    }
                    self.answered += 1;
                    count += 1;
                }
                Step::Need(_) => {
                    at += used;
                    break;
                }
                other => return Err(Error::other(format!("not a message: {other:?}"))),
            }
            at += used;
        }
        self.input.drain(..at);
        shared.replies.set(shared.replies.get() + count);
        Ok(count)
    }
}
