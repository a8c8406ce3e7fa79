//! A connection with nothing under way, as the 40 bytes that say all of it.
//!
//! ```text
//!   whole:    link, peer, input_buffer input, backlog, flags: a box of some 200 bytes
//!     |  ^
//!     |  '-- something happens to it
//!     '----- it rests, and there are enough that are whole
//!   resting:  the link in short, the peer, whose it is
//! ```

use alloc::boxed::Box;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::connection::{Connection, Phase};
use super::watch::MUCH;
use crate::link::{self, Account, Link};
use crate::net::{Owner, Peer, Slab};
use crate::wire::Instant;

/// Addresses that are too long for the short form, by number.
pub(in crate::net) type LongAddresses = Slab<(Ipv6Addr, u32)>;

/// All there is to know of a connection with nothing under way.
#[derive(Debug)]
pub(in crate::net) struct Resting {
    link: link::Resting,
    stream: u32,
    tag: u32,
    /// The address of IPv4, or the number of a long one.
    address: u32,
    port: u16,
    owner: u16,
    profile: u16,
    family: Family,
    /// Which of the limits of WebSockets holds.
    websocket_limits: u8,
}

#[derive(Debug, Clone, Copy)]
enum Family {
    V4,
    V6,
    Unix,
}

impl Resting {
    /// Whether an exchange of the connection goes on.
    pub(in crate::net) const fn is_open(&self, stream: u32) -> bool {
        self.link.is_open(self.stream, stream)
    }

    /// The connection in short, if there is nothing else to know of it.
    pub(in crate::net) fn of(connection: &Connection, long: &mut LongAddresses) -> Option<Self> {
        let link = connection.link.resting()?;
        let websocket_limits = u8::try_from(connection.link.websocket_limits()).ok()?;
        let is_http = matches!(link, link::Resting::Http1(_));
        let is_plain = connection.is_plain();
        // What was sent lately says how long a pong may take.
        let is_quiet = is_http || connection.sent < MUCH;
        if !is_plain || !is_quiet || is_http && !connection.rested {
            return None;
        }
        let (family, address, port) = match connection.peer {
            Peer::V4(address, port) => (Family::V4, address.to_bits(), port),
            Peer::V6(address, port, scope) => {
                (Family::V6, long.insert((address, scope)).slot(), port)
            }
            Peer::Unix => (Family::Unix, 0, 0),
        };
        Some(Self {
            link,
            stream: connection.link.stream(),
            tag: connection.tag,
            address,
            port,
            owner: connection.owner.0,
            profile: connection.profile,
            family,
            websocket_limits,
        })
    }

    /// The whole connection again.
    pub(in crate::net) fn wake(self, long: &mut LongAddresses) -> Connection {
        let peer = match self.family {
            Family::V4 => Peer::V4(Ipv4Addr::from_bits(self.address), self.port),
            Family::V6 => {
                let key = long.key_at(self.address);
                let (address, scope) = key
                    .and_then(|key| long.remove(key))
                    .unwrap_or((Ipv6Addr::UNSPECIFIED, 0)); // it was put there
                Peer::V6(address, self.port, scope)
            }
            Family::Unix => Peer::Unix,
        };
        let link = Link::rested(self.link, self.stream, u16::from(self.websocket_limits));
        let owner = Owner(self.owner);
        let mut connection = Connection::new(link, peer, owner, self.profile, Phase::Open);
        connection.tag = self.tag;
        connection.rested = matches!(self.link, link::Resting::Http1(_));
        connection
    }
}

/// All there is to know of a connection that speaks HTTP/2 and has no stream.
#[derive(Debug)]
pub(in crate::net) struct Idle {
    link: link::Idle,
    peer: Peer,
    tag: u32,
    owner: Owner,
    profile: u16,
}

impl Idle {
    /// The peer.
    pub(in crate::net) const fn peer(&self) -> Peer {
        self.peer
    }

    /// Who is charged for what it holds.
    pub(in crate::net) const fn account(&self) -> Option<&Account> {
        self.link.account()
    }

    /// The connection without what only streams need, if it has none. The
    /// record is then of no use.
    pub(in crate::net) fn of(connection: &mut Connection) -> Option<Box<Self>> {
        if !connection.is_plain() || connection.rested {
            return None;
        }
        let link = connection.link.take_idle()?;
        Some(Box::new(Self {
            link,
            peer: connection.peer,
            tag: connection.tag,
            owner: connection.owner,
            profile: connection.profile,
        }))
    }

    /// The whole connection again.
    pub(in crate::net) fn wake(self) -> Connection {
        let link = Link::of_idle(self.link);
        let mut connection =
            Connection::new(link, self.peer, self.owner, self.profile, Phase::Open);
        connection.tag = self.tag;
        connection
    }
}

impl Connection {
    /// Whether it is as it was when it was accepted, but for its link and its
    /// tag.
    fn is_plain(&self) -> bool {
        let Self {
            link: _,
            peer: _,
            input_buffer,
            backlog,
            stalls,
            sent: _,
            watch,
            interim,
            phase,
            tag: _,
            generation: _,
            owner: _,
            dialled,
            profile: _,
            held,
            hungry: _, // means nothing without kept input
            readable,
            writable,
            fin,
            ended,
            broken,
            write_blocked,
            duplex,
            queued,
            dirty,
            starved,
            rested: _,
            gone,
            end_reported,
        } = self;
        let is_set = [
            dialled,
            held,
            readable,
            fin,
            ended,
            broken,
            write_blocked,
            duplex,
            queued,
            dirty,
            end_reported,
            starved,
        ];
        *phase == Phase::Open
            && *writable
            && !is_set.into_iter().any(|&flag| flag)
            && input_buffer.is_none()
            && backlog.memory() == 0
            && *stalls == Instant::NEVER
            && watch.is_none()
            && interim.is_none()
            && gone.is_none()
    }
}
