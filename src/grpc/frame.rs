//! Frames: the five-byte prefix and what follows it.

use core::ops::Range;

use super::{Limits, ProtocolError, UsageError};
use crate::wire::{Received, Sink};

/// Bytes of a prefix.
pub const PREFIX: usize = 5;

/// The flag bit of a message that is compressed.
const COMPRESSED: u8 = 0x01;
/// The flag bit of trailers in a gRPC-Web body.
const TRAILERS: u8 = 0x80;
/// The flag bit of the last envelope of a Connect stream.
const END_STREAM: u8 = 0x02;

/// Whether the head of the stream announced a compression (`grpc-encoding`
/// other than `identity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// It did not: a compressed message is the peer's fault.
    #[default]
    Absent,
    /// It did: each message says by its flag whether it is compressed.
    Announced,
}

/// A message, borrowed from the caller's buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'b> {
    /// Whether `bytes` are compressed with the announced encoding.
    pub compressed: bool,
    /// The message as it was sent.
    pub bytes: &'b mut [u8],
}

/// A part of a body: a message or trailers.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'b> {
    /// A message.
    Message(Message<'b>),
    /// The trailers of a gRPC-Web body, the last frame of it: lines that
    /// [`web::fields`](super::web::fields) reads.
    Trailers(&'b mut [u8]),
}

/// The prefix of a message of `len` bytes.
///
/// ```
/// use barewire::grpc::frame::encode_prefix;
///
/// assert_eq!(encode_prefix(258, false), Ok([0, 0, 0, 1, 2]));
/// ```
///
/// # Errors
/// [`UsageError::MessageTooLong`] beyond 2^32-1 bytes.
pub const fn encode_prefix(len: usize, compressed: bool) -> Result<[u8; PREFIX], UsageError> {
    prefix(if compressed { COMPRESSED } else { 0 }, len)
}

/// Appends `message` after its prefix, not compressed.
///
/// # Errors
/// [`UsageError`] if it is longer than 2^32-1 bytes or the output has too little
/// room; nothing is written then.
pub fn encode_message(message: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
    let prefix = encode_prefix(message.len(), false)?;
    if out.room().saturating_sub(PREFIX) < message.len() {
        return Err(UsageError::NoRoom);
    }
    out.put(&prefix);
    out.put(message);
    Ok(())
}

/// The prefix of the last envelope of a Connect stream, of `len` bytes.
pub(super) const fn encode_end_prefix(len: usize) -> Result<[u8; PREFIX], UsageError> {
    prefix(END_STREAM, len)
}

/// The prefix of gRPC-Web trailers of `len` bytes.
pub(super) const fn encode_trailers_prefix(len: usize) -> Result<[u8; PREFIX], UsageError> {
    prefix(TRAILERS, len)
}

const fn prefix(flag: u8, len: usize) -> Result<[u8; PREFIX], UsageError> {
    if len > u32::MAX as usize {
        return Err(UsageError::MessageTooLong);
    }
    let [a, b, c, d] = (len as u32).to_be_bytes();
    Ok([flag, a, b, c, d])
}

/// A decoder of one body.
///
/// A frame stays in the caller's buffer until all of it has arrived; its
/// prefix is judged as soon as the fifth byte is there.
#[derive(Debug, Clone)]
pub struct Decoder {
    compression: Compression,
    trailers: Trailers,
    last: u8,      // the flag of the last frame
    partial: bool, // part of a frame is in the caller's buffer
    failed: Option<ProtocolError>,
}

/// How a decoder treats a trailers frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trailers {
    /// An unknown flag: native gRPC.
    Unknown,
    /// Only servers send it.
    Refused,
    /// It ends the body.
    Awaited,
    /// It was received.
    Seen,
}

pub(super) struct FramePlace {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

impl FramePlace {
    /// The frame where it lies.
    pub(super) fn borrow(self, input: &mut [u8]) -> Frame<'_> {
        let bytes = input.get_mut(self.at).unwrap_or_default(); // it lies in the input
        match self.kind {
            Kind::Message { compressed } => Frame::Message(Message { compressed, bytes }),
            Kind::Trailers { .. } => Frame::Trailers(bytes),
        }
    }

    pub(super) const fn is_trailers(&self) -> bool {
        matches!(self.kind, Kind::Trailers { .. })
    }

    /// The message that it is, unless it is trailers.
    pub(super) fn message(self) -> MessagePlace {
        MessagePlace {
            compressed: matches!(self.kind, Kind::Message { compressed: true }),
            at: self.at,
        }
    }

    /// The frame's place where `n` bytes stand in front of the input.
    pub(super) fn behind(mut self, n: usize) -> Self {
        self.at = self.at.start + n..self.at.end + n;
        self
    }
}

#[derive(Debug)]
pub(crate) struct MessagePlace {
    pub(crate) at: Range<usize>,
    /// Whether it is compressed with the announced encoding.
    pub(crate) compressed: bool,
}

impl MessagePlace {
    /// The message's place where `n` bytes stand in front of the input.
    pub(crate) fn behind(mut self, n: usize) -> Self {
        self.at = self.at.start + n..self.at.end + n;
        self
    }

    pub(super) fn borrow(self, input: &mut [u8]) -> Message<'_> {
        Message {
            compressed: self.compressed,
            bytes: input.get_mut(self.at).unwrap_or_default(), // it lies in the input
        }
    }
}

/// A prefix that was judged.
struct Prefix {
    kind: Kind,
    len: usize,
}

pub(super) enum Kind {
    Message { compressed: bool },
    Trailers { compressed: bool },
}

impl Decoder {
    /// A decoder of a native body in either direction.
    pub const fn native(compression: Compression) -> Self {
        Self::new(compression, Trailers::Unknown, TRAILERS)
    }

    /// A decoder of the body of a gRPC-Web request.
    pub const fn web_request(compression: Compression) -> Self {
        Self::new(compression, Trailers::Refused, TRAILERS)
    }

    /// A decoder of the body of a gRPC-Web response.
    pub const fn web_response(compression: Compression) -> Self {
        Self::new(compression, Trailers::Awaited, TRAILERS)
    }

    /// A decoder of the envelopes of a Connect request.
    pub(super) const fn connect_request(compression: Compression) -> Self {
        Self::new(compression, Trailers::Refused, END_STREAM)
    }

    /// A decoder of the envelopes of a Connect response.
    pub(super) const fn connect_response(compression: Compression) -> Self {
        Self::new(compression, Trailers::Awaited, END_STREAM)
    }

    const fn new(compression: Compression, trailers: Trailers, last: u8) -> Self {
        Self {
            compression,
            trailers,
            last,
            partial: false,
            failed: None,
        }
    }

    /// Takes at most one frame from the front of `input`. Bytes past `used`
    /// come again in front of what arrives next.
    ///
    /// # Errors
    /// [`ProtocolError`], as soon as the prefix shows it; every later call answers
    /// the same.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        limits: &Limits,
    ) -> Result<Received<Frame<'b>>, ProtocolError> {
        let found = self.locate(input, limits)?;
        Ok(found.map(|place| place.borrow(input)))
    }

    /// Takes at most one frame, and says where in the input it lies.
    #[inline]
    pub(super) fn locate(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<Received<FramePlace>, ProtocolError> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        let prefix = self.judge(input, limits);
        let prefix = prefix.inspect_err(|&violation| self.failed = Some(violation))?;
        self.partial = !input.is_empty();
        let have = input.len();
        let Some(Prefix { kind, len }) = prefix else {
            return Ok(Received::need(0, PREFIX - have)); // have < PREFIX
        };
        let end = PREFIX + len;
        if have < end {
            return Ok(Received::need(0, end - have));
        }
        self.partial = false;
        if matches!(kind, Kind::Trailers { .. }) {
            self.trailers = Trailers::Seen;
        }
        let at = PREFIX..end;
        Ok(Received::event(end, FramePlace { kind, at }))
    }

    /// Says that the body has ended.
    ///
    /// # Errors
    /// [`ProtocolError::Truncated`] in the middle of a frame, and what was found
    /// before.
    pub const fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        if self.partial && self.failed.is_none() {
            self.failed = Some(ProtocolError::Truncated);
        }
        match self.failed {
            Some(violation) => Err(violation),
            None => Ok(()),
        }
    }

    /// Whether the trailers frame was received.
    pub const fn has_trailers(&self) -> bool {
        matches!(self.trailers, Trailers::Seen)
    }

    /// Whether no fault has been found and no frame been begun.
    pub(super) const fn is_between_frames(&self) -> bool {
        !self.partial && self.failed.is_none()
    }

    /// The fault that ended the decoder.
    pub(super) const fn failure(&self) -> Option<ProtocolError> {
        self.failed
    }

    /// Ends the decoder with a fault that was found outside of it.
    pub(super) const fn fail(&mut self, violation: ProtocolError) -> ProtocolError {
        match self.failed {
            Some(first) => first,
            None => {
                self.failed = Some(violation);
                violation
            }
        }
    }

    /// Judges what there is of a prefix: the flag by the first byte, the rest
    /// by all five. `None` while some are missing.
    #[inline]
    fn judge(&self, input: &[u8], limits: &Limits) -> Result<Option<Prefix>, ProtocolError> {
        let Some(&flag) = input.first() else {
            return Ok(None);
        };
        let kind = self.judge_flag(flag)?;
        let Some(&[_, a, b, c, d]) = input.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let too_long = match kind {
            Kind::Message { compressed: true } if len == 0 => {
                return Err(ProtocolError::EmptyCompressed);
            }
            Kind::Message { .. } if len > limits.message => ProtocolError::MessageTooLong,
            Kind::Trailers { .. } if self.last == END_STREAM => match len > limits.message {
                true => ProtocolError::MessageTooLong,
                false => return Ok(Some(Prefix { kind, len })),
            },
            Kind::Trailers { .. } if len > limits.trailers => ProtocolError::TrailersTooLong,
            Kind::Message { .. } | Kind::Trailers { .. } => return Ok(Some(Prefix { kind, len })),
        };
        Err(too_long)
    }

    #[inline]
    const fn judge_flag(&self, flag: u8) -> Result<Kind, ProtocolError> {
        if matches!(self.trailers, Trailers::Seen) {
            return Err(ProtocolError::AfterTrailers);
        }
        let compressed = flag & COMPRESSED != 0;
        let kind = match flag & !COMPRESSED {
            0 => Kind::Message { compressed },
            flag if flag == self.last => match self.trailers {
                Trailers::Awaited | Trailers::Seen => Kind::Trailers { compressed },
                Trailers::Refused => return Err(ProtocolError::UnexpectedTrailers),
                Trailers::Unknown => return Err(ProtocolError::UnknownFlag),
            },
            _ => return Err(ProtocolError::UnknownFlag),
        };
        match (&kind, self.compression) {
            (Kind::Trailers { .. }, _) if compressed && self.last == TRAILERS => {
                Err(ProtocolError::CompressedTrailers)
            }
            (_, Compression::Absent) if compressed => Err(ProtocolError::NotAnnounced),
            _ => Ok(kind),
        }
    }
}
