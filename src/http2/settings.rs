//! Settings, ours and the peer's, and their exchange (RFC 9113 §6.5).
//!
//! ```text
//!   ours:        offered ---- SETTINGS ----> acknowledged, and only now in force
//!   the peer's:  received, in force, and acknowledged in the same call
//! ```
use super::frame;
use super::frame::{HEAD, Head, Kind, MAX_31};
use super::{Limits, ProtocolError};
use crate::wire::{Instant, Role, Sink};

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;
const ENABLE_CONNECT_PROTOCOL: u16 = 8; // RFC 8441 §3

/// The window of every stream and connection for which none was announced.
pub(super) const DEFAULT_WINDOW: u32 = 65_535;
const MIN_FRAME: u32 = 16_384;
const MAX_FRAME: u32 = 0xff_ffff;

/// The longest DATA frame that is sent: short ones let streams alternate.
const DATA_FRAME: u32 = 16 << 10;

/// The settings of both sides, and how far they are exchanged.
#[derive(Debug)]
pub(super) struct Settings {
    own: Own,
    peer: Peer,
    /// The initial window of the peer's new streams: as last acknowledged, since until then it
    /// may count by the former.
    granted: u32,
    is_greeted: bool,
    offered: Option<Instant>,
}

/// The changes that the peer's settings make to existing state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The amount by which each stream's window for sending grows, or shrinks.
    pub(super) window: i64,
    pub(super) header_table: Option<u32>,
}

impl Settings {
    pub(super) fn new() -> Self {
        Self {
            own: Own::new(&Limits::DEFAULT),
            peer: Peer::INITIAL,
            granted: DEFAULT_WINDOW,
            is_greeted: false,
            offered: None,
        }
    }

    pub(super) const fn own(&self) -> &Own {
        &self.own
    }

    pub(super) const fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(super) const fn granted(&self) -> u32 {
        self.granted
    }

    pub(super) const fn is_greeted(&self) -> bool {
        self.is_greeted
    }

    pub(super) const fn offered(&self) -> Option<Instant> {
        self.offered
    }

    /// Sends ours, which are what `limits` ask for.
    pub(super) fn offer(&mut self, limits: &Limits, role: Role, now: Instant, out: &mut impl Sink) {
        self.own = Own::new(limits);
        self.own.put(role, out);
        self.offered = Some(now);
    }

    /// Takes the payload of the peer's SETTINGS, which the caller acknowledges.
    pub(super) fn receive(&mut self, payload: &[u8], role: Role) -> Result<Change, ProtocolError> {
        let peer = self.peer.after(payload, role)?;
        let is_new = peer.header_table != self.peer.header_table;
        let change = Change {
            window: i64::from(peer.window) - i64::from(self.peer.window),
            header_table: is_new.then_some(peer.header_table),
        };
        self.peer = peer;
        self.is_greeted = true;
        Ok(change)
    }

    /// Takes the peer's acknowledgement; returns the growth of its streams' windows, `None` if
    /// there was nothing to acknowledge.
    pub(super) fn acknowledged(&mut self) -> Option<i64> {
        self.offered.take()?;
        let by = i64::from(self.own.window) - i64::from(self.granted);
        self.granted = self.own.window;
        Some(by)
    }

    /// Waits for no acknowledgement any more: the peer sends nothing more.
    pub(super) const fn excuse(&mut self) {
        self.offered = None;
    }

    /// Counts the time to the acknowledgement from `now`.
    pub(super) fn restart(&mut self, now: Instant) {
        self.offered = self.offered.map(|_| now);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) header_table: u32,
    pub(super) streams: u32,
    pub(super) window: u32,
    pub(super) frame: u32,
    pub(super) header_list: u32,
    pub(super) connect_protocol: bool,
}

impl Peer {
    pub(super) const INITIAL: Self = Self {
        header_table: 4096,
        streams: u32::MAX,
        window: DEFAULT_WINDOW,
        frame: MIN_FRAME,
        header_list: u32::MAX,
        connect_protocol: false,
    };

    pub(super) fn data_frame(&self) -> usize {
        self.frame.min(DATA_FRAME) as usize
    }

    /// Octets that a block of `octets` takes with the heads of its frames.
    pub(super) fn framed(&self, octets: usize) -> usize {
        // Two size updates may come first.
        let octets = octets.saturating_add(12);
        let frames = octets / self.frame as usize + 1; // at least 16,384
        octets.saturating_add(frames * HEAD)
    }

    /// The settings after a frame with this payload, from a peer that is not
    /// `role`.
    pub(super) fn after(mut self, payload: &[u8], role: Role) -> Result<Self, ProtocolError> {
        for &[a, b, c, d, e, f] in payload.as_chunks::<6>().0 {
            let value = u32::from_be_bytes([c, d, e, f]);
            match u16::from_be_bytes([a, b]) {
                HEADER_TABLE_SIZE => self.header_table = value,
                // A server's can only be 0 (RFC 9113 §6.5.2).
                ENABLE_PUSH if value > u32::from(role == Role::Server) => {
                    return Err(ProtocolError::Setting);
                }
                MAX_CONCURRENT_STREAMS => self.streams = value,
                INITIAL_WINDOW_SIZE if value > MAX_31 => return Err(ProtocolError::SettingWindow),
                INITIAL_WINDOW_SIZE => self.window = value,
                MAX_FRAME_SIZE if !(MIN_FRAME..=MAX_FRAME).contains(&value) => {
                    return Err(ProtocolError::Setting);
                }
                MAX_FRAME_SIZE => self.frame = value,
                MAX_HEADER_LIST_SIZE => self.header_list = value,
                ENABLE_CONNECT_PROTOCOL if value > 1 => return Err(ProtocolError::Setting),
                // It cannot be taken back (RFC 8441 §3).
                ENABLE_CONNECT_PROTOCOL if self.connect_protocol && value == 0 => {
                    return Err(ProtocolError::Setting);
                }
                ENABLE_CONNECT_PROTOCOL => self.connect_protocol = value == 1,
                _ => {}
            }
        }
        Ok(self)
    }
}

/// Our own settings, as the peer was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) header_table: u32,
    pub(super) streams: u32,
    pub(super) window: u32,
    pub(super) connection_window: u32,
    pub(super) frame: u32,
    pub(super) header_list: u32,
}

impl Own {
    /// The settings for these limits, within the ranges of RFC 9113 §6.5.2.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            header_table: limits.header_table.min(crate::hpack::MAX_CAPACITY),
            streams: limits.streams,
            window: limits.stream_window.clamp(1, MAX_31),
            connection_window: limits.connection_window.clamp(DEFAULT_WINDOW, MAX_31),
            frame: limits.frame.clamp(MIN_FRAME, MAX_FRAME),
            header_list: limits.header_list,
        }
    }

    /// Appends SETTINGS with what differs from the defaults: at most 51
    /// octets.
    pub(super) fn put(&self, role: Role, out: &mut impl Sink) {
        let push = (ENABLE_PUSH, 0, role == Role::Client);
        let table = (
            HEADER_TABLE_SIZE,
            self.header_table,
            self.header_table != 4096,
        );
        let window = (
            INITIAL_WINDOW_SIZE,
            self.window,
            self.window != DEFAULT_WINDOW,
        );
        let entries = [
            table,
            push,
            (MAX_CONCURRENT_STREAMS, self.streams, role == Role::Server),
            window,
            (MAX_FRAME_SIZE, self.frame, self.frame != MIN_FRAME),
            (MAX_HEADER_LIST_SIZE, self.header_list, true),
            (ENABLE_CONNECT_PROTOCOL, 1, role == Role::Server),
        ];
        let told = || entries.iter().filter(|(_, _, told)| *told);
        out.put(&Head::new(Kind::Settings, 0, 0, told().count() * 6).encode());
        for (identifier, value, _) in told() {
            out.put(&identifier.to_be_bytes());
            out.put(&value.to_be_bytes());
        }
    }
}

pub(super) fn put_ack(out: &mut impl Sink) {
    out.put(&Head::new(Kind::Settings, frame::ACK, 0, 0).encode());
}

#[cfg(test)]
mod tests;
