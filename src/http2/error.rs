//! Errors by whose fault they are, and the code that the peer is told.

use core::fmt;

use crate::hpack;
use crate::http::InvalidField;

/// A code of RST_STREAM and GOAWAY (RFC 9113 §7).
///
/// Unknown codes are legal and behave as
/// [`INTERNAL_ERROR`](Self::INTERNAL_ERROR).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(u32);

macro_rules! codes {
    ($($code:literal $name:ident $doc:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!($doc, " (RFC 9113 §7).")]
            pub const $name: Self = Self($code);)*

            /// The registered name, or an empty text.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($code => stringify!($name),)*
                    _ => "",
                }
            }
        }
    };
}

codes! {
    0 NO_ERROR "Nothing is wrong";
    1 PROTOCOL_ERROR "A breach of the protocol that no other code names";
    2 INTERNAL_ERROR "The sender failed";
    3 FLOW_CONTROL_ERROR "More was sent than the window allowed";
    4 SETTINGS_TIMEOUT "Settings were not acknowledged in time";
    5 STREAM_CLOSED "A frame for a stream that was closed";
    6 FRAME_SIZE_ERROR "A frame of an impossible size";
    7 REFUSED_STREAM "The request was not looked at and may be sent again";
    8 CANCEL "The stream is no longer wanted";
    9 COMPRESSION_ERROR "The HPACK tables are out of step";
    10 CONNECT_ERROR "The connection behind a CONNECT was lost";
    11 ENHANCE_YOUR_CALM "The peer costs too much";
    12 INADEQUATE_SECURITY "The transport is not safe enough";
    13 HTTP_1_1_REQUIRED "HTTP/1.1 is to be used instead";
}

impl ErrorCode {
    /// The code with this number.
    #[inline]
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// The code as a number.
    #[inline]
    pub const fn code(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "" => write!(f, "{:#x}", self.0),
            name => f.write_str(name),
        }
    }
}

/// A breach of the protocol or of a limit by the peer that ends the connection
/// (RFC 9113 §5.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The connection does not begin with the client's preface.
    #[error("not the connection preface (RFC 9113 §3.4)")]
    Preface,
    /// The first frame is not SETTINGS.
    #[error("first frame is not SETTINGS (RFC 9113 §3.4)")]
    FirstFrame,
    /// The server answers in HTTP/1: it does not know HTTP/2, or not without TLS.
    #[error("the answer is in HTTP/1 (RFC 9113 §3.4)")]
    Http1,
    /// The server answers with an alert of TLS (RFC 8446 §6), which is shorter
    /// than the head of a frame.
    #[error("the answer is in TLS (RFC 8446 §6)")]
    Tls,
    /// A frame longer than SETTINGS_MAX_FRAME_SIZE.
    #[error("frame longer than allowed (RFC 9113 §4.2)")]
    FrameTooLarge,
    /// A frame whose type does not have this length.
    #[error("frame of a wrong length (RFC 9113 §4.2)")]
    FrameSize,
    /// A frame for a stream that belongs to the connection, or the reverse.
    #[error("frame on the wrong kind of stream (RFC 9113 §5.1.1)")]
    StreamId,
    /// A stream that the peer may not open: an even number, or one below
    /// another that is open already.
    #[error("stream number out of order (RFC 9113 §5.1.1)")]
    StreamOrder,
    /// A frame other than HEADERS or PRIORITY for a stream that is not open
    /// yet.
    #[error("frame on an idle stream (RFC 9113 §5.1)")]
    IdleStream,
    /// A frame for a stream that the peer has ended itself.
    #[error("frame on a closed stream (RFC 9113 §5.1)")]
    ClosedStream,
    /// A frame between the frames of a header block.
    #[error("header block is interrupted (RFC 9113 §4.3)")]
    BlockInterrupted,
    /// CONTINUATION outside a header block.
    #[error("continuation of no header block (RFC 9113 §6.10)")]
    UnexpectedContinuation,
    /// More padding than payload.
    #[error("padding longer than the frame (RFC 9113 §6.1)")]
    Padding,
    /// A stream that depends on itself.
    #[error("stream depends on itself (RFC 7540 §5.3.1)")]
    SelfDependency,
    /// PUSH_PROMISE, which we never allow.
    #[error("push that was not allowed (RFC 9113 §8.4)")]
    Push,
    /// A setting outside its range.
    #[error("setting out of range (RFC 9113 §6.5.2)")]
    Setting,
    /// SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1, or so large that it pushes a
    /// window above.
    #[error("initial window out of range (RFC 9113 §6.5.2)")]
    SettingWindow,
    /// WINDOW_UPDATE of 0 for the connection.
    #[error("window update of zero (RFC 9113 §6.9)")]
    WindowIncrement,
    /// The connection's window is pushed above 2^31-1.
    #[error("window above 2^31-1 (RFC 9113 §6.9.1)")]
    WindowOverflow,
    /// More data than the connection's window allows.
    #[error("more data than the window allows (RFC 9113 §6.9.1)")]
    FlowControl,
    /// A header block that HPACK cannot decode.
    #[error(transparent)]
    Compression(hpack::ProtocolError),
    /// More frames in a header block than
    /// [`Limits::continuations`](super::Limits::continuations).
    #[error("header block in too many frames (RFC 9113 §10.5.1)")]
    ContinuationFlood,
    /// A single field so long that it cannot even be skipped.
    #[error("header field too large to skip (RFC 9113 §10.5.1)")]
    FieldTooLarge,
    /// More entries in SETTINGS than
    /// [`Limits::settings_entries`](super::Limits::settings_entries).
    #[error("too many settings in a frame (RFC 9113 §10.5)")]
    SettingsTooLong,
    /// More SETTINGS than [`Limits::settings_rate`](super::Limits::settings_rate).
    #[error("flood of settings (RFC 9113 §10.5)")]
    SettingsFlood,
    /// More PINGs than [`Limits::ping_rate`](super::Limits::ping_rate),
    /// [`Limits::idle_ping_rate`](super::Limits::idle_ping_rate) or
    /// [`Limits::keep_alive_strikes`](super::Limits::keep_alive_strikes).
    #[error("flood of pings (RFC 9113 §10.5)")]
    PingFlood,
    /// More empty DATA than
    /// [`Limits::empty_data_rate`](super::Limits::empty_data_rate).
    #[error("flood of empty data frames (RFC 9113 §10.5)")]
    EmptyDataFlood,
    /// More streams cancelled than
    /// [`Limits::reset_rate`](super::Limits::reset_rate).
    #[error("flood of resets (RFC 9113 §10.5)")]
    ResetFlood,
    /// More streams with errors than
    /// [`Limits::error_rate`](super::Limits::error_rate).
    #[error("flood of stream errors (RFC 9113 §10.5)")]
    ErrorFlood,
    /// More streams refused than
    /// [`Limits::refusal_rate`](super::Limits::refusal_rate).
    #[error("flood of refused streams (RFC 9113 §10.5)")]
    RefusalFlood,
    /// No preface within
    /// [`Limits::header_timeout`](super::Limits::header_timeout).
    #[error("no preface in time (RFC 9113 §3.4)")]
    PrefaceTimeout,
    /// A header block or a control frame took longer than
    /// [`Limits::header_timeout`](super::Limits::header_timeout).
    #[error("frame not finished in time (RFC 9113 §10.5)")]
    HeaderTimeout,
    /// Our settings were not acknowledged within
    /// [`Limits::settings_timeout`](super::Limits::settings_timeout).
    #[error("settings not acknowledged in time (RFC 9113 §6.5.3)")]
    SettingsTimeout,
    /// Nothing heard within [`Limits::ping_timeout`](super::Limits::ping_timeout)
    /// of a ping.
    #[error("no answer to a ping in time (RFC 9113 §6.7)")]
    PingTimeout,
    /// The connection had streams open for longer than
    /// [`Limits::connection_grace`](super::Limits::connection_grace).
    #[error("not finished when the connection was too old (RFC 9113 §6.8)")]
    TooOld,
    /// The transport ended inside a frame or a message.
    #[error("connection ended inside a message (RFC 9113 §5.4.1)")]
    Incomplete,
}

impl From<hpack::ProtocolError> for ProtocolError {
    fn from(violation: hpack::ProtocolError) -> Self {
        Self::Compression(violation)
    }
}

impl ProtocolError {
    /// The code that GOAWAY carries.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Preface
            | Self::FirstFrame
            | Self::Http1
            | Self::Tls
            | Self::StreamId
            | Self::StreamOrder
            | Self::IdleStream
            | Self::BlockInterrupted
            | Self::UnexpectedContinuation
            | Self::Padding
            | Self::SelfDependency
            | Self::Push
            | Self::Setting
            | Self::WindowIncrement
            | Self::Incomplete => ErrorCode::PROTOCOL_ERROR,
            Self::ClosedStream => ErrorCode::STREAM_CLOSED,
            Self::FrameTooLarge | Self::FrameSize => ErrorCode::FRAME_SIZE_ERROR,
            Self::SettingWindow | Self::WindowOverflow | Self::FlowControl => {
                ErrorCode::FLOW_CONTROL_ERROR
            }
            Self::Compression(_) => ErrorCode::COMPRESSION_ERROR,
            Self::ContinuationFlood
            | Self::FieldTooLarge
            | Self::SettingsTooLong
            | Self::SettingsFlood
            | Self::PingFlood
            | Self::EmptyDataFlood
            | Self::ResetFlood
            | Self::ErrorFlood
            | Self::RefusalFlood
            | Self::HeaderTimeout => ErrorCode::ENHANCE_YOUR_CALM,
            Self::SettingsTimeout => ErrorCode::SETTINGS_TIMEOUT,
            Self::PrefaceTimeout | Self::PingTimeout | Self::TooOld => ErrorCode::NO_ERROR,
        }
    }

    /// The debug text that goes with the code: a few words of ASCII, at most
    /// 32 octets. For a limit it is the limit's name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Preface => "preface",
            Self::FirstFrame | Self::Http1 | Self::Tls => "settings_expected",
            Self::FrameTooLarge => "frame_too_large",
            Self::FrameSize => "frame_size",
            Self::StreamId => "wrong_stream",
            Self::StreamOrder => "stream_order",
            Self::IdleStream => "idle_stream",
            Self::ClosedStream => "closed_stream",
            Self::BlockInterrupted => "continuation_expected",
            Self::UnexpectedContinuation => "unexpected_continuation",
            Self::Padding => "padding",
            Self::SelfDependency => "self_dependency",
            Self::Push => "push_disabled",
            Self::Setting => "setting",
            Self::SettingWindow => "initial_window",
            Self::WindowIncrement => "window_increment",
            Self::WindowOverflow => "window_overflow",
            Self::FlowControl => "flow_control",
            Self::Compression(_) => "compression",
            Self::ContinuationFlood => "too_many_continuations",
            Self::FieldTooLarge => "header_field_too_large",
            Self::SettingsTooLong => "too_many_settings_entries",
            Self::SettingsFlood => "too_many_settings",
            Self::PingFlood => "too_many_pings",
            Self::EmptyDataFlood => "too_many_empty_data_frames",
            Self::ResetFlood => "too_many_resets",
            Self::ErrorFlood => "too_many_stream_errors",
            Self::RefusalFlood => "too_many_refused_streams",
            Self::PrefaceTimeout => "preface_timeout",
            Self::HeaderTimeout => "header_timeout",
            Self::SettingsTimeout => "settings_timeout",
            Self::PingTimeout => "ping_timeout",
            Self::TooOld => "connection_grace",
            Self::Incomplete => "incomplete",
        }
    }
}

/// A breach of the protocol or of a limit by the peer that ends one stream, while the
/// connection stays open (RFC 9113 §5.4.2). We have sent RST_STREAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// More fields in a list than [`Limits::fields`](super::Limits::fields).
    #[error("more fields than allowed (RFC 9113 §10.5.1)")]
    TooManyFields,
    /// A list of fields larger than [`Limits::header_list`](super::Limits::header_list).
    #[error("list of fields larger than allowed (RFC 9113 §10.5.1)")]
    ListTooLarge,
    /// A message that is not well formed: its pseudo-header fields, its length, or
    /// frames of it out of order.
    #[error("malformed message (RFC 9113 §8.1.1)")]
    Malformed,
    /// A stream that depends on itself.
    #[error("stream depends on itself (RFC 7540 §5.3.1)")]
    SelfDependency,
    /// A frame after the end of the peer's message.
    #[error("frame on a closed stream (RFC 9113 §5.1)")]
    ClosedStream,
    /// More data than the stream's window allows.
    #[error("more data than the window allows (RFC 9113 §6.9.1)")]
    FlowControl,
    /// WINDOW_UPDATE of 0 for the stream.
    #[error("window update of zero (RFC 9113 §6.9)")]
    WindowIncrement,
    /// The stream's window is pushed above 2^31-1.
    #[error("window above 2^31-1 (RFC 9113 §6.9.1)")]
    WindowOverflow,
    /// No progress for [`Limits::stall_timeout`](super::Limits::stall_timeout).
    #[error("no progress in time (RFC 9113 §10.5)")]
    Stalled,
}

impl StreamError {
    /// The code that RST_STREAM carries.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::TooManyFields | Self::ListTooLarge => ErrorCode::ENHANCE_YOUR_CALM,
            Self::Malformed | Self::SelfDependency | Self::WindowIncrement => {
                ErrorCode::PROTOCOL_ERROR
            }
            Self::ClosedStream => ErrorCode::STREAM_CLOSED,
            Self::FlowControl | Self::WindowOverflow => ErrorCode::FLOW_CONTROL_ERROR,
            Self::Stalled => ErrorCode::CANCEL,
        }
    }
}

/// A mistake of our own side. The call that answers it has changed nothing and written
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The output has too little room.
    #[error("too little room in the output")]
    NoRoom,
    /// The connection has failed, is done, or has not been opened.
    #[error("connection is not open (RFC 9113 §3.4)")]
    NotOpen,
    /// A new stream on a connection that is going away.
    #[error("connection is going away (RFC 9113 §6.8)")]
    GoingAway,
    /// A stream more than the peer allows, or no numbers are left.
    #[error("no further stream is allowed (RFC 9113 §5.1.2)")]
    TooManyStreams,
    /// A stream that is closed or never was: the peer may have reset it.
    #[error("no such stream (RFC 9113 §5.1)")]
    NoStream,
    /// The call does not fit the state of the stream: the head is out already,
    /// or not yet, or the other role would send this.
    #[error("not at this point of the exchange (RFC 9113 §8.1)")]
    State,
    /// A status that this call cannot send: 1xx as a final response, a final
    /// one as informational, 101 at all.
    #[error("status cannot be sent by this call (RFC 9113 §8.6)")]
    Status,
    /// A request without the parts that its method needs, such as an
    /// authority for CONNECT.
    #[error("request lacks what its pseudo-header fields need (RFC 9113 §8.3.1)")]
    Request,
    /// An extended CONNECT that the peer has not allowed.
    #[error("extended CONNECT is not allowed (RFC 8441 §3)")]
    NoExtendedConnect,
    /// A field that cannot stand on the wire.
    #[error("invalid field: {0}")]
    InvalidField(InvalidField),
    /// A field that the machine itself is in charge of, or that HTTP/2 does not
    /// have: Content-Length, Connection, Keep-Alive, Proxy-Connection,
    /// Transfer-Encoding, Upgrade, TE other than trailers.
    #[error("field belongs to the machine (RFC 9113 §8.2.2)")]
    ForbiddenField,
    /// A list of fields larger than the peer takes.
    #[error("field list larger than the peer takes (RFC 9113 §6.5.2)")]
    ListTooLarge,
    /// More content than was announced.
    #[error("content longer than announced (RFC 9113 §8.1.1)")]
    BodyTooLong,
    /// Less content than was announced: such a stream can only be reset.
    #[error("content shorter than announced (RFC 9113 §8.1.1)")]
    BodyTooShort,
}

impl From<InvalidField> for UsageError {
    fn from(error: InvalidField) -> Self {
        Self::InvalidField(error)
    }
}
