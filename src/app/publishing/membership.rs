//! A session's place in the channels of its loop.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::broadcaster::Roster;
use super::groups::{Group, What};
use super::handle::Answered;
use super::join::{Join, Joined, Outcome, Published, Standing};
use super::loop_channels::{Floor, LoopChannels, Publisher};
use super::post::Post;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::presence::Present;
use crate::app::telemetry::activity::Activity;
use crate::net::{Claim, Context, Exhausted, Key, Resource};
use crate::wire::{Budget, Instant};

/// A session's place on its loop and in the channels, left when dropped, even by a panic.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(super) channels: LoopChannels,
    pub(super) activity: Arc<Activity>,
    pub(super) seats: Key, // NONE until it has joined something
    published: Budget,
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Floor {
            local,
            directory,
            index,
            ..
        } = &*self.channels.floor;
        if let Some(registry) = directory.registry(*index) {
            registry.remove(self.activity.id());
        }
        // Only a panic within this file could have it borrowed now.
        if let Ok(mut local) = local.try_borrow_mut() {
            local.asking.get_mut().remove(&self.activity.id());
            local.users.get_mut().remove(&self.activity.id());
            local.joins.get_mut().remove(&self.activity.id());
            if let Some(key) = self.seats() {
                local.leave_all(key, directory, *index);
            }
        }
    }
}

impl Membership {
    pub(crate) fn open(channels: &LoopChannels, activity: Activity) -> Self {
        let activity = Arc::new(activity);
        let Floor {
            directory, index, ..
        } = &*channels.floor;
        if let Some(registry) = directory.registry(*index) {
            registry.add(activity.clone());
        }
        Self {
            channels: channels.clone(),
            activity,
            seats: Key::NONE,
            published: Budget::new(),
        }
    }

    pub(crate) fn publisher(&self, is_excepted: bool) -> Publisher<'_> {
        Publisher {
            activity: &self.activity,
            is_excepted,
            is_allowed: false,
        }
    }

    /// Whether the session may publish once more now.
    pub(crate) fn has_rate(&mut self, now: Instant) -> bool {
        let rate = self.channels.directory().limits().rate();
        self.published.spend(1, rate, now)
    }

    fn spend_join(&self, now: Instant) -> Result<(), ChannelError> {
        let rate = self.channels.directory().limits().joins();
        let local = self.channels.floor.local.borrow();
        let mut joins = local.joins.borrow_mut();
        let joined = joins.entry(self.activity.id()).or_default();
        match joined.spend(1, rate, now) {
            true => Ok(()),
            false => Err(ChannelError::TooFast),
        }
    }

    pub(crate) fn identify(&self, user: &str) -> Result<(), ChannelError> {
        if user.len() > self.channels.directory().limits().presence {
            return Err(ChannelError::DataTooLong);
        }
        let local = self.channels.floor.local.borrow();
        let mut users = local.users.borrow_mut();
        match user.is_empty() {
            true => users.remove(&self.activity.id()),
            false => users.insert(self.activity.id(), user.into()),
        };
        Ok(())
    }

    pub(super) fn seats(&self) -> Option<Key> {
        (self.seats != Key::NONE).then_some(self.seats)
    }

    pub(crate) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Joins a channel, if its rule lets the session do so.
    pub(crate) fn join(
        &mut self,
        context: &mut Context<'_>,
        channel: &str,
        join: &Join,
    ) -> Result<Joined, ChannelError> {
        if self.is_in(channel) {
            return Ok(Joined::Already);
        }
        self.spend_join(context.now())?;
        let known = self.channels.user_of(self.activity.id());
        let known = known.filter(|_| join.user.is_empty());
        let named = known.map(|user| join.clone().user(&user));
        let join = named.as_ref().unwrap_or(join);
        match self.channels.may_join(&self.activity, channel, join)? {
            Some(()) => self.join_now(context, channel, join),
            None => Ok(Joined::Later),
        }
    }

    /// Does what has been decided later; `None` if that is not all.
    pub(crate) fn answered(
        &mut self,
        context: &mut Context<'_>,
        (channel, token): (&str, u32),
        answered: Answered,
    ) -> Option<Outcome> {
        match answered {
            Answered::History(past) => {
                let joined = self.has_history(context, channel, past)?;
                Some(Outcome::Joined(joined))
            }
            Answered::MayJoin(may, join) => {
                self.channels.is_decided(&self.activity);
                let joined = may.and_then(|()| self.join_now(context, channel, &join));
                (joined != Ok(Joined::Later)).then_some(Outcome::Joined(joined))
            }
            Answered::Published(placed) => Some(Outcome::Published(placed)),
            Answered::MayPublish(may, publication, is_excepted) => {
                self.channels.is_decided(&self.activity);
                if let Err(error) = may {
                    return Some(Outcome::Published(Err(error)));
                }
                let by = Publisher {
                    is_allowed: true,
                    ..self.publisher(is_excepted)
                };
                let post = Post::of(&publication, token);
                let placed = match self.channels.publish(context, channel, &post, by) {
                    Published::Done { position, .. } => Ok(position),
                    Published::Refused(error) => Err(error),
                    Published::Later => return None,
                };
                Some(Outcome::Published(placed))
            }
        }
    }

    fn join_now(
        &mut self,
        context: &mut Context<'_>,
        channel: &str,
        join: &Join,
    ) -> Result<Joined, ChannelError> {
        let limits = self.channels.directory().limits();
        if join.user.len() + join.data.len() > limits.presence {
            return Err(ChannelError::DataTooLong);
        }
        let seated = self.sit_in(channel, || context.claim(Resource::Memberships))?;
        let Some(key) = seated else {
            return Ok(Joined::Already);
        };
        let (local, _, _) = self.channels.floor.parts();
        let known = local.groups.get(key).and_then(Group::channel).cloned();
        drop(local);
        let Some(channel) = known else {
            return Ok(Joined::Already); // it has just sat down
        };
        let (id, since) = (self.activity.id(), context.unix_seconds());
        let who = Present::new(id, &*join.user, &*join.data, since);
        match channel.enter(&who) {
            Ok(None) => {}
            Ok(Some(notice)) => {
                let Floor {
                    directory, index, ..
                } = &*self.channels.floor;
                directory.notify(&channel, notice, (*index, self.activity.exchange()));
            }
            Err(error) => {
                self.leave(channel.name());
                return Err(error);
            }
        }
        if !join.user.is_empty() && self.channels.user_of(id).is_none() {
            self.identify(&join.user)?; // its length has been checked
        }
        if channel.history().is_none() {
            self.take_inbox(context);
            return Ok(Joined::New(Standing {
                position: None,
                recovered: None,
            }));
        }
        let joined = self.look_back(context, &channel, key, join);
        if joined.is_err() {
            self.leave(channel.name());
        }
        joined
    }

    /// Takes a seat in a channel; `None` if the session has one.
    fn sit_in(
        &mut self,
        channel: &str,
        claim: impl FnOnce() -> Result<Claim, Exhausted>,
    ) -> Result<Option<Key>, ChannelError> {
        let (mut local, directory, index) = self.channels.floor.parts();
        let limits = directory.limits();
        let known = local.named.get(channel).copied();
        if known.is_some_and(|group| local.is_in(self.seats(), group)) {
            return Ok(None);
        }
        if local.channels_of(self.seats()).count() >= limits.joined {
            return Err(ChannelError::TooManyJoined);
        }
        let claim = claim()?;
        let reader = self.activity.reader();
        let group = match known {
            Some(key) => {
                if let Some(channel) = local.groups.get(key).and_then(Group::channel) {
                    if channel.total() >= limits.members {
                        return Err(ChannelError::TooManyMembers);
                    }
                    channel.add(index, reader);
                }
                key
            }
            None => {
                let channel = directory.enter(channel, index, reader)?;
                let name = channel.name().clone();
                let key = local.groups.insert(Group::new(What::Channel(channel)));
                local.named.insert(name, key);
                key
            }
        };
        self.seats = local.sit(self.seats(), &self.activity, group, None, claim);
        Ok(Some(group))
    }

    /// Leaves a channel; false if the session was not in it.
    pub(crate) fn leave(&mut self, channel: &str) -> bool {
        let (mut local, directory, index) = self.channels.floor.parts();
        let Some((&group, seats)) = local.named.get(channel).zip(self.seats()) else {
            return false;
        };
        local.stand_up(seats, group, directory, index)
    }

    pub(crate) fn subscribe(
        &mut self,
        context: &mut Context<'_>,
        roster: &Arc<Roster>,
        id: &str,
    ) -> Result<bool, Exhausted> {
        let (mut local, directory, index) = self.channels.floor.parts();
        let Some(loop_address) = directory.loop_address(index) else {
            return Ok(false);
        };
        let known = local.broadcasters.get(&roster.id()).copied();
        if known.is_some_and(|group| local.is_in(self.seats(), group)) {
            return Ok(false);
        }
        let claim = context.claim(Resource::Memberships)?;
        let ticket = roster.enter(index, loop_address, self.activity.clone(), id);
        let group = known.unwrap_or_else(|| {
            let key = local
                .groups
                .insert(Group::new(What::Broadcaster(roster.clone())));
            local.broadcasters.insert(roster.id(), key);
            key
        });
        self.seats = local.sit(self.seats(), &self.activity, group, Some(ticket), claim);
        Ok(true)
    }

    pub(crate) fn channels(&self) -> Vec<String> {
        let local = self.channels.floor.local.borrow();
        let channels = local.channels_of(self.seats());
        channels
            .map(|channel| String::from(&**channel.name()))
            .collect()
    }

    pub(crate) fn is_in(&self, channel: &str) -> bool {
        let local = self.channels.floor.local.borrow();
        let group = local.named.get(channel);
        group.is_some_and(|&group| local.is_in(self.seats(), group))
    }
}

#[cfg(test)]
mod tests;
