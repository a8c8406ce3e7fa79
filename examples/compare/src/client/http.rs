//! Plain HTTP: whole exchanges, streams of lines, and uploads in pieces.

use std::cell::Cell as Counter;
use std::rc::Rc;

use barewire::client::{
    Body, ClientLimits, Error, LoopCall, LoopClient, ResponseListener, ResponseView, WholeResponse,
};
use barewire::http::Fields;
use barewire::net::{Flow, Loop};

use super::{Client, Job, http_options};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task, Transport};
use crate::payload::Payload;
use crate::process::Target;

pub(super) struct Http {
    /// One for each place, so that each has a connection of its own, over HTTP/2 as well.
    clients: Vec<LoopClient>,
    cell: Cell,
    target: Target,
    board: Board,
}

impl Http {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        let client = || {
            let options = http_options(job);
            let options = match job.cell.transport {
                Transport::Http1Fresh => options.limits(ClientLimits::DEFAULT.with_idle(0)),
                _ => options,
            };
            LoopClient::on(events, options)
        };
        Ok(Self {
            clients: std::iter::repeat_with(client)
                .take(job.slots)
                .collect::<std::result::Result<_, _>>()?,
            cell: job.cell,
            target: job.target.clone(),
            board: job.board.clone(),
        })
    }

    fn exchange(&self, slot: usize) {
        let client = &self.clients[slot];
        let payload = self.cell.payload;
        let request = match payload {
            Payload::Users => client.get(self.target.url("http", "/users")),
            _ => client
                .post(self.target.url("http", "/echo"))
                // Else it goes on no connection that has rested, and there are two.
                .repeatable(true)
                .header("Content-Type", "application/json")
                .body(payload.text()),
        };
        let board = self.board.clone();
        let done = move |answer| board.end(slot, whole(answer, payload.text().len()));
        client.send_then(request, done);
    }
}

/// The body of a response that has to have this length.
pub(super) fn whole(
    answer: std::result::Result<WholeResponse, Error>,
    length: usize,
) -> std::result::Result<WholeResponse, String> {
    let answer = answer.and_then(WholeResponse::error_for_status);
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.body.len() == length {
        true => Ok(answer),
        false => Err(format!("{} bytes and not {length}", answer.body.len())),
    }
}

impl Client for Http {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let client = &self.clients[slot];
        let (slot, board) = (slot, self.board.clone());
        match self.cell.task {
            Task::Pushes => {
                let path = format!("/pushes/{}", self.cell.payload.name());
                let request = client.get(self.target.url("http", &path));
                let lines = Lines {
                    slot,
                    board,
                    count: 0,
                };
                client.open(request, lines)?;
            }
            Task::Upload => {
                let request = client.post(self.target.url("http", "/upload"));
                let request = request.body(Body::pieces());
                let left = Rc::new(Counter::new(MESSAGES));
                let text = self.cell.payload.text();
                let upload = Upload {
                    slot,
                    board,
                    left: left.clone(),
                    text,
                    answer: Vec::new(),
                };
                let call = client.open(request, upload)?;
                feed(&call, &left, text);
            }
            _ => self.exchange(slot),
        }
        Ok(())
    }
}

/// Counts the lines of a response.
struct Lines {
    slot: usize,
    board: Board,
    count: usize,
}

impl ResponseListener for Lines {
    fn head(&mut self, _head: &ResponseView<'_>, _call: &LoopCall) {}

    fn chunk(&mut self, chunk: &[u8], _call: &LoopCall) {
        self.count += chunk.iter().filter(|it| **it == b'\n').count();
    }

    fn end(self, _trailers: Fields<'_>) {
        match self.count {
            MESSAGES => self.board.done(self.slot),
            count => self.board.fail(format!("{count} lines")),
        }
    }

    fn failed(self, error: Error) {
        self.board.fail(error);
    }
}

/// Sends pieces while they are taken.
struct Upload {
    slot: usize,
    board: Board,
    left: Rc<Counter<usize>>,
    text: &'static str,
    answer: Vec<u8>,
}

fn feed(call: &LoopCall, left: &Counter<usize>, text: &'static str) {
    while left.get() > 0 {
        left.set(left.get() - 1);
        if call.write(text.as_bytes()) != Flow::Go {
            return;
        }
    }
    call.finish();
}

impl ResponseListener for Upload {
    fn head(&mut self, _head: &ResponseView<'_>, _call: &LoopCall) {}

    fn chunk(&mut self, chunk: &[u8], _call: &LoopCall) {
        self.answer.extend_from_slice(chunk);
    }

    fn writable(&mut self, call: &LoopCall) {
        feed(call, &self.left, self.text);
    }

    fn end(self, _trailers: Fields<'_>) {
        let wanted = (self.text.len() * MESSAGES).to_string();
        match self.answer == wanted.as_bytes() {
            true => self.board.done(self.slot),
            false => self.board.fail(String::from_utf8_lossy(&self.answer)),
        }
    }

    fn failed(self, error: Error) {
        self.board.fail(error);
    }
}
