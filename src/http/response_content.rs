//! The content of a response, if it has any, and its announced length.

use super::{Method, Status};

/// The content that the method of a request asks for in its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Content: every method but the two below.
    Content,
    Head,
    Tunnel,
}

impl Asks {
    #[inline(always)]
    pub(crate) const fn of(method: Method<'_>) -> Self {
        match method {
            Method::HEAD => Self::Head,
            Method::CONNECT => Self::Tunnel,
            _ => Self::Content,
        }
    }
}

/// The content that a response may announce and carry, by the method of its request and
/// its status (RFC 9110 §6.4.1, §8.6). Every version frames its messages by this.
///
/// ```
/// use barewire::http::{ContentFraming, Method, ResponseContent, SentLength, Status};
///
/// let head = ResponseContent::of(Method::HEAD, Status::OK);
/// assert!(!head.may_follow);
/// assert_eq!(head.length, SentLength::OfRepresentation);
///
/// let reset = ResponseContent::of(Method::POST, Status::RESET_CONTENT);
/// assert_eq!(reset.length, SentLength::Zero);
/// assert_eq!(reset.framing, ContentFraming::ByFields);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseContent {
    /// Whether content may follow the head.
    pub may_follow: bool,
    /// Which Content-Length a sender puts into the head.
    pub length: SentLength,
    /// How a receiver finds the end of the content.
    pub framing: ContentFraming,
}

/// Which Content-Length a response has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentLength {
    /// None, whatever the content: 1xx, 204 and 2xx to CONNECT (RFC 9110 §8.6).
    Never,
    /// `0`: 205 (RFC 9110 §15.3.6).
    Zero,
    /// The length of the content, if it is known.
    OfContent,
    /// The length that the content of a 200 to GET would have, if it is known:
    /// responses to HEAD and 304 (RFC 9110 §8.6).
    OfRepresentation,
}

/// How a receiver finds the end of a response's content (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentFraming {
    /// The head ends the response, whatever its fields say.
    Nothing,
    /// By the fields of the head, and by what the version has for it.
    ByFields,
    /// The bytes after the head belong to the tunnel, and lengths in the head are
    /// ignored.
    Tunnel,
}

impl ResponseContent {
    /// The content of the response with `status` to a request with `method`.
    #[inline]
    pub const fn of(method: Method<'_>, status: Status) -> Self {
        Self::to(Asks::of(method), status)
    }

    #[inline(always)]
    pub(crate) const fn to(asks: Asks, status: Status) -> Self {
        use ContentFraming as Framing;
        use SentLength as Length;
        let (may_follow, length, framing) = match (asks, status.code()) {
            (_, ..=199) => (false, Length::Never, Framing::Nothing),
            (Asks::Tunnel, 200..=299) => (false, Length::Never, Framing::Tunnel),
            (_, 204) => (false, Length::Never, Framing::Nothing),
            // A 205 has no content, but a reader finds its end by its fields (RFC 9110 §15.3.6).
            (Asks::Head, 205) => (false, Length::Zero, Framing::Nothing),
            (_, 205) => (false, Length::Zero, Framing::ByFields),
            (Asks::Head, _) | (_, 304) => (false, Length::OfRepresentation, Framing::Nothing),
            (Asks::Content | Asks::Tunnel, _) => (true, Length::OfContent, Framing::ByFields),
        };
        Self {
            may_follow,
            length,
            framing,
        }
    }

    /// The Content-Length to send for content of `known` length.
    ///
    /// A 304 without content says nothing of the representation (RFC 9110 §8.6). For HEAD, made
    /// as for GET, no content is its length.
    #[inline(always)]
    pub(crate) const fn length_for(self, status: Status, known: Option<u64>) -> Option<u64> {
        match (self.length, known) {
            (SentLength::Never, _) => None,
            (SentLength::Zero, _) => Some(0),
            (SentLength::OfRepresentation, Some(0)) if status.code() == 304 => None,
            (SentLength::OfContent | SentLength::OfRepresentation, known) => known,
        }
    }
}

#[cfg(test)]
mod tests;
