//! The seats of a shared connection: whose call has which stream, and what has come for it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::handover::Bell;
use super::handover::Handover;
use super::news::News;
use crate::client::connecting::{RequestSender as _, Wire};
use crate::http::Content;
use crate::link::Event;
use crate::wire::Instant;

pub(super) struct Desk {
    records: Vec<Record>,
    /// The stream of each seat; 0 if it has none.
    streams: Vec<u32>,
    free: Vec<usize>,
    pub(super) handover: Handover,
    /// The bells to ring once the lock is free.
    pub(super) rings: Vec<Arc<Bell>>,
    /// The leader waits for the socket. Else it is awake, or there is none.
    pub(super) polling: Option<Polling>,
    /// Seats that may make a request and have not done so.
    admitted: usize,
    /// Seats that wait to be admitted.
    applying: usize,
    pub(super) sounds: bool,
    /// The number of requests that the server takes at one time, where that has
    /// changed.
    pub(super) capacity: Option<usize>,
    pub(super) is_leaving: bool,
    pub(super) is_over: bool,
    informational: u16,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Polling {
    pub(super) until: Instant,
    pub(super) for_room: bool,
}

#[derive(Default)]
struct Record {
    news: News,
    /// Memory that the next call on this seat takes.
    spare: News,
    bell: Option<Arc<Bell>>,
    /// Bytes put out on the connection before the request.
    start: u64,
    /// Something of the answer has come.
    received: bool,
    admitted: bool,
    applies: bool,
}

impl Desk {
    pub(super) const fn new(informational: u16) -> Self {
        Self {
            records: Vec::new(),
            streams: Vec::new(),
            free: Vec::new(),
            handover: Handover::new(),
            rings: Vec::new(),
            polling: None,
            admitted: 0,
            applying: 0,
            sounds: false,
            capacity: None,
            is_leaving: false,
            is_over: false,
            informational,
        }
    }

    /// Takes a seat; with it comes memory for the news that it takes.
    pub(super) fn sit(&mut self) -> (usize, News) {
        let seat = self.free.pop().unwrap_or(self.records.len());
        if seat == self.records.len() {
            self.records.push(Record::default());
            self.streams.push(0);
            self.handover.seat(seat);
        }
        (seat, core::mem::take(&mut self.record(seat).spare))
    }

    pub(super) fn rise(&mut self, seat: usize, mut spare: News) {
        spare.clear();
        self.spend(seat);
        let record = self.record(seat);
        record.spare = spare;
        record.news.clear();
        (record.bell, record.received) = (None, false);
        self.set_applies(seat, false);
        self.set_stream(seat, 0);
        self.free.push(seat);
        self.call_applicants();
    }

    // A seat that was given out is there.
    fn record(&mut self, seat: usize) -> &mut Record {
        if self.records.len() <= seat {
            self.records.resize_with(seat + 1, Record::default);
        }
        &mut self.records[seat]
    }

    fn set_stream(&mut self, seat: usize, stream: u32) {
        if let Some(of_seat) = self.streams.get_mut(seat) {
            *of_seat = stream;
        }
    }

    /// Notes the stream of a seat, whose request is written after `start` bytes.
    pub(super) fn begin(&mut self, seat: usize, stream: u32, start: u64) {
        self.set_stream(seat, stream);
        let record = self.record(seat);
        record.start = start;
        record.received = false;
        record.news.clear();
    }

    /// Says which bell wakes the thread that waits on this seat.
    pub(super) fn answers(&mut self, seat: usize, bell: &Arc<Bell>) {
        let own = &mut self.record(seat).bell;
        if own.as_ref().is_none_or(|it| !Arc::ptr_eq(it, bell)) {
            *own = Some(bell.clone());
        }
    }

    /// Lets a seat make a request if one more fits into what the connection allows now.
    pub(super) fn admit(&mut self, seat: usize, allowance: usize) -> bool {
        if self.record(seat).admitted {
            return true; // it was asked before, and counts once
        }
        let may = allowance > self.admitted;
        self.record(seat).admitted = may;
        self.set_applies(seat, !may);
        self.admitted += usize::from(may);
        may
    }

    fn set_applies(&mut self, seat: usize, applies: bool) {
        let before = core::mem::replace(&mut self.record(seat).applies, applies);
        self.applying += usize::from(applies);
        self.applying -= usize::from(before);
    }

    pub(super) fn call_applicants(&mut self) {
        if self.applying == 0 {
            return;
        }
        for seat in 0..self.records.len() {
            if self.records.get(seat).is_some_and(|it| it.applies) {
                self.call(seat);
            }
        }
    }

    pub(super) fn spend(&mut self, seat: usize) {
        let was_admitted = core::mem::take(&mut self.record(seat).admitted);
        self.admitted -= usize::from(was_admitted);
    }

    pub(super) fn has_news(&mut self, seat: usize) -> bool {
        !self.record(seat).news.is_empty()
    }

    pub(super) fn take_news(&mut self, seat: usize, news: &mut News) {
        core::mem::swap(&mut self.record(seat).news, news);
    }

    /// Bytes put out before the request of a seat, and whether something of the answer
    /// has come.
    pub(super) fn progress(&mut self, seat: usize) -> (u64, bool) {
        let record = self.record(seat);
        (record.start, record.received)
    }

    /// Wakes the thread of a seat, whatever it waits for.
    pub(super) fn ring(&mut self, seat: usize) {
        let bell = self.records.get(seat).and_then(|it| it.bell.clone());
        self.rings.extend(bell);
    }

    fn call(&mut self, seat: usize) {
        if self.handover.call(seat) {
            self.ring(seat);
        } else if self.handover.leader() == Some(seat) && self.polling.take().is_some() {
            self.sounds = true; // it is about to come
        }
    }

    /// Takes what has happened on the connection to whom it is for.
    pub(super) fn tell(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>) {
        if stream == 0 {
            return self.tell_all(wire, &event);
        }
        if ends(&event) {
            self.call_applicants();
        }
        let Some(seat) = self.streams.iter().position(|it| *it == stream) else {
            if let Event::Body(bytes) = event {
                wire.consume(stream, bytes.len()); // its call is over
            }
            return;
        };
        let informational = self.informational;
        let record = self.record(seat);
        record.received |= !matches!(event, Event::Writable | Event::Ended(_));
        record.news.keep(event, informational);
        self.call(seat);
    }

    /// Takes what has happened to the connection itself.
    fn tell_all(&mut self, wire: &Wire, event: &Event<'_>) {
        match *event {
            Event::GoingAway {
                last_stream, code, ..
            } => {
                self.is_leaving = true;
                let informational = self.informational;
                for seat in 0..self.records.len() {
                    if self.streams.get(seat).is_some_and(|it| *it != 0) {
                        let debug = &[];
                        let event = Event::GoingAway {
                            last_stream,
                            code,
                            debug,
                        };
                        // It is of use to the call, and no reason to wake it.
                        self.record(seat).news.keep(event, informational);
                    }
                }
            }
            Event::Ended(_) => self.is_over = true,
            _ => {}
        }
        self.capacity = Some(wire.link.exchanges_allowed());
        self.call_applicants();
    }
}

/// Whether nothing more of an answer comes.
const fn ends(event: &Event<'_>) -> bool {
    match event {
        Event::Response { content, .. } => !matches!(content, Content::Follows { .. }),
        Event::End { .. } | Event::Ended(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
