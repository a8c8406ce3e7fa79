//! Layer 4: sockets, clocks and memory for the machines, on one mio loop.
//!
//! A [`Loop`] owns connections, and [`Handler`]s own what happens on them. A
//! handler sees [`Event`](crate::link::Event)s and acts through its
//! [`Context`]; other threads reach the loop through a [`Remote`].
//!
//! # The parts
//!
//! - `system`: the system behind a seam, [`Poller`], really ([`Mio`]) or as a
//!   test scripts it ([`Scripted`]). Bodies in files ([`FilePart`]) are sent by
//!   the system, where it can.
//! - `stores`: what a loop keeps and what knows no connection. What is written
//!   while one is served gathers in a `Cork`, and what the kernel does not
//!   take of it waits in a `Backlog`. Things lie in a `Slab` and are named by
//!   [`Key`]; each connection has one coarse deadline (`Deadlines`), handlers
//!   have precise `Timers`.
//! - `connecting`: who comes in (`Listeners`, `Caps`) and where we go
//!   (`Dial`).
//! - `transport`: what stands between a socket and its protocol: nothing, or a
//!   [`Transport`].
//! - `futures`: which futures are to be polled, and the timers that they wait for.
//! - `packing`: connections at rest, which take a fraction of their memory.
//! - `turns`: a connection, and its turn: read, feed the link, write, rest.
//! - beside them: what a [`Handler`] sees of all this.

mod any_loop;
mod config;
mod connecting;
mod context;
mod counters;
mod error;
mod event_loop;
mod exchange;
pub(crate) mod exposition;
mod flow;
mod futures;
#[cfg(feature = "log")]
mod gate;
mod handler;
mod lending;
mod local_waker;
mod outlet;
mod packing;
#[cfg(feature = "client")]
mod progress;
mod remote;
pub(crate) mod report;
mod stores;
mod system;
mod transport;
mod turns;

pub use any_loop::AnyLoop;
pub use config::Limits;
#[cfg(feature = "client")]
pub(crate) use connecting::attempts::{Attempts, Next, in_turns};
use connecting::dial::Dial;
#[cfg(feature = "client")]
pub(crate) use connecting::dial::{DialPlan, DialTimes, FoundNames, NameService};
pub(crate) use connecting::listen_target::ListenTarget;
use connecting::listener::{Accepted, Listeners};
#[cfg(feature = "client")]
pub(crate) use connecting::names::LOOKUPS;
use connecting::names::Resolver;
pub use connecting::proxy_header::{ProxyError, Source, read_proxy_header};
pub use context::Context;
pub use counters::Counters;
pub use error::Error;
pub use event_loop::Loop;
pub use exchange::{Exchange, Owner, Profile, Speaks};
pub use flow::Flow;
pub use futures::sleep::Sleep;
pub(crate) use futures::slot::{FutureSlot, FuturesHandle};
pub use handler::Handler;
pub use local_waker::LocalWaker;
pub(in crate::net) use local_waker::Wakes;
#[cfg(feature = "client")]
pub(crate) use progress::Progress;
pub use remote::Remote;
use stores::backlog::{Backlog, Output, Queues};
pub(crate) use stores::caps::Caps;
pub use stores::caps::Claim;
use stores::caps::Refused;
use stores::cork::{Cork, Mark};
use stores::deadlines::Deadlines;
use stores::mailbox::{Inbox, Mailbox};
pub use stores::mailbox::{Priority, Undelivered};
pub use stores::memory_use::MemoryUse;
pub(crate) use stores::packed::PackedFrames;
pub use stores::resource::{Exhausted, Resource};
pub use stores::resource_counts::ResourceCounts;
pub use stores::share::Share;
pub use stores::slab::Key;
pub(crate) use stores::slab::Slab;
pub(crate) use stores::table::Table;
pub use stores::timers::TimerId;
use stores::timers::TimerMark;
pub(crate) use stores::timers::Timers;
pub use system::address::{Address, Destination, ListenOptions, Peer};
pub use system::file_part::FilePart;
pub use system::listener::Listener;
pub use system::mio::{Mio, MioListener, MioStream};
pub use system::network::Network;
pub use system::poller::{MAX_PARTS, Poller, Read, Readiness, Waker};
pub use system::random::Entropy;
pub(crate) use system::random::Random;
pub use system::scripted::{Fate, Scripted, ScriptedClient, ScriptedListener, ScriptedStream};
pub use system::scripted_queue::KernelQueue;
pub use system::system_clock::SystemClock;
pub use transport::handshakes::HandshakeCounts;
pub use transport::seam::{
    Agreed, MOST_OPENED, Transport, TransportDetails, TransportError, TransportLimit,
    TransportMaker,
};
pub(crate) use turns::active::current as current_loop;
#[cfg(feature = "client")]
pub(crate) use turns::active::is_loop_thread;
pub use turns::codecs::CompressionCounts;
pub(crate) use turns::delivering::{Delivered, Packed, Uptake};
