//! The backplane as an app sees it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Poll;
use core::time::Duration;

use super::counts::{RedisMetrics, count};
use super::driver::{self, Driven};
use super::options::RedisOptions;
use super::shared::{Command, Shared};
use crate::app::channels::backplane::{Backplane, Inlet, Later, Line, Past};
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::history::History;
use crate::app::channels::position::Position;
use crate::app::channels::presence::Present;
use crate::app::channels::publication::Publication;
use crate::net::Error;

/// Connects the channels of several processes through Redis 7.0 or newer, or Valkey.
///
/// Histories are kept there, and channels without are carried by it. It has a thread and a
/// loop of its own, with one connection to each server that it needs, so that what an app's
/// handlers do holds it up as little as it holds up them. Clones are the same.
///
/// ```no_run
/// use barewire::app::{App, ChannelOptions, History, RedisBackplane, RedisOptions};
///
/// # fn main() -> Result<(), barewire::app::Error> {
/// let redis: RedisOptions = "redis://127.0.0.1:6379".parse()?;
/// App::new()
///     .channel("news", ChannelOptions::new().history(History::DEFAULT))
///     .backplane(RedisBackplane::new(redis)?)
///     .listen("127.0.0.1:8080")?
///     .run()
/// # }
/// ```
#[derive(Clone)]
pub struct RedisBackplane {
    shared: Arc<Shared>,
    driven: Arc<Driven>,
}

impl fmt::Debug for RedisBackplane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackplane").finish_non_exhaustive()
    }
}

impl RedisBackplane {
    /// Begins to connect, and comes back whenever a connection is lost.
    ///
    /// # Errors
    /// [`Error::Config`] if the options contradict each other, [`Error::Io`] if the system has
    /// no more threads or pollers. A server that is not there is no error.
    pub fn new(mut options: RedisOptions) -> Result<Self, Error> {
        options.check()?;
        let shared = Arc::new(Shared::new(options.limits, options.away));
        let driven = Arc::new(driver::start(options, shared.clone())?);
        Ok(Self { shared, driven })
    }

    /// What it has done so far. As text it is in Prometheus' format.
    pub fn metrics(&self) -> RedisMetrics {
        self.shared.counts.snapshot()
    }

    /// Waits until a server is connected, at most for this time; whether one is. Only for
    /// programs that would rather not begin without.
    pub fn wait(&self, time: Duration) -> bool {
        let until = std::time::Instant::now() + time;
        loop {
            match self.metrics().is_connected {
                true => return true,
                false if std::time::Instant::now() >= until => return false,
                false => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Backplane for RedisBackplane {
    fn subscribe(&self, channel: &str, keep: Option<History>, inlet: Inlet) -> Box<dyn Line> {
        let line = RedisLine {
            id: self.shared.next_channel(),
            shared: self.shared.clone(),
            has_history: keep.is_some(),
            is_occupied: AtomicBool::new(false),
            name: channel.into(),
            _driven: self.driven.clone(),
        };
        line.shared
            .send(Command::Open(line.id, channel.into(), keep, inlet));
        Box::new(line)
    }
}

/// One channel.
struct RedisLine {
    id: u64,
    shared: Arc<Shared>,
    has_history: bool,
    is_occupied: AtomicBool,
    name: Box<str>,
    /// The thread runs as long as anybody needs it.
    _driven: Arc<Driven>,
}

impl RedisLine {
    fn no_room<T>(&self) -> Poll<Result<T, ChannelError>> {
        count(&self.shared.counts.refused);
        Poll::Ready(Err(ChannelError::Unavailable))
    }
}

impl Line for RedisLine {
    fn publish(
        &self,
        publication: Publication,
        _deliver: &mut dyn FnMut(&Publication),
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>> {
        if self.shared.is_refusing() {
            return self.no_room();
        }
        let Some(claimed) = self.shared.claim(publication.len()) else {
            return self.no_room();
        };
        let command = Command::Publish(self.id, publication, later(), claimed);
        self.shared.send(command);
        Poll::Pending
    }

    fn history(
        &self,
        since: &[Position],
        later: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>> {
        debug_assert!(self.has_history, "only channels with history are asked");
        let Some(claimed) = self.shared.claim(size_of_val(since)) else {
            return Poll::Ready(Err(ChannelError::Unavailable));
        };
        let command = Command::History(self.id, since.to_vec(), later(), claimed);
        self.shared.send(command);
        Poll::Pending
    }

    fn first_member(&self) {
        self.is_occupied.store(true, Ordering::Relaxed);
        self.shared.send(Command::FirstMember(self.id));
    }

    fn announce(&self) -> bool {
        let name = self.name.clone();
        self.shared.send(Command::Announce(self.id, name));
        true
    }

    fn enter(&self, who: &Present) {
        self.shared.send(Command::Enter(self.id, who.clone()));
    }

    fn leave(&self, session: u64) {
        self.shared.send(Command::Leave(self.id, session));
    }

    fn present(
        &self,
        most: usize,
        later: &dyn Fn() -> Later<Vec<Present>>,
    ) -> Poll<Result<Vec<Present>, ChannelError>> {
        let Some(claimed) = self.shared.claim(0) else {
            return Poll::Ready(Err(ChannelError::Unavailable));
        };
        let command = Command::Present(self.id, most, later(), claimed);
        self.shared.send(command);
        Poll::Pending
    }

    fn unsubscribe(&self) {
        self.is_occupied.store(false, Ordering::Relaxed);
        self.shared.send(Command::LastMember(self.id));
    }

    fn is_needless(&self) -> bool {
        !self.is_occupied.load(Ordering::Relaxed)
    }
}

impl Drop for RedisLine {
    fn drop(&mut self) {
        self.shared.send(Command::Close(self.id));
    }
}
