//! The body of a request, from wherever it comes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::io::{self, Read};

use bytes::Bytes;

use crate::http::FieldBuffer;

use super::feed::{Fed, Feed};

/// The body of a request.
///
/// Bytes can be sent again, which redirects, and requests on a connection that was just
/// closed, may need. What comes from a reader or an iterator can be sent once.
///
/// ```
/// use barewire::client::Body;
///
/// let bytes = Body::from("text");
/// assert_eq!(bytes.length(), Some(4));
/// let file = Body::reader(std::io::empty()).with_length(0);
/// let pieces = Body::iterator(["a", "b"].map(|piece| Ok(piece.into())).into_iter());
/// assert_eq!(pieces.length(), None); // sent in chunks
/// ```
pub struct Body {
    source: Source,
    length: Option<u64>,
    trailers: Option<Trailers>,
}

/// A function that gives the trailers of a body.
type Trailers = Arc<dyn Fn() -> FieldBuffer + Send + Sync>;

type Pieces = dyn Iterator<Item = io::Result<Bytes>> + Send;

enum Source {
    Bytes(Bytes),
    Reader(Box<dyn Read + Send>),
    Iterator(Box<Pieces>),
    /// A body that is written while it is sent.
    Fed(Arc<Feed>),
    Spent,
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self::of(Source::Bytes(Bytes::new()), Some(0))
    }

    const fn of(source: Source, length: Option<u64>) -> Self {
        Self {
            source,
            length,
            trailers: None,
        }
    }

    /// The content of a reader, until it ends. It is read by the thread that sends the
    /// request, as far as the server takes it.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self::of(Source::Reader(Box::new(reader)), None)
    }

    /// Pieces one after another. An error ends the request, and the server sees an
    /// unfinished one.
    pub fn iterator(pieces: impl Iterator<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::of(Source::Iterator(Box::new(pieces)), None)
    }

    /// A body that is written piece by piece while the request is sent, with
    /// [`LoopCall::write`](crate::client::LoopCall::write): for clients on a loop. It
    /// can be sent once, like a reader's.
    pub fn pieces() -> Self {
        Self::of(Source::Fed(Arc::new(Feed::default())), None)
    }

    /// Announces the length in bytes, which a source has to keep: without it the body is
    /// sent in chunks. That of bytes is known.
    #[must_use]
    pub fn with_length(mut self, length: u64) -> Self {
        if !matches!(self.source, Source::Bytes(_)) {
            self.length = Some(length);
        }
        self
    }

    /// Sends fields after the body (RFC 9110 §6.5), which `trailers` gives once all of it
    /// was given, such as a digest: the body is sent in chunks then, whatever its length.
    /// Name them in a field `Trailer` of the request. Over HTTP/1.1 a server may drop them.
    ///
    /// ```
    /// use barewire::client::Body;
    /// use barewire::http::FieldBuffer;
    ///
    /// let body = Body::from("text").with_trailers(|| {
    ///     let mut trailers = FieldBuffer::new();
    ///     trailers.push("Checksum", "1f").expect("a field");
    ///     trailers
    /// });
    /// assert_eq!(body.length(), None);
    /// ```
    #[must_use]
    pub fn with_trailers(
        mut self,
        trailers: impl Fn() -> FieldBuffer + Send + Sync + 'static,
    ) -> Self {
        self.trailers = Some(Arc::new(trailers));
        self
    }

    pub(super) const fn has_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    pub(super) fn trailers(&self) -> FieldBuffer {
        self.trailers
            .as_ref()
            .map_or_else(FieldBuffer::new, |it| it())
    }

    /// The length in bytes, where it is known, and is to be announced.
    pub const fn length(&self) -> Option<u64> {
        match self.trailers {
            Some(_) => None,
            None => self.length,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.source, Source::Bytes(_)) && matches!(self.length(), Some(0))
    }

    pub(super) const fn bytes(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            Source::Reader(_) | Source::Iterator(_) | Source::Fed(_) | Source::Spent => None,
        }
    }

    /// Where its pieces are written, if they are.
    pub(super) const fn feed(&self) -> Option<&Arc<Feed>> {
        match &self.source {
            Source::Fed(feed) => Some(feed),
            _ => None,
        }
    }

    /// Another of the same content: bytes are shared, anything else is taken over; `None` if
    /// that was done before.
    pub(super) fn share(&mut self) -> Option<Self> {
        let length = self.length;
        let source = match &self.source {
            Source::Bytes(bytes) => Source::Bytes(bytes.clone()),
            Source::Spent => return None,
            Source::Reader(_) | Source::Iterator(_) | Source::Fed(_) => {
                core::mem::replace(&mut self.source, Source::Spent)
            }
        };
        let trailers = self.trailers.clone();
        Some(Self {
            source,
            length,
            trailers,
        })
    }

    pub(super) fn begin(&mut self) -> Giving {
        let source = match &self.source {
            Source::Bytes(bytes) => Source::Bytes(bytes.clone()),
            _ => core::mem::replace(&mut self.source, Source::Spent),
        };
        Giving {
            source,
            lacks: self.length,
        }
    }

    /// Whether it can be given, for the first time or again.
    pub(super) const fn can_begin(&self) -> bool {
        !matches!(self.source, Source::Spent)
    }
}

#[derive(Debug)]
pub(super) struct Giving {
    source: Source,
    /// Bytes to come, where the length was announced.
    lacks: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Piece,
    /// Nothing yet: more is still to be written.
    Later,
    End,
}

/// The most that is given in one piece.
const PIECE: usize = 16 << 10;

impl Giving {
    /// Gives the next piece to `take`, if there is one.
    ///
    /// # Errors
    /// That of the source, or of one that gives more or less than was announced.
    pub(super) fn next(&mut self, take: impl FnOnce(&[u8])) -> io::Result<Given> {
        let length = match &mut self.source {
            Source::Bytes(bytes) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                self.lacks = self.lacks.map(|it| it - piece.len() as u64); // it is theirs
                if piece.is_empty() {
                    return Ok(Given::End);
                }
                take(&piece);
                return Ok(Given::Piece);
            }
            Source::Reader(reader) => {
                let mut piece = [0; PIECE];
                let length = loop {
                    match reader.read(&mut piece) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => break read?,
                    }
                };
                let piece = piece.get(..length).unwrap_or_default();
                Self::book(&mut self.lacks, piece, take)?
            }
            Source::Iterator(pieces) => loop {
                match pieces.next() {
                    None => break 0,
                    Some(Ok(piece)) if piece.is_empty() => {}
                    Some(piece) => break Self::book(&mut self.lacks, &piece?, take)?,
                }
            },
            Source::Fed(feed) => match feed.next() {
                Fed::Piece(piece) => Self::book(&mut self.lacks, &piece, take)?,
                Fed::Nothing => return Ok(Given::Later),
                Fed::End => 0,
            },
            Source::Spent => 0,
        };
        match length {
            0 if self.lacks.is_some_and(|it| it > 0) => {
                let text = "it gave less than the length that was announced";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
            0 => Ok(Given::End),
            _ => Ok(Given::Piece),
        }
    }

    fn book(lacks: &mut Option<u64>, piece: &[u8], take: impl FnOnce(&[u8])) -> io::Result<usize> {
        if let Some(lacks) = lacks {
            let Some(rest) = lacks.checked_sub(piece.len() as u64) else {
                let text = "it gave more than the length that was announced";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            };
            *lacks = rest;
        }
        if !piece.is_empty() {
            take(piece);
        }
        Ok(piece.len())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::of(Source::Bytes(bytes), Some(length))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from(Bytes::from_static(bytes))
    }
}

impl<const N: usize> From<&'static [u8; N]> for Body {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::from(&bytes[..])
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("source", &self.source)
            .field("length", &self.length)
            .finish()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes(_) => "bytes",
            Self::Reader(_) => "reader",
            Self::Iterator(_) => "iterator",
            Self::Fed(_) => "pieces",
            Self::Spent => "spent",
        })
    }
}
