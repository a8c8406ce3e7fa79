//! Transports: layers between a socket and the protocol that is spoken over it.
//!
//! ```text
//!            Poller                  Transport                     Link
//!   socket ──read──► sealed bytes ──open──► plain bytes, in place ──► events
//!   socket ◄─write── sealed bytes ◄──seal── parts of cork, backlog ◄── output
//! ```
//!
//! Most connections have none: their bytes go from the one to the other as they
//! are, and pay nothing for this. Where a listener or a dial names a maker of
//! [`Transport`]s, each connection begins with a handshake; what it speaks is known
//! after that.
//!
//! - `seam`: the trait.
//! - `details`: what a transport tells the owner.
//! - `sockets`: the sockets of a loop, and the transports of those that have one.
//! - `opened`: what a read brings; `record_front`: the time that the rest of a record has.
//! - `secured`: what is kept of one, and reading through it; `over`: what stands in its place
//!   after its end.
//! - `wire`: writing, through a transport or past it; `room`: how much at a time.
//! - `handshake`: the phase before the first request, and the end of a transport.
//! - `handshakes`: how many of them there are; `admission`: how many there may be, and
//!   their part of a turn.

pub(super) mod admission;
pub(super) mod details;
pub(super) mod handshake;
pub(super) mod handshakes;
pub(super) mod opened;
pub(super) mod record_front;
mod room;
pub(super) mod seam;
pub(super) mod secured;
pub(super) mod sockets;
pub(super) mod wire;
