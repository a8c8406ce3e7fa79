//! A session's place in the rooms of its loop.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::broadcaster::Roster;
use super::groups::{Group, What};
use super::room_limits::RoomError;
use super::rooms::{Floor, Rooms};
use crate::app::telemetry::activity::Activity;
use crate::app::telemetry::metrics::Kind;
use crate::net::{Claim, Context, Exhausted, Key, Resource};

/// A session's place among those of its loop, and in the rooms. A session that drops
/// it leaves them all: also a session that panicked.
#[derive(Debug)]
pub(crate) struct Membership {
    rooms: Rooms,
    activity: Arc<Activity>,
    seats: Key, // NONE until it has joined something
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Floor {
            local,
            directory,
            index,
            ..
        } = &*self.rooms.floor;
        if let Some(registry) = directory.registry(*index) {
            registry.remove(self.activity.id());
        }
        // Only a panic within this file could have it borrowed now.
        if let Some(key) = self.seats()
            && let Ok(mut local) = local.try_borrow_mut()
        {
            local.leave_all(key, directory, *index);
        }
    }
}

impl Membership {
    /// Opens a session on the context's exchange; it is in no room yet.
    pub(crate) fn open(rooms: &Rooms, context: &Context<'_>, kind: Kind) -> Self {
        let (peer, exchange) = (context.peer(), context.exchange());
        let now = context.unix_seconds();
        Self::new(
            rooms,
            Activity::new(rooms.next_id(), kind, peer, exchange, now),
        )
    }

    fn new(rooms: &Rooms, activity: Activity) -> Self {
        let activity = Arc::new(activity);
        let Floor {
            directory, index, ..
        } = &*rooms.floor;
        if let Some(registry) = directory.registry(*index) {
            registry.add(activity.clone());
        }
        Self {
            rooms: rooms.clone(),
            activity,
            seats: Key::NONE,
        }
    }

    fn seats(&self) -> Option<Key> {
        (self.seats != Key::NONE).then_some(self.seats)
    }

    /// The session's counts.
    pub(crate) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Joins a room; false if the session is in it already.
    pub(crate) fn join(
        &mut self,
        context: &mut Context<'_>,
        room: &str,
    ) -> Result<bool, RoomError> {
        self.sit_in(room, || context.claim(Resource::Memberships))
    }

    fn sit_in(
        &mut self,
        room: &str,
        claim: impl FnOnce() -> Result<Claim, Exhausted>,
    ) -> Result<bool, RoomError> {
        let (mut local, directory, index) = self.rooms.floor.parts();
        let limits = directory.limits();
        if room.len() > limits.name {
            return Err(RoomError::NameTooLong);
        }
        let known = local.named.get(room).copied();
        if known.is_some_and(|group| local.is_in(self.seats(), group)) {
            return Ok(false);
        }
        if local.rooms_of(self.seats()).count() >= limits.joined {
            return Err(RoomError::TooManyJoined);
        }
        let claim = claim()?;
        let stream = self.activity.is_stream();
        let group = match known {
            Some(key) => {
                if let Some(Group {
                    what: What::Room(presence),
                    ..
                }) = local.groups.get(key)
                {
                    presence.add(index, stream);
                }
                key
            }
            None => {
                let presence = directory.enter(room, index, stream)?;
                let name = presence.name().clone();
                let key = local.groups.insert(Group::new(What::Room(presence)));
                local.named.insert(name, key);
                key
            }
        };
        self.seats = local.sit(self.seats(), &self.activity, group, None, claim);
        Ok(true)
    }

    /// Leaves a room; false if the session was not in it.
    pub(crate) fn leave(&mut self, room: &str) -> bool {
        let (mut local, directory, index) = self.rooms.floor.parts();
        let Some((&group, seats)) = local.named.get(room).zip(self.seats()) else {
            return false;
        };
        local.stand_up(seats, group, directory, index)
    }

    /// Adds the session to a broadcaster's streams, under `id`; false if it is
    /// there already.
    pub(crate) fn subscribe(
        &mut self,
        context: &mut Context<'_>,
        roster: &Arc<Roster>,
        id: &str,
    ) -> Result<bool, Exhausted> {
        let (mut local, directory, index) = self.rooms.floor.parts();
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

    /// The rooms that the session is in, in no order.
    pub(crate) fn rooms(&self) -> Vec<String> {
        let local = self.rooms.floor.local.borrow();
        local
            .rooms_of(self.seats())
            .map(|presence| String::from(&**presence.name()))
            .collect()
    }

    /// Whether the session is in a room.
    pub(crate) fn is_in(&self, room: &str) -> bool {
        let local = self.rooms.floor.local.borrow();
        local
            .named
            .get(room)
            .is_some_and(|&group| local.is_in(self.seats(), group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Hub;
    use crate::app::Metrics;
    use crate::app::RoomLimits;
    use crate::app::SessionSnapshot;
    use crate::app::publishing::directory::Directory;
    use crate::net::{Caps, Exchange, Limits};

    /// Two loops that share a directory, without sockets.
    fn two_loops(limits: RoomLimits) -> (Hub, [Rooms; 2]) {
        let directory = Arc::new(Directory::default());
        directory.start(2, limits);
        let rooms = |index| Rooms::new(directory.clone(), Metrics::default().join(), index);
        (Hub::new(directory.clone()), [rooms(0), rooms(1)])
    }

    fn session(rooms: &Rooms, nth: u64) -> Membership {
        let id = Directory::session_id(rooms.floor.index, nth);
        let exchange = Exchange {
            connection: Key::NONE,
            stream: nth as u32,
        };
        Membership::new(rooms, Activity::new(id, Kind::WebSocket, None, exchange, 0))
    }

    fn join(session: &mut Membership, room: &str) -> Result<bool, RoomError> {
        let (caps, limits) = (Caps::new(), Limits::DEFAULT);
        session.sit_in(room, || {
            caps.claim(Resource::Memberships, None, Key::NONE, &limits)
        })
    }

    /// The sessions that a loop would deliver to.
    fn present(rooms: &Rooms, room: &str) -> Vec<u64> {
        let groups = rooms.floor.local.borrow();
        let group = groups
            .named
            .get(room)
            .and_then(|&key| groups.groups.get(key));
        let mut ids: Vec<u64> = group
            .into_iter()
            .flat_map(Group::sessions)
            .map(|session| session.id())
            .collect();
        ids.sort_unstable();
        ids
    }

    const ROOMS: [&str; 5] = ["a", "b", "c", "d", "e"];

    #[test]
    fn a_room_has_exactly_those_who_joined_and_neither_left_nor_ended() {
        let (hub, loops) = two_loops(RoomLimits::DEFAULT);
        let mut sessions: Vec<Option<Membership>> = (0..12)
            .map(|n| Some(session(&loops[n % 2], n as u64)))
            .collect();
        let mut model = [[false; 5]; 12];
        let mut random = 12345_u64;
        let mut draw = |below: u64| {
            random = random
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (random >> 33) % below
        };
        for _ in 0..3000 {
            let (who, room, what) = (draw(12) as usize, draw(5) as usize, draw(20));
            let name = ROOMS[room];
            match (&mut sessions[who], what) {
                (Some(session), 0..10) => {
                    assert_eq!(join(session, name), Ok(!model[who][room]));
                    model[who][room] = true;
                }
                (Some(session), 10..19) => {
                    assert_eq!(session.leave(name), model[who][room]);
                    model[who][room] = false;
                }
                (Some(_), _) => {
                    sessions[who] = None;
                    model[who] = [false; 5];
                }
                (none, _) => *none = Some(session(&loops[who % 2], who as u64)),
            }
            for (room, name) in ROOMS.iter().enumerate() {
                let members = (0..12).filter(|&who| model[who][room]);
                assert_eq!(hub.room_size(name), members.clone().count());
                for (index, rooms) in loops.iter().enumerate() {
                    let ids: Vec<u64> = members
                        .clone()
                        .filter(|who| who % 2 == index)
                        .map(|who| Directory::session_id(index, who as u64))
                        .collect();
                    assert_eq!(present(rooms, name), ids);
                }
            }
            let rooms = (0..5)
                .filter(|&room| model.iter().any(|who| who[room]))
                .count();
            assert_eq!(hub.room_count(), rooms, "an empty room is freed");
            assert_eq!(hub.room_sizes(None, 9).len(), rooms);
            assert_eq!(hub.session_count(), sessions.iter().flatten().count());
        }
    }

    #[test]
    fn a_session_may_be_in_no_more_rooms_than_the_limit() {
        let limits = RoomLimits::DEFAULT
            .with_joined(2)
            .with_name(4)
            .with_rooms(3);
        let (_, [rooms, _]) = two_loops(limits);
        let mut greedy = session(&rooms, 1);
        assert_eq!(join(&mut greedy, "long name"), Err(RoomError::NameTooLong));
        assert_eq!(join(&mut greedy, "a"), Ok(true));
        assert_eq!(join(&mut greedy, "b"), Ok(true));
        assert_eq!(join(&mut greedy, "a"), Ok(false));
        assert_eq!(join(&mut greedy, "c"), Err(RoomError::TooManyJoined));
        assert!(greedy.leave("a"));
        assert_eq!(join(&mut greedy, "c"), Ok(true));
        assert_eq!(greedy.rooms(), ["b", "c"]);

        let mut inventive = session(&rooms, 2);
        assert_eq!(join(&mut inventive, "d"), Ok(true));
        assert_eq!(join(&mut inventive, "e"), Err(RoomError::TooManyRooms));
        assert_eq!(
            join(&mut inventive, "b"),
            Ok(true),
            "a room that is there can be joined"
        );
        drop(greedy);
        assert!(inventive.is_in("b"));
        assert_eq!(present(&rooms, "b").len(), 1);
    }

    #[test]
    fn a_session_is_counted_as_long_as_it_is_there() {
        let (hub, [first, second]) = two_loops(RoomLimits::DEFAULT);
        let (a, b) = (session(&first, 1), session(&second, 1));
        assert_ne!(a.activity().id(), b.activity().id());
        a.activity().received(5, false, 7);
        a.activity().received(6, true, 8);
        a.activity().sent(3, 9);
        let mut sessions = hub.sessions();
        sessions.sort_by_key(|session| session.id);
        let [
            SessionSnapshot {
                messages_received,
                bytes_received,
                last_activity,
                ..
            },
            _,
        ] = sessions[..]
        else {
            panic!("{sessions:?}");
        };
        assert_eq!(
            (messages_received, bytes_received, last_activity),
            (1, 11, 9)
        );
        drop((a, b));
        assert_eq!(hub.session_count(), 0);
    }
}
