//! Members that do not keep up with what is published.

use alloc::vec::Vec;
use core::time::Duration;

use super::groups::{Group, Groups, Member, Missing};
use super::inbox::{Over, Pushed};
use super::loop_address::Encoded;
use super::loop_channels::LoopChannels;
use crate::app::channels::position::Position;
use crate::app::channels::slow::{Lag, SlowMembers};
use crate::app::telemetry::activity::Activity;
use crate::http::Fields;
use crate::net::{Context, Exchange, Key};
use crate::websocket::CloseCode;

/// A member for which much waits: the bytes given last, and those that waited before.
pub(super) type Behind<'m> = (&'m Member, usize, usize);

/// A channel of which a session was not given all.
#[derive(Debug)]
pub(crate) struct MissedIn {
    group: Key,
    pub(crate) channel: alloc::sync::Arc<str>,
    pub(crate) publications: u64,
    newest: Option<Encoded>,
}

impl LoopChannels {
    #[cold]
    pub(super) fn see_to(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: Option<&Group>,
        behind: &[Behind<'_>],
    ) {
        let channel = group.and_then(|group| Some((group, group.channel()?)));
        let Some((group, channel)) = channel else {
            // A broadcaster knows no rules for its streams.
            for (member, _, waited) in behind {
                context.cap(member.activity.exchange(), *waited);
            }
            return;
        };
        let slow_time = self.directory().limits().slow_time;
        for &(member, length, waited) in behind {
            let still = self.stands_still(context, local, &member.activity, length);
            if still < slow_time && !context.is_beyond_cap(waited) {
                continue;
            }
            match channel.options().slow {
                SlowMembers::Close => {
                    self.floor.metrics.counters.slow_members_closed.add(1);
                    end(context, local, &member.activity, Over::TooSlow);
                }
                SlowMembers::Drop | SlowMembers::Newest => self.leave_out(local, group, member),
            }
        }
    }

    /// How long a session has taken nothing, now that so many bytes were put behind what waits.
    pub(super) fn stands_still(
        &self,
        context: &Context<'_>,
        local: &Groups,
        activity: &Activity,
        length: usize,
    ) -> Duration {
        let (now, uptake) = (context.now(), context.uptake(activity.exchange()));
        let mut lags = local.lags.borrow_mut();
        let lag = lags.entry(activity.id());
        let lag = lag.or_insert_with(|| Lag::new(now, uptake));
        lag.look(now, uptake, length)
    }

    /// Gives a member nothing of a channel from now on.
    fn leave_out(&self, local: &Groups, group: &Group, member: &Member) {
        let key = group.channel().and_then(|it| local.named.get(it.name()));
        let Some(&key) = key else { return };
        self.floor.metrics.counters.slow_members_left_out.add(1);
        let mut missing = local.missing.borrow_mut();
        if missing
            .insert((member.seats, key), Missing::default())
            .is_none()
        {
            group.missing.set(group.missing.get() + 1);
        }
    }

    /// Whether a member is not given this; counts it then.
    pub(super) fn is_left_out(
        &self,
        local: &Groups,
        (group, key): (&Group, Key),
        member: &Member,
        encoded: &Encoded,
    ) -> bool {
        let mut missing = local.missing.borrow_mut();
        let Some(missing) = missing.get_mut(&(member.seats, key)) else {
            return false;
        };
        missing.count += 1;
        self.floor.metrics.counters.publications_left_out.add(1);
        let slow = group.channel().map(|it| it.options().slow);
        if slow == Some(SlowMembers::Newest) {
            missing.newest = Some(encoded.clone());
        }
        true
    }

    pub(super) fn note_pushed(&self, pushed: Pushed, slow: SlowMembers) {
        let counters = &self.floor.metrics.counters;
        match (pushed, slow) {
            (Pushed::Kept, _) => {}
            (Pushed::Missed, _) => counters.publications_left_out.add(1),
            (Pushed::Slow, SlowMembers::Close) => counters.slow_members_closed.add(1),
            (Pushed::Slow, _) => {
                counters.slow_members_left_out.add(1);
                counters.publications_left_out.add(1);
            }
        }
    }

    pub(super) fn keeps_up(&self, id: u64, seats: Option<Key>) -> Vec<MissedIn> {
        let local = self.floor.local.borrow();
        local.lags.borrow_mut().remove(&id);
        let mut missing = local.missing.borrow_mut();
        let Some(seats) = seats.filter(|_| !missing.is_empty()) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for key in local.groups_of(seats) {
            let Some(Missing { count, newest }) = missing.remove(&(seats, key)) else {
                continue;
            };
            let Some(group) = local.groups.get(key) else {
                continue;
            };
            group.missing.set(group.missing.get().saturating_sub(1));
            if let Some(channel) = group.channel().filter(|_| count > 0) {
                all.push(MissedIn {
                    group: key,
                    channel: channel.name().clone(),
                    publications: count - u64::from(newest.is_some()),
                    newest,
                });
            }
        }
        all
    }

    pub(super) fn give_newest(
        &self,
        context: &mut Context<'_>,
        seats: Option<Key>,
        missed: &MissedIn,
    ) {
        let local = self.floor.local.borrow();
        let (Some(seats), Some(newest)) = (seats, &missed.newest) else {
            return;
        };
        let Some(group) = local.groups.get(missed.group) else {
            return;
        };
        if let Some(member) = group.members().iter().find(|it| it.seats == seats) {
            self.hand_out(context, &local, (Some(group), [member]), newest, None);
        }
    }

    /// Ends all members of a group but one, which may come back.
    #[cold]
    pub(super) fn send_away(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        except: Option<Exchange>,
    ) {
        for Member { activity, .. } in group.members() {
            if Some(activity.exchange()) != except {
                self.floor.metrics.counters.members_lost.add(1);
                end(context, local, activity, Over::Lost);
            }
        }
    }

    /// Says that a group's members, but one, will not be given what they lack up to here.
    #[cold]
    pub(super) fn lose(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        position: Position,
        except: Option<Exchange>,
    ) {
        let has_it = group.delivered.get() >= Some(position.offset);
        if has_it && group.epoch.get() == Some(position.epoch) {
            return;
        }
        self.send_away(context, local, group, except);
        group.gap.take();
        group.ahead.borrow_mut().clear();
        group.has_delivered(position);
    }
}

/// Ends a session whose client may come back: 1013, the end of the stream, or a status.
pub(super) fn end(context: &mut Context<'_>, local: &Groups, activity: &Activity, why: Over) {
    if activity.is_object() {
        // Its object has not got all that is in there, so that it is called first.
        if let Some(inbox) = local.inboxes.borrow_mut().get_mut(&activity.id()) {
            return inbox.end(why);
        }
    }
    let is_stream = activity.is_stream();
    context.with(activity.exchange(), |context| {
        // Refused only if it is closing already.
        let _ = match is_stream {
            true => context.finish(Fields::EMPTY),
            false => context.close(CloseCode::TRY_AGAIN_LATER, why.as_str()),
        };
    });
}
