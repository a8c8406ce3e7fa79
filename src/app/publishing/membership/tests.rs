use super::*;
use crate::app::ChannelLimits;
use crate::app::Hub;
use crate::app::Metrics;
use crate::app::SessionSnapshot;
use crate::app::publishing::directory::{Directory, Rules};
use crate::app::telemetry::metrics::Kind;
use crate::coding::lent::Lent;
use crate::net::{Caps, Exchange, Limits};

/// Two loops that share a directory, without sockets.
fn two_loops(limits: ChannelLimits) -> (Hub, [LoopChannels; 2]) {
    let directory = Arc::new(Directory::default());
    directory.start(
        2,
        Rules {
            limits,
            ..Rules::default()
        },
    );
    let rooms = |index| {
        LoopChannels::new(
            directory.clone(),
            Metrics::default().join(),
            Lent::default(),
            index,
        )
    };
    (Hub::new(directory.clone()), [rooms(0), rooms(1)])
}

fn session(rooms: &LoopChannels, nth: u64) -> Membership {
    let id = Directory::session_id(rooms.floor.index, nth);
    let exchange = Exchange {
        connection: Key::NONE,
        stream: nth as u32,
    };
    Membership::open(rooms, Activity::new(id, Kind::WebSocket, None, exchange, 0))
}

fn join(session: &mut Membership, room: &str) -> Result<bool, ChannelError> {
    let (caps, limits) = (Caps::new(), Limits::DEFAULT);
    let seated = session.sit_in(room, || {
        caps.claim(Resource::Memberships, None, Key::NONE, &limits)
    })?;
    Ok(seated.is_some())
}

/// The sessions that a loop would deliver to.
fn present(rooms: &LoopChannels, room: &str) -> Vec<u64> {
    let groups = rooms.floor.local.borrow();
    let group = groups
        .named
        .get(room)
        .and_then(|&key| groups.groups.get(key));
    let mut ids: Vec<u64> = group
        .into_iter()
        .flat_map(Group::members)
        .map(|member| member.activity.id())
        .collect();
    ids.sort_unstable();
    ids
}

const ROOMS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[test]
fn a_room_has_exactly_those_who_joined_and_neither_left_nor_ended() {
    let (hub, loops) = two_loops(ChannelLimits::DEFAULT);
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
            assert_eq!(hub.member_count(name), members.clone().count());
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
        assert_eq!(hub.channel_count(), rooms, "an empty room is freed");
        assert_eq!(hub.channel_sizes(None, 9).len(), rooms);
        assert_eq!(hub.session_count(), sessions.iter().flatten().count());
    }
}

#[test]
fn a_session_may_be_in_no_more_rooms_than_the_limit() {
    let limits = ChannelLimits::DEFAULT
        .with_joined(2)
        .with_name(4)
        .with_channels(3);
    let (_, [rooms, _]) = two_loops(limits);
    let mut greedy = session(&rooms, 1);
    assert_eq!(
        join(&mut greedy, "long name"),
        Err(ChannelError::NameTooLong)
    );
    assert_eq!(join(&mut greedy, "a"), Ok(true));
    assert_eq!(join(&mut greedy, "b"), Ok(true));
    assert_eq!(join(&mut greedy, "a"), Ok(false));
    assert_eq!(join(&mut greedy, "c"), Err(ChannelError::TooManyJoined));
    assert!(greedy.leave("a"));
    assert_eq!(join(&mut greedy, "c"), Ok(true));
    assert_eq!(greedy.channels(), ["b", "c"]);

    let mut inventive = session(&rooms, 2);
    assert_eq!(join(&mut inventive, "d"), Ok(true));
    assert_eq!(
        join(&mut inventive, "e"),
        Err(ChannelError::TooManyChannels)
    );
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
    let (hub, [first, second]) = two_loops(ChannelLimits::DEFAULT);
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
