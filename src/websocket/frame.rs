//! Frame heads (RFC 6455 §5.2).
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  +-+-+-+-+-------+-+-------------+-------------------------------+
//!  |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//!  |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//!  |N|V|V|V|       |S|             |   (if payload len==126/127)   |
//!  | |1|2|3|       |K|             |                               |
//!  +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//!  |     Extended payload length continued, if payload len == 127  |
//!  + - - - - - - - - - - - - - - - +-------------------------------+
//!  |                               |Masking-key, if MASK set to 1  |
//!  +-------------------------------+-------------------------------+
//!  | Masking-key (continued)       |          Payload Data         |
//!  +-------------------------------- - - - - - - - - - - - - - - - +
//! ```
//! A head has 2 to 14 bytes; the shortest form of the length is the only one.

use core::ops::Range;

use super::{Kind, ProtocolError, extension::Reserved};
use crate::wire::{Role, Sink};

/// The longest head: 2 bytes, a 64-bit length and a mask.
pub const MAX_HEAD: usize = 14;

/// The longest payload of a control frame (RFC 6455 §5.5).
pub const MAX_CONTROL: usize = 125;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the open message.
    Continuation = 0,
    /// The start of a text message.
    Text = 1,
    /// The start of a binary message.
    Binary = 2,
    /// The end of the connection.
    Close = 8,
    /// A question that must be answered by a Pong.
    Ping = 9,
    /// The answer to a Ping, or a sign of life.
    Pong = 10,
}

impl Opcode {
    /// The opcode with this number, 0 to 15; `None` if none has it.
    #[inline]
    pub const fn new(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether this is Close, Ping or Pong.
    #[inline]
    pub const fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

impl From<Kind> for Opcode {
    #[inline]
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Binary => Self::Binary,
        }
    }
}

/// A frame head.
///
/// ```
/// use barewire::websocket::extension::Reserved;
/// use barewire::websocket::frame::{Decoded, Head, Opcode};
/// use barewire::wire::Role;
///
/// let decoded = Head::decode(&[0x81, 0x05, b'H'], Role::Server, Reserved::NONE);
/// let Ok(Decoded::Head { head, size }) = decoded else { panic!() };
/// assert_eq!((head.opcode, head.fin, head.length, size), (Opcode::Text, true, 5, 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whether the frame is the last one of its message.
    pub fin: bool,
    /// Reserved bits that extensions have set.
    pub reserved: Reserved,
    /// The kind of the frame.
    pub opcode: Opcode,
    /// The mask that the payload is under, on frames from a client.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload, below 2⁶³.
    pub length: u64,
}

/// The front of an input, read as a frame head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// All of it, in `size` bytes.
    Head {
        /// The head.
        head: Head,
        /// Its bytes, 2 to 14.
        size: usize,
    },
    /// A part; at least this many bytes are missing.
    Need(usize),
}

impl Head {
    /// Decodes the head at the front of `input`, as sent by the side `sender`.
    /// Reserved bits outside `claimed` are refused. A fault is reported as
    /// soon as its byte is there.
    ///
    /// # Errors
    /// Any of the faults of RFC 6455 §5.1, §5.2 and §5.5 that one head can
    /// show on its own.
    pub fn decode(input: &[u8], sender: Role, claimed: Reserved) -> Result<Decoded, ProtocolError> {
        let Some((&first, rest)) = input.split_first() else {
            return Ok(Decoded::Need(2));
        };
        let fin = first & 0x80 != 0;
        let reserved = Reserved::from_first_byte(first);
        if !claimed.covers(reserved) {
            return Err(ProtocolError::ReservedBits);
        }
        let opcode = Opcode::new(first & 0x0f).ok_or(ProtocolError::UnknownOpcode)?;
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControl);
        }
        let Some((&second, rest)) = rest.split_first() else {
            return Ok(Decoded::Need(1));
        };
        let masked = second & 0x80 != 0;
        match sender {
            Role::Client if !masked => return Err(ProtocolError::Unmasked),
            Role::Server if masked => return Err(ProtocolError::Masked),
            Role::Client | Role::Server => {}
        }
        let short = second & 0x7f;
        if opcode.is_control() && short as usize > MAX_CONTROL {
            return Err(ProtocolError::ControlTooLong);
        }
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(extended) else {
            return Ok(Decoded::Need(extended - rest.len()));
        };
        let length = match extended {
            0 => short as u64,
            _ => length.iter().fold(0, |sum, &b| sum << 8 | b as u64),
        };
        if length > i64::MAX as u64 {
            return Err(ProtocolError::LengthHighBit);
        }
        if (extended == 2 && length < 126) || (extended == 8 && length < 0x1_0000) {
            return Err(ProtocolError::NonMinimalLength);
        }
        let mut size = 2 + extended;
        let mut mask = None;
        if masked {
            let Some(key) = rest.first_chunk() else {
                return Ok(Decoded::Need(4 - rest.len())); // shorter than four
            };
            mask = Some(*key);
            size += 4;
        }
        let head = Self {
            fin,
            reserved,
            opcode,
            mask,
            length,
        };
        Ok(Decoded::Head { head, size })
    }

    /// The usual case of [`decode`](Self::decode): a complete frame that is a whole message.
    /// Its kind, payload place and mask; `None` for anything else.
    #[inline(always)]
    pub(super) fn decode_message(
        input: &[u8],
        sender: Role,
    ) -> Option<(Kind, Range<usize>, [u8; 4])> {
        let &[first, second, ..] = input else {
            return None;
        };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        let is_masked = sender == Role::Client;
        if (second & 0x80 != 0) != is_masked {
            return None;
        }
        let (length, size) = match second & 0x7f {
            short @ ..126 => (short.into(), 2),
            126 => match u16::from_be_bytes(*input.get(2..)?.first_chunk()?) {
                ..126 => return None,
                length => (length.into(), 4),
            },
            _ => match u64::from_be_bytes(*input.get(2..)?.first_chunk()?) {
                ..0x1_0000 => return None,
                length => (usize::try_from(length).ok()?, 10),
            },
        };
        let (from, mask) = match is_masked {
            true => (size + 4, *input.get(size..)?.first_chunk()?),
            false => (size, [0; 4]),
        };
        let to = from.checked_add(length)?;
        (to <= input.len()).then_some((kind, from..to, mask))
    }

    /// The head of a short unmasked frame; `None` if longer.
    #[inline]
    pub(super) fn encode_short(&self) -> Option<[u8; 2]> {
        match (self.mask, u8::try_from(self.length)) {
            (None, Ok(length @ 0..126)) => Some([self.first_byte(), length]),
            _ => None,
        }
    }

    /// The head of an unmasked frame with a two-byte length; `None` for others.
    #[inline]
    pub(super) fn encode_medium(&self) -> Option<[u8; 4]> {
        match (self.mask, u16::try_from(self.length)) {
            (None, Ok(length @ 126..)) => {
                let [high, low] = length.to_be_bytes();
                Some([self.first_byte(), 126, high, low])
            }
            _ => None,
        }
    }

    #[inline]
    const fn first_byte(&self) -> u8 {
        (self.fin as u8) << 7 | self.reserved.bits() | self.opcode as u8
    }

    /// The wire form, with the length in its shortest form.
    #[inline]
    pub fn encode(&self) -> Encoded {
        let mut bytes = [0; MAX_HEAD];
        let masked = (self.mask.is_some() as u8) << 7;
        let (short, extended) = match self.length {
            0..126 => (self.length as u8, 0),
            126..0x1_0000 => (126, 2),
            _ => (127, 8),
        };
        bytes[0] = self.first_byte();
        bytes[1] = masked | short;
        // The last bytes of the length come first; what is after them does not
        // count.
        let length = self.length.rotate_right(8 * extended);
        bytes[2..10].copy_from_slice(&length.to_be_bytes());
        let mut size = 2 + extended as usize;
        if let Some(mask) = self.mask {
            // `size` is 2, 4 or 10: four more bytes end within the array.
            if let Some(place) = bytes.get_mut(size..size + 4) {
                place.copy_from_slice(&mask);
            }
            size += 4;
        }
        Encoded {
            bytes,
            size: size as u8,
        }
    }
}

/// A frame head in its wire form.
#[derive(Debug, Clone, Copy)]
pub struct Encoded {
    bytes: [u8; MAX_HEAD],
    size: u8, // 2 to MAX_HEAD
}

impl Encoded {
    /// 2 to 14 bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.size as usize]
    }

    /// Appends it; the room is there.
    #[inline]
    pub(super) fn put(&self, out: &mut impl Sink) {
        out.put_front(&self.bytes, self.size.into());
    }
}

/// Appends one whole message as a server sends it: a single frame without a
/// mask. Broadcasting encodes once and shares the bytes.
///
/// ```
/// use barewire::websocket::{Kind, encode_message};
///
/// let mut out = Vec::new();
/// encode_message(Kind::Text, b"Hello", &mut out);
/// assert_eq!(out, b"\x81\x05Hello");
/// ```
#[inline]
pub fn encode_message(kind: Kind, payload: &[u8], out: &mut impl Sink) {
    message_head(kind, payload.len()).encode().put(out);
    out.put(payload);
}

#[inline]
pub(super) const fn message_head(kind: Kind, length: usize) -> Head {
    Head {
        fin: true,
        reserved: Reserved::NONE,
        opcode: match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        },
        mask: None,
        length: length as u64,
    }
}

#[cfg(test)]
mod tests;
