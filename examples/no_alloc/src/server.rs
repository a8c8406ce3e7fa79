//! One connection: HTTP/1.1 until it becomes a WebSocket, which echoes.

use barewire::http::{Field, FieldRange};
use barewire::http::{Fields, CallContext, ResponseHead, Scratch, Status};
use barewire::wire::{Instant, Role, Slice, Step};
use barewire::{http1, websocket};

/// The machine of the protocol that the connection speaks at the moment.
pub enum Server {
    /// Before the upgrade.
    Http(http1::Connection),
    /// After it.
    WebSocket(websocket::Connection),
}

/// What a step found: how many bytes are used up, and whether to go on.
pub struct Taken {
    pub used: usize,
    pub again: bool,
}

/// The connection is over: a rule was broken, or the answer does not fit.
pub struct Over;

impl From<http1::UsageError> for Over {
    fn from(_: http1::UsageError) -> Self {
        Self
    }
}

impl From<websocket::UsageError> for Over {
    fn from(_: websocket::UsageError) -> Self {
        Self
    }
}

/// This device knows no other time.
const NOW: Instant = Instant::START;

/// What is lent to a machine: ranges for up to 16 fields, and no memory else.
fn lend<'b, L>(limits: &'b L, fields: &'b mut [FieldRange; 16]) -> CallContext<'b, L> {
    CallContext {
        now: NOW,
        date: None,
        mask_key: [0; 4],
        limits,
        scratch: Scratch::new(fields),
    }
}

impl Server {
    /// A connection that has just been accepted.
    pub const fn new() -> Self {
        Self::Http(http1::Connection::new(Role::Server, NOW))
    }

    /// Takes one event from the front of `input` and answers it.
    pub fn step(&mut self, input: &mut [u8], out: &mut Slice<'_>) -> Result<Taken, Over> {
        let mut fields = [FieldRange::EMPTY; 16];
        match self {
            Self::Http(machine) => {
                let lent = lend(&http1::Limits::DEFAULT, &mut fields);
                let received = machine.receive(input, lent, out).map_err(|_| Over)?;
                let used = received.used;
                let Step::Event(event) = received.step else {
                    return Ok(Taken { used, again: false });
                };
                if let http1::Event::Request { head, .. } = event {
                    if websocket::handshake::is_upgrade(&head) {
                        let next = upgrade(machine, &head, out)?;
                        *self = Self::WebSocket(next);
                    } else {
                        answer(machine, head.target.path() == "/status", out)?;
                    }
                }
                Ok(Taken { used, again: true })
            }
            Self::WebSocket(machine) => {
                let lent = lend(&websocket::Limits::DEFAULT, &mut fields);
                let received = machine.receive(input, lent, out).map_err(|_| Over)?;
                let used = received.used;
                match received.step {
                    Step::Event(websocket::Event::Message { kind, payload }) => {
                        machine.send_message(kind, payload, [0; 4], NOW, out)?;
                    }
                    Step::Event(_) => {}
                    Step::Need(_) | Step::Paused | Step::Full | Step::Done => {
                        return Ok(Taken { used, again: false });
                    }
                }
                Ok(Taken { used, again: true })
            }
        }
    }
}

fn answer(machine: &mut http1::Connection, found: bool, out: &mut Slice<'_>) -> Result<(), Over> {
    let fields = [Field::new("Content-Type", "text/plain")];
    let (status, fields, body) = match found {
        true => (Status::OK, Fields::new(&fields), &b"up"[..]),
        false => (Status::NOT_FOUND, Fields::EMPTY, &b""[..]),
    };
    let head = ResponseHead::new(status, fields);
    Ok(machine.send_whole(&head, body, None, NOW, out)?)
}

fn upgrade(
    machine: &mut http1::Connection,
    head: &barewire::http::RequestHead<'_>,
    out: &mut Slice<'_>,
) -> Result<websocket::Connection, Over> {
    let opening = websocket::handshake::check(head).map_err(|_| Over)?;
    let accepted = websocket::handshake::accept(&opening, None)?;
    machine.send_switching(accepted.fields().as_fields(), out)?;
    Ok(websocket::Connection::new(Role::Server, NOW))
}
