//! Long polling: a GET that waits for what is said next, and another one behind it.

use std::cell::Cell as Counter;
use std::rc::Rc;

use barewire::client::LoopClient;
use barewire::net::Loop;

use super::http::whole;
use super::{Client, Job, asked, channel, http_options};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task};
use crate::process::Target;

pub(super) struct Polling {
    places: Vec<(LoopClient, String)>,
    cell: Cell,
    target: Target,
    board: Board,
}

impl Polling {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        let mut places = Vec::with_capacity(job.slots);
        for _ in 0..job.slots {
            let channel = match job.cell.task {
                Task::FanOut => "all".into(),
                _ => channel(),
            };
            places.push((LoopClient::on(events, http_options(job))?, channel));
        }
        Ok(Self {
            places,
            cell: job.cell,
            target: job.target.clone(),
            board: job.board.clone(),
        })
    }

    /// Asks for message after message, until it has so many.
    fn poll(&self, slot: usize, path: String, left: usize, end: impl FnOnce() + Clone + 'static) {
        let ask = Ask {
            client: self.places[slot].0.clone(),
            url: self.target.url("http", &path),
            length: self.cell.payload.text().len(),
            board: self.board.clone(),
        };
        ask.next(left, end);
    }
}

#[derive(Clone)]
struct Ask {
    client: LoopClient,
    url: String,
    length: usize,
    board: Board,
}

impl Ask {
    fn next(self, left: usize, end: impl FnOnce() + 'static) {
        let client = self.client.clone();
        let request = client.get(self.url.as_str());
        client.send_then(request, move |answer| match whole(answer, self.length) {
            Ok(_) if left > 1 => self.next_boxed(left - 1, Box::new(end)),
            Ok(_) => end(),
            Err(error) => self.board.fail(error),
        });
    }

    /// So that its type does not contain itself.
    fn next_boxed(self, left: usize, end: Box<dyn FnOnce()>) {
        self.next(left, end);
    }
}

impl Client for Polling {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let (client, channel) = &self.places[slot];
        let board = self.board.clone();
        match self.cell.task {
            Task::Pushes => {
                let path = format!("/next/{}", self.cell.payload.name());
                self.poll(slot, path, MESSAGES, move || board.done(slot));
            }
            Task::FanOut => {
                let path = format!("/poll/{channel}");
                self.poll(slot, path, 1, move || board.done(slot));
            }
            _ => {
                let halves = Rc::new(Counter::new(0_u8));
                let half = move || {
                    halves.set(halves.get() + 1);
                    if halves.get() == 2 {
                        board.done(slot);
                    }
                };
                self.poll(slot, format!("/poll/{channel}"), 1, half.clone());
                let url = self.target.url("http", &format!("/tell/{channel}"));
                let request = client
                    .post(url)
                    .header("Content-Type", "application/json")
                    .repeatable(true);
                let board = self.board.clone();
                client.send_then(request.body(asked(self.cell)), move |answer| {
                    match whole(answer, 0) {
                        Ok(_) => half(),
                        Err(error) => board.fail(error),
                    }
                });
            }
        }
        Ok(())
    }
}
