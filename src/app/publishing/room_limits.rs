//! How many rooms there may be.

use crate::net::Exhausted;
use crate::wire::setters;

/// How many rooms there may be, and what they may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoomLimits {
    /// Rooms that one session may be in. Stops: a client that joins everything
    /// it can think of. The handler sees [`RoomError::TooManyJoined`].
    /// Default 64.
    pub joined: usize,
    /// Bytes of a room's name. Stops: names that fill the directory. The
    /// handler sees [`RoomError::NameTooLong`]. Default 128.
    pub name: usize,
    /// Rooms of the whole app. Stops: many clients that each make up rooms of
    /// their own. The handler sees [`RoomError::TooManyRooms`]. Default
    /// 100,000.
    pub rooms: usize,
}

impl RoomLimits {
    /// Safe for a public chat.
    pub const DEFAULT: Self = Self {
        joined: 64,
        name: 128,
        rooms: 100_000,
    };

    setters! {
        with_joined joined: usize,
        with_name name: usize,
        with_rooms rooms: usize,
    }
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a session could not join a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoomError {
    /// The name is longer than [`RoomLimits::name`].
    #[error("the room's name is longer than the limit")]
    NameTooLong,
    /// The session is in [`RoomLimits::joined`] rooms already.
    #[error("the session is in as many rooms as it may be")]
    TooManyJoined,
    /// There are [`RoomLimits::rooms`] rooms already.
    #[error("there are as many rooms as there may be")]
    TooManyRooms,
    /// The loop, the peer's address or the connection has as many
    /// [`memberships`](crate::net::Limits::memberships) as it may have.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}
