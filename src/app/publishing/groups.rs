//! Groups of members on one loop.
//!
//! ```text
//!  groups: "general" [ m0 | m1 | m2 ]      a channel, or a broadcaster's streams
//!             ▲                │
//!             └── seats: [ ("general", 1), ... ]    where a session sits
//! ```
//!
//! Sitting down and standing up take constant time but for a look through the
//! session's own few seats.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::broadcaster::{Roster, Ticket};
use super::channel::Channel;
use super::directory::Directory;
use super::inbox::Inbox;
use super::loop_address::Encoded;
use crate::app::channels::cursor::Cursor;
use crate::app::channels::joining::Joining;
use crate::app::channels::position::{Epoch, Position};
use crate::app::channels::slow::Lag;
use crate::app::telemetry::activity::Activity;
use crate::net::{Claim, Exchange, Key, Slab};
use crate::wire::Budget;

/// The groups of one loop. No application code runs while they change.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) groups: Slab<Group>,
    pub(crate) named: HashMap<Arc<str>, Key>,
    pub(crate) broadcasters: HashMap<u64, Key>,
    seats: Slab<Seats>,
    /// Members, by seats and group, that are given their history first.
    pub(crate) joining: RefCell<HashMap<(Key, Key), Joining>>,
    /// Where event streams are in their channels with history, by session.
    pub(crate) cursors: RefCell<HashMap<u64, Cursor>>,
    /// How much each session waits for that is decided later.
    pub(crate) asking: RefCell<HashMap<u64, usize>>,
    pub(crate) users: RefCell<HashMap<u64, Arc<str>>>,
    /// Sessions' spending of their rate of joins; none of those that never join.
    pub(crate) joins: RefCell<HashMap<u64, Budget>>,
    /// Publications that wait for sessions whose objects see them.
    pub(crate) inboxes: RefCell<HashMap<u64, Inbox>>,
    /// How sessions fare for which much waits.
    pub(crate) lags: RefCell<HashMap<u64, Lag>>,
    /// Publications withheld from slow members, by seats and group.
    pub(crate) missing: RefCell<HashMap<(Key, Key), Missing>>,
}

/// Publications withheld from a slow member.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    pub(crate) count: u64,
    pub(crate) newest: Option<Encoded>,
}

/// Sessions of this loop that something is published to.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) what: What,
    members: Vec<Member>,
    /// The offset up to which members were given all; `None` while unknown.
    pub(crate) delivered: Cell<Option<u64>>,
    pub(crate) epoch: Cell<Option<Epoch>>,
    /// Members that have been given more than that already, and how much.
    pub(crate) ahead: RefCell<Vec<(Key, u64)>>,
    /// Members that are given their history first.
    pub(crate) joining: Cell<u32>,
    /// Slow ones, that are given nothing for now.
    pub(crate) missing: Cell<u32>,
    /// Something was lost before any of its members knew where the channel is.
    pub(crate) is_in_doubt: Cell<bool>,
    /// Publications that it waits for, if some have not come.
    pub(crate) gap: RefCell<Option<Box<Gap>>>,
}

#[derive(Debug)]
pub(crate) struct Gap {
    pub(super) number: u64,
    /// Publications of the meantime, and their bytes.
    pub(super) held: Vec<(Encoded, Option<Exchange>)>,
    pub(super) bytes: usize,
    /// Something came for which there was no room, or was lost on its way.
    pub(super) is_short: bool,
}

#[derive(Debug)]
pub(crate) enum What {
    Channel(Arc<Channel>),
    Broadcaster(Arc<Roster>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) activity: Arc<Activity>,
    pub(crate) seats: Key,
}

/// The groups that one session is in.
#[derive(Debug)]
struct Seats {
    activity: Arc<Activity>,
    taken: Vec<Seat>,
}

#[derive(Debug)]
struct Seat {
    group: Key,
    position: usize, // in the group's members
    ticket: Option<Ticket>,
    _claim: Claim,
}

impl Group {
    pub(crate) const fn new(what: What) -> Self {
        Self {
            what,
            members: Vec::new(),
            delivered: Cell::new(None),
            epoch: Cell::new(None),
            ahead: RefCell::new(Vec::new()),
            joining: Cell::new(0),
            missing: Cell::new(0),
            is_in_doubt: Cell::new(false),
            gap: RefCell::new(None),
        }
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn channel(&self) -> Option<&Arc<Channel>> {
        match &self.what {
            What::Channel(channel) => Some(channel),
            What::Broadcaster(_) => None,
        }
    }

    /// Notes that all members have been given what was published up to here.
    pub(crate) fn has_delivered(&self, Position { epoch, offset }: Position) {
        self.delivered.set(Some(offset));
        self.epoch.set(Some(epoch));
        let mut ahead = self.ahead.borrow_mut();
        if !ahead.is_empty() {
            ahead.retain(|&(_, head)| head > offset);
        }
    }

    pub(crate) fn is_next(&self, encoded: &Encoded) -> bool {
        let next = self.delivered.get().zip(self.epoch.get());
        let next = next.map(|(delivered, epoch)| Position::new(epoch, delivered + 1));
        next.is_some() && next == encoded.position()
    }

    /// Whether some members do not get simply what is published next.
    pub(crate) fn is_mixed(&self) -> bool {
        self.joining.get() + self.missing.get() > 0 || !self.ahead.borrow().is_empty()
    }

    pub(crate) fn is_ahead(&self, seats: Key, offset: u64) -> bool {
        let ahead = self.ahead.borrow();
        offset > 0 && ahead.iter().any(|it| it.0 == seats && it.1 >= offset)
    }
}

impl Groups {
    fn taken(&self, seats: Option<Key>) -> &[Seat] {
        seats
            .and_then(|key| self.seats.get(key))
            .map_or(&[], |seats| &seats.taken)
    }

    pub(crate) fn is_in(&self, seats: Option<Key>, group: Key) -> bool {
        self.taken(seats).iter().any(|seat| seat.group == group)
    }

    pub(crate) fn channels_of(&self, seats: Option<Key>) -> impl Iterator<Item = &Channel> {
        let seats = self.taken(seats).iter();
        seats.filter_map(|seat| Some(&**self.groups.get(seat.group)?.channel()?))
    }

    pub(crate) fn groups_of(&self, key: Key) -> Vec<Key> {
        let seats = self.taken(Some(key)).iter();
        seats.map(|seat| seat.group).collect()
    }

    pub(crate) fn joining_of(&self, key: Key) -> Vec<Key> {
        let joining = self.joining.borrow();
        if joining.is_empty() {
            return Vec::new();
        }
        let seats = self.taken(Some(key)).iter().map(|seat| seat.group);
        seats
            .filter(|&group| joining.contains_key(&(key, group)))
            .collect()
    }

    /// Adds a session to a group that counts it already; returns its seats.
    pub(crate) fn sit(
        &mut self,
        seats: Option<Key>,
        activity: &Arc<Activity>,
        group: Key,
        ticket: Option<Ticket>,
        claim: Claim,
    ) -> Key {
        let key = seats.unwrap_or_else(|| {
            self.seats.insert(Seats {
                activity: activity.clone(),
                taken: Vec::new(),
            })
        });
        let (Some(session), Some(found)) = (self.seats.get_mut(key), self.groups.get_mut(group))
        else {
            return key;
        };
        let position = found.members.len();
        found.members.push(Member {
            activity: activity.clone(),
            seats: key,
        });
        session.taken.push(Seat {
            group,
            position,
            ticket,
            _claim: claim,
        });
        key
    }

    /// Takes a session out of one group; false if it was not in it.
    pub(crate) fn stand_up(
        &mut self,
        key: Key,
        group: Key,
        directory: &Directory,
        index: usize,
    ) -> bool {
        let Some(Seats { activity, taken }) = self.seats.get_mut(key) else {
            return false;
        };
        let Some(at) = taken.iter().position(|seat| seat.group == group) else {
            return false;
        };
        let (seat, activity) = (taken.swap_remove(at), activity.clone());
        self.remove(seat, key, &activity, directory, index);
        true
    }

    pub(crate) fn leave_all(&mut self, key: Key, directory: &Directory, index: usize) {
        let Some(Seats { activity, taken }) = self.seats.remove(key) else {
            return;
        };
        for seat in taken {
            self.remove(seat, key, &activity, directory, index);
        }
        if activity.is_stream() {
            self.cursors.get_mut().remove(&activity.id());
        }
        if activity.is_object() {
            self.inboxes.get_mut().remove(&activity.id());
        }
        self.lags.get_mut().remove(&activity.id());
    }

    fn remove(
        &mut self,
        seat: Seat,
        seats: Key,
        activity: &Activity,
        directory: &Directory,
        index: usize,
    ) {
        let session = activity.id();
        let Seat {
            group: key,
            position,
            ticket,
            ..
        } = seat;
        let Some(group) = self.groups.get_mut(key) else {
            return;
        };
        if position >= group.members.len() {
            debug_assert!(false, "a seat points past its group's members");
            return;
        }
        group.members.swap_remove(position);
        group.ahead.get_mut().retain(|it| it.0 != seats);
        if group.joining.get() > 0 && self.joining.get_mut().remove(&(seats, key)).is_some() {
            group.joining.set(group.joining.get() - 1);
        }
        if group.missing.get() > 0 && self.missing.get_mut().remove(&(seats, key)).is_some() {
            group.missing.set(group.missing.get() - 1);
        }
        if let Some(epoch) = group.epoch.get()
            && let Some(cursor) = self.cursors.get_mut().get_mut(&session)
        {
            cursor.remove(epoch);
        }
        if let Some(moved) = group.members.get(position)
            && let Some(seats) = self.seats.get_mut(moved.seats)
            && let Some(seat) = seats.taken.iter_mut().find(|seat| seat.group == key)
        {
            seat.position = position;
        }
        let emptied = group.members.is_empty();
        if let What::Channel(channel) = &group.what
            && let Some(notice) = channel.leave(session)
        {
            directory.notify(channel, notice, (index, activity.exchange()));
        }
        match &group.what {
            What::Channel(channel) if !emptied => channel.subtract(index, activity.reader()),
            What::Channel(channel) => {
                directory.vacate(channel, index, activity.reader());
                self.named.remove(channel.name());
            }
            What::Broadcaster(roster) => {
                if let Some(ticket) = &ticket {
                    roster.leave(ticket, index, session);
                }
                if emptied {
                    self.broadcasters.remove(&roster.id());
                }
            }
        }
        if emptied {
            self.groups.remove(key);
        }
    }
}
