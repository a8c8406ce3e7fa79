//! Publications that wait for a session's object.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::time::Duration;

use crate::app::channels::publication::Publication;
use crate::app::channels::slow::SlowMembers;
use crate::net::LocalWaker;

/// Less than so much waits for a moment only.
const MUCH: usize = 64 << 10;

/// Publications that wait for a session's object.
#[derive(Debug)]
pub(crate) struct Inbox {
    waker: LocalWaker,
    queue: VecDeque<(Arc<str>, Item)>,
    bytes: usize,
    /// How many items say that something was left out: at most one a channel.
    gaps: usize,
    rules: InboxRules,
    over: Option<Over>,
}

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InboxRules {
    pub(crate) most: usize,
    /// The time in which some of much is to be taken.
    pub(crate) slow_time: Duration,
}

/// Something for a session's object.
#[derive(Debug)]
pub(crate) enum Item {
    Publication(Publication),
    /// So many publications were left out here.
    Missed(u64),
}

/// Why a session that sees publications itself is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// It does not take what is published.
    TooSlow,
    /// A publication is gone.
    Lost,
}

impl Over {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TooSlow => "too slow",
            Self::Lost => "publications were lost",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    Kept,
    /// It was left out, or something before it was.
    Missed,
    /// The session is found to be slow just now.
    Slow,
}

impl Inbox {
    pub(crate) const fn new(waker: LocalWaker, rules: InboxRules) -> Self {
        Self {
            waker,
            queue: VecDeque::new(),
            bytes: 0,
            gaps: 0,
            rules,
            over: None,
        }
    }

    /// Puts one more into it, and has the session called. `still` says for how long the
    /// session's peer has taken nothing.
    pub(super) fn push(
        &mut self,
        channel: &Arc<str>,
        publication: &Publication,
        slow: SlowMembers,
        still: impl FnOnce() -> Duration,
    ) -> Pushed {
        if self.over.is_some() {
            return Pushed::Kept; // nobody will look
        }
        self.waker.wake();
        let has_gap = self.gaps > 0 && self.has_gap(channel);
        let waits = self.bytes + publication.len();
        let is_still = || still() >= self.rules.slow_time;
        let is_slow = has_gap || waits > self.rules.most || waits > MUCH && is_still();
        match (is_slow, slow) {
            (false, _) => {
                self.put(channel, publication);
                return Pushed::Kept;
            }
            (true, SlowMembers::Close) => self.end(Over::TooSlow),
            (true, SlowMembers::Drop) => self.leave_out(channel, 1),
            (true, SlowMembers::Newest) => {
                let count = self.take_out(channel);
                self.leave_out(channel, count);
                self.put(channel, publication);
            }
        }
        match has_gap {
            true => Pushed::Missed,
            false => Pushed::Slow,
        }
    }

    pub(super) fn put(&mut self, channel: &Arc<str>, publication: &Publication) {
        self.bytes += publication.len();
        let item = Item::Publication(publication.clone());
        self.queue.push_back((channel.clone(), item));
        self.waker.wake();
    }

    fn has_gap(&self, channel: &Arc<str>) -> bool {
        let is_gap = |it: &(Arc<str>, Item)| it.0 == *channel && matches!(it.1, Item::Missed(_));
        self.queue.iter().any(is_gap)
    }

    /// Notes that so many of a channel are left out from here on.
    fn leave_out(&mut self, channel: &Arc<str>, count: u64) {
        for (of, item) in self.queue.iter_mut().rev() {
            if let Item::Missed(before) = item
                && of == channel
            {
                *before += count;
                return;
            }
        }
        if count > 0 {
            self.gaps += 1;
            let missed = Item::Missed(count);
            self.queue.push_back((channel.clone(), missed));
        }
    }

    /// Takes out all of a channel; how many publications that is.
    fn take_out(&mut self, channel: &Arc<str>) -> u64 {
        let (mut count, mut bytes, mut gaps) = (0, 0, 0);
        self.queue.retain(|(of, item)| {
            if of != channel {
                return true;
            }
            match item {
                Item::Publication(it) => (count, bytes) = (count + 1, bytes + it.len()),
                Item::Missed(before) => (count, gaps) = (count + *before, gaps + 1),
            }
            false
        });
        self.bytes -= bytes;
        self.gaps -= gaps;
        count
    }

    pub(super) fn end(&mut self, why: Over) {
        self.over.get_or_insert(why);
        self.queue.clear();
        (self.bytes, self.gaps) = (0, 0);
        self.waker.wake();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) const fn over(&self) -> Option<Over> {
        self.over
    }

    /// The next one; an error where the session is to end.
    pub(crate) fn next(&mut self) -> Result<Option<(Arc<str>, Item)>, Over> {
        if let Some(over) = self.over {
            return Err(over);
        }
        let next = self.queue.pop_front();
        match &next {
            Some((_, Item::Publication(publication))) => self.bytes -= publication.len(),
            Some((_, Item::Missed(_))) => self.gaps -= 1,
            None => {}
        }
        Ok(next)
    }
}
