//! WebSockets, with and without compression, over HTTP/1.1 and over HTTP/2.

use std::cell::Cell as Counter;
use std::rc::Rc;

use barewire::client::{
    CloseFrame, LoopWebSocket, LoopWebSockets, Message, WebSocketError, WebSocketListener,
    WebSocketOptions,
};
use barewire::net::{Flow, Loop};
use barewire::websocket::deflate::Offer;
use barewire::wire::codec::Compression;

use super::{Client, Job};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task, Transport, window};
use crate::payload::Payload;
use crate::process::Target;

pub(super) struct Sockets {
    opener: LoopWebSockets,
    /// Each with how many messages are left to send, or which one was sent last.
    sockets: Vec<(LoopWebSocket, Rc<Counter<usize>>)>,
    url: String,
    cell: Cell,
    board: Board,
}

/// How a WebSocket of this cell is opened.
pub(super) fn options(cell: Cell, target: &Target) -> WebSocketOptions {
    let options = WebSocketOptions::new().no_proxy();
    let options = match cell.transport {
        Transport::WebSocketDeflate => options.deflate(&[Offer::DEFAULT], Compression::DEFAULT),
        Transport::WebSocketHttp2 => options.http2(true).http2_prior_knowledge(true),
        _ => options,
    };
    match &target.tls {
        Some(tls) => options.tls(tls.client.clone()),
        None => options,
    }
}

impl Sockets {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        let path = match job.cell.task {
            Task::Pushes => "/ws/pushes",
            Task::Upload => "/ws/upload",
            Task::FanOut => "/ws/all",
            _ => "/ws/echo",
        };
        let path = match job.cell.transport {
            Transport::WebSocketDeflate => format!("{path}/deflate"),
            _ => path.to_owned(),
        };
        let mut new = Self {
            opener: LoopWebSockets::on(events, options(job.cell, job.target)),
            sockets: Vec::with_capacity(job.slots),
            url: job.target.url("ws", &path),
            cell: job.cell,
            board: job.board.clone(),
        };
        for slot in 0..job.slots {
            let socket = new.connect(slot)?;
            new.sockets.push(socket);
        }
        Ok(new)
    }

    fn connect(&self, slot: usize) -> Result<(LoopWebSocket, Rc<Counter<usize>>)> {
        let left = Rc::new(Counter::new(0));
        let listener = Listener {
            slot,
            cell: self.cell,
            board: self.board.clone(),
            left: left.clone(),
            received: 0,
        };
        Ok((self.opener.connect(&self.url, listener)?, left))
    }
}

impl Client for Sockets {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        if self.is_lost(slot) {
            self.sockets[slot] = self.connect(slot)?;
        }
        let (socket, left) = &self.sockets[slot];
        match self.cell.task {
            Task::FanOut => {}
            Task::Pushes => {
                socket.send(self.cell.payload.name())?;
            }
            Task::Upload => {
                left.set(MESSAGES);
                feed(socket, left, self.cell, &self.board);
            }
            Task::BothWays => {
                let window = window(self.cell.payload);
                left.set(MESSAGES - window);
                for nth in 0..window {
                    socket.send(self.cell.payload.variant(nth))?;
                }
            }
            _ => {
                // Another one each time, so that nothing is compressed as what was before.
                left.set(left.get() + 1);
                socket.send(match self.cell.payload {
                    Payload::Users => "users",
                    other => other.variant(left.get()),
                })?;
            }
        }
        Ok(())
    }

    fn streams(&self) -> usize {
        self.sockets.len()
    }
}

impl Sockets {
    /// Whether what was a connection is none any more.
    fn is_lost(&self, slot: usize) -> bool {
        self.board.open_count() >= self.sockets.len() && !self.sockets[slot].0.is_open()
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for (socket, _) in &self.sockets {
            socket.abort();
        }
    }
}

/// Sends what is left, while it is taken.
fn feed(socket: &LoopWebSocket, left: &Counter<usize>, cell: Cell, board: &Board) {
    while left.get() > 0 {
        left.set(left.get() - 1);
        match socket.send(cell.payload.variant(left.get())) {
            Ok(Flow::Go) => {}
            Ok(_) => return,
            Err(error) => return board.fail(error),
        }
    }
}

struct Listener {
    slot: usize,
    cell: Cell,
    board: Board,
    left: Rc<Counter<usize>>,
    received: usize,
}

impl WebSocketListener for Listener {
    fn opened(&mut self, _socket: &LoopWebSocket, _protocol: Option<&str>) {
        self.board.opened();
    }

    fn message(&mut self, socket: &LoopWebSocket, message: Message) {
        let is_whole = match self.cell.task {
            Task::Upload => true,
            _ => message.payload().len() == self.cell.payload.text().len(),
        };
        if !is_whole {
            let bytes = message.payload().len();
            return self.board.fail(format!("a message of {bytes} bytes"));
        }
        self.received += 1;
        match self.cell.task {
            Task::Pushes | Task::BothWays if self.received < MESSAGES => {
                if self.left.get() > 0 {
                    self.left.set(self.left.get() - 1);
                    if let Err(error) = socket.send(self.cell.payload.variant(self.left.get())) {
                        self.board.fail(error);
                    }
                }
            }
            _ => {
                self.received = 0;
                self.board.done(self.slot);
            }
        }
    }

    fn writable(&mut self, socket: &LoopWebSocket) {
        if self.cell.task == Task::Upload {
            feed(socket, &self.left, self.cell, &self.board);
        }
    }

    fn closed(&mut self, frame: &CloseFrame) {
        self.board.fail(format!("closed: {frame:?}"));
    }

    fn failed(&mut self, error: &WebSocketError) {
        self.board.fail(error);
    }
}
