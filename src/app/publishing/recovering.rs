//! A session's way back into a channel: where that is, and what the session missed.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::task::Poll;

use super::channel::Channel;
use super::handing_out::id_line;
use super::handle::Answered;
use super::inbox::{Inbox, InboxRules, Item, Over};
use super::join::{Join, Joined, Since, Standing};
use super::lagging::MissedIn;
use super::membership::Membership;
use crate::app::channels::backplane::Past;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::joining::Joining;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::net::{Context, Key};

impl Membership {
    /// Looks where a channel with history is, and what a new member has missed there.
    pub(super) fn look_back(
        &mut self,
        context: &mut Context<'_>,
        channel: &Arc<Channel>,
        key: Key,
        join: &Join,
    ) -> Result<Joined, ChannelError> {
        self.take_inbox(context);
        let Some(line) = channel.history() else {
            return Ok(Joined::Already); // it has been asked for before
        };
        let later = || {
            let exchange = self.activity.exchange();
            let (name, token) = (channel.name(), join.token);
            self.channels
                .answer_to(exchange, name, token, Answered::history)
        };
        let since = match &join.since {
            Some(Since::Position(position)) => core::slice::from_ref(position),
            Some(Since::Cursor(cursor)) => cursor.positions(),
            _ => &[],
        };
        let asked = join.since.is_some();
        match line.history(since, &later) {
            Poll::Ready(past) => {
                let standing = self.stand(context, key, asked, past?)?;
                Ok(Joined::New(standing))
            }
            Poll::Pending => {
                let local = self.channels.floor.local.borrow();
                let seats = self.seats;
                if let Some(group) = local.groups.get(key) {
                    group.joining.set(group.joining.get() + 1);
                    let waiting = Joining::waiting(asked);
                    local.joining.borrow_mut().insert((seats, key), waiting);
                }
                Ok(Joined::Later)
            }
        }
    }

    /// A new member of a channel with history knows where that is, and what it missed.
    fn stand(
        &self,
        context: &mut Context<'_>,
        key: Key,
        asked: bool,
        past: Past,
    ) -> Result<Standing, ChannelError> {
        let Past { head, missed } = past;
        let local = self.channels.floor.local.borrow();
        let Some(group) = local.groups.get(key) else {
            return Err(ChannelError::Unavailable);
        };
        if group.epoch.get().is_some_and(|epoch| epoch != head.epoch) {
            let me = self.activity.exchange();
            self.channels.lose(context, &local, group, head, Some(me));
        }
        match group.delivered.get() {
            None => group.has_delivered(head),
            Some(delivered) if delivered < head.offset => {
                let ahead = (self.seats, head.offset);
                group.ahead.borrow_mut().push(ahead);
            }
            Some(_) => {}
        }
        let most = self.channels.directory().limits().recovery;
        let bytes = |missed: &Vec<Publication>| missed.iter().map(Publication::len).sum::<usize>();
        let missed = missed.filter(|missed| bytes(missed) <= most);
        let standing = Standing {
            position: Some(head),
            recovered: asked.then_some(missed.is_some()),
        };
        let missed = missed.unwrap_or_default();
        if self.activity.is_stream() && !self.activity.is_object() {
            let before = head.offset - missed.len() as u64;
            let mut cursors = local.cursors.borrow_mut();
            let cursor = cursors.entry(self.activity.id()).or_default();
            if !cursor.set(Position::new(head.epoch, before)) {
                return Err(ChannelError::TooManyJoined);
            }
        }
        let mut joining = local.joining.borrow_mut();
        if let Some(waiting) = joining.get_mut(&(self.seats, key)) {
            waiting.history(head, missed);
            context.waker().wake();
        } else if self.activity.is_object() {
            let mut inboxes = local.inboxes.borrow_mut();
            if let (Some(inbox), Some(channel)) =
                (inboxes.get_mut(&self.activity.id()), group.channel())
            {
                for publication in &missed {
                    inbox.put(channel.name(), publication);
                }
            }
        } else if !missed.is_empty() {
            let with = Joining::with(head, missed);
            joining.insert((self.seats, key), with);
            group.joining.set(group.joining.get() + 1);
            context.waker().wake();
        }
        drop(joining);
        if group.is_in_doubt.take() {
            self.channels.look_up(context, &local, group, Vec::new());
        }
        if let Some(recovered) = standing.recovered {
            let counters = &self.channels.floor.metrics.counters;
            match recovered {
                true => counters.channel_recoveries.add(1),
                false => counters.channel_recoveries_failed.add(1),
            }
        }
        Ok(standing)
    }

    /// Makes an inbox for the session's object, if that sees publications and has none.
    pub(super) fn take_inbox(&self, context: &Context<'_>) {
        if self.activity.is_object() {
            let limits = self.channels.directory().limits();
            let rules = InboxRules {
                most: limits.recovery.saturating_mul(2),
                slow_time: limits.slow_time,
            };
            let local = self.channels.floor.local.borrow();
            let mut inboxes = local.inboxes.borrow_mut();
            inboxes
                .entry(self.activity.id())
                .or_insert_with(|| Inbox::new(context.waker(), rules));
        }
    }

    pub(crate) fn keeps_up(&self) -> Vec<MissedIn> {
        self.channels.keeps_up(self.activity.id(), self.seats())
    }

    pub(crate) fn give_newest(&self, context: &mut Context<'_>, missed: &MissedIn) {
        self.channels.give_newest(context, self.seats(), missed);
    }

    /// Gives the session what it missed, now that its object has been told that it joined.
    pub(crate) fn catch_up(&self, context: &mut Context<'_>) {
        self.channels.catch_up_member(context, self.seats());
    }

    /// Why the session is to end, if it is to because of what was published.
    pub(crate) fn is_over(&self) -> Option<Over> {
        let local = self.channels.floor.local.borrow();
        let inboxes = local.inboxes.borrow();
        inboxes.get(&self.activity.id())?.over()
    }

    pub(crate) fn next_publication(&self) -> Result<Option<(Arc<str>, Item)>, Over> {
        let local = self.channels.floor.local.borrow();
        let mut inboxes = local.inboxes.borrow_mut();
        match inboxes.get_mut(&self.activity.id()) {
            Some(inbox) => inbox.next(),
            None => Ok(None),
        }
    }

    /// The history that the session has waited for has come. `None` if it has left since.
    pub(super) fn has_history(
        &mut self,
        context: &mut Context<'_>,
        channel: &str,
        past: Result<Past, ChannelError>,
    ) -> Option<Result<Joined, ChannelError>> {
        let local = self.channels.floor.local.borrow();
        let key = *local.named.get(channel)?;
        let asked = local.joining.borrow().get(&(self.seats, key))?.asked()?;
        drop(local);
        let standing = past.and_then(|past| self.stand(context, key, asked, past));
        if standing.is_err() {
            self.leave(channel);
        }
        Some(standing.map(Joined::New))
    }

    /// The line of an event that says where the stream is.
    pub(crate) fn id_line(&self) -> Option<String> {
        let local = self.channels.floor.local.borrow();
        let cursors = local.cursors.borrow();
        Some(id_line(cursors.get(&self.activity.id())?))
    }
}
