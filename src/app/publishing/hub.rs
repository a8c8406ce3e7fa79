//! An app's sessions and channels, as any thread reaches them.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::cell::Cell;
use core::task::Poll;
use core::time::Duration;

use super::channel::Channel;
use super::directory::Directory;
use super::handle::Handle;
use super::join::Published;
use super::post::Post;
use crate::app::channels::backplane::Later;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::clock::unix_millis;
use crate::app::channels::position::Position;
use crate::app::channels::presence::{PresenceCount, Present};
use crate::app::channels::publication::Publication;
use crate::app::telemetry::activity::SessionSnapshot;

/// All sessions and channels of an app, from any thread.
///
/// ```
/// use barewire::app::App;
///
/// let app = App::new();
/// let hub = app.hub();
/// std::thread::spawn(move || hub.publish("general", "the server says hello"));
/// ```
#[derive(Debug, Clone)]
pub struct Hub {
    directory: Arc<Directory>,
}

impl Hub {
    pub(crate) const fn new(directory: Arc<Directory>) -> Self {
        Self { directory }
    }

    /// Publishes to all members of a channel. What is published by one thread to one
    /// channel arrives in order; in a channel with history, everybody sees the same order.
    ///
    /// An answer that comes later ([`Published::Later`]) is told to no one:
    /// [`publish_then`](Self::publish_then) is.
    pub fn publish<'p>(&self, channel: &str, post: impl Into<Post<'p>>) -> Published {
        self.publish_by(channel, &post.into(), &|| Later::new(|_| {}))
    }

    /// Publishes, and calls `then` with the place that it was given, in a channel with
    /// history: before this returns, or later on another thread.
    pub fn publish_then<'p>(
        &self,
        channel: &str,
        post: impl Into<Post<'p>>,
        then: impl FnOnce(Result<Option<Position>, ChannelError>) + Send + 'static,
    ) {
        let then = Cell::new(Some(Later::new(then)));
        let later = || then.take().unwrap_or_else(|| Later::new(|_| {}));
        let result = match self.publish_by(channel, &post.into(), &later) {
            Published::Done { position, .. } => Ok(position),
            Published::Refused(error) => Err(error),
            Published::Later => return,
        };
        if let Some(then) = then.take() {
            then.give(result);
        }
    }

    fn publish_by(
        &self,
        channel: &str,
        post: &Post<'_>,
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Published {
        let channel = match self.directory.channel_for_post(channel) {
            Ok(Some(channel)) => channel,
            Ok(None) => return Published::NOBODY,
            Err(error) => return Published::Refused(error),
        };
        let Some(line) = channel.line() else {
            return Published::Done {
                members: self
                    .directory
                    .publish(&channel, &channel.encode(post, 0), None),
                position: None,
            };
        };
        let Some(publication) = post.publication(0, unix_millis()) else {
            return Published::Refused(ChannelError::Unsendable);
        };
        let members = Cell::new(0);
        let deliver = |publication: &Publication| {
            let encoded = channel.encoded(publication.clone());
            members.set(self.directory.publish(&channel, &encoded, None));
        };
        if channel.history().is_none() {
            deliver(&publication); // nobody here waits for others
        }
        match line.publish(publication, &mut |it| deliver(it), later) {
            Poll::Ready(Ok(position)) => Published::Done {
                members: members.get(),
                position,
            },
            Poll::Ready(Err(error)) => Published::Refused(error),
            Poll::Pending => Published::Later,
        }
    }

    /// Members of a channel, on all loops.
    pub fn member_count(&self, channel: &str) -> usize {
        let channel = self.directory.channel(channel);
        channel.map_or(0, |channel| channel.total())
    }

    /// A page of the channels and the numbers of their members: at most so many, in the
    /// order of their names, starting after the name `after` or at the beginning. The last
    /// name of a page leads to the next one.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// let hub = App::new().hub();
    /// let mut page = hub.channel_sizes(None, 100);
    /// while let Some((last, _)) = page.last().cloned() {
    ///     page = hub.channel_sizes(Some(&last), 100);
    /// }
    /// ```
    pub fn channel_sizes(&self, after: Option<&str>, most: usize) -> Vec<(String, usize)> {
        self.directory.channel_sizes(after, most)
    }

    /// How many channels have members, or remember something.
    pub fn channel_count(&self) -> usize {
        self.directory.channel_count()
    }

    /// How many channels were made so far.
    pub fn channels_created(&self) -> u64 {
        self.directory.channels_created()
    }

    /// Checks whether a channel may have this name.
    ///
    /// # Errors
    /// [`ChannelError::NameTooLong`], [`ChannelError::InvalidName`].
    pub fn check_name(&self, name: &str) -> Result<(), ChannelError> {
        self.directory.limits().check_name(name)
    }

    /// Publications that a channel remembers in this process, and their bytes.
    pub fn history_of(&self, channel: &str) -> (usize, usize) {
        let channel = self.directory.channel(channel);
        let held = channel.and_then(|channel| Some(channel.line()?.held()));
        held.unwrap_or_default()
    }

    /// A page of the sessions that are in a channel with presence, in this process: at most
    /// so many, in the order of their numbers, after the session `after` or from the first.
    pub fn present(&self, channel: &str, after: Option<u64>, most: usize) -> Vec<Present> {
        let channel = self.directory.channel(channel);
        let list = |channel: Arc<Channel>| Some(channel.present()?.list(after, most));
        channel.and_then(list).unwrap_or_default()
    }

    /// How many sessions and users are in a channel with presence, in this process.
    pub fn presence_count(&self, channel: &str) -> PresenceCount {
        let channel = self.directory.channel(channel);
        let count = |channel: Arc<Channel>| Some(channel.present()?.count());
        channel.and_then(count).unwrap_or_default()
    }

    /// Calls `then` with at most so many of the sessions that are in a channel with presence
    /// in all processes of the [`Backplane`](crate::app::Backplane): before this returns, or
    /// later on another thread.
    pub fn present_everywhere(
        &self,
        channel: &str,
        most: usize,
        then: impl FnOnce(Result<Vec<Present>, ChannelError>) + Send + 'static,
    ) {
        let here = self.present(channel, None, most);
        let rest = most - here.len();
        let then = move |there: Result<Vec<Present>, ChannelError>| {
            then(there.map(|there| here.into_iter().chain(there).collect()));
        };
        let then = Cell::new(Some(Later::new(then)));
        let later = || then.take().unwrap_or_else(|| Later::new(|_| {}));
        let channel = self.directory.channel(channel);
        let line = channel.as_ref().and_then(|channel| channel.line());
        let there = match line {
            Some(line) if rest > 0 => line.present(rest, &later),
            Some(_) | None => Poll::Ready(Ok(Vec::new())),
        };
        if let (Poll::Ready(there), Some(then)) = (there, then.take()) {
            then.give(there);
        }
    }

    /// Bytes that the histories of all channels and the tables of who is there take in this
    /// process, of [`ChannelLimits::memory`](crate::app::ChannelLimits::memory).
    pub fn channel_memory(&self) -> usize {
        self.directory.memory()
    }

    /// Sends all clients away before a restart, so that they do not all come back in the same
    /// moment: each is told a time of its own, and the times are spread evenly from now to
    /// `spread`. Returns whether all loops took that; if one did not, call it again.
    ///
    /// | session | what its client gets |
    /// |---|---|
    /// | WebSocket | after what [`draining`](crate::app::WebSocket::draining) sends, a Close with 1012 and the reason `retry in 1500 ms` |
    /// | event stream | after what [`draining`](crate::app::Events::draining) sends, `retry: 1500`, and the end |
    /// | gRPC call that streams | UNAVAILABLE, with the message `retry in 1500 ms` |
    ///
    /// The server goes on to accept clients: have others take them, and
    /// [shut it down](crate::app::ServerHandle::shutdown) then.
    pub fn drain(&self, spread: Duration) -> bool {
        self.directory.send_away(spread)
    }

    /// The session with this number, as long as it is open.
    pub fn session(&self, id: u64) -> Option<Handle> {
        let index = Directory::loop_of(id)?;
        let exchange = self.directory.registry(index)?.find(id)?;
        Some(Handle::new(
            id,
            self.directory.loop_address(index)?.clone(),
            exchange,
        ))
    }

    /// A snapshot of every open session, in no order. Linear in their number.
    pub fn sessions(&self) -> Vec<SessionSnapshot> {
        self.directory.snapshot()
    }

    /// How many sessions are open: WebSockets and event streams.
    pub fn session_count(&self) -> usize {
        self.directory.session_count()
    }
}
