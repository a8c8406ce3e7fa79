//! Errors by whose fault they are, and the close code that the peer is told.

use super::CloseCode;

/// A breach of the protocol or of a limit by the peer. The connection has
/// failed: nothing more is read or sent (RFC 6455 §7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no extension owns.
    #[error("reserved bit without an extension (RFC 6455 §5.2)")]
    ReservedBits,
    /// An opcode from 3 to 7 or 11 to 15.
    #[error("unknown opcode (RFC 6455 §5.2)")]
    UnknownOpcode,
    /// A control frame without FIN.
    #[error("fragmented control frame (RFC 6455 §5.5)")]
    FragmentedControl,
    /// A control frame of more than 125 bytes.
    #[error("control frame of more than 125 bytes (RFC 6455 §5.5)")]
    ControlTooLong,
    /// A length that is not in its shortest form.
    #[error("payload length not in its shortest form (RFC 6455 §5.2)")]
    NonMinimalLength,
    /// A 64-bit length with its highest bit set.
    #[error("payload length with its highest bit set (RFC 6455 §5.2)")]
    LengthHighBit,
    /// A client's frame without a mask.
    #[error("unmasked frame from a client (RFC 6455 §5.1)")]
    Unmasked,
    /// A server's frame with a mask.
    #[error("masked frame from a server (RFC 6455 §5.1)")]
    Masked,
    /// A continuation frame while no message is open.
    #[error("continuation of no message (RFC 6455 §5.4)")]
    UnexpectedContinuation,
    /// A new message while another one is open.
    #[error("a message inside a message (RFC 6455 §5.4)")]
    InterleavedMessage,
    /// A Close frame with a payload of one byte.
    #[error("close frame with half a code (RFC 6455 §5.5.1)")]
    CloseLength,
    /// A Close frame with a code that no frame may carry.
    #[error("close code that may not be sent (RFC 6455 §7.4)")]
    CloseCode,
    /// A Close frame whose reason is not UTF-8.
    #[error("close reason is not UTF-8 (RFC 6455 §5.5.1)")]
    CloseReason,
    /// A text message that is not UTF-8.
    #[error("text is not UTF-8 (RFC 6455 §8.1)")]
    InvalidText,
    /// Compressed data that cannot be inflated: a code or a length that DEFLATE does not
    /// allow, a distance in front of the window, or a message that ends inside a block.
    #[error("compressed message is invalid (RFC 7692 §7.2.2)")]
    InvalidCompression,
    /// A frame longer than [`Limits::frame`](super::Limits::frame).
    #[error("frame longer than the limit (RFC 6455 §10.4)")]
    FrameTooBig,
    /// A message longer than [`Limits::message`](super::Limits::message).
    #[error("message longer than the limit (RFC 6455 §10.4)")]
    MessageTooBig,
    /// A compressed message that inflates to more than
    /// [`Limits::inflate_ratio`](super::Limits::inflate_ratio) times its size.
    #[error("message inflates beyond the limit (RFC 7692 §8)")]
    InflateRatio,
    /// A compressed message with more final blocks than
    /// [`Limits::final_blocks`](super::Limits::final_blocks).
    #[error("compressed message with too many final blocks (RFC 7692 §7.2.3.4)")]
    TooManyFinalBlocks,
    /// A compressed message, and nothing was lent to inflate it with: a fault of this side.
    #[error("nothing to inflate a message with")]
    NoInflater,
    /// More fragments than [`Limits::fragments`](super::Limits::fragments).
    #[error("message in too many fragments (RFC 6455 §10.4)")]
    TooManyFragments,
    /// More pings, and pongs that no ping of ours asked for, than
    /// [`Limits::control_rate`](super::Limits::control_rate).
    #[error("flood of pings or pongs (RFC 6455 §7.4.1, 1008)")]
    ControlFlood,
    /// A message open for longer than
    /// [`Limits::message_timeout`](super::Limits::message_timeout).
    #[error("message not finished in time (RFC 6455 §7.4.1, 1008)")]
    MessageTimeout,
    /// Nothing heard within [`Limits::pong_timeout`](super::Limits::pong_timeout)
    /// of a ping.
    #[error("no answer to a ping in time (RFC 6455 §5.5.2)")]
    PongTimeout,
    /// No Close frame within
    /// [`Limits::close_timeout`](super::Limits::close_timeout) of ours, or no
    /// end of the transport after both.
    #[error("close not finished in time (RFC 6455 §7.1.1)")]
    CloseTimeout,
    /// The transport ended before both Close frames had passed.
    #[error("connection ended without a close frame (RFC 6455 §7.1.5)")]
    UnexpectedEof,
}

impl ProtocolError {
    /// The code that the peer is told, or, where nothing can be told any more,
    /// [`CloseCode::ABNORMAL`] (RFC 6455 §7.4.1).
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::UnknownOpcode
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::NonMinimalLength
            | Self::LengthHighBit
            | Self::Unmasked
            | Self::Masked
            | Self::UnexpectedContinuation
            | Self::InterleavedMessage
            | Self::CloseLength
            | Self::CloseCode => CloseCode::PROTOCOL_ERROR,
            Self::CloseReason | Self::InvalidText | Self::InvalidCompression => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::FrameTooBig | Self::MessageTooBig | Self::InflateRatio => {
                CloseCode::MESSAGE_TOO_BIG
            }
            Self::TooManyFragments
            | Self::TooManyFinalBlocks
            | Self::ControlFlood
            | Self::MessageTimeout => CloseCode::POLICY_VIOLATION,
            Self::PongTimeout | Self::NoInflater => CloseCode::INTERNAL_ERROR,
            Self::CloseTimeout | Self::UnexpectedEof => CloseCode::ABNORMAL,
        }
    }

    /// The reason that goes with the code: a few words of ASCII.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bit set",
            Self::UnknownOpcode => "unknown opcode",
            Self::FragmentedControl => "fragmented control frame",
            Self::ControlTooLong => "control frame too long",
            Self::NonMinimalLength => "length not in shortest form",
            Self::LengthHighBit => "length out of range",
            Self::Unmasked => "frame not masked",
            Self::Masked => "frame masked",
            Self::UnexpectedContinuation => "unexpected continuation",
            Self::InterleavedMessage => "continuation expected",
            Self::CloseLength => "half a close code",
            Self::CloseCode => "invalid close code",
            Self::CloseReason => "close reason is not UTF-8",
            Self::InvalidText => "text is not UTF-8",
            Self::InvalidCompression => "invalid compressed data",
            Self::InflateRatio => "message inflates too far",
            Self::TooManyFinalBlocks => "too many final blocks",
            Self::NoInflater => "cannot inflate",
            Self::FrameTooBig => "frame too big",
            Self::MessageTooBig => "message too big",
            Self::TooManyFragments => "too many fragments",
            Self::ControlFlood => "too many pings",
            Self::MessageTimeout => "message timeout",
            Self::PongTimeout => "ping timeout",
            Self::CloseTimeout => "close timeout",
            Self::UnexpectedEof => "no close frame",
        }
    }
}

/// A call that our own side must not make. It has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The output has too little room for the frame.
    #[error("output has too little room for the frame")]
    NoRoom,
    /// A Close frame has been sent, or the connection has failed.
    #[error("connection is closing or closed (RFC 6455 §5.5.1)")]
    Closed,
    /// A control payload of more than 125 bytes, or a reason of more than 123.
    #[error("control frame of more than 125 bytes (RFC 6455 §5.5)")]
    ControlTooLong,
    /// A code that may not stand on the wire, or a reason without a code.
    #[error("close code that may not be sent (RFC 6455 §7.4)")]
    InvalidCloseCode,
    /// A whole message, or a chunk of the other kind, while a message sent in
    /// chunks is open.
    #[error("the message in chunks is not finished (RFC 6455 §5.4)")]
    MessageOpen,
    /// A subprotocol that the client did not offer.
    #[error("subprotocol that was not offered (RFC 6455 §4.2.2)")]
    ProtocolNotOffered,
    /// An answer over HTTP/1.1 to an extended CONNECT.
    #[error("an extended CONNECT is not answered over HTTP/1.1 (RFC 8441 §5)")]
    ExtendedConnect,
}
