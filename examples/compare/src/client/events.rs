//! Event streams: events on a stream that stays open, and POSTs beside it for what the client
//! says.

use std::cell::Cell as Counter;
use std::rc::Rc;

use barewire::client::{
    EventListener, EventSourceEnd, EventSourceError, EventSourceOptions, LoopClient,
    LoopEventSource, MessageEvent, ReadyState, Waiting,
};
use barewire::net::Loop;

use super::http::whole;
use super::{Client, Job, asked, channel, http_options};
use crate::Result;
use crate::board::Board;
use crate::cells::{Cell, MESSAGES, Task};
use crate::process::Target;

pub(super) struct EventStreams {
    places: Vec<Stream>,
    cell: Cell,
    target: Target,
    board: Board,
}

/// One stream, and what is said beside it.
struct Stream {
    client: LoopClient,
    source: Option<LoopEventSource>,
    channel: String,
    halves: Rc<Counter<u8>>,
}

impl EventStreams {
    pub(super) fn open(job: Job<'_>, events: &mut Loop) -> Result<Self> {
        let mut new = Self {
            places: Vec::with_capacity(job.slots),
            cell: job.cell,
            target: job.target.clone(),
            board: job.board.clone(),
        };
        for slot in 0..job.slots {
            let mut stream = Stream {
                client: LoopClient::on(events, http_options(job))?,
                source: None,
                channel: match job.cell.task {
                    Task::FanOut => "all".into(),
                    _ => channel(),
                },
                halves: Rc::default(),
            };
            if job.cell.task != Task::Pushes {
                let path = format!("/events/{}", stream.channel);
                stream.source = Some(new.follow(slot, &stream, &path, events)?);
            }
            new.places.push(stream);
        }
        Ok(new)
    }

    fn follow(
        &self,
        slot: usize,
        stream: &Stream,
        path: &str,
        events: &mut Loop,
    ) -> Result<LoopEventSource> {
        let request = stream.client.get(self.target.url("http", path));
        let listener = Listener {
            slot,
            cell: self.cell,
            board: self.board.clone(),
            halves: stream.halves.clone(),
            received: 0,
        };
        let options = EventSourceOptions::new();
        Ok(LoopEventSource::on(
            events,
            &stream.client,
            request,
            options,
            listener,
        )?)
    }
}

impl Client for EventStreams {
    fn start(&mut self, slot: usize, events: &mut Loop) -> Result<()> {
        let stream = &self.places[slot];
        match self.cell.task {
            Task::FanOut => {}
            Task::Pushes => {
                let path = format!("/pushes/events/{}", self.cell.payload.name());
                let source = self.follow(slot, stream, &path, events)?;
                self.places[slot].source = Some(source);
            }
            _ => {
                let state = stream.source.as_ref().map(LoopEventSource::ready_state);
                if state != Some(ReadyState::Open) {
                    return Err("the stream is not open".into());
                }
                let url = self.target.url("http", &format!("/say/{}", stream.channel));
                let request = stream.client.post(url).repeatable(true);
                let request = request.header("Content-Type", "application/json");
                let (board, halves) = (self.board.clone(), stream.halves.clone());
                let said = move |answer| match whole(answer, 0) {
                    Ok(_) => half(&halves, &board, slot),
                    Err(error) => board.fail(error),
                };
                stream
                    .client
                    .send_then(request.body(asked(self.cell)), said);
            }
        }
        Ok(())
    }

    fn streams(&self) -> usize {
        match self.cell.task {
            Task::Pushes => 0,
            _ => self.places.len(),
        }
    }
}

impl Drop for EventStreams {
    fn drop(&mut self) {
        for source in self.places.iter().filter_map(|it| it.source.as_ref()) {
            source.close();
        }
    }
}

/// An exchange is over when its POST is answered and its event is there.
fn half(halves: &Counter<u8>, board: &Board, slot: usize) {
    halves.set(halves.get() + 1);
    if halves.get() == 2 {
        halves.set(0);
        board.done(slot);
    }
}

struct Listener {
    slot: usize,
    cell: Cell,
    board: Board,
    halves: Rc<Counter<u8>>,
    received: usize,
}

impl EventListener for Listener {
    fn opened(&mut self, _source: &LoopEventSource) {
        self.board.opened();
    }

    fn event(&mut self, event: &MessageEvent, source: &LoopEventSource) {
        if event.data.len() != self.cell.payload.text().len() {
            return self
                .board
                .fail(format!("an event of {} bytes", event.data.len()));
        }
        self.received += 1;
        match self.cell.task {
            Task::Pushes if self.received < MESSAGES => {}
            Task::Pushes => {
                source.close();
                self.board.done(self.slot);
            }
            Task::FanOut => self.board.done(self.slot),
            _ => half(&self.halves, &self.board, self.slot),
        }
    }

    fn waiting(&mut self, waiting: &Waiting<'_>, _source: &LoopEventSource) {
        // What was under way is lost: its event went nowhere.
        self.halves.set(0);
        self.board.fail(format!("{}", waiting.why));
    }

    fn ended(&mut self, end: std::result::Result<&EventSourceEnd, &EventSourceError>) {
        if let Err(error) = end {
            self.board.fail(error);
        }
    }
}
