//! An app's sessions and rooms, as any thread reaches them.

use alloc::{string::String, sync::Arc, vec::Vec};

use super::directory::Directory;
use super::handle::Handle;
use super::message::RoomMessage;
use crate::app::telemetry::activity::SessionSnapshot;

/// All sessions and rooms of an app, from any thread.
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

    /// Publishes to all members of a room. Returns how many there were; what
    /// is published by one thread to one room arrives in order.
    pub fn publish<'p>(&self, room: &str, post: impl Into<RoomMessage<'p>>) -> usize {
        let Some(presence) = self.directory.presence(room) else {
            return 0;
        };
        let encoded = presence.encode(&post.into());
        self.directory.publish(&presence, &encoded, None)
    }

    /// Members of a room, on all loops.
    pub fn room_size(&self, room: &str) -> usize {
        self.directory
            .presence(room)
            .map_or(0, |presence| presence.total())
    }

    /// A page of the rooms and their sizes: at most so many, in the order of
    /// their names, behind the name `after` or from the beginning. The last
    /// name of a page leads to the next one.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// let hub = App::new().hub();
    /// let mut page = hub.room_sizes(None, 100);
    /// while let Some((last, _)) = page.last().cloned() {
    ///     page = hub.room_sizes(Some(&last), 100);
    /// }
    /// ```
    pub fn room_sizes(&self, after: Option<&str>, most: usize) -> Vec<(String, usize)> {
        self.directory.room_sizes(after, most)
    }

    /// How many rooms have members.
    pub fn room_count(&self) -> usize {
        self.directory.room_count()
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

    /// What every open session has done, in no order. Linear in their number.
    pub fn sessions(&self) -> Vec<SessionSnapshot> {
        self.directory.snapshot()
    }

    /// How many sessions are open: WebSockets and event streams.
    pub fn session_count(&self) -> usize {
        self.directory.session_count()
    }
}
