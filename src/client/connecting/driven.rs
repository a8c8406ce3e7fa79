//! A socket and the connection that speaks on it, driven by the thread that waits.
//!
//! ```text
//!   owner ──Wire──► Connection ──output──► write_now ──►┐
//!                                                       ├ Socket
//!   owner ◄─events── Connection ◄─receive── read ◄──────┘
//! ```
//!
//! One request is one write and one read: the read itself waits, for a time that is
//! changed as rarely as can be.

mod sharing;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::cell::Cell;
use core::time::Duration;
use std::io;

use super::cancel::{Target, Watch};
use super::socket::Socket;
use super::{Canceller, Connection, Wire, clock, spare};
use crate::link::{EndReason, Event, Limits};
use crate::wire::Instant;

pub(in crate::client) use sharing::SharedSocket;

const READ: usize = 64 << 10;
/// How often a connection at rest is read when it is looked at: a server could send more for
/// ever.
const READS: usize = 4;
/// Shorter waits are polls with exact time: a read's time counts in system ticks.
pub(super) const SHORT: Duration = Duration::from_millis(32);

pub(crate) type Told<'a> = &'a mut dyn FnMut(&mut Wire, u32, Event<'_>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Something was read or written, or the owner was told something.
    Moved,
    TimedOut,
    /// The canceller was used. The connection is of no further use.
    Cancelled,
    /// The connection is over, and its owner was told so.
    Over,
}

/// A socket and the connection that speaks on it. It rests while no thread calls.
#[derive(Debug)]
pub(crate) struct Driven {
    connection: Connection,
    socket: Arc<Socket>,
    watch: Option<Watch>,
    handed_over: u64,
    /// How much of the output was written; less than all of it.
    written: usize,
    patience: Duration,
    /// Nothing more can be written.
    is_deaf: bool,
}

impl Driven {
    pub(super) fn new(connection: Connection, socket: Socket) -> Self {
        Self {
            connection,
            socket: Arc::new(socket),
            watch: None,
            handed_over: 0,
            written: 0,
            patience: Duration::ZERO,
            is_deaf: false,
        }
    }

    pub(super) const fn again(
        connection: Connection,
        socket: Arc<Socket>,
        patience: Duration,
    ) -> Self {
        Self {
            connection,
            socket,
            watch: None,
            handed_over: 0,
            written: 0,
            patience,
            is_deaf: false,
        }
    }

    /// The socket, limits and read timeout that a resting connection can be made anew from;
    /// `None` if there is more to it.
    pub(super) fn strip(&mut self) -> Option<(Arc<Socket>, Arc<Limits>, Duration)> {
        let is_whole = self.is_deaf || self.watch.is_some() || self.connection.is_multiplexed();
        if is_whole || !self.connection.is_bare() {
            return None;
        }
        let limits = self.connection.limits().clone();
        Some((self.socket.clone(), limits, self.patience))
    }

    /// The socket, which can be waited for apart from the connection.
    pub(super) fn socket(&self) -> Arc<Socket> {
        self.socket.clone()
    }

    /// Where further output begins, counted from the connection's first byte.
    pub(super) fn position(&mut self) -> u64 {
        let waits = self.connection.output().len() - self.written;
        self.handed_over + waits as u64
    }

    /// How long a read waits.
    pub(super) const fn patience(&mut self) -> &mut Duration {
        &mut self.patience
    }

    pub(crate) const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Bytes that the kernel has taken.
    pub(crate) const fn handed_over(&self) -> u64 {
        self.handed_over
    }

    /// Lets `canceller` end it from now on, and no other.
    pub(crate) fn watch(&mut self, canceller: &Canceller) {
        self.watch = None;
        let socket = Target::Socket(Arc::downgrade(&self.socket));
        self.watch = Some(canceller.watch(socket));
    }

    /// Lets no canceller end it any more. Returns whether one has.
    pub(crate) fn unwatch(&mut self) -> bool {
        self.watch.take().is_some_and(|watch| {
            let canceller = watch.canceller().clone();
            drop(watch);
            // Only now: one that is used from here on does not reach the socket.
            canceller.is_cancelled()
        })
    }

    pub(super) const fn is_deaf(&self) -> bool {
        self.is_deaf
    }

    pub(super) fn canceller(&mut self) -> Canceller {
        if let Some(watch) = &self.watch {
            return watch.canceller().clone();
        }
        let new = Canceller::new();
        self.watch(&new);
        new
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_cancelled)
    }

    /// Writes what is to be written as far as the kernel takes it, and never blocks.
    pub(crate) fn write(&mut self, now: Instant, owner: Told<'_>) -> Waited {
        if self.is_cancelled() {
            return Waited::Cancelled;
        }
        self.push(now, owner);
        match self.connection.is_over() {
            true => Waited::Over,
            false => Waited::Moved,
        }
    }

    /// Writes, then waits until `until` for bytes, or for room while output waits, and tells
    /// `owner` what came. A past time does not wait.
    pub(crate) fn drive(&mut self, until: Instant, owner: Told<'_>) -> Waited {
        self.drive_from(&mut clock::now(), until, None, owner)
    }

    /// As [`drive`](Self::drive), for a caller that knows the time; sets `now` on return. Reads
    /// into `room` if given; events point there.
    pub(crate) fn drive_from(
        &mut self,
        now: &mut Instant,
        until: Instant,
        mut room: Option<&mut [u8]>,
        owner: Told<'_>,
    ) -> Waited {
        let told = Cell::new(false);
        let owner: Told<'_> = &mut |wire, stream, event| {
            told.set(true);
            owner(wire, stream, event);
        };
        let mut is_last = false;
        let handed_over = self.handed_over;
        loop {
            if self.is_cancelled() {
                return Waited::Cancelled;
            }
            if self.connection.is_due(*now) {
                self.connection.elapsed(*now, &mut *owner);
            }
            let is_stuck = !self.push(*now, &mut *owner);
            if self.connection.is_over() {
                return Waited::Over;
            }
            let has_written_late = is_last && self.handed_over > handed_over;
            if told.get() || has_written_late {
                return Waited::Moved;
            }
            if is_last && until <= *now {
                return Waited::TimedOut;
            }
            let due = self.connection.deadline().unwrap_or(Instant::NEVER);
            let mut buffer = None;
            let into = match &mut room {
                Some(room) => &mut **room,
                None => buffer.get_or_insert_with(Buffer::take).all(),
            };
            let read = self.read(into, is_stuck, *now, until.min(due));
            *now = clock::now();
            if self.is_cancelled() {
                return Waited::Cancelled;
            }
            match read {
                Ok(None) => {}
                Ok(Some(0)) => self.connection.receive_eof(*now, &mut *owner),
                Ok(Some(bytes)) => {
                    let bytes = into.get_mut(..bytes).unwrap_or_default();
                    self.connection.receive(bytes, *now, &mut *owner);
                    self.answer(*now, owner);
                    return match self.connection.is_over() {
                        true => Waited::Over,
                        false => Waited::Moved,
                    };
                }
                Err(_) => self.connection.closed(EndReason::Reset, &mut *owner),
            }
            is_last = true;
        }
    }

    /// Waits for something to read until `until`. `None` if there was nothing, or there is
    /// room to write.
    fn read(
        &mut self,
        into: &mut [u8],
        is_stuck: bool,
        now: Instant,
        until: Instant,
    ) -> io::Result<Option<usize>> {
        let left = until.saturating_since(now);
        if is_stuck || left < SHORT {
            return match self.socket.read_now(into)? {
                None if !left.is_zero() && self.socket.wait(is_stuck, left)? => {
                    self.socket.read_now(into)
                }
                read => Ok(read),
            };
        }
        let patience = patience(self.patience, left);
        if patience != self.patience {
            self.socket.set_patience(patience)?;
            self.patience = patience;
        }
        let read = self.socket.read(into)?;
        if read.is_some() {
            return Ok(read);
        }
        // The rest of the time is exact, and rarely needed.
        match until.saturating_since(clock::now()) {
            Duration::ZERO => Ok(None),
            left if self.socket.wait(false, left)? => self.socket.read_now(into),
            _ => Ok(None),
        }
    }

    /// Writes what the connection has to say; whether all of it was taken.
    pub(super) fn push(&mut self, now: Instant, owner: Told<'_>) -> bool {
        while self.connection.flush(now, &mut *owner) {
            if !self.put() {
                return false;
            }
        }
        true
    }

    /// Writes what the connection has said by itself.
    fn answer(&mut self, now: Instant, owner: Told<'_>) {
        if !self.connection.output().is_empty() {
            self.push(now, owner);
        }
    }

    /// Writes the output; whether all of it was taken.
    fn put(&mut self) -> bool {
        let output = self.connection.output();
        if self.is_deaf {
            output.clear();
            return true;
        }
        let rest = output.get(self.written..).unwrap_or_default();
        match self.socket.write_now(rest) {
            Ok(Some(bytes)) => {
                self.handed_over += bytes as u64;
                self.written += bytes;
                if self.written >= output.len() {
                    self.written = 0;
                    spare::give_output(output);
                    return true;
                }
                // Moved in large steps only: much output is not moved again and again.
                if self.written > output.len() / 2 {
                    output.drain(..self.written);
                    self.written = 0;
                }
                false
            }
            Ok(None) => false,
            Err(_) => {
                // The server may have answered before it closed: the end comes with that.
                self.is_deaf = true;
                self.written = 0;
                output.clear();
                true
            }
        }
    }

    /// Whether a resting connection is still usable, without waiting. It is not if the server
    /// closed it, leaves, or sent unasked bytes.
    pub(super) fn probe_at(&mut self, now: Instant) -> bool {
        let is_spoilt = Cell::new(false);
        let owner: Told<'_> = &mut |_, _, event| {
            if !matches!(event, Event::Writable | Event::Ping(_) | Event::Pong(_)) {
                is_spoilt.set(true);
            }
        };
        if self.connection.is_due(now) {
            self.connection.elapsed(now, &mut *owner);
        }
        let mut buffer = Buffer::take();
        for nth in 0.. {
            match self.socket.read_now(&mut buffer.0) {
                Ok(None) => break,
                Ok(Some(0)) | Err(_) => return false,
                Ok(Some(_)) if nth == READS => return false,
                Ok(Some(bytes)) => {
                    let bytes = buffer.0.get_mut(..bytes).unwrap_or_default();
                    self.connection.receive(bytes, now, &mut *owner);
                    self.answer(now, owner);
                }
            }
            if is_spoilt.get() || self.connection.is_over() {
                return false;
            }
        }
        let is_over = self.connection.is_over() || self.is_deaf || self.is_cancelled();
        !is_spoilt.get() && !is_over && !self.connection.has_unused()
    }
}

impl Drop for Driven {
    /// Says the protocol's goodbye, if it has one and there is room.
    fn drop(&mut self) {
        let connection = &mut self.connection;
        let is_over = connection.is_over() || connection.is_handshaking();
        if is_over || self.is_deaf || !connection.takes_leave() {
            return;
        }
        connection.leave();
        self.put();
    }
}

/// The read timeout for `left` where `present` is set: kept if close enough, so that similar
/// waits set it once.
pub(super) fn patience(present: Duration, left: Duration) -> Duration {
    let good = left / 2;
    let far = good / 16;
    if present <= good && present > far {
        return present;
    }
    let millis = u64::try_from(good.as_millis()).unwrap_or(u64::MAX);
    let power = millis.checked_ilog2().unwrap_or(0).min(24); // less than five hours
    Duration::from_millis(1 << power)
}

/// The buffer for reads, one for each thread: a connection at rest has none.
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    pub(super) fn take() -> Self {
        let kept = KEPT.take();
        Self(kept.unwrap_or_else(|| alloc::vec![0; READ].into_boxed_slice()))
    }

    /// The whole buffer, to read into.
    pub(super) fn all(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(super) fn filled(&mut self, bytes: usize) -> &mut [u8] {
        self.0.get_mut(..bytes).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // Refused only while the thread ends.
        let _ = KEPT.try_with(|kept| kept.set(Some(core::mem::take(&mut self.0))));
    }
}

std::thread_local! {
    static KEPT: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests;
