//! From the cork and the backlog to the socket.

use std::io::{self, ErrorKind, IoSlice};

use super::connection::{Connection, Interim, Phase};
use super::memory::Memory;
use super::state::State;
use crate::link::EndReason;
use crate::net::report::report;
use crate::net::transport::wire::Wire;
use crate::net::{Context, Cork, Counters, FilePart, Flow, Key, Output, Queues};
use crate::wire::Instant;

/// Lets an interim response leave by itself and keeps the rest until the body begins; the bytes
/// that the kernel took, `None` once nothing is held.
#[cold]
fn hold_back(
    connection: &mut Connection,
    cork: &mut Cork,
    queues: &mut Queues,
    now: Instant,
    write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
) -> Option<usize> {
    let interim = connection.interim.take()?;
    let waits = connection.phase == Phase::Open && connection.link.is_continued();
    if !waits || now >= interim.until {
        return None;
    }
    let is_free = connection.backlog.is_empty() && connection.socket.writable;
    let may_leave = interim.bytes.min(if is_free { cork.len() } else { 0 });
    let taken = match cork.plain().and_then(|all| all.get(..may_leave)) {
        Some(first @ [_, ..]) => write(&[IoSlice::new(first)]).unwrap_or(0),
        Some([]) | None => 0, // an error is found again with the rest
    };
    connection.backlog.extend_from(cork, taken, queues);
    cork.clear();
    connection.interim = Some(Interim {
        bytes: 0,
        ..interim
    });
    Some(taken)
}

#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    /// Bytes as the kernel counts them.
    raw: usize,
    /// Those of them that are no transport's own.
    content: usize,
}

impl Taken {
    #[inline(always)]
    const fn count(self, connection: &mut Connection, counters: &mut Counters) {
        connection.sent += self.content as u64;
        counters.bytes_out += self.raw as u64;
    }
}

/// Writes what is sealed already; what the socket took of it, and whether it is full.
#[cold]
fn write_sealed(
    connection: &mut Connection,
    queues: &mut Queues,
    wire: &mut impl Wire,
) -> io::Result<(Taken, bool)> {
    let offered = connection.backlog.sealed().len();
    if offered == 0 {
        return Ok((Taken::default(), false));
    }
    let raw = wire.write_sealed(connection.backlog.sealed())?;
    let content = connection.backlog.advance_sealed(raw, queues);
    Ok((Taken { raw, content }, raw < offered))
}

/// Keeps sealed bytes that the socket did not take, of `taken` plain ones; returns what it
/// took.
#[inline(always)]
fn settle_wire<W: Wire>(
    connection: &mut Connection,
    queues: &mut Queues,
    memory: &mut Memory,
    wire: &W,
    taken: usize,
) -> Taken {
    if !W::SEALS {
        return Taken {
            raw: taken,
            content: taken,
        };
    }
    let (raw, added) = wire.counts();
    let content = raw.saturating_sub(added); // what was added counts first
    if !wire.pending().is_empty() {
        connection.socket.writable = false;
        if connection.link.account().is_none() {
            connection.link.charge_to(memory.open(connection.peer));
        }
        let account = connection.link.account();
        connection.backlog.charge_to(account, queues);
        let added = added.saturating_sub(raw);
        connection.backlog.put_sealed(wire.pending(), added, queues);
    }
    Taken { raw, content }
}

impl State {
    /// Writes what is corked and what waits; why the connection ends, if it does.
    #[inline(always)]
    pub(super) fn flush_to<W: Wire>(
        &mut self,
        key: Key,
        pumps: bool,
        wire: &mut W,
    ) -> (bool, Option<EndReason>) {
        let Self {
            connections,
            cork,
            counters,
            limits,
            memory,
            now,
            queues,
            ..
        } = self;
        let Some(connection) = connections.get_mut(key) else {
            cork.clear();
            return (true, None);
        };
        if pumps && connection.phase == Phase::Open && connection.link.is_multiplexed() {
            let corked = cork.len() as u64;
            connection.link.pump(limits.backlog_low, *now, cork);
            if connection.link.has_left() {
                let before = connection.end() + corked;
                connection.link.note_end(before);
            }
        }
        let is_closing = connection.phase != Phase::Open || connection.link.closing().is_some();
        if connection.interim.is_some() {
            let write = |parts: &[IoSlice<'_>]| wire.write(parts);
            if let Some(taken) = hold_back(connection, cork, queues, *now, write) {
                let taken = settle_wire(connection, queues, memory, wire, taken);
                taken.count(connection, counters);
                return (is_closing, None);
            }
        }
        // A part of a file is sent from the backlog.
        let waited = !connection.backlog.is_empty() || cork.has_file();
        if W::SEALS && connection.backlog.is_empty() {
            wire.begin();
        }
        if !waited && cork.is_empty() {
            return (is_closing, None);
        }
        let mut taken = 0;
        let mut broken = None;
        if !waited && connection.socket.writable {
            match cork.write(|parts| wire.write(parts)) {
                // As nearly always: nothing waits, so that nothing is timed.
                Ok(n) if n == cork.len() && (!W::SEALS || wire.pending().is_empty()) => {
                    let taken = settle_wire(connection, queues, memory, wire, n);
                    cork.clear();
                    taken.count(connection, counters);
                    connection.link.set_room(limits.backlog_high);
                    return (is_closing, None);
                }
                Ok(n) => taken = n,
                Err(_) => broken = Some(EndReason::Reset),
            }
        }
        if taken < cork.len() {
            if connection.socket.is_muted() {
                cork.clear();
                return (is_closing, None);
            }
            connection.socket.writable &= waited;
            memory.note_pooled(*now);
            if connection.link.account().is_none() {
                connection.link.charge_to(memory.open(connection.peer));
            }
            connection
                .backlog
                .charge_to(connection.link.account(), queues);
            connection.backlog.extend_from(cork, taken, queues);
        }
        cork.clear();
        let mut first = Taken::default();
        if W::SEALS && broken.is_none() && waited && connection.socket.writable {
            match write_sealed(connection, queues, wire) {
                Ok((taken, is_full)) => {
                    connection.socket.writable = !is_full;
                    first = taken;
                }
                Err(_) => broken = Some(EndReason::Reset),
            }
        }
        if broken.is_none() && waited && connection.socket.writable {
            match connection
                .backlog
                .write(limits.backlog_cap, queues, |output| match output {
                    Output::Bytes(parts) => wire.write(parts),
                    Output::File(parts, file) => wire.send_file(parts, file),
                }) {
                Ok(n) => taken = n,
                // What was announced cannot be sent: the peer must not take
                // what it has for the whole.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    let peer = connection.peer;
                    report!(
                        Error,
                        "{peer}: cut, as a file has become too short: {error}"
                    );
                    broken = Some(EndReason::Aborted);
                }
                Err(_) => broken = Some(EndReason::Reset),
            }
            // Less than its share of a turn: the kernel is full, and says when
            // it no longer is.
            connection.socket.writable =
                connection.backlog.is_empty() || taken >= limits.backlog_cap;
        }
        let taken = settle_wire(connection, queues, memory, wire, taken);
        let taken = Taken {
            raw: first.raw + taken.raw,
            content: first.content + taken.content,
        };
        taken.count(connection, counters);
        if let Some(account) = connection.link.account() {
            account.moved(taken.content, memory.pace, *now);
        }
        if connection.backlog.is_empty() {
            connection.stalls = Instant::NEVER;
        } else if taken.raw > 0 || connection.stalls == Instant::NEVER {
            connection.await_progress(*now, limits.write_progress);
        }
        let room = limits.backlog_high.saturating_sub(connection.backlog.len());
        connection.link.set_room(room);
        (is_closing, broken)
    }
}

impl Context<'_> {
    /// Writes a part of a file as a piece of a streamed body, or into a raw
    /// connection. It is not read into memory: the system sends it
    /// (`sendfile`), in fair turns of [`Limits::backlog_cap`] bytes. Without
    /// such a call, or under a scripted system, it is read and written in
    /// pieces of 16 KiB.
    ///
    /// Parts of the file that are not in the system's memory yet are waited for: a slow
    /// disk holds the whole loop up. Every part holds its file open until it is sent:
    /// give it a claim of [`Resource::Files`](crate::net::Resource::Files) to keep
    /// ([`FilePart::with_claim`]), so that no address has all files open.
    ///
    /// [`Flow::Over`] with [`UsageError::OtherProtocol`] where the protocol frames
    /// every piece of a body by itself: read the part in pieces there.
    ///
    /// [`UsageError::OtherProtocol`]: crate::link::UsageError::OtherProtocol
    /// [`Limits::backlog_cap`]: crate::net::Limits::backlog_cap
    pub fn write_file(&mut self, mut part: FilePart) -> Flow {
        const MOST: usize = usize::MAX / 8; // a whole file, but for 32 bits
        self.write_by(|link, state| {
            while !part.is_empty() {
                let piece = part.slice(0, MOST as u64);
                part.advance(piece.len());
                let len = piece.len() as usize; // at most MOST
                link.write_by(len, state.cork, |cork: &mut Cork| cork.put_file(piece))?;
            }
            Ok(())
        })
    }
}
