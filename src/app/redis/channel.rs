//! One channel as this process uses it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::counts::{Counts, count};
use super::shared::Claimed;
use super::tracker::Tracker;
use crate::app::channels::backplane::{Inlet, Later, Past};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::history::History;
use crate::app::channels::position::{Epoch, Position};
use crate::app::channels::presence::Present;
use crate::app::channels::publication::Publication;
use crate::redis::{Names, Purpose};
use crate::wire::Instant;

/// Whether it is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscribed {
    No,
    /// It was asked for.
    Asked,
    Yes,
    /// It was refused: not before this time again.
    Refused(Instant),
}

/// A publication on its way to the broker.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) seq: u64,
    pub(crate) publication: Publication,
    pub(crate) later: Later<Option<Position>>,
    /// When it has to be over.
    pub(crate) until: Instant,
    /// It is on its way on a connection.
    pub(crate) is_sent: bool,
    /// It was sent before, and may have been published.
    pub(crate) is_doubtful: bool,
    pub(crate) _claimed: Claimed,
}

impl Outgoing {
    /// Says that it was not published, or that nobody knows.
    pub(crate) fn give_up(self, counts: &Counts) {
        let (counter, error) = match self.is_sent || self.is_doubtful {
            true => (&counts.unknown, ChannelError::Unknown),
            false => (&counts.refused, ChannelError::Unavailable),
        };
        count(counter);
        self.later.give(Err(error));
    }
}

/// What is on its way to the broker, or waits for it, in its order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    items: VecDeque<Outgoing>,
    /// Those at the front, as many as this, are all on their way.
    sent: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        self.items.push_back(outgoing);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether some of them are not on their way yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.items.len()
    }

    pub(crate) fn first(&self) -> Option<&Outgoing> {
        self.items.front()
    }

    pub(crate) fn find(&self, seq: u64) -> Option<&Outgoing> {
        self.items.iter().find(|it| it.seq == seq)
    }

    /// Where one is.
    pub(crate) fn position(&self, seq: u64) -> Option<usize> {
        self.items.iter().position(|it| it.seq == seq)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Outgoing> {
        self.items.get_mut(at)
    }

    /// Takes out what is over.
    pub(crate) fn take(&mut self, at: usize) -> Option<Outgoing> {
        self.sent -= usize::from(at < self.sent);
        self.items.remove(at)
    }

    /// One that was sent is to be sent again.
    pub(crate) fn unsend(&mut self, seq: u64) {
        if let Some(at) = self.items.iter().position(|it| it.seq == seq)
            && let Some(outgoing) = self.items.get_mut(at)
        {
            outgoing.is_sent = false;
            self.sent = self.sent.min(at);
        }
    }

    /// At most so many of those that are to be sent; they are.
    pub(crate) fn send(&mut self, most: usize, mut put: impl FnMut(&mut Outgoing)) -> bool {
        for _ in 0..most {
            let mut left = self.items.iter_mut().skip(self.sent);
            let Some(outgoing) = left.next() else {
                return false;
            };
            if !core::mem::replace(&mut outgoing.is_sent, true) {
                put(outgoing);
            }
            self.sent += 1;
        }
        self.has_unsent()
    }
}

/// The answer to a publication that waits until members here have got all up to its place:
/// who is told the place comes back with it, and has missed nothing then.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) place: Position,
    pub(crate) later: Later<Option<Position>>,
    pub(crate) until: Instant,
    pub(crate) _claimed: Claimed,
}

/// Somebody who wants to know where the channel is, and what came before.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) since: Vec<Position>,
    pub(crate) later: Later<Past>,
    pub(crate) until: Instant,
    pub(crate) _claimed: Claimed,
}

/// The history as it is being read, page by page.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The epoch that is thought to be the channel's, and the offset to read behind of.
    pub(crate) epoch: Option<Epoch>,
    pub(crate) from: u64,
    /// The offset behind which `entries` have no hole.
    pub(crate) whole_from: u64,
    pub(crate) entries: Vec<Publication>,
    pub(crate) bytes: usize,
    /// Those who will get the answer.
    pub(crate) asks: Vec<Ask>,
    /// A page has been asked for.
    pub(crate) is_sent: bool,
}

/// The members in this process, if the channel knows them.
#[derive(Debug, Default)]
pub(crate) struct Here {
    pub(crate) members: BTreeMap<u64, Present>,
    /// Those that the broker has not been told of, and whether others hear of them then.
    pub(crate) news: BTreeMap<u64, bool>,
    /// Who has left, as far as the broker may not know it.
    pub(crate) gone: BTreeSet<u64>,
    /// Those of the two that are on their way.
    pub(crate) sent: Vec<(u64, bool)>,
    is_sent: bool,
    /// The broker has noted this process.
    is_noted: bool,
    renew_at: Instant,
}

/// Members that the broker is told of in one call.
const MEMBERS: usize = 500;

impl Here {
    pub(crate) fn enter(&mut self, who: Present) {
        self.gone.remove(&who.session);
        self.news.insert(who.session, true);
        self.members.insert(who.session, who);
    }

    pub(crate) fn leave(&mut self, session: u64) {
        if self.members.remove(&session).is_none() {
            return;
        }
        // One that is still news is unknown to the broker, unless it is on its way there.
        let is_sent = self.sent.iter().any(|it| it.0 == session);
        if self.news.remove(&session).is_none() || is_sent {
            self.gone.insert(session);
        }
    }

    pub(crate) fn has_news(&self) -> bool {
        !self.news.is_empty() || !self.gone.is_empty()
    }

    /// Whether the broker is to be told something now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let is_renewal = self.renew_at <= now && !self.members.is_empty();
        !self.is_sent && (self.has_news() || is_renewal)
    }

    /// What is new goes to the broker now.
    pub(crate) fn send(&mut self, renew_at: Instant) {
        self.is_sent = true;
        self.renew_at = renew_at;
        let (news, gone) = (&mut self.news, &mut self.gone);
        let first = core::iter::from_fn(|| news.pop_first());
        self.sent.extend(first.take(MEMBERS));
        let first = core::iter::from_fn(|| gone.pop_first());
        let first = first.map(|session| (session, true));
        self.sent.extend(first.take(MEMBERS));
    }

    /// The broker has been told, or may not have been.
    pub(crate) fn answered(&mut self, is_told: bool) {
        self.is_sent = false;
        for (session, is_new) in core::mem::take(&mut self.sent) {
            match self.members.contains_key(&session) {
                _ if is_told => {}
                true => drop(self.news.insert(session, is_new)),
                false => drop(self.gone.insert(session)),
            }
        }
    }

    /// The broker has noted this process, which it did not know before if `is_new`: others
    /// took it for dead, if it had been noted. `was_dead`: they were told so.
    pub(crate) fn noted(&mut self, is_new: bool, was_dead: bool) {
        if is_new && self.is_noted || was_dead {
            self.news = self.members.keys().map(|it| (*it, true)).collect();
        }
        self.is_noted = true;
    }

    /// The broker may have forgotten all.
    pub(crate) fn tell_all(&mut self) {
        self.is_noted = false;
        for session in self.members.keys() {
            self.news.entry(*session).or_insert(false);
        }
        self.renew_at = Instant::START;
    }
}

/// Somebody who wants to know who is there elsewhere.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) most: usize,
    pub(crate) later: Later<Vec<Present>>,
    pub(crate) until: Instant,
    pub(crate) _claimed: Claimed,
}

/// One channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) names: Names,
    pub(crate) head: Vec<u8>,
    pub(crate) stream: Vec<u8>,
    pub(crate) keep: Option<History>,
    pub(crate) inlet: Inlet,
    /// It has members here.
    pub(crate) is_occupied: bool,
    pub(crate) subscribed: Subscribed,
    pub(crate) queue: Outbox,
    pub(crate) answers: Vec<Answer>,
    pub(crate) tracker: Tracker,
    pub(crate) asks: Vec<Ask>,
    pub(crate) reading: Option<Box<Reading>>,
    /// When its place is to be looked up, if nothing comes.
    pub(crate) check_at: Instant,
    pub(crate) here: Option<Box<Here>>,
    /// Its name, if the broker tells who comes and goes.
    pub(crate) told_as: Option<Box<str>>,
    pub(crate) queries: Vec<Query>,
    pub(crate) is_dirty: bool,
    /// Nobody here will ask anything more.
    pub(crate) is_closed: bool,
    /// Where its next commands go although its slot is elsewhere still.
    pub(crate) detour: Option<usize>,
    /// The channel of the same name that was freed before it was made.
    pub(crate) before: Option<u64>,
}

impl Channel {
    pub(crate) fn new(names: Names, keep: Option<History>, inlet: Inlet) -> Self {
        Self {
            head: names.key(Purpose::Head),
            stream: names.key(Purpose::Stream),
            names,
            keep,
            inlet,
            is_occupied: false,
            subscribed: Subscribed::No,
            queue: Outbox::default(),
            answers: Vec::new(),
            tracker: Tracker::default(),
            asks: Vec::new(),
            reading: None,
            check_at: Instant::NEVER,
            here: None,
            told_as: None,
            queries: Vec::new(),
            is_dirty: false,
            is_closed: false,
            detour: None,
            before: None,
        }
    }

    /// The server may have forgotten all that was said to it, or not have told all.
    pub(crate) fn suspect(&mut self) {
        self.subscribed = Subscribed::No;
        if self.is_occupied && self.tracker.delivered().is_some() {
            self.tracker.suspect();
        }
        if let Some(here) = &mut self.here {
            here.tell_all();
        }
    }

    /// Answers the publications up to whose places members here have got all: where the
    /// history has been read behind them (`is_read`), that is so of each.
    pub(crate) fn confirm(&mut self, is_read: bool) {
        let (delivered, has_members) = (self.tracker.delivered(), self.is_occupied);
        let is_told = |answer: &mut Answer| {
            let place = answer.place;
            let reaches = |it: Position| it.epoch == place.epoch && it.offset >= place.offset;
            !has_members || is_read || delivered.is_some_and(reaches)
        };
        for answer in self.answers.extract_if(.., is_told) {
            answer.later.give(Ok(Some(answer.place)));
        }
    }

    /// Whether its history is to be read, and is not being read.
    pub(crate) fn wants_reading(&self) -> bool {
        let is_live = self.is_occupied && self.tracker.is_behind();
        self.keep.is_some() && self.reading.is_none() && (is_live || !self.asks.is_empty())
    }

    /// Begins to read: for all who ask, and for what is missing.
    pub(crate) fn begin_reading(&mut self) {
        let asks = core::mem::take(&mut self.asks);
        let delivered = self.tracker.delivered();
        let asked = asks.iter().flat_map(|it| &it.since);
        let known = delivered.map(|it| it.epoch);
        let epoch = known.or_else(|| asked.clone().next().map(|it| it.epoch));
        let positions = asked.chain(&delivered).filter(|it| Some(it.epoch) == epoch);
        let from = positions.map(|it| it.offset).min().unwrap_or(u64::MAX);
        self.reading = Some(Box::new(Reading {
            epoch: epoch.filter(|_| from < u64::MAX),
            from,
            whole_from: from,
            entries: Vec::new(),
            bytes: 0,
            asks,
            is_sent: false,
        }));
    }

    /// Whether there is no use for it any more.
    pub(crate) fn is_over(&self) -> bool {
        let is_told = self.here.as_ref().is_none_or(|it| it.gone.is_empty());
        self.is_closed && self.queue.is_empty() && self.subscribed != Subscribed::Asked && is_told
    }
}
