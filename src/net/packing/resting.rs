//! A connection with nothing under way, as the 40 bytes that say all of it.

use alloc::boxed::Box;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::warmth::Epoch;
use crate::link::{self, Account, Link};
use crate::net::turns::connection::{Connection, Phase};
use crate::net::turns::watch::MUCH;
use crate::net::{Owner, Peer, Slab};

/// Addresses that are too long for the short form, by number.
pub(super) type LongAddresses = Slab<(Ipv6Addr, u32)>;

/// The whole state of a connection with nothing under way.
#[derive(Debug)]
pub(super) struct Resting {
    link: link::Resting,
    stream: u32,
    tag: u32,
    /// The address of IPv4, or the number of a long one.
    address: u32,
    port: u16,
    owner: u16,
    profile: u16,
    websocket_limits: u8,
    /// The family of the address, and when it was packed.
    family: u8,
}

/// Families of addresses; the other bits are those of an [`Epoch`].
const FAMILY: u8 = 3;
const V4: u8 = 0;
const V6: u8 = 1;
const UNIX: u8 = 2;

impl Resting {
    pub(super) const fn is_open(&self, stream: u32) -> bool {
        self.link.is_open(self.stream, stream)
    }

    /// The connection compacted, if there is nothing else to know of it.
    pub(super) fn of(
        connection: &Connection,
        long: &mut LongAddresses,
        epoch: Epoch,
    ) -> Option<Self> {
        let link = connection.link.resting()?;
        let websocket_limits = u8::try_from(connection.link.websocket_limits()).ok()?;
        let is_http = matches!(link, link::Resting::Http1(_));
        let is_socket = matches!(link, link::Resting::WebSocket(_));
        let is_plain = connection.is_plain();
        // What was sent lately says how long a pong may take.
        let is_quiet = !is_socket || connection.sent < MUCH;
        if !is_plain || !is_quiet || is_http && !connection.rested {
            return None;
        }
        let (family, address, port) = match connection.peer {
            Peer::V4(address, port) => (V4, address.to_bits(), port),
            Peer::V6(address, port, scope) => (V6, long.insert((address, scope)).slot(), port),
            Peer::Unix => (UNIX, 0, 0),
        };
        Some(Self {
            link,
            stream: connection.link.stream(),
            tag: connection.tag,
            address,
            port,
            owner: connection.owner.0,
            profile: connection.profile,
            websocket_limits,
            family: family | epoch.bits() << 2,
        })
    }

    pub(super) const fn epoch(&self) -> Epoch {
        Epoch::from_bits(self.family >> 2)
    }

    pub(super) fn wake(self, long: &mut LongAddresses) -> Connection {
        let peer = match self.family & FAMILY {
            V4 => Peer::V4(Ipv4Addr::from_bits(self.address), self.port),
            V6 => {
                let key = long.key_at(self.address);
                let (address, scope) = key
                    .and_then(|key| long.remove(key))
                    .unwrap_or((Ipv6Addr::UNSPECIFIED, 0)); // it was put there
                Peer::V6(address, self.port, scope)
            }
            _ => Peer::Unix,
        };
        let link = Link::rested(self.link, self.stream, u16::from(self.websocket_limits));
        let owner = Owner(self.owner);
        let mut connection = Connection::new(link, peer, owner, self.profile, Phase::Open);
        connection.tag = self.tag;
        connection.rested = matches!(self.link, link::Resting::Http1(_));
        connection
    }
}

/// The whole state of a connection that speaks HTTP/2 and has no stream.
#[derive(Debug)]
pub(super) struct Idle {
    link: link::Idle,
    peer: Peer,
    tag: u32,
    owner: Owner,
    profile: u16,
    epoch: Epoch,
}

impl Idle {
    pub(super) const fn peer(&self) -> Peer {
        self.peer
    }

    pub(super) const fn account(&self) -> Option<&Account> {
        self.link.account()
    }

    /// The connection without what only streams need, if it has none. The
    /// record is then of no use.
    pub(super) fn of(connection: &mut Connection, epoch: Epoch) -> Option<Box<Self>> {
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
            epoch,
        }))
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn wake(self) -> Connection {
        let link = Link::of_idle(self.link);
        let mut connection =
            Connection::new(link, self.peer, self.owner, self.profile, Phase::Open);
        connection.tag = self.tag;
        connection
    }
}
