//! Frame heads (RFC 9113 §4.1).
//!
//! ```text
//!   0               1               2               3
//!   | length (24)                                   | type (8)      |
//!   | flags (8)     |R| stream identifier (31)                      |
//!   | payload ...
//! ```

pub(super) const HEAD: usize = 9;

/// The largest stream identifier, and the largest window.
pub(super) const MAX_31: u32 = 0x7fff_ffff;

/// The preface that a client begins with (RFC 9113 §3.4). A server that also
/// speaks HTTP/1.1 on the port knows HTTP/2 by it.
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The type of a frame (RFC 9113 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// Ignored (RFC 9113 §5.5).
    Unknown(u8),
}

impl Kind {
    const fn new(code: u8) -> Self {
        match code {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::RstStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            other => Self::Unknown(other),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Headers => 1,
            Self::Priority => 2,
            Self::RstStream => 3,
            Self::Settings => 4,
            Self::PushPromise => 5,
            Self::Ping => 6,
            Self::GoAway => 7,
            Self::WindowUpdate => 8,
            Self::Continuation => 9,
            Self::Unknown(code) => code,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32, // below 2^24
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) stream: u32, // at most MAX_31
}

impl Head {
    pub(super) const fn new(kind: Kind, flags: u8, stream: u32, length: usize) -> Self {
        Self {
            length: length as u32,
            kind,
            flags,
            stream,
        }
    }

    /// Reads the head at the front of `input`; `None` if it is not all there.
    #[inline]
    pub(super) fn decode(input: &[u8]) -> Option<Self> {
        let &[a, b, c, kind, flags, e, f, g, h] = input.first_chunk::<HEAD>()?;
        Some(Self {
            length: u32::from_be_bytes([0, a, b, c]),
            kind: Kind::new(kind),
            flags,
            stream: u32::from_be_bytes([e, f, g, h]) & MAX_31,
        })
    }

    #[inline]
    pub(super) const fn encode(self) -> [u8; HEAD] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [e, f, g, h] = self.stream.to_be_bytes();
        [a, b, c, self.kind.code(), self.flags, e, f, g, h]
    }

    #[inline]
    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

// Flags, whose meaning depends on the type (RFC 9113 §6).
pub(super) const ACK: u8 = 0x01;
pub(super) const END_STREAM: u8 = 0x01;
pub(super) const END_HEADERS: u8 = 0x04;
pub(super) const PADDED: u8 = 0x08;
pub(super) const PRIORITY: u8 = 0x20;

#[cfg(test)]
mod tests;
