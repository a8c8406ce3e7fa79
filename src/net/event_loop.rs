//! The loop: one thread, many connections.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::connecting::dials::Dials;
use super::connecting::listening::Listening;
use super::futures::slot::Futures;
use super::packing::connections::Connections;
use super::remote::Mail;
use super::report::report;
use super::stores::departures::Departures;
use super::stores::mailbox::mailbox;
use super::stores::timers::Alarms;
use super::system::retry::descriptors;
use super::transport::details::DetailsTable;
use super::transport::handshakes::Handshakes;
use super::transport::sockets::Sockets;
use super::turns::codecs::Codecs;
use super::turns::dispatch::Dispatch;
use super::turns::input_buffers::InputBuffers;
use super::turns::memory::Memory;
use super::turns::state::State;
use super::{
    Accepted, Caps, CompressionCounts, Context, Cork, Counters, Deadlines, Error, Exchange,
    Handler, HandshakeCounts, Inbox, Key, Limits, Listeners, MemoryUse, Mio, Owner, Poller,
    Profile, Queues, Readiness, Remote, ResourceCounts, Timers, Wakes,
};
use crate::http::{FieldBuffer, OwnedScratch, date::Date};
use crate::link::{self, RequestPool};
use crate::wire::Instant;
#[cfg(feature = "deflate")]
use crate::wire::codec::Deflater;

/// How many field ranges the loop's scratch holds: an upper bound for
/// [`http1::Limits::fields`](crate::http1::Limits::fields).
const FIELDS: usize = 1024;

/// Slots for which tables have room from the start, if so many connections are
/// let in. Pages of them that were never used take no memory, and a table that
/// grows leaves its former places behind in the heap.
const SLOTS: usize = 1 << 16;

/// An event loop: it owns sockets, buffers, timers and handlers, and gives
/// every connection its fair turn.
///
/// A turn waits for readiness and then serves: what came in, the mailbox, the
/// timers, those that had to stop before they were done, and at its end the
/// backlogs of those that others wrote to. Everything written while one
/// connection is served leaves in one write.
///
/// ```no_run
/// use barewire::http::Fields;
/// use barewire::link::{self, Event};
/// use barewire::net::{Context, Handler, Limits, ListenOptions, Loop, Speaks};
///
/// struct Echo;
///
/// impl Handler for Echo {
///     fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
///         match event {
///             Event::Data(bytes) => drop(context.write(bytes)),
///             Event::HalfClosed => drop(context.finish(Fields::EMPTY)),
///             _ => {}
///         }
///     }
/// }
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let echo = events.add(Echo);
/// let profile = events.profile(link::Limits::DEFAULT);
/// let address = "127.0.0.1:7".parse()?;
/// events.listen(&address, &ListenOptions::DEFAULT, Speaks::Raw, echo, profile)?;
/// events.run()?;
/// # Ok(())
/// # }
/// ```
pub struct Loop<P: Poller = Mio> {
    pub(super) poller: P,
    pub(super) listeners: Listeners<P, Listening>,
    /// Connections let in; empty between turns.
    pub(super) accepted: Vec<Accepted<P::Stream, Listening>>,
    pub(super) dials: Dials<P::Stream>,
    pub(super) sockets: Sockets<P::Stream>,
    pub(super) buffers: InputBuffers,
    pub(super) deadlines: Deadlines,
    /// Slots whose deadlines have passed; empty between turns.
    pub(super) passed: Vec<u32>,
    /// Memory for the next list of connections; empty between uses.
    pub(super) round: Vec<Key>,
    /// Some of those in `round`, or in the next, have waited for longer than a turn.
    pub(super) is_behind: bool,
    pub(super) inbox: Inbox<Mail>,
    pub(super) dispatch: Dispatch,
    pub(super) ready: Vec<Readiness>,
    pub(super) drained_by: Option<Instant>,
    /// Connections cut because draining took too long.
    pub(super) cut: usize,
}

impl Loop<Mio> {
    /// A loop over the operating system.
    ///
    /// # Errors
    /// [`Error::Io`] if the system has no more pollers or no randomness to
    /// give, [`Error::Config`] if the limits contradict each other.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        Self::one_of(1, limits)
    }

    /// One of so many loops that share what the process may open.
    pub(crate) fn one_of(loops: usize, limits: Limits) -> Result<Self, Error> {
        limits.check()?;
        let limits = match descriptors() {
            Some(descriptors) => {
                let (asked, limits) = (limits.per_address, limits.within(descriptors, loops));
                if limits.per_address < asked {
                    report!(
                        Warn,
                        "`Limits::per_address` is {} instead of {asked}, as the process may open \
                         {descriptors} descriptors (`ulimit -n`)",
                        limits.per_address
                    );
                }
                limits
            }
            None => limits,
        };
        Self::with_poller(Mio::new()?, limits)
    }
}

impl<P: Poller> Loop<P> {
    /// A loop over any system.
    ///
    /// # Errors
    /// [`Error::Io`] if the system has no randomness to give,
    /// [`Error::Config`] if the limits contradict each other.
    pub fn with_poller(poller: P, limits: Limits) -> Result<Self, Error> {
        limits.check()?;
        let (mailbox, inbox) = mailbox(limits.mailbox, limits.mailbox_memory, poller.waker());
        let slots = SLOTS.min(limits.connections as usize);
        let caps = Caps::new();
        let memory = Memory::new(&limits, caps.clone());
        let all = memory.all.clone();
        let buffers = InputBuffers::new(limits.read_size, &all);
        let (mut cork, mut request_pool) = (Cork::new(usize::MAX), RequestPool::new());
        let mut queues = Queues::new(limits.spare_memory);
        cork.charge_to(&all);
        request_pool.charge_to(&all);
        queues.charge_to(&all);
        let state = State {
            connections: Connections::with_room(slots),
            cork,
            past: 0,
            current: Key::NONE,
            stash: Vec::new(),
            spare: Vec::new(),
            queues,
            request_pool,
            caps: caps.clone(),
            timers: Timers::new(),
            alarms: Alarms::default(),
            wakes: Wakes::default(),
            futures: Futures::new(poller.waker(), poller.clock(), poller.now()),
            timer_search: (Timers::<()>::new().mark(), Instant::START),
            excused: false,
            runnable: Vec::new(),
            dirty: Vec::new(),
            dials: Vec::new(),
            visits: 0,
            memory,
            now: poller.now(),
            clock: poller.clock(),
            unix_seconds: poller.unix_seconds(),
            date: Date::from_unix(poller.unix_seconds()),
            entropy: poller.entropy()?,
            last_fields: FieldBuffer::new(),
            counters: Counters::default(),
            remote: Remote::new(mailbox, caps, limits.clone()),
            draining: false,
            departures: Departures::default(),
            details: DetailsTable::default(),
            handshakes: Handshakes::default(),
            #[cfg(feature = "deflate")]
            deflater: Some(Deflater::new()),
            #[cfg(not(feature = "deflate"))]
            deflater: None,
            limits,
        };
        let dispatch = Dispatch {
            handlers: Vec::new(),
            profiles: Vec::new(),
            scratch: OwnedScratch::new(FIELDS),
            codecs: Codecs::new(&all),
            shown: None,
            unanswered: None,
            state,
        };
        Ok(Self {
            poller,
            listeners: Listeners::new(),
            accepted: Vec::new(),
            dials: Dials::default(),
            sockets: Sockets::with_room(slots),
            buffers,
            deadlines: Deadlines::with_room(slots),
            passed: Vec::new(),
            round: Vec::new(),
            is_behind: false,
            inbox,
            dispatch,
            ready: Vec::new(),
            drained_by: None,
            cut: 0,
        })
    }

    /// Adds a handler. It lives as long as the loop.
    pub fn add(&mut self, handler: impl Handler + 'static) -> Owner {
        self.add_boxed(Box::new(handler))
    }

    /// Who the handler that is added next will be.
    pub(crate) fn next_owner(&self) -> Owner {
        Owner(self.dispatch.handlers.len() as u16)
    }

    pub(super) fn add_boxed(&mut self, handler: Box<dyn Handler>) -> Owner {
        self.dispatch.handlers.push(handler);
        // A program has a handful of handlers.
        Owner((self.dispatch.handlers.len() - 1) as u16)
    }

    /// Adds limits that listeners and dials can name.
    pub fn profile(&mut self, limits: link::Limits) -> Profile {
        self.dispatch.profiles.push(limits);
        Profile((self.dispatch.profiles.len() - 1) as u16)
    }

    /// A handle that reaches this loop from any thread.
    pub fn remote(&self) -> Remote {
        self.dispatch.state.remote.clone()
    }

    /// The counters of the loop.
    pub const fn counters(&self) -> &Counters {
        &self.dispatch.state.counters
    }

    /// The memory that the loop holds for its peers.
    pub fn memory(&self) -> MemoryUse {
        let memory = &self.dispatch.state.memory;
        MemoryUse::new(memory.all.clone(), memory.seen.clone())
    }

    /// The messages that it has compressed and inflated.
    pub fn compression(&self) -> CompressionCounts {
        self.dispatch.codecs.counts()
    }

    /// The outcomes of its transports' handshakes.
    pub fn handshakes(&self) -> HandshakeCounts {
        self.dispatch.state.handshakes.counts()
    }

    /// How many timers, sessions, futures and so on there are.
    pub fn resources(&self) -> ResourceCounts {
        ResourceCounts::new(self.dispatch.state.caps.clone())
    }

    /// Lets `act` use a context of this owner that belongs to no connection:
    /// to dial, to set timers, to reach exchanges.
    pub fn enter<R>(&mut self, owner: Owner, act: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let state = &mut self.dispatch.state;
        act(&mut Context::new(state, owner, Exchange::NONE))
    }

    /// Runs turns until the loop has been drained; returns how many
    /// connections had to be cut at the deadline.
    ///
    /// # Errors
    /// [`Error::Io`] if the poller fails.
    pub fn run(&mut self) -> Result<usize, Error> {
        while !self.is_drained() {
            self.turn(None)?;
        }
        Ok(self.cut)
    }
}
