//! The directory that all loops of an app share: which session and which room
//! is where.
//!
//! ```text
//!              Hub (one, behind an Arc)
//!   "general" ─► Presence { members on loop 0: 3, on loop 1: 0, on loop 2: 5 }
//!                    ▲                                    │
//!   loop 0: its own members of "general"                  └─ a publication is
//!   (delivered to without a lock)                            posted there once
//! ```
//!
//! The rooms are locked when a loop gets its first member of one or loses its
//! last, and when someone without a member asks or publishes. A loop with
//! members holds the [`Presence`] and reads its counters without a lock.

use alloc::collections::BTreeMap;
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::ops::Bound;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::loop_address::{Audience, Encoded, LoopAddress, Publication};
use super::message::RoomMessage;
use super::room_limits::{RoomError, RoomLimits};
use crate::app::telemetry::activity::{Registry, SessionSnapshot};
use crate::net::{Owner, Remote};

/// Bits of a session's number that count the sessions of its loop; those above
/// are the loop's. All of it is below 2⁵³.
const ID_BITS: u32 = 40;

/// The members of one room, counted by loop.
#[derive(Debug)]
pub(crate) struct Presence {
    name: Arc<str>,
    /// Written by its loop alone, from 0 and to 0 under the directory's lock.
    loops: Box<[AtomicU32]>,
    /// Members that are event streams, on all loops.
    streams: AtomicU32,
}

impl Presence {
    /// The room's name.
    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Members on all loops.
    pub(crate) fn total(&self) -> usize {
        self.loops
            .iter()
            .map(|count| count.load(Ordering::Relaxed) as usize)
            .sum()
    }

    /// A member more on a loop that has some.
    pub(crate) fn add(&self, index: usize, stream: bool) {
        if let Some(count) = self.loops.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if stream {
            self.streams.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A member less on a loop that keeps others.
    pub(crate) fn subtract(&self, index: usize, stream: bool) {
        if let Some(count) = self.loops.get(index) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
        if stream {
            self.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The post in every protocol that a member speaks.
    pub(crate) fn encode(&self, post: &RoomMessage<'_>) -> Encoded {
        let streams = self.streams.load(Ordering::Relaxed) as usize;
        Encoded {
            frame: (self.total() > streams).then(|| post.frame()).flatten(),
            event: (streams > 0).then(|| post.event()).flatten(),
        }
    }
}

/// What the loops of a running app share.
#[derive(Debug)]
struct Running {
    doors: Box<[OnceLock<LoopAddress>]>,
    sessions: Box<[Registry]>,
    limits: RoomLimits,
}

/// What all loops of an app know about sessions and rooms.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// In order, so that they can be shown in pages.
    rooms: Mutex<BTreeMap<Arc<str>, Arc<Presence>>>,
    running: OnceLock<Running>,
}

impl Directory {
    /// The app runs, on this many loops. Of several calls the first counts.
    pub(crate) fn start(&self, loops: usize, limits: RoomLimits) {
        self.running.get_or_init(|| Running {
            doors: (0..loops).map(|_| OnceLock::new()).collect(),
            sessions: (0..loops).map(|_| Registry::default()).collect(),
            limits,
        });
    }

    /// A loop takes mail from now on.
    pub(crate) fn attach(&self, index: usize, remote: Remote, owner: Owner) {
        if let Some(loop_address) = self
            .running
            .get()
            .and_then(|running| running.doors.get(index))
        {
            let _ = loop_address.set(LoopAddress { remote, owner });
        }
    }

    /// The limits on rooms.
    pub(crate) fn limits(&self) -> RoomLimits {
        self.running
            .get()
            .map_or(RoomLimits::DEFAULT, |running| running.limits)
    }

    /// The sessions of a loop.
    pub(crate) fn registry(&self, index: usize) -> Option<&Registry> {
        self.running.get()?.sessions.get(index)
    }

    /// Where a loop takes mail.
    pub(crate) fn loop_address(&self, index: usize) -> Option<&LoopAddress> {
        self.running.get()?.doors.get(index)?.get()
    }

    /// The number of a loop's `nth` session, unlike that of any other.
    pub(crate) const fn session_id(index: usize, nth: u64) -> u64 {
        (index as u64) << ID_BITS | (nth & ((1 << ID_BITS) - 1))
    }

    /// The loop whose session this number is.
    pub(crate) fn loop_of(id: u64) -> Option<usize> {
        usize::try_from(id >> ID_BITS).ok()
    }

    /// What every open session has done.
    pub(crate) fn snapshot(&self) -> Vec<SessionSnapshot> {
        let mut sessions = Vec::new();
        for registry in self.registries() {
            registry.read(&mut sessions);
        }
        sessions
    }

    /// How many sessions are open.
    pub(crate) fn session_count(&self) -> usize {
        self.registries().iter().map(Registry::len).sum()
    }

    fn registries(&self) -> &[Registry] {
        self.running.get().map_or(&[], |running| &running.sessions)
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<Presence>>> {
        // Every change is one call of the map: a panic leaves it whole.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first member of a room on this loop.
    pub(crate) fn enter(
        &self,
        name: &str,
        index: usize,
        stream: bool,
    ) -> Result<Arc<Presence>, RoomError> {
        let loops = self.running.get().map_or(0, |running| running.doors.len());
        let mut rooms = self.rooms();
        if let Some(presence) = rooms.get(name) {
            presence.add(index, stream);
            return Ok(presence.clone());
        }
        if rooms.len() >= self.limits().rooms {
            return Err(RoomError::TooManyRooms);
        }
        let name: Arc<str> = Arc::from(name);
        let presence = Arc::new(Presence {
            name: name.clone(),
            loops: (0..loops).map(|_| AtomicU32::new(0)).collect(),
            streams: AtomicU32::new(0),
        });
        presence.add(index, stream);
        rooms.insert(name, presence.clone());
        Ok(presence)
    }

    /// The last member of a room on this loop has left; an empty room is
    /// freed.
    pub(crate) fn vacate(&self, presence: &Presence, index: usize, stream: bool) {
        let mut rooms = self.rooms();
        presence.subtract(index, stream);
        if presence.total() == 0 {
            rooms.remove(presence.name());
        }
    }

    /// The members of a room.
    pub(crate) fn presence(&self, name: &str) -> Option<Arc<Presence>> {
        self.rooms().get(name).cloned()
    }

    /// Has a post delivered on every loop that has members, except one.
    /// Returns how many members that is for.
    pub(crate) fn publish(
        &self,
        presence: &Presence,
        encoded: &Encoded,
        except: Option<usize>,
    ) -> usize {
        let mut members = 0;
        for (index, count) in presence.loops.iter().enumerate() {
            let count = count.load(Ordering::Relaxed) as usize;
            if count == 0 || Some(index) == except {
                continue;
            }
            let to = Audience::Room(presence.name.clone());
            let publication = Publication {
                to,
                encoded: encoded.clone(),
                except: None,
                _queued: None,
            };
            if self
                .loop_address(index)
                .is_some_and(|loop_address| loop_address.publish(publication))
            {
                members += count;
            }
        }
        members
    }

    /// The rooms behind `after` in the order of their names, and their sizes.
    pub(crate) fn room_sizes(&self, after: Option<&str>, most: usize) -> Vec<(String, usize)> {
        let rooms = self.rooms();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        rooms
            .range::<str, _>((from, Bound::Unbounded))
            .take(most)
            .map(|(name, presence)| (String::from(&**name), presence.total()))
            .collect()
    }

    /// How many rooms there are.
    pub(crate) fn room_count(&self) -> usize {
        self.rooms().len()
    }
}
