//! Layer 4: sockets, clocks and memory for the machines, on one mio loop.
//!
//! A [`Loop`] owns connections, and [`Handler`]s own what happens on them. A
//! handler sees [`Event`](crate::link::Event)s and acts through its
//! [`Context`]; other threads reach the loop through a [`Remote`].
//!
//! # The parts
//!
//! - The system behind a seam: [`Poller`], really ([`Mio`]) or as a test
//!   scripts it ([`Scripted`]).
//! - Who comes in ([`Listeners`], [`Caps`]) and where we go ([`Dial`]).
//! - What is written while a connection is served gathers in a [`Cork`], and
//!   what the kernel does not take of it waits in a [`Backlog`].
//! - Bodies in files ([`FilePart`]) are sent by the system, where it can.
//! - Connections lie in a [`Slab`] and are named by [`Key`]; each has one
//!   coarse deadline ([`Deadlines`]), handlers have precise [`Timers`].

mod accept;
mod address;
mod backlog;
mod config;
mod connection;
mod connections;
mod context;
mod cork;
mod counters;
mod deadlines;
mod dial;
mod dialling;
mod dials;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod direct;
mod dispatch;
mod entropy;
mod error;
mod event_loop;
mod exchange;
mod failing;
mod feed;
mod file_part;
mod flow;
mod flush;
mod handler;
mod kept;
mod lapse;
mod lending;
mod listener;
mod mailbox;
mod messages;
mod outlet;
mod poller;
mod pool;
mod random;
mod reach;
mod reading;
mod remote;
mod resting;
mod scripted;
mod scripted_system;
#[cfg(all(feature = "files", any(target_os = "linux", target_os = "android")))]
mod send_file;
mod serve;
mod slab;
#[cfg(unix)]
mod socket_file;
mod state;
mod system;
mod timers;
mod timing;
mod turn;
mod write_file;

pub use address::{Address, Destination, ListenOptions, Peer};
pub use backlog::{Backlog, Output, Queues};
pub use config::Limits;
pub use context::Context;
pub use cork::{Cork, Mark};
pub use counters::Counters;
pub use deadlines::Deadlines;
pub use dial::{Dial, Resolved, Resolver};
pub use entropy::Entropy;
pub use error::Error;
pub use event_loop::Loop;
pub use exchange::{Exchange, Owner, Profile, Speaks};
pub use file_part::FilePart;
pub use flow::Flow;
pub use handler::Handler;
pub use listener::{Accepted, Admissions, Caps, Listeners, Refused};
pub use mailbox::{Inbox, Lost, Mailbox, Priority, Undelivered, mailbox};
pub use poller::{MAX_PARTS, Poller, Read, Readiness, Waker};
pub use pool::Pool;
pub use remote::Remote;
pub use scripted::{Client, Fate, Scripted, ScriptedListener, ScriptedStream};
pub use slab::{Key, Slab};
pub use system::{Mio, MioListener, MioStream};
pub use timers::{TimerId, TimerMark, Timers};
