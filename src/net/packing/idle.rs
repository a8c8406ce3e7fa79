//! A connection that speaks HTTP/2 and has no stream, as its machine and its peer.

use alloc::boxed::Box;

use super::warmth::Epoch;
use crate::link::{self, Account, Link};
use crate::net::turns::connection::{Connection, Phase};
use crate::net::{Owner, Peer};

/// All there is to know of a connection that speaks HTTP/2 and has no stream.
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
    /// The peer.
    pub(super) const fn peer(&self) -> Peer {
        self.peer
    }

    /// Who is charged for what it holds.
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

    /// When it was packed.
    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The whole connection again.
    pub(super) fn wake(self) -> Connection {
        let link = Link::of_idle(self.link);
        let mut connection =
            Connection::new(link, self.peer, self.owner, self.profile, Phase::Open);
        connection.tag = self.tag;
        connection
    }
}
