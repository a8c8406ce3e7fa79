//! GraphQL over HTTP, and over graphql-transport-ws.

use barewire::client::{
    GraphQlError, GraphQlListener, GraphQlOperation, GraphQlOptions, GraphQlResponse, LoopClient,
    LoopGraphQl, LoopWebSockets,
};
use barewire::net::Loop;
use serde::Serialize;

use super::{Client, Job, http_options, sockets};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task};
use crate::payload::Payload;
use crate::server::{ECHO, PUSHES, USERS};

#[derive(Serialize)]
struct Variables<'v> {
    body: &'v str,
}

fn clients(job: Job<'_>, events: &mut Loop) -> Result<Vec<LoopGraphQl>> {
    let mut clients = Vec::with_capacity(job.slots);
    let sockets = LoopWebSockets::on(events, sockets::options(job.cell, job.target));
    for _ in 0..job.slots {
        let http = LoopClient::on(events, http_options(job))?;
        let url = job.target.url("http", "/graphql");
        let socket = sockets::options(job.cell, job.target);
        let options = GraphQlOptions::new().socket(socket).attempts(1);
        clients.push(LoopGraphQl::new(&http, &sockets, &url, options)?);
    }
    Ok(clients)
}

fn operation(cell: Cell) -> Result<GraphQlOperation> {
    let with =
        |document: &str, body: &str| GraphQlOperation::new(document).variables(&Variables { body });
    Ok(match (cell.task, cell.payload) {
        (Task::Pushes, payload) => with(PUSHES, payload.name())?,
        (_, Payload::Users) => GraphQlOperation::new(USERS),
        (_, payload) => with(ECHO, payload.text())?,
    })
}

/// Checks that a response has what was asked for, but for what JSON adds.
fn check(response: &GraphQlResponse, payload: Payload) -> std::result::Result<(), String> {
    match response.json() {
        Some(json) if json.len() >= payload.text().len() => Ok(()),
        _ => Err(response.to_string()),
    }
}

pub(super) struct OverHttp {
    clients: Vec<LoopGraphQl>,
    cell: Cell,
    board: Board,
}

impl OverHttp {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        Ok(Self {
            clients: clients(job, events)?,
            cell: job.cell,
            board: job.board.clone(),
        })
    }
}

impl Client for OverHttp {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let (board, payload) = (self.board.clone(), self.cell.payload);
        self.clients[slot].query(operation(self.cell)?, move |answer| {
            let answer = answer.map_err(|error| error.to_string());
            board.end(slot, answer.and_then(|it| check(&it, payload)));
        });
        Ok(())
    }
}

pub(super) struct OverSockets {
    clients: Vec<LoopGraphQl>,
    cell: Cell,
    board: Board,
}

impl OverSockets {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        Ok(Self {
            clients: clients(job, events)?,
            cell: job.cell,
            board: job.board.clone(),
        })
    }
}

impl Client for OverSockets {
    fn start(&mut self, slot: usize, _events: &mut Loop) -> Result<()> {
        let listener = Listener {
            slot,
            board: self.board.clone(),
            cell: self.cell,
            received: 0,
        };
        self.clients[slot].subscribe(operation(self.cell)?, listener)?;
        Ok(())
    }
}

impl Drop for OverSockets {
    fn drop(&mut self) {
        self.clients.iter().for_each(LoopGraphQl::close);
    }
}

struct Listener {
    slot: usize,
    board: Board,
    cell: Cell,
    received: usize,
}

impl GraphQlListener for Listener {
    fn next(&mut self, response: GraphQlResponse) {
        self.received += 1;
        if let Err(error) = check(&response, self.cell.payload) {
            self.board.fail(error);
        }
    }

    fn ended(&mut self, end: std::result::Result<(), GraphQlError>) {
        let wanted = match self.cell.task {
            Task::Pushes => MESSAGES,
            _ => 1,
        };
        match end {
            Ok(()) if self.received == wanted => self.board.done(self.slot),
            Ok(()) => self.board.fail(format!("{} results", self.received)),
            Err(error) => self.board.fail(error),
        }
    }
}
