//! Limits on memory and time for a server of Redis.

use core::time::Duration;

use crate::net::Error;
use crate::wire::setters;

/// How much a [`RedisBackplane`](crate::app::RedisBackplane) keeps, and for how long it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisLimits {
    /// Publications, joins and questions that wait for the server. Stops: memory that grows
    /// while it is away. Effect: a further one is refused with
    /// [`ChannelError::Unavailable`](crate::app::ChannelError::Unavailable). Default 65,536.
    pub queue: usize,
    /// Bytes of the publications among them. Likewise. Default 32 MiB.
    pub queue_bytes: usize,
    /// How long one of them may wait. Effect: it is refused; a publication that was sent and
    /// not answered is [`ChannelError::Unknown`](crate::app::ChannelError::Unknown). Default
    /// 30 s.
    pub queue_time: Duration,
    /// Bytes of a message that comes from Redis, which other programs write to as well. Effect:
    /// a longer one is dropped and counted. Default 1 MiB.
    pub message: usize,
    /// Bytes of one reply. Stops: a server, or who speaks in its place, that fills the memory.
    /// Effect: the connection ends, and is made anew. Default 8 MiB.
    pub reply: usize,
    /// Bytes of one channel that wait for those before them. Effect: they are read from the
    /// history instead. Default 4 MiB.
    pub held: usize,
    /// Bytes that one reading of a channel's history collects. Effect: a member that has missed more
    /// is told that it was not recovered. Default 8 MiB.
    pub past: usize,
    /// How long a server may say nothing while it owes an answer. Stops: a connection that is
    /// half open. Effect: it is made anew. Default 5 s.
    pub answer_time: Duration,
    /// The longest time between two attempts to connect; the first comes after 25 to 50 ms.
    /// Default 2 s.
    pub retry_time: Duration,
    /// How often a quiet channel with members is looked up. Default 5 s.
    pub check_time: Duration,
    /// How long Redis knows the id of a publication, so that one that is sent again is not
    /// published twice. Has to be longer than [`queue_time`](Self::queue_time). Default 60 s.
    pub id_time: Duration,
    /// How long members of a process that has died are shown. Default 30 s.
    pub presence_time: Duration,
}

impl RedisLimits {
    /// For a server nearby.
    pub const DEFAULT: Self = Self {
        queue: 65_536,
        queue_bytes: 32 << 20,
        queue_time: Duration::from_secs(30),
        message: 1 << 20,
        reply: 8 << 20,
        held: 4 << 20,
        past: 8 << 20,
        answer_time: Duration::from_secs(5),
        retry_time: Duration::from_secs(2),
        check_time: Duration::from_secs(5),
        id_time: Duration::from_secs(60),
        presence_time: Duration::from_secs(30),
    };

    setters! {
        with_queue queue: usize,
        with_queue_bytes queue_bytes: usize,
        with_queue_time queue_time: Duration,
        with_message message: usize,
        with_reply reply: usize,
        with_held held: usize,
        with_past past: usize,
        with_answer_time answer_time: Duration,
        with_retry_time retry_time: Duration,
        with_check_time check_time: Duration,
        with_id_time id_time: Duration,
        with_presence_time presence_time: Duration,
    }

    pub(crate) const fn check(&self) -> Result<(), Error> {
        if self.id_time.as_millis() <= self.queue_time.as_millis() {
            return Err(Error::Config(
                "`id_time` has to be longer than `queue_time`",
            ));
        }
        if self.reply < 2 * self.message {
            return Err(Error::Config(
                "`reply` has to be twice as long as `message`",
            ));
        }
        Ok(())
    }
}

impl Default for RedisLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
