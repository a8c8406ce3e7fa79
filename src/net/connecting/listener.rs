//! The listening sockets of a loop, and whom they let in.
//!
//! Accepting is edge-triggered, so a listener that still has connections
//! waiting is remembered until the system says that there are none. When the
//! system is out of descriptors or memory no event would ever come again: the
//! listener pauses, for 100 ms at first and twice as long each time up to
//! 1.6 s, and tries again. It neither spins nor sleeps for ever.

use alloc::vec::Vec;
use core::time::Duration;
use std::io::{self, ErrorKind};

use crate::net::report::report;
use crate::net::{Address, Caps, Key, Limits, Peer, Poller, Refused};
use crate::wire::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1600);
/// How long a listener without room for handshakes rests.
const REST: Duration = Duration::from_millis(10);

/// Counts of connections that asked to come in, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub(crate) struct Admissions {
    pub accepted: u64,
    pub refused: u64,
    /// Closed immediately: there were [`per_address`](Limits::per_address) of the
    /// same address.
    pub refused_address: u64,
    /// Gone before they were accepted.
    pub aborted: u64,
    /// Times that a listener paused: the system was out of descriptors or memory, or failed.
    pub pauses: u64,
}

/// A connection that was let in; its place in [`Caps`] is given back by [`Caps::release`].
#[derive(Debug)]
pub(crate) struct Accepted<S, T> {
    pub stream: S,
    pub peer: Peer,
    pub owner: T,
}

/// A loop's listening sockets, each with a `T` for its connections.
#[derive(Debug)]
pub(crate) struct Listeners<P: Poller, T> {
    listeners: Vec<Listening<P::Listener, T>>,
    turn: usize,   // who begins
    is_busy: bool, // one may be ready or paused: the others are looked at
    admissions: Admissions,
}

#[derive(Debug)]
struct Listening<L, T> {
    socket: Option<L>, // None: closed
    owner: T,
    ready: bool, // connections may wait
    paused: Option<Instant>,
    pause: Duration, // the next one's length
}

impl<P: Poller, T: Clone> Listeners<P, T> {
    pub(crate) const fn new() -> Self {
        Self {
            listeners: Vec::new(),
            turn: 0,
            is_busy: false,
            admissions: Admissions {
                accepted: 0,
                refused: 0,
                refused_address: 0,
                aborted: 0,
                pauses: 0,
            },
        }
    }

    /// Adds the socket that `open` gives for a token; returns its number for
    /// [`token`](Self::token).
    pub(crate) fn add(
        &mut self,
        open: impl FnOnce(usize) -> io::Result<P::Listener>,
        owner: T,
    ) -> io::Result<u32> {
        let number = self.next_number();
        let socket = open(Self::token(number))?;
        self.listeners.push(Listening {
            socket: Some(socket),
            owner,
            ready: false,
            paused: None,
            pause: FIRST_PAUSE,
        });
        Ok(number)
    }

    #[inline]
    pub(crate) const fn token(number: u32) -> usize {
        Key::FREE_TOKENS | number as usize
    }

    /// The listener that an event's token belongs to.
    #[inline]
    pub(crate) fn number_of(&self, token: usize) -> Option<u32> {
        if token & Key::FREE_TOKENS == 0 {
            return None;
        }
        let number = token & !Key::FREE_TOKENS;
        (number < self.listeners.len()).then_some(number as u32)
    }

    pub(crate) fn local_address(&self, poller: &P, number: u32) -> Option<io::Result<Address>> {
        let listener = self.listeners.get(number as usize)?;
        Some(poller.local_address(listener.socket.as_ref()?))
    }

    #[inline]
    pub(crate) fn ready(&mut self, number: u32) {
        if let Some(listener) = self.listeners.get_mut(number as usize) {
            listener.ready = true;
            self.is_busy = true;
        }
    }

    /// Whether [`accept`](Self::accept) has something to do in this turn.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.is_busy
            && self
                .listeners
                .iter()
                .any(|listener| listener.ready && listener.paused.is_none())
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        if !self.is_busy {
            return None;
        }
        self.listeners
            .iter()
            .filter_map(|listener| listener.paused)
            .min()
    }

    #[inline]
    pub(crate) fn elapsed(&mut self, now: Instant) {
        if !self.is_busy {
            return;
        }
        self.is_busy = false;
        for listener in &mut self.listeners {
            listener.paused = listener.paused.filter(|&until| until > now);
            self.is_busy |= listener.ready || listener.paused.is_some();
        }
    }

    /// Accepts at most [`accepts`](Limits::accepts) connections of each listener, in turn, into
    /// `accepted`. `room` says for how many more of a listener's there is room; without any it
    /// rests.
    pub(crate) fn accept(
        &mut self,
        poller: &mut P,
        caps: &Caps,
        limits: &Limits,
        room: impl Fn(&T, usize) -> u32,
        accepted: &mut Vec<Accepted<P::Stream, T>>,
    ) {
        let count = self.listeners.len();
        self.turn = self.turn.wrapping_add(1);
        for n in 0..count {
            let number = (self.turn % count + n) % count; // count > 0 in here
            let listener = &mut self.listeners[number];
            if listener.ready && listener.paused.is_none() {
                let most = limits.accepts.min(room(&listener.owner, accepted.len()));
                if most == 0 {
                    listener.paused = Some(poller.now() + REST);
                }
                self.accept_from(number, most, poller, caps, limits, accepted);
            }
        }
    }

    /// Accepts from one listener until nothing waits, it pauses, or `most`
    /// connections have come.
    fn accept_from(
        &mut self,
        number: usize,
        most: u32,
        poller: &mut P,
        caps: &Caps,
        limits: &Limits,
        accepted: &mut Vec<Accepted<P::Stream, T>>,
    ) {
        let Some(listener) = self.listeners.get_mut(number) else {
            return;
        };
        let Some(socket) = &mut listener.socket else {
            listener.ready = false;
            return;
        };
        for _ in 0..most {
            match poller.accept(socket) {
                Ok((stream, peer)) => {
                    listener.pause = FIRST_PAUSE;
                    match caps.admit(peer, limits) {
                        Ok(()) => {
                            self.admissions.accepted += 1;
                            accepted.push(Accepted {
                                stream,
                                peer,
                                owner: listener.owner.clone(),
                            });
                        }
                        Err(refused) => {
                            match refused {
                                Refused::Total => self.admissions.refused += 1,
                                Refused::Address => self.admissions.refused_address += 1,
                            }
                            report!(Warn, "{peer}: refused at `{}`", refused.limit());
                            poller.close(stream);
                        }
                    }
                }
                Err(error) => match fault(&error) {
                    Fault::Nothing => {
                        listener.ready = false;
                        return;
                    }
                    Fault::Connection => self.admissions.aborted += 1,
                    Fault::System => {
                        self.admissions.pauses += 1;
                        report!(Error, "no connections are accepted for a while: {error}");
                        listener.paused = Some(poller.now() + listener.pause);
                        listener.pause = (listener.pause * 2).min(LONGEST_PAUSE);
                        return;
                    }
                },
            }
        }
    }

    /// Counts a connection that met its address's cap once a proxy had named it.
    pub(super) const fn note_refused_address(&mut self) {
        self.admissions.refused_address += 1;
    }

    /// Stops listening: accepts what has connected, up to the caps, and closes the sockets.
    pub(crate) fn drain(
        &mut self,
        poller: &mut P,
        caps: &Caps,
        limits: &Limits,
        accepted: &mut Vec<Accepted<P::Stream, T>>,
    ) {
        for number in 0..self.listeners.len() {
            // Bounded, for connecting may go on as fast as accepting.
            let most = limits.connections;
            self.accept_from(number, most, poller, caps, limits, accepted);
            self.close(poller, number as u32);
        }
    }

    pub(crate) const fn next_number(&self) -> u32 {
        self.listeners.len() as u32 // each holds a descriptor: far below 2^31
    }

    pub(crate) fn close(&mut self, poller: &mut P, number: u32) {
        if let Some(listener) = self.listeners.get_mut(number as usize)
            && let Some(socket) = listener.socket.take()
        {
            listener.ready = false;
            listener.paused = None;
            poller.unlisten(socket);
        }
    }

    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        self.listeners
            .iter()
            .filter(|listener| listener.socket.is_some())
            .count()
    }

    #[inline]
    pub(crate) const fn admissions(&self) -> Admissions {
        self.admissions
    }
}

impl<P: Poller, T: Clone> Default for Listeners<P, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The subject of an error of accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The waiting connection: Linux passes its network errors as errors of accept
    /// (`accept(2)`).
    Connection,
    /// The system: EMFILE, ENFILE, ENOBUFS, ENOMEM, and unknown errors, so that none makes the
    /// loop spin.
    System,
}

fn fault(error: &io::Error) -> Fault {
    const EPROTO: i32 = 71; // Linux; no kind of its own
    match error.kind() {
        ErrorKind::WouldBlock => Fault::Nothing,
        ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::Interrupted
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::PermissionDenied => Fault::Connection,
        _ if cfg!(target_os = "linux") && error.raw_os_error() == Some(EPROTO) => Fault::Connection,
        _ => Fault::System,
    }
}

#[cfg(test)]
mod tests;
