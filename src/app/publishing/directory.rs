//! The directory that all loops of an app share: which session and which channel
//! is where.
//!
//! ```text
//!              Hub (one, behind an Arc)
//!   "general" ─► Channel { members on loop 0: 3, on loop 1: 0, on loop 2: 5 }
//!                    ▲                                    │
//!   loop 0: its own members of "general"                  └─ a publication is
//!   (delivered to without a lock)                            posted there once
//! ```
//!
//! The channels are locked when a loop gets its first member of one or loses its
//! last, and when someone without a member asks or publishes. A loop with
//! members holds the [`Channel`] and reads its counters without a lock.

use alloc::collections::BTreeMap;
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::hash::{BuildHasher, Hasher};
use core::ops::Bound;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::channel::{Channel, Reader};
use super::loop_address::{Audience, Encoded, LoopAddress, Mailing, Place};
use super::place::{self, ID_BITS, bring, post};
use crate::app::channels::backplane::{Backplane, Inlet, Line, LocalLine};
use crate::app::channels::channel_limits::{ChannelError, ChannelLimits};
use crate::app::channels::clock::Clock;
use crate::app::channels::options::{ChannelOptions, OptionsByName};
use crate::app::channels::position::Epoch;
use crate::app::channels::publication::Publication;
use crate::app::telemetry::activity::{Registry, SessionSnapshot};
use crate::app::telemetry::channel_totals::ChannelTotals;
use crate::link::Account;
use crate::net::{Exchange, Owner, Remote};
use crate::wire::partly_shown;

#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) limits: ChannelLimits,
    pub(crate) options: OptionsByName,
    pub(crate) backplane: Option<Box<dyn Backplane>>,
}

struct Running {
    loops: Arc<[Arc<Place>]>,
    rules: Rules,
    account: Account,
    clock: Clock,
    chance: RandomState,
}

type Channels = BTreeMap<Arc<str>, Arc<Channel>>;

/// The directory of sessions and channels, shared by all loops of an app.
#[derive(Default)]
pub(crate) struct Directory {
    /// In order, so that they can be shown in pages.
    channels: Mutex<Channels>,
    created: AtomicU64,
    sweeps: AtomicBool,
    running: OnceLock<Running>,
}

partly_shown!(Directory);

impl Directory {
    /// The app runs, on this many loops. Of several calls the first counts.
    pub(crate) fn start(&self, loops: usize, rules: Rules) {
        self.running.get_or_init(|| Running {
            loops: (0..loops).map(|_| Arc::default()).collect(),
            account: Account::new(rules.limits.memory),
            rules,
            clock: Clock::start(),
            chance: RandomState::new(),
        });
    }

    /// A loop takes mail from now on.
    pub(crate) fn attach(&self, index: usize, remote: Remote, owner: Owner) {
        if let Some(place) = self.place(index) {
            let _ = place.address.set(LoopAddress { remote, owner });
            if index == 0 && self.sweep_time().is_some() {
                self.begin_sweeping(); // for what was published before
            }
        }
    }

    fn places(&self) -> &[Arc<Place>] {
        self.running.get().map_or(&[], |running| &running.loops)
    }

    fn place(&self, index: usize) -> Option<&Arc<Place>> {
        self.places().get(index)
    }

    pub(crate) fn limits(&self) -> ChannelLimits {
        let running = self.running.get();
        running.map_or(ChannelLimits::DEFAULT, |running| running.rules.limits)
    }

    /// The app's options for a channel, if it has any.
    pub(crate) fn options(&self, channel: &str) -> Option<&ChannelOptions> {
        Some(self.running.get()?.rules.options.of(channel))
    }

    /// Has the first loop sweep, if it does not already: a timer costs each of its turns, so
    /// that there is none while no channel keeps anything.
    fn begin_sweeping(&self) {
        if !self.sweeps.swap(true, Ordering::Relaxed) {
            let address = self.place(0).and_then(|place| place.address.get());
            let begins = address.is_some_and(LoopAddress::begin_sweeping);
            self.sweeps.store(begins, Ordering::Relaxed);
        }
    }

    /// How often the directory is to be [swept](Self::sweep); `None` if no channel has a
    /// line.
    fn sweep_time(&self) -> Option<Duration> {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(30));
        let rules = &self.running.get()?.rules;
        match (rules.options.shortest_age(), &rules.backplane) {
            (_, Some(_)) => Some(most),
            (age, None) => Some((age? / 4).clamp(least, most)),
        }
    }

    pub(crate) fn registry(&self, index: usize) -> Option<&Registry> {
        Some(&self.place(index)?.sessions)
    }

    pub(crate) fn loop_address(&self, index: usize) -> Option<&LoopAddress> {
        self.place(index)?.address.get()
    }

    /// The number of a loop's `nth` session, unlike that of any other.
    pub(crate) const fn session_id(index: usize, nth: u64) -> u64 {
        (index as u64) << ID_BITS | (nth & ((1 << ID_BITS) - 1))
    }

    pub(crate) fn loop_of(id: u64) -> Option<usize> {
        place::loop_of(id)
    }

    pub(crate) fn snapshot(&self) -> Vec<SessionSnapshot> {
        let mut sessions = Vec::new();
        for place in self.places() {
            place.sessions.read(&mut sessions);
        }
        sessions
    }

    /// Has all sessions sent away; whether every loop took that.
    pub(crate) fn send_away(&self, spread: Duration) -> bool {
        let send = |place: &&Arc<Place>| place.address.get().is_none_or(|it| it.send_away(spread));
        let places = self.places();
        places.iter().filter(send).count() == places.len() // every one of them, whatever others say
    }

    pub(crate) fn session_count(&self) -> usize {
        self.places().iter().map(|place| place.sessions.len()).sum()
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        // Every change is one call of the map: a panic leaves it whole.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first member of a channel on this loop.
    pub(crate) fn enter(
        &self,
        name: &str,
        index: usize,
        reader: Reader,
    ) -> Result<Arc<Channel>, ChannelError> {
        let mut channels = self.channels();
        let channel = self.find_or_make(&mut channels, name)?;
        if let Some(line) = channel.line().filter(|_| channel.total() == 0) {
            line.first_member();
        }
        channel.add(index, reader);
        Ok(channel)
    }

    fn find_or_make(
        &self,
        channels: &mut Channels,
        name: &str,
    ) -> Result<Arc<Channel>, ChannelError> {
        if let Some(channel) = channels.get(name) {
            return Ok(channel.clone());
        }
        let limits = self.limits();
        limits.check_name(name)?;
        if channels.len() >= limits.channels {
            return Err(ChannelError::TooManyChannels);
        }
        let name: Arc<str> = Arc::from(name);
        let options = self.running.get().map_or_else(Arc::default, |running| {
            running.rules.options.of(&name).clone()
        });
        let account = self.running.get().map(|running| &running.account);
        let channel = Channel::new(name.clone(), options, self.places().len(), account);
        let channel = Arc::new(channel);
        if let Some(line) = self.line(&channel) {
            channel.set_line(line);
        }
        channels.insert(name, channel.clone());
        if channel.line().is_some() && self.sweep_time().is_some() {
            self.begin_sweeping();
        }
        self.created.fetch_add(1, Ordering::Relaxed);
        Ok(channel)
    }

    fn line(&self, channel: &Arc<Channel>) -> Option<Box<dyn Line>> {
        let running = self.running.get()?;
        let keep = channel.options().history;
        if let Some(backplane) = &running.rules.backplane {
            let (weak, loops) = (Arc::downgrade(channel), running.loops.clone());
            let inlet = Inlet::bringing(move |brought| {
                if let Some(channel) = weak.upgrade() {
                    bring(&loops, &channel, brought);
                }
            });
            return Some(backplane.subscribe(channel.name(), keep, inlet));
        }
        let epoch = Epoch::new(random(&running.chance, channel));
        let line = LocalLine::new(keep?, epoch, &running.account, running.clock);
        Some(Box::new(line))
    }

    /// The last member of a channel on this loop has left; a channel that nobody needs is
    /// freed.
    pub(crate) fn vacate(&self, channel: &Channel, index: usize, reader: Reader) {
        let mut channels = self.channels();
        channel.subtract(index, reader);
        if channel.total() > 0 {
            return;
        }
        if let Some(line) = channel.line() {
            line.unsubscribe();
        }
        if channel.line().is_none_or(Line::is_needless) {
            channels.remove(channel.name());
        }
    }

    /// Frees the channels without members whose histories are over, and gives back the
    /// memory of what is too old in all.
    pub(crate) fn sweep(&self) -> Option<Duration> {
        let time = self.sweep_time()?;
        let mut channels = self.channels();
        channels.retain(|_, channel| {
            let is_needless = channel.line().is_none_or(Line::is_needless);
            !is_needless || channel.total() > 0
        });
        // Within the lock, as a channel that is made says that it is to be swept.
        let goes_on = channels.values().any(|it| it.line().is_some());
        self.sweeps.store(goes_on, Ordering::Relaxed);
        goes_on.then_some(time)
    }

    pub(crate) fn channel(&self, name: &str) -> Option<Arc<Channel>> {
        self.channels().get(name).cloned()
    }

    /// A channel that something is published to: one without members is made if it keeps
    /// history, or is other processes' as well.
    pub(crate) fn channel_for_post(
        &self,
        name: &str,
    ) -> Result<Option<Arc<Channel>>, ChannelError> {
        let mut channels = self.channels();
        if let Some(channel) = channels.get(name) {
            return Ok(Some(channel.clone()));
        }
        let is_needed = self.running.get().is_some_and(|running| {
            let rules = &running.rules;
            rules.backplane.is_some() || rules.options.of(name).history.is_some()
        });
        match is_needed {
            true => self.find_or_make(&mut channels, name).map(Some),
            false => Ok(None),
        }
    }

    /// Delivers a post on every loop that has members, except one. Returns how many
    /// members that is for.
    pub(crate) fn publish(
        &self,
        channel: &Channel,
        encoded: &Encoded,
        except: Option<usize>,
    ) -> usize {
        post(self.places(), channel, encoded, except)
    }

    /// Delivers what a channel says of a member of loop `index` to all others.
    pub(crate) fn notify(
        &self,
        channel: &Channel,
        notice: Publication,
        (index, except): (usize, Exchange),
    ) {
        let encoded = channel.encoded(notice);
        self.publish(channel, &encoded, Some(index));
        let to = Audience::Channel(channel.name().clone());
        let mailing = Mailing::new(to, encoded, Some(except));
        self.post_to(index, mailing);
    }

    /// Delivers on one loop alone; whether its mailbox took it.
    pub(crate) fn post_to(&self, index: usize, mailing: Mailing) -> bool {
        self.place(index).is_some_and(|place| place.post(mailing))
    }

    pub(crate) fn looks(&self, index: usize) {
        if let Some(place) = self.place(index) {
            place.looks();
        }
    }

    pub(crate) fn channel_sizes(&self, after: Option<&str>, most: usize) -> Vec<(String, usize)> {
        let channels = self.channels();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        channels
            .range::<str, _>((from, Bound::Unbounded))
            .take(most)
            .map(|(name, channel)| (String::from(&**name), channel.total()))
            .collect()
    }

    pub(crate) fn channel_count(&self) -> usize {
        self.channels().len()
    }

    pub(crate) fn totals(&self) -> ChannelTotals {
        let mut totals = ChannelTotals::default();
        let channels: Vec<Arc<Channel>> = self.channels().values().cloned().collect();
        for channel in &channels {
            let held = channel.line().map_or((0, 0), Line::held);
            totals.members += channel.total() as u64;
            totals.kept_publications += held.0 as u64;
            totals.kept_bytes += held.1 as u64;
        }
        totals.channels = channels.len() as u64;
        totals.created = self.channels_created();
        totals.memory = self.memory() as u64;
        totals
    }

    pub(crate) fn channels_created(&self) -> u64 {
        self.created.load(Ordering::Relaxed)
    }

    /// Bytes of all channels' histories and member tables.
    pub(crate) fn memory(&self) -> usize {
        let running = self.running.get();
        running.map_or(0, |running| running.account.held())
    }
}

fn random(chance: &RandomState, channel: &Channel) -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = chance.build_hasher();
    hasher.write(channel.name().as_bytes());
    hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
}
