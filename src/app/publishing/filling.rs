//! The gaps of a loop in a channel with history: it reads what it was not given, and holds
//! back what arrives meanwhile.
//!
//! ```text
//!   delivered: 4 │ 5 6 lost │ 7 has come ──► history since 4, now or later
//!                                  8 9: held
//!   answer: 5 6 7 ──► members get 5 6 7 8 9
//!   none, or not all ──► members are sent away, so that they come back and know
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Poll;

use super::channel::Channel;
use super::groups::{Gap, Group, Groups};
use super::inbox::Over;
use super::lagging::end;
use super::loop_address::{Encoded, Filled, LoopAddress};
use super::loop_channels::LoopChannels;
use crate::app::channels::backplane::{Later, Past};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::joining::Joining;
use crate::app::channels::position::Position;
use crate::net::{Context, Exchange, Key};

impl LoopChannels {
    pub(super) fn deliver_kept(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        (encoded, at): (&Encoded, Position),
        except: Option<Exchange>,
    ) {
        if group.epoch.get().is_some_and(|epoch| epoch != at.epoch) {
            // The channel has begun a new life.
            return self.lose(context, local, group, at, None);
        }
        if let Some(gap) = &mut *group.gap.borrow_mut() {
            gap.bytes += encoded.publication.as_ref().map_or(0, |it| it.len());
            match gap.bytes > self.directory().limits().recovery.saturating_mul(2) {
                true => gap.is_short = true,
                false => gap.held.push((encoded.clone(), except)),
            }
            return;
        }
        match group.delivered.get() {
            Some(delivered) if at.offset <= delivered => {} // everybody has it
            Some(delivered) if at.offset > delivered + 1 => {
                let held = alloc::vec![(encoded.clone(), except)];
                self.look_up(context, local, group, held);
            }
            Some(_) | None => {
                self.hand_out_next(context, local, group, (encoded, at), except);
            }
        }
    }

    /// Looks up what this loop's mailbox had no room for.
    #[cold]
    pub(crate) fn catch_up(&self, context: &mut Context<'_>) {
        self.directory().looks(self.floor.index);
        let local = self.floor.local.borrow();
        for &key in local.named.values() {
            let Some(group) = local.groups.get(key) else {
                continue;
            };
            if let Some(gap) = &mut *group.gap.borrow_mut() {
                gap.is_short = true; // the answer may be older than what was lost
                continue;
            }
            match group.delivered.get() {
                Some(_) => self.look_up(context, &local, group, Vec::new()),
                None => group.is_in_doubt.set(true),
            }
        }
    }

    /// Asks for what a group's members have not been given, and what follows it.
    #[cold]
    pub(super) fn look_up(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        held: Vec<(Encoded, Option<Exchange>)>,
    ) {
        let (Some(channel), Some(delivered)) = (group.channel(), group.delivered.get()) else {
            return;
        };
        let (Some(line), Some(epoch)) = (channel.history(), group.epoch.get()) else {
            return;
        };
        let number = self.floor.asked.get() + 1;
        self.floor.asked.set(number);
        let later = || self.filling(channel, number);
        let since = Position::new(epoch, delivered);
        match line.history(&[since], &later) {
            Poll::Ready(past) => self.fill(context, local, group, past, (held, false)),
            Poll::Pending => {
                let bytes = held.iter().filter_map(|it| it.0.publication.as_ref());
                let bytes = bytes.map(|it| it.len()).sum();
                let gap = Gap {
                    number,
                    held,
                    bytes,
                    is_short: false,
                };
                group.gap.replace(Some(Box::new(gap)));
            }
        }
    }

    /// Makes an answer that comes to the channels of this loop as mail.
    fn filling(&self, channel: &Arc<Channel>, number: u64) -> Later<Past> {
        let address = self.directory().loop_address(self.floor.index).cloned();
        let channel = channel.name().clone();
        Later::new(move |past| {
            let filled = Filled {
                channel,
                number,
                past,
            };
            let fill = |address: LoopAddress| address.fill(filled);
            let _ = address.map(fill); // a loop without one has no members
        })
    }

    /// The publications missed on this loop have come.
    pub(crate) fn filled(&self, context: &mut Context<'_>, filled: Filled) {
        let Filled {
            channel,
            number,
            past,
        } = filled;
        let local = self.floor.local.borrow();
        let key = local.named.get(&channel);
        let Some(group) = key.and_then(|&key| local.groups.get(key)) else {
            return;
        };
        let is_it = |gap: &mut Box<Gap>| gap.number == number;
        let Some(gap) = group.gap.borrow_mut().take_if(is_it) else {
            return; // it was asked by members that have left, or in another life
        };
        self.fill(context, &local, group, past, (gap.held, gap.is_short));
    }

    /// Hands out the missed history, then what came meanwhile. If some is gone, members are
    /// sent away to learn of it.
    fn fill(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        past: Result<Past, ChannelError>,
        (held, is_short): (Vec<(Encoded, Option<Exchange>)>, bool),
    ) {
        let (Some(channel), Some(before)) = (group.channel(), group.delivered.get()) else {
            return;
        };
        let (missed, head) = match past {
            Ok(past) => (past.missed, Some(past.head)),
            Err(_) => (None, None),
        };
        let Some(missed) = missed else {
            // From the last place that is known to be behind all that is lost.
            let last = held
                .last()
                .and_then(|it| it.0.publication.as_ref()?.position());
            let at = match (head, last) {
                (Some(head), Some(last)) if head.epoch == last.epoch => {
                    Some(Position::new(head.epoch, head.offset.max(last.offset)))
                }
                (head, last) => head.or(last),
            };
            if let Some(at) = at {
                return self.lose(context, local, group, at, None);
            }
            self.send_away(context, local, group, None);
            return group.delivered.set(None);
        };
        let missed = missed.into_iter().map(|publication| {
            // Nobody knows any more who published it.
            (channel.encoded(publication), None)
        });
        let mut rest = missed.chain(held);
        let mut left = Vec::new();
        for (encoded, except) in &mut rest {
            let position = encoded.publication.as_ref().and_then(|it| it.position());
            let (Some(at), Some(delivered)) = (position, group.delivered.get()) else {
                continue;
            };
            match at.offset {
                offset if offset <= delivered => {}
                offset if offset == delivered + 1 => {
                    self.hand_out_next(context, local, group, (&encoded, at), except);
                }
                _ => {
                    left.push((encoded, except));
                    break;
                }
            }
        }
        left.extend(rest);
        if left.is_empty() && !is_short {
            return;
        }
        if is_short || group.delivered.get() > Some(before) {
            return self.look_up(context, local, group, left);
        }
        // The history does not have it, and does not say so.
        let gone = Err(ChannelError::Unavailable);
        self.fill(context, local, group, gone, (left, false));
    }

    /// Gives a member what it has missed, in every channel where that is there.
    pub(super) fn catch_up_member(&self, context: &mut Context<'_>, seats: Option<Key>) {
        let local = self.floor.local.borrow();
        let Some(key) = seats else { return };
        for group_key in local.joining_of(key) {
            let Some(group) = local.groups.get(group_key) else {
                continue;
            };
            let mut joining = local.joining.borrow_mut();
            let known = joining.get(&(key, group_key));
            if known.is_none_or(|it| it.asked().is_some()) {
                continue; // its history has not come
            }
            let known = joining.remove(&(key, group_key));
            drop(joining);
            group.joining.set(group.joining.get().saturating_sub(1));
            let member = group.members().iter().find(|it| it.seats == key);
            let (Some(channel), Some(member)) = (group.channel(), member) else {
                continue;
            };
            let Some((all, is_whole)) = known.map(Joining::finish) else {
                continue;
            };
            for publication in all {
                let encoded = channel.encoded(publication);
                self.hand_out(context, &local, (Some(group), [member]), &encoded, None);
            }
            if !is_whole {
                end(context, &local, &member.activity, Over::Lost);
            }
        }
    }
}
