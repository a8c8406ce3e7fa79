//! Messages of channels, and pages of their histories.

use alloc::vec::Vec;

use super::channel::{Ask, Reading};
use super::counts::{Counts, count};
use super::node::Node;
use super::tracker::{Run, Told};
use crate::app::channels::backplane::{Inlet, Past};
use crate::app::channels::position::{Epoch, Position};
use crate::app::channels::publication::{Notice, Parts, Publication};
use crate::redis::{Message, Reply, ReplyError, Token, decimal, hexadecimal};
use crate::websocket::Kind;

impl Node {
    /// A message that was published, to the channel of this name.
    pub(super) fn message(&mut self, name: &[u8], bytes: &[u8]) {
        let Some(&id) = self.by_name.get(name) else {
            return;
        };
        let Some(channel) = self.channels.get(&id).filter(|it| it.is_occupied) else {
            return;
        };
        let counts = &self.shared.counts;
        let Some(message) =
            Message::parse(bytes).filter(|_| bytes.len() <= self.options.limits.message)
        else {
            return count(&counts.dropped);
        };
        let has_history = channel.keep.is_some();
        let place = message.place.filter(|_| has_history);
        let place = place.map(|(epoch, offset)| Position::new(Epoch::new(epoch), offset));
        let is_own = message.node == self.id;
        if let Some(notice) = notice(&message, is_own) {
            return channel.inlet.deliver(notice);
        }
        let known = match (place, channel.tracker.delivered()) {
            (None, _) if is_own => return, // an echo
            // Delivered before; in a quiet moment it costs nothing to know that.
            (Some(place), Some(known)) => {
                known.epoch == place.epoch && place.offset <= known.offset
            }
            _ => false,
        };
        if known {
            return;
        }
        let own = match is_own {
            true => decimal(message.id)
                .and_then(|seq| channel.queue.find(seq))
                .map(|it| it.publication.clone()),
            false => None,
        };
        count(&counts.received);
        let Some(publication) = own.or_else(|| built(&message)) else {
            return count(&counts.dropped);
        };
        match place {
            Some(place) => self.arrived(id, publication.at(place)),
            None => channel.inlet.deliver(publication),
        }
    }

    /// Something with a place has come.
    pub(super) fn arrived(&mut self, id: u64, publication: Publication) {
        let limits = &self.options.limits;
        let Some(channel) = self.channels.get_mut(&id).filter(|it| it.is_occupied) else {
            return;
        };
        channel.check_at = self.now + limits.check_time;
        let (inlet, counts) = (&channel.inlet, &self.shared.counts);
        let tell = &mut |told| tell(inlet, counts, told);
        channel.tracker.arrived(publication, limits.held, tell);
        channel.confirm(false);
        if channel.tracker.is_behind() {
            self.touch(id);
        }
    }

    /// A page of a history. `None` if it is none.
    pub(super) fn page(&mut self, index: usize, id: u64, mut reply: Reply<'_>) -> Option<()> {
        let length = reply.array()?.checked_sub(4)?;
        let epoch = Epoch::new(hexadecimal(reply.bytes()?)?);
        let head = Position::new(epoch, decimal(reply.bytes()?)?);
        let server = reply.bytes()?;
        let last = u64::try_from(reply.integer()?).ok()?;
        self.learn_server(index, server);
        let limits = self.options.limits;
        // One that was closed meanwhile wants no answer.
        let Some(channel) = self.channels.get_mut(&id) else {
            return Some(());
        };
        let Some(reading) = channel.reading.as_mut() else {
            return Some(());
        };
        if reading.epoch != Some(epoch) && reading.restart(epoch) {
            self.touch(id);
            return Some(());
        }
        if reading.epoch == Some(epoch) {
            for _ in 0..length {
                let bytes = reply.bytes()?;
                match publication(bytes, limits.message) {
                    Some((publication, message)) => {
                        // One of a session here is not for that session.
                        let own = decimal(message.id).filter(|_| message.node == self.id);
                        let own = own.and_then(|seq| channel.queue.find(seq));
                        let place = publication.position();
                        let publication = match (own, place) {
                            (Some(own), Some(place)) => own.publication.clone().at(place),
                            _ => publication,
                        };
                        reading.add(publication, epoch, limits.past);
                    }
                    None => count(&self.shared.counts.dropped),
                }
            }
        }
        let is_further = reading.epoch == Some(epoch) && last > reading.from && last < head.offset;
        if is_further {
            reading.from = last;
            reading.is_sent = false;
            self.touch(id);
            return Some(());
        }
        let reading = channel.reading.take()?;
        let (run, asks) = reading.finish(head);
        channel.check_at = self.now + limits.check_time;
        if channel.is_occupied {
            let (inlet, counts) = (&channel.inlet, &self.shared.counts);
            channel
                .tracker
                .read(&run, &mut |told| tell(inlet, counts, told));
        }
        channel.confirm(true);
        for ask in asks {
            let missed = run.since(&ask.since);
            ask.later.give(Ok(Past { head, missed }));
        }
        self.touch(id);
        Some(())
    }
}

/// What a push says.
pub(super) enum Pushed<'r> {
    /// Something that nobody has asked for.
    Other,
    /// By the name that it is published under.
    Subscribed(&'r [u8]),
    Unsubscribed(&'r [u8]),
}

/// Reads a push that is no message.
pub(super) fn pushed<'r>(mut reply: Reply<'r>) -> Result<Pushed<'r>, ReplyError> {
    const FAULT: ReplyError = ReplyError::Unasked;
    let Some(Token::Push(_)) = reply.token() else {
        return Err(FAULT);
    };
    let kind = reply.bytes().ok_or(FAULT)?;
    let name = match reply.token() {
        Some(Token::Bytes(name)) => name,
        _ => b"",
    };
    Ok(match kind {
        b"ssubscribe" => Pushed::Subscribed(name),
        b"sunsubscribe" => Pushed::Unsubscribed(name),
        _ => Pushed::Other,
    })
}

fn tell(inlet: &Inlet, counts: &Counts, told: Told) {
    match told {
        Told::Deliver(publication) => inlet.deliver(publication),
        Told::Lost(position) => {
            count(&counts.lost);
            inlet.lost(position);
        }
    }
}

/// The publication that these bytes are, and the message.
fn publication(bytes: &[u8], most: usize) -> Option<(Publication, Message<'_>)> {
    let message = Message::parse(bytes).filter(|_| bytes.len() <= most)?;
    let (epoch, offset) = message.place?;
    let publication = built(&message)?;
    Some((
        publication.at(Position::new(Epoch::new(epoch), offset)),
        message,
    ))
}

/// What a message tells of a member: to all others, where it is one of this process.
fn notice(message: &Message<'_>, is_own: bool) -> Option<Publication> {
    let notice = match message.notice {
        b"joined" => Notice::Joined,
        b"left" => Notice::Left,
        _ => return None,
    };
    let session = decimal(message.id).filter(|_| is_own);
    let publication = built_by(message, session.unwrap_or_default())?;
    Some(publication.noticing(notice).excepting(is_own))
}

fn built(message: &Message<'_>) -> Option<Publication> {
    built_by(message, 0)
}

fn built_by(message: &Message<'_>, publisher: u64) -> Option<Publication> {
    Publication::new(&Parts {
        kind: if message.is_text {
            Kind::Text
        } else {
            Kind::Binary
        },
        payload: message.payload,
        note: message.note,
        event: core::str::from_utf8(message.event).ok()?,
        publisher,
        unix_millis: message.unix_millis,
    })
}

impl Reading {
    /// Reads anew if somebody asks for a position of this epoch; whether somebody does.
    fn restart(&mut self, epoch: Epoch) -> bool {
        let asked = self.asks.iter().flat_map(|it| &it.since);
        let from = asked.filter(|it| it.epoch == epoch).map(|it| it.offset);
        let Some(from) = from.min() else {
            self.epoch = None;
            return false;
        };
        (self.epoch, self.from, self.whole_from) = (Some(epoch), from, from);
        self.entries.clear();
        self.bytes = 0;
        self.is_sent = false;
        true
    }

    /// The next entry. Those in front of a hole are of no use.
    fn add(&mut self, publication: Publication, epoch: Epoch, most: usize) {
        let Some(position) = publication.position().filter(|it| it.epoch == epoch) else {
            return;
        };
        self.bytes += publication.len();
        if position.offset != self.whole_from + self.entries.len() as u64 + 1 || self.bytes > most {
            self.entries.clear();
            self.bytes = publication.len();
            self.whole_from = position.offset.saturating_sub(1);
        }
        self.entries.push(publication);
    }

    /// All has been read.
    fn finish(mut self, head: Position) -> (Run, Vec<Ask>) {
        let end = self.whole_from.checked_add(self.entries.len() as u64);
        if end != Some(head.offset) || self.epoch != Some(head.epoch) {
            self.entries.clear();
            self.whole_from = head.offset;
        }
        let run = Run {
            head,
            from: self.whole_from,
            entries: self.entries,
        };
        (run, self.asks)
    }
}
