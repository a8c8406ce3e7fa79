//! Events to many streams in one call.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::broadcast_limits::{BroadcastError, BroadcastLimits};
use super::loop_address::{Audience, Encoded, LoopAddress, Mailing};
use super::message::encode_event;
use crate::app::telemetry::activity::Activity;
use crate::sse::{Event, UsageError};

/// Sends events to all event streams that have subscribed to it, or to some of
/// them by name, from any thread.
///
/// An event is encoded once, and each stream holds a reference to it. Streams
/// of all loops are reached; one that ends leaves the count immediately.
///
/// ```
/// use barewire::app::{App, Broadcaster};
/// use barewire::sse::Event;
///
/// let news = Broadcaster::new();
/// let subscribe = news.clone();
/// App::new()
///     .events("/news", move |request| {
///         let id = request.query_value("client_id").unwrap_or_default();
///         Ok(subscribe.subscription(&id)?)
///     })
///     .post("/news", move |request, reply| {
///         let text = String::from_utf8_lossy(request.body());
///         match news.send(&Event::new(&text)) {
///             Ok(streams) => reply.text(streams.to_string()),
///             Err(_) => reply.refuse(barewire::http::Status::BAD_REQUEST),
///         }
///     });
/// ```
#[derive(Debug, Clone)]
pub struct Broadcaster {
    roster: Arc<Roster>,
}

impl Broadcaster {
    /// A broadcaster without streams.
    pub fn new() -> Self {
        Self::with_limits(BroadcastLimits::DEFAULT)
    }

    /// A broadcaster without streams, with these limits on names.
    pub fn with_limits(limits: BroadcastLimits) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            roster: Arc::new(Roster {
                id,
                limits,
                streams: Mutex::default(),
            }),
        }
    }

    pub(crate) const fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// Sends an event to all streams. Returns how many that is.
    ///
    /// # Errors
    /// [`UsageError`] if the event's type or id holds CR, LF or NUL.
    pub fn send(&self, event: &Event<'_>) -> Result<usize, UsageError> {
        let encoded = Encoded::event(encode_event(event)?);
        let streams = self.roster.lock();
        let mut reached = 0;
        for Outlet {
            loop_address,
            count,
        } in streams.loops.values()
        {
            let to = Audience::Broadcaster(self.roster.id);
            if loop_address.publish(Mailing::new(to, encoded.clone(), None)) {
                reached += *count;
            }
        }
        Ok(reached)
    }

    /// Sends an event to the streams of these names; several streams may have
    /// the same, and a name given twice counts once. Returns how many streams
    /// that is.
    ///
    /// # Errors
    /// [`BroadcastError::Event`] if the event's type or id holds CR, LF or NUL,
    /// [`BroadcastError::TooManyNames`] beyond [`BroadcastLimits::names`].
    pub fn send_to<I: AsRef<str>>(
        &self,
        ids: impl IntoIterator<Item = I>,
        event: &Event<'_>,
    ) -> Result<usize, BroadcastError> {
        let most = self.roster.limits.names;
        // The names come from elsewhere: their iterator is not run under the lock.
        let ids: Vec<I> = ids.into_iter().take(most.saturating_add(1)).collect();
        if ids.len() > most {
            return Err(BroadcastError::TooManyNames);
        }
        let encoded = Encoded::event(encode_event(event)?);
        let streams = self.roster.lock();
        let mut reached = 0;
        for (index, targets) in streams.targets(&ids) {
            let Some(Outlet { loop_address, .. }) = streams.loops.get(&index) else {
                continue;
            };
            let count = targets.len();
            let to = Audience::Streams(targets);
            if loop_address.publish(Mailing::new(to, encoded.clone(), None)) {
                reached += count;
            }
        }
        Ok(reached)
    }

    /// How many streams there are.
    pub fn count(&self) -> usize {
        self.roster
            .lock()
            .loops
            .values()
            .map(|outlet| outlet.count)
            .sum()
    }

    /// The names of the streams, in no order.
    pub fn ids(&self) -> Vec<String> {
        self.roster
            .lock()
            .named
            .keys()
            .map(|id| String::from(&**id))
            .collect()
    }
}

impl Default for Broadcaster {
    fn default() -> Self {
        Self::new()
    }
}

/// The streams of one broadcaster, on all loops.
#[derive(Debug)]
pub(crate) struct Roster {
    id: u64,
    limits: BroadcastLimits,
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    loops: HashMap<usize, Outlet>,
    /// Ordered by the sessions' numbers.
    named: HashMap<Arc<str>, Vec<StreamLocation>>,
}

impl Streams {
    /// The streams of these names, by loop. Names share no stream: each comes once if each name
    /// does.
    fn targets<I: AsRef<str>>(&self, ids: &[I]) -> HashMap<usize, Vec<Arc<Activity>>> {
        let find = |id: &I| self.named.get(id.as_ref());
        let mut places: Vec<&Vec<StreamLocation>> = ids.iter().filter_map(find).collect();
        places.sort_unstable_by_key(|places| core::ptr::from_ref(*places));
        places.dedup_by_key(|places| core::ptr::from_ref(*places));
        let mut targets: HashMap<usize, Vec<Arc<Activity>>> = HashMap::new();
        for StreamLocation { index, activity } in places.into_iter().flatten() {
            targets.entry(*index).or_default().push(activity.clone());
        }
        targets
    }
}

/// Where the stream of this session is among those of its name, or would be.
fn position(places: &[StreamLocation], session: u64) -> Result<usize, usize> {
    places.binary_search_by_key(&session, |place| place.activity.id())
}

#[derive(Debug)]
struct Outlet {
    loop_address: LoopAddress,
    count: usize,
}

#[derive(Debug)]
struct StreamLocation {
    index: usize,
    activity: Arc<Activity>,
}

/// A stream's pass to leave with.
#[derive(Debug)]
pub(crate) struct Ticket {
    id: Arc<str>,
}

impl Roster {
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        // Nothing here panics while it is locked.
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) const fn check(&self, id: &str) -> Result<(), BroadcastError> {
        if id.len() > self.limits.name {
            return Err(BroadcastError::NameTooLong);
        }
        Ok(())
    }

    /// Adds a stream of loop `index`.
    pub(crate) fn enter(
        &self,
        index: usize,
        loop_address: &LoopAddress,
        activity: Arc<Activity>,
        id: &str,
    ) -> Ticket {
        let mut streams = self.lock();
        let outlet = streams.loops.entry(index);
        outlet
            .or_insert_with(|| Outlet {
                loop_address: loop_address.clone(),
                count: 0,
            })
            .count += 1;
        let id = match streams.named.get_key_value(id) {
            Some((id, _)) => id.clone(),
            None => Arc::from(id),
        };
        let places = streams.named.entry(id.clone()).or_default();
        let (Ok(at) | Err(at)) = position(places, activity.id());
        places.insert(at, StreamLocation { index, activity });
        Ticket { id }
    }

    /// Removes a stream of loop `index`.
    pub(crate) fn leave(&self, ticket: &Ticket, index: usize, session: u64) {
        let mut streams = self.lock();
        if let Some(outlet) = streams.loops.get_mut(&index) {
            outlet.count -= 1;
            if outlet.count == 0 {
                streams.loops.remove(&index);
            }
        }
        if let Some(places) = streams.named.get_mut(&ticket.id) {
            if let Ok(at) = position(places, session) {
                places.remove(at);
            }
            if places.is_empty() {
                streams.named.remove(&ticket.id);
            }
        }
    }
}
