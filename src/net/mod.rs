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
//!   while one is served gathers in a [`Cork`], and what the kernel does not
//!   take of it waits in a [`Backlog`]. Things lie in a [`Slab`] and are named by
//!   [`Key`]; each connection has one coarse deadline ([`Deadlines`]), handlers
//!   have precise [`Timers`].
//! - `connecting`: who comes in ([`Listeners`], [`Caps`]) and where we go
//!   ([`Dial`]).
//! - `turns`: a connection, and its turn: read, feed the link, write, rest.
//! - beside them: what a [`Handler`] sees of all this.

mod config;
mod connecting;
mod context;
mod counters;
mod error;
mod event_loop;
mod exchange;
mod flow;
#[cfg(feature = "log")]
mod gate;
mod handler;
mod lending;
mod outlet;
mod remote;
pub(crate) mod report;
mod stores;
mod system;
mod turns;

pub use config::Limits;
pub use connecting::dial::{Dial, Resolved, Resolver};
pub use connecting::listener::{Accepted, Admissions, Listeners};
pub(crate) use connecting::places::Place;
pub use connecting::proxy_header::{ProxyError, Source, read_proxy_header};
pub use context::Context;
pub use counters::Counters;
pub use error::Error;
pub use event_loop::Loop;
pub use exchange::{Exchange, Owner, Profile, Speaks};
pub use flow::Flow;
pub use handler::Handler;
pub use remote::Remote;
pub use stores::backlog::{Backlog, Output, Queues};
pub use stores::caps::{Caps, Claim, Exhausted, Refused, Resource};
pub use stores::cork::{Cork, Mark};
pub use stores::deadlines::Deadlines;
pub use stores::mailbox::{Inbox, Lost, Mailbox, Priority, Undelivered, mailbox};
pub use stores::memory_use::MemoryUse;
pub use stores::pool::Pool;
pub use stores::share::Share;
pub use stores::slab::{Key, Slab};
pub(crate) use stores::table::Table;
pub use stores::timers::{TimerId, TimerMark, Timers};
pub use system::address::{Address, Destination, ListenOptions, Peer};
pub use system::entropy::Entropy;
pub use system::file_part::FilePart;
pub use system::mio::{Mio, MioListener, MioStream};
pub use system::network::Network;
pub use system::poller::{MAX_PARTS, Poller, Read, Readiness, Waker};
pub use system::scripted::{Client, Fate, Scripted, ScriptedListener, ScriptedStream};
pub use system::scripted_queue::KernelQueue;
