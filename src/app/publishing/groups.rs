//! Who sits in which group on one loop.
//!
//! ```text
//!  groups: "general" [ m0 | m1 | m2 ]      a room, or a broadcaster's streams
//!             ▲                │
//!             └── seats: [ ("general", 1), ... ]    where a session sits
//! ```
//!
//! Sitting down and standing up take constant time but for a look through the
//! session's own few seats.

use alloc::{sync::Arc, vec::Vec};
use std::collections::HashMap;

use super::broadcaster::{Roster, Ticket};
use super::directory::{Directory, Presence};
use crate::app::telemetry::activity::Activity;
use crate::net::{Claim, Key, Slab};

/// The groups of one loop. Nothing of an application's is called while they
/// are changed.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) groups: Slab<Group>,
    pub(crate) named: HashMap<Arc<str>, Key>,
    pub(crate) broadcasters: HashMap<u64, Key>,
    seats: Slab<Seats>,
}

/// Sessions of this loop that something is published to.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) what: What,
    members: Vec<Member>,
}

#[derive(Debug)]
pub(crate) enum What {
    Room(Arc<Presence>),
    Broadcaster(Arc<Roster>),
}

#[derive(Debug)]
struct Member {
    activity: Arc<Activity>,
    seats: Key,
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
        }
    }

    /// Its members.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Arc<Activity>> {
        self.members.iter().map(|member| &member.activity)
    }
}

impl Groups {
    /// The seats of a session.
    fn taken(&self, seats: Option<Key>) -> &[Seat] {
        seats
            .and_then(|key| self.seats.get(key))
            .map_or(&[], |seats| &seats.taken)
    }

    /// Whether a session is in a group.
    pub(crate) fn is_in(&self, seats: Option<Key>, group: Key) -> bool {
        self.taken(seats).iter().any(|seat| seat.group == group)
    }

    /// The rooms that a session is in.
    pub(crate) fn rooms_of(&self, seats: Option<Key>) -> impl Iterator<Item = &Presence> {
        self.taken(seats)
            .iter()
            .filter_map(|seat| match &self.groups.get(seat.group)?.what {
                What::Room(presence) => Some(&**presence),
                What::Broadcaster(_) => None,
            })
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
        self.remove(seat, &activity, directory, index);
        true
    }

    /// Takes a session out of all groups and forgets it.
    pub(crate) fn leave_all(&mut self, key: Key, directory: &Directory, index: usize) {
        let Some(Seats { activity, taken }) = self.seats.remove(key) else {
            return;
        };
        for seat in taken {
            self.remove(seat, &activity, directory, index);
        }
    }

    /// Takes a member out of its group; the last one takes its place.
    fn remove(&mut self, seat: Seat, activity: &Activity, directory: &Directory, index: usize) {
        let (stream, session) = (activity.is_stream(), activity.id());
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
        if let Some(moved) = group.members.get(position)
            && let Some(seats) = self.seats.get_mut(moved.seats)
            && let Some(seat) = seats.taken.iter_mut().find(|seat| seat.group == key)
        {
            seat.position = position;
        }
        let emptied = group.members.is_empty();
        match &group.what {
            What::Room(presence) if !emptied => presence.subtract(index, stream),
            What::Room(presence) => {
                directory.vacate(presence, index, stream);
                self.named.remove(presence.name());
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
