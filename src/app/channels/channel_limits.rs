//! Limits on channels, and on what one session may do in them.

use core::time::Duration;

use crate::app::exchange::refusal::Refusal;
use crate::http::Status;
use crate::net::Exhausted;
use crate::wire::{Rate, setters};

/// How many channels there may be, what they may be called, and what one session may do
/// in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelLimits {
    /// Channels that one session may be in. Stops: a client that joins everything
    /// it can think of. The handler sees [`ChannelError::TooManyJoined`].
    /// Default 64.
    pub joined: usize,
    /// Bytes of a channel's name. Stops: names that fill the directory. The
    /// handler sees [`ChannelError::NameTooLong`]. Default 128.
    pub name: usize,
    /// Channels of the whole app. Stops: many clients that each make up channels of
    /// their own. The handler sees [`ChannelError::TooManyChannels`]. Default
    /// 100,000.
    pub channels: usize,
    /// Members of one channel. Stops: a publication that takes the loops too long. The
    /// handler sees [`ChannelError::TooManyMembers`]. Default 1,000,000.
    pub members: usize,
    /// Publications of one session in one moment. Stops: a client that floods everybody
    /// else. The handler sees [`ChannelError::TooFast`]. Default 20,000.
    pub publish_burst: u32,
    /// Publications of one session that are allowed again in each second. Likewise.
    /// Default 10,000.
    pub publish_rate: u32,
    /// Joins of one session in one moment. Stops: a client that comes and goes without end,
    /// of which all members may be told. The handler sees [`ChannelError::TooFast`]. Default
    /// 1,000.
    pub join_burst: u32,
    /// Joins of one session that are allowed again in each second. Likewise. Default 100.
    pub join_rate: u32,
    /// Bytes that the histories of all channels, and the tables of who is there, take
    /// together. Stops: many channels that are each within their own bounds. A channel that
    /// finds no room forgets its oldest publications before their time, and says so to
    /// sessions that come back for them; a session whose presence finds none sees
    /// [`ChannelError::TooManyMembers`]. Default 256 MiB.
    pub memory: usize,
    /// Bytes of the name of a session's user and of what it shows of itself. Stops: clients
    /// that leave much where others look. The handler sees [`ChannelError::DataTooLong`].
    /// Default 1 KiB.
    pub presence: usize,
    /// Bytes that a session is sent in one go when it comes back. Stops: clients that come
    /// back again and again, and read nothing. The session is told that it was not
    /// recovered. Default 512 KiB.
    pub recovery: usize,
    /// The time in which a member for which much waits has to take some of it. Stops:
    /// clients that stay and read nothing. What becomes of them says
    /// [`SlowMembers`](crate::app::SlowMembers). Default 10 s: longer than a phone's radio
    /// is away on the move, and shorter than
    /// [`write_progress`](crate::net::Limits::write_progress).
    pub slow_time: Duration,
}

impl ChannelLimits {
    /// Safe for a public chat.
    pub const DEFAULT: Self = Self {
        joined: 64,
        name: 128,
        channels: 100_000,
        members: 1_000_000,
        publish_burst: 20_000,
        publish_rate: 10_000,
        join_burst: 1_000,
        join_rate: 100,
        memory: 256 << 20,
        presence: 1 << 10,
        recovery: 512 << 10,
        slow_time: Duration::from_secs(10),
    };

    setters! {
        with_joined joined: usize,
        with_name name: usize,
        with_channels channels: usize,
        with_members members: usize,
        with_publish_burst publish_burst: u32,
        with_publish_rate publish_rate: u32,
        with_join_burst join_burst: u32,
        with_join_rate join_rate: u32,
        with_memory memory: usize,
        with_presence presence: usize,
        with_recovery recovery: usize,
        with_slow_time slow_time: Duration,
    }

    /// How fast one session may publish.
    pub(crate) const fn rate(&self) -> Rate {
        Rate {
            burst: self.publish_burst,
            per_second: self.publish_rate,
        }
    }

    pub(crate) const fn joins(&self) -> Rate {
        Rate {
            burst: self.join_burst,
            per_second: self.join_rate,
        }
    }

    pub(crate) fn check_name(&self, name: &str) -> Result<(), ChannelError> {
        if name.len() > self.name {
            return Err(ChannelError::NameTooLong);
        }
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(ChannelError::InvalidName);
        }
        Ok(())
    }
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a session could not join a channel, or something could not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The name is longer than [`ChannelLimits::name`].
    #[error("the channel's name is longer than the limit")]
    NameTooLong,
    /// The name is empty, or has control characters.
    #[error("the channel's name is empty or has control characters")]
    InvalidName,
    /// The session is in [`ChannelLimits::joined`] channels already.
    #[error("the session is in as many channels as it may be")]
    TooManyJoined,
    /// There are [`ChannelLimits::channels`] channels already.
    #[error("there are as many channels as there may be")]
    TooManyChannels,
    /// The channel has [`ChannelLimits::members`] members already.
    #[error("the channel has as many members as it may have")]
    TooManyMembers,
    /// The user's name and what the session shows are longer than
    /// [`ChannelLimits::presence`].
    #[error("what the session shows is longer than the limit")]
    DataTooLong,
    /// The session publishes faster than [`ChannelLimits::publish_rate`] allows, or joins
    /// faster than [`ChannelLimits::join_rate`] does.
    #[error("the session publishes or joins too fast")]
    TooFast,
    /// The channel's own rule says no.
    #[error("not allowed")]
    Refused,
    /// The publication is an event that cannot be sent, or longer than 4 GiB.
    #[error("this cannot be published")]
    Unsendable,
    /// The [`Backplane`](crate::app::Backplane) cannot be reached.
    #[error("the backplane cannot be reached")]
    Unavailable,
    /// The [`Backplane`](crate::app::Backplane) was lost before it has answered: it may have
    /// been published, or not. Only channels without history leave that open.
    #[error("it may have been published or not")]
    Unknown,
    /// The loop, the peer's address or the connection has as many
    /// [`memberships`](crate::net::Limits::memberships) as it may have.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// 403 if the channel refuses, 429 for [`TooFast`](ChannelError::TooFast), 400 for names and
/// publications, else 503.
impl From<ChannelError> for Refusal {
    fn from(error: ChannelError) -> Self {
        let (status, reason) = match error {
            ChannelError::NameTooLong => (Status::BAD_REQUEST, "the channel's name is too long"),
            ChannelError::InvalidName => (Status::BAD_REQUEST, "the channel's name is invalid"),
            ChannelError::DataTooLong => (Status::BAD_REQUEST, "this is too long to be shown"),
            ChannelError::Unsendable => (Status::BAD_REQUEST, "this cannot be published"),
            ChannelError::Refused => (Status::FORBIDDEN, "not allowed"),
            ChannelError::TooFast => (Status::TOO_MANY_REQUESTS, "too fast"),
            ChannelError::TooManyJoined
            | ChannelError::TooManyChannels
            | ChannelError::TooManyMembers
            | ChannelError::Unavailable
            | ChannelError::Unknown
            | ChannelError::Exhausted(_) => return Self::new(Status::SERVICE_UNAVAILABLE),
        };
        Self::new(status).because(reason)
    }
}

#[cfg(test)]
mod tests;
