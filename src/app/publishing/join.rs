//! Joining a channel: the request of a session, and the answer.

use alloc::string::String;

use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::cursor::Cursor;
use crate::app::channels::position::Position;
use crate::wire::builder;

/// How a session joins a channel.
///
/// ```
/// use barewire::app::{Join, Position};
///
/// /// What a client says that it has got last.
/// fn back(epoch: &str, offset: u64) -> Option<Join> {
///     let position = Position::new(epoch.parse().ok()?, offset);
///     Some(Join::new().since(position))
/// }
/// # assert!(back("00000000c0ffee00", 4).is_some());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Join {
    pub(super) since: Option<Since>,
    pub(super) token: u32,
    pub(super) user: String,
    pub(super) data: String,
}

/// From where a session wants to recover.
#[derive(Debug, Clone)]
pub(super) enum Since {
    Position(Position),
    Cursor(Cursor),
    /// None that can be.
    Nowhere,
}

impl Join {
    /// From now on.
    pub const fn new() -> Self {
        Self {
            since: None,
            token: 0,
            user: String::new(),
            data: String::new(),
        }
    }

    builder! {
        /// Gets what came after this position, too, in order and each once, in front of what is
        /// new: if all of that is still there ([`Standing::recovered`]).
        fn since(position: Position) => since = Some(Since::Position(position));

        /// Gets what came after the event with this id, which an event stream's client gives
        /// back ([`Request::last_event_id`](crate::app::Request::last_event_id)).
        fn since_event(id: &str) => since = Some(Since::Cursor(Cursor::parse(id)));

        /// Joins as this user, whom the channel's rule sees, and those who ask who is there.
        /// Several sessions may be the same user.
        fn user(name: &str) => user = name.into();

        /// Shows this to those who ask who is there.
        fn data(data: &str) => data = data.into();

        /// Asks for a recovery that cannot be: for a client whose position could not be read,
        /// so that it is told that it has missed something.
        fn since_nowhere() => since = Some(Since::Nowhere);

        /// Names it for the case that the answer comes later ([`Joined::Later`]).
        const fn token(token: u32) => token = token;
    }
}

/// The outcome of a [`join`](crate::app::Socket::join).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The session is a member from now on. What it missed follows what is sent in this
    /// call.
    New(Standing),
    /// It was one before; nothing has changed.
    Already,
    /// That is not decided yet: the session's object is told
    /// ([`WebSocket::joined`](crate::app::WebSocket::joined)).
    Later,
}

/// How a new member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the channel is; `None` if it keeps no history. A member that is given what it
    /// missed is here behind that.
    pub position: Option<Position>,
    /// Whether it gets all that it missed: `None` if it did not ask
    /// ([`Join::since`]). If not, it gets what is published from now on, and should fetch
    /// the state that it follows anew.
    pub recovered: Option<bool>,
}

impl Joined {
    /// Whether the session is a member since this call.
    pub const fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }

    /// How it stands, if it is new.
    pub const fn standing(&self) -> Option<Standing> {
        match self {
            Self::New(standing) => Some(*standing),
            Self::Already | Self::Later => None,
        }
    }
}

/// The outcome of publishing.
///
/// ```
/// use barewire::app::{App, Published};
///
/// let hub = App::new().hub();
/// match hub.publish("tea", "the kettle is on") {
///     Published::Done { members, .. } => println!("to {members} members"),
///     Published::Later => println!("a backplane will tell"),
///     Published::Refused(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is on its way to the members.
    Done {
        /// How many there are in this process; those of a channel whose offsets come from a
        /// [`Backplane`](crate::app::Backplane) are not counted.
        members: usize,
        /// Its place, in a channel with history.
        position: Option<Position>,
    },
    /// That is not decided yet: the session's object is told
    /// ([`WebSocket::published`](crate::app::WebSocket::published)).
    Later,
    /// It was not published.
    Refused(ChannelError),
}

impl Published {
    pub(super) const NOBODY: Self = Self::Done {
        members: 0,
        position: None,
    };

    /// How many members it is for.
    pub const fn members(&self) -> usize {
        match self {
            Self::Done { members, .. } => *members,
            Self::Later | Self::Refused(_) => 0,
        }
    }

    /// Its place, in a channel with history.
    pub const fn position(&self) -> Option<Position> {
        match self {
            Self::Done { position, .. } => *position,
            Self::Later | Self::Refused(_) => None,
        }
    }
}

/// A later answer to a session's object.
#[derive(Debug, Clone, Copy)]
pub struct ChannelAnswer<'a, T> {
    /// The channel.
    pub channel: &'a str,
    /// The name that the session gave it: [`Join::token`], [`Post::token`](crate::app::Post::token).
    pub token: u32,
    /// The answer.
    pub result: Result<T, ChannelError>,
}

impl<'a, T> ChannelAnswer<'a, T> {
    pub(crate) const fn new(channel: &'a str, token: u32, result: Result<T, ChannelError>) -> Self {
        Self {
            channel,
            token,
            result,
        }
    }
}

/// The outcome of something that a session waited for.
#[derive(Debug)]
pub(crate) enum Outcome {
    Joined(Result<Joined, ChannelError>),
    Published(Result<Option<Position>, ChannelError>),
}
