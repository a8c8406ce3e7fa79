//! The forms of gRPC on the wire, and the trailers of gRPC-Web.
//!
//! ```text
//!  application/grpc[+codec]            native: trailers of HTTP
//!  application/grpc-web[+codec]        trailers in the body:  80 len "grpc-status: 0\r\n…"
//!  application/grpc-web-text[+codec]   gRPC-Web in base64
//! ```

use super::frame::{PREFIX, encode_prefix, encode_trailers_prefix};
use super::status::for_each_encoded;
use super::text::TextEncoder;
use super::{ProtocolError, Status, UsageError, metadata};
use crate::http::{Field, Fields};
use crate::wire::{Sink, ascii};

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// gRPC over HTTP/2.
    Native,
    /// gRPC-Web, binary.
    Web,
    /// gRPC-Web, base64 text.
    WebText,
}

impl Mode {
    /// The media type without a codec.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Native => "application/grpc",
            Self::Web => "application/grpc-web",
            Self::WebText => "application/grpc-web-text",
        }
    }
}

/// The longest codec name that is understood, in bytes.
const CODEC: usize = 14;

/// A content type of gRPC: the form, and the codec of the messages.
///
/// ```
/// use barewire::grpc::{ContentType, Mode};
///
/// let parsed = ContentType::parse(b"application/grpc-web+proto; charset=utf-8").unwrap();
/// assert_eq!((parsed.mode(), parsed.codec()), (Mode::Web, "proto"));
/// assert_eq!(parsed.write(&mut [0; 40]), "application/grpc-web+proto");
/// assert_eq!(ContentType::parse(b"text/plain"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType {
    mode: Mode,
    codec: [u8; CODEC],
    len: u8, // <= CODEC
}

impl ContentType {
    /// A content type that names no codec: Protocol Buffers by default.
    pub const fn new(mode: Mode) -> Self {
        Self {
            mode,
            codec: [0; CODEC],
            len: 0,
        }
    }

    /// Names a codec, such as `proto` or `json`; `None` unless it is a token of at most
    /// 14 bytes.
    pub fn with_codec(mut self, codec: &[u8]) -> Option<Self> {
        if !ascii::is_token(codec) {
            return None;
        }
        self.codec.get_mut(..codec.len())?.copy_from_slice(codec);
        self.len = codec.len() as u8; // <= CODEC
        Some(self)
    }

    /// Reads a `Content-Type` field: any case, parameters ignored. `None` if
    /// it is not one of gRPC's, which HTTP answers by 415.
    pub fn parse(value: &[u8]) -> Option<Self> {
        if value == b"application/grpc" {
            return Some(Self::new(Mode::Native)); // as nearly every client has it
        }
        let value = ascii::trim_ows(value);
        if !value.get(12..16)?.eq_ignore_ascii_case(b"grpc") {
            return None; // as those of other requests
        }
        let end = value.iter().position(|&b| b == b';');
        let (media_type, _) = value.split_at(end.unwrap_or(value.len()));
        let media_type = ascii::trim_ows(media_type);
        let end = media_type.iter().position(|&b| b == b'+');
        let (form, codec) = media_type.split_at(end.unwrap_or(media_type.len()));
        let mode = [Mode::Native, Mode::Web, Mode::WebText]
            .into_iter()
            .find(|mode| form.eq_ignore_ascii_case(mode.media_type().as_bytes()))?;
        match codec {
            [] | [b'+'] => Some(Self::new(mode)),
            [_, codec @ ..] => Self::new(mode).with_codec(codec),
        }
    }

    /// Whether it is native gRPC, and names no codec.
    #[inline]
    pub(super) const fn is_plain_native(&self) -> bool {
        matches!(self.mode, Mode::Native) && self.len == 0
    }

    /// The form.
    #[inline]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The codec; empty where none is named.
    #[inline]
    pub fn codec(&self) -> &str {
        if self.len == 0 {
            return "";
        }
        // A token is ASCII.
        core::str::from_utf8(&self.codec[..self.len as usize]).unwrap_or_default()
    }

    /// Writes the field's value into `memory`, which holds the longest.
    pub fn write<'m>(&self, memory: &'m mut [u8; 40]) -> &'m str {
        if self.len == 0 {
            return self.mode.media_type();
        }
        let (media_type, codec) = (self.mode.media_type(), self.codec());
        let plus = if codec.is_empty() { "" } else { "+" };
        let mut end = 0;
        for part in [media_type, plus, codec] {
            // 25 + 1 + 14 bytes at most.
            memory[end..end + part.len()].copy_from_slice(part.as_bytes());
            end += part.len();
        }
        core::str::from_utf8(&memory[..end]).unwrap_or_default() // ASCII
    }

    /// The content type of the answer to a request of this one: the same,
    /// unless `Accept` names only another form of gRPC-Web.
    #[must_use]
    pub fn negotiate(self, request: Fields<'_>) -> Self {
        let mut other = None;
        for member in request.list("accept") {
            if is_refused(member) {
                continue;
            }
            match Self::parse(member).map(|accepted| accepted.mode) {
                Some(mode) if mode == self.mode => return self,
                None if member.starts_with(b"*/*") || member.starts_with(b"application/*") => {
                    return self;
                }
                Some(mode) if mode != Mode::Native => other = other.or(Some(mode)),
                Some(_) | None => {}
            }
        }
        match other {
            Some(mode) if self.mode != Mode::Native => Self { mode, ..self },
            Some(_) | None => self,
        }
    }
}

/// Whether a member of `Accept` has the weight 0 (RFC 9110 §12.4.2).
fn is_refused(member: &[u8]) -> bool {
    let mut parameters = member.split(|&b| b == b';').skip(1).map(ascii::trim_ows);
    parameters.any(|parameter| match parameter {
        [b'q' | b'Q', b'=', b'0', rest @ ..] => rest.iter().all(|b| matches!(b, b'.' | b'0')),
        _ => false,
    })
}

/// Appends `message` as a frame in this form; in the text form each frame is
/// padded for itself, so that a browser can decode what has arrived.
///
/// # Errors
/// [`UsageError`] if it is longer than 2^32-1 bytes or the output has too little
/// room; nothing is written then.
pub fn encode_message(mode: Mode, message: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
    let prefix = encode_prefix(message.len(), false)?;
    encode_frame(mode, prefix, message.len(), out, |put| put(message))
}

/// Appends a message that is compressed already.
///
/// # Errors
/// Those of [`encode_message`].
pub fn encode_compressed(mode: Mode, bytes: &[u8], out: &mut impl Sink) -> Result<(), UsageError> {
    let prefix = encode_prefix(bytes.len(), true)?;
    encode_frame(mode, prefix, bytes.len(), out, |put| put(bytes))
}

/// Appends the trailers of a gRPC-Web body, its last frame: the status, and
/// `metadata` in lower case (gRPC-Web, HTTP/1 trailers).
///
/// ```
/// use barewire::grpc::{Code, Mode, Status, web};
/// use barewire::http::Fields;
///
/// let mut out = Vec::new();
/// web::encode_trailers(Mode::Web, Status::new(Code::NotFound, "no ☺"), Fields::EMPTY, &mut out).unwrap();
/// assert_eq!(&out[..5], [0x80, 0, 0, 0, 44]);
/// assert_eq!(&out[5..], b"grpc-status: 5\r\ngrpc-message: no %E2%98%BA\r\n");
/// ```
///
/// # Errors
/// [`UsageError`] for metadata that cannot be sent, or too little room; nothing is
/// written then.
pub fn encode_trailers(
    mode: Mode,
    status: Status<impl AsRef<str>>,
    metadata: Fields<'_>,
    out: &mut impl Sink,
) -> Result<(), UsageError> {
    metadata.iter().try_for_each(metadata::check_trailing)?;
    encode_ending(mode, (status.as_ref(), None), metadata, out)
}

/// Appends trailers with metadata that was checked, and with details in base64.
pub(super) fn encode_ending(
    mode: Mode,
    ending: (Status<&str>, Option<&str>),
    metadata: Fields<'_>,
    out: &mut impl Sink,
) -> Result<(), UsageError> {
    let mut len = 0;
    for_each_part(ending, metadata, &mut |part| len += part.len());
    let prefix = encode_trailers_prefix(len)?;
    encode_frame(mode, prefix, len, out, |put| {
        for_each_part(ending, metadata, put);
    })
}

fn encode_frame(
    mode: Mode,
    prefix: [u8; PREFIX],
    len: usize,
    out: &mut impl Sink,
    parts: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Result<(), UsageError> {
    let whole = len.checked_add(PREFIX).ok_or(UsageError::MessageTooLong)?;
    match mode {
        Mode::Native | Mode::Web => {
            if out.room() < whole {
                return Err(UsageError::NoRoom);
            }
            out.put(&prefix);
            parts(&mut |part| out.put(part));
        }
        Mode::WebText => {
            if out.room() < TextEncoder::encoded_len(whole) {
                return Err(UsageError::NoRoom);
            }
            let mut text = TextEncoder::default();
            text.push(&prefix, out);
            parts(&mut |part| text.push(part, out));
            text.finish(out);
        }
    }
    Ok(())
}

fn for_each_part(
    (status, details): (Status<&str>, Option<&str>),
    metadata: Fields<'_>,
    mut put: &mut dyn FnMut(&[u8]),
) {
    put(b"grpc-status: ");
    put(status.code.digits().as_bytes());
    put(b"\r\n");
    if !status.message.is_empty() {
        put(b"grpc-message: ");
        for_each_message_part(status.message, &mut put);
        put(b"\r\n");
    }
    if let Some(details) = details {
        put(b"grpc-status-details-bin: ");
        put(details.as_bytes());
        put(b"\r\n");
    }
    for field in metadata.iter() {
        for part in [field.name, b": ", field.value, b"\r\n"] {
            put(part);
        }
    }
}

/// The value of `grpc-message`. Spaces at its ends are encoded too, because
/// HTTP drops them there (RFC 9110 §5.5).
pub(super) fn for_each_message_part(message: &str, put: &mut impl FnMut(&[u8])) {
    let middle = message.trim_matches(' ');
    let before = message.len() - message.trim_start_matches(' ').len();
    (0..before).for_each(|_| put(b"%20"));
    for_each_encoded(middle, put);
    (before + middle.len()..message.len()).for_each(|_| put(b"%20"));
}

/// The lines of a trailers frame. Lines may end with LF alone; names come in
/// the case they were sent in.
///
/// ```
/// use barewire::grpc::web::fields;
///
/// let list: Vec<_> = fields(b"grpc-status:0\r\nX-Id: 7\r\n").map(|field| field.unwrap()).collect();
/// assert!(list[0].is("grpc-status") && list[1].is("x-id"));
/// assert_eq!(list[1].value, b"7");
/// ```
///
/// # Errors
/// [`ProtocolError::MalformedTrailers`] for a line that is no field.
pub fn fields(block: &[u8]) -> impl Iterator<Item = Result<Field<'_>, ProtocolError>> {
    block
        .split(|&b| b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(parse_line)
}

fn parse_line(line: &[u8]) -> Result<Field<'_>, ProtocolError> {
    let colon = line.iter().position(|&b| b == b':');
    let colon = colon.ok_or(ProtocolError::MalformedTrailers)?;
    let (name, rest) = line.split_at(colon); // colon < line.len()
    let value = ascii::trim_ows(rest.get(1..).unwrap_or_default());
    let field = Field { name, value };
    field
        .check()
        .map_err(|_| ProtocolError::MalformedTrailers)?;
    Ok(field)
}
