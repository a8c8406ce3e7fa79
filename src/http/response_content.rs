//! Whether a response has content, and how long it is said to be.

use super::{Method, Status};

/// What the method of a request says about the content of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Content: every method but the two below.
    Content,
    /// The head that GET's response would have: HEAD.
    Head,
    /// A tunnel: CONNECT.
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

/// What a response may say and carry, by the method of its request and its
/// status (RFC 9110 §6.4.1, §8.6): every version frames its messages by this.
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
    /// What follows belongs to the tunnel, and lengths in the head are ignored.
    Tunnel,
}

impl ResponseContent {
    /// What the response with `status` to a request with `method` may have.
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
    /// A 304 without content says nothing about the representation, and a wrong
    /// length must not be sent (RFC 9110 §8.6). A response to HEAD is made as
    /// for GET, and so no content is its length.
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
mod tests {
    use super::*;

    const METHODS: [Method<'static>; 10] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
        Method::Extension("X"),
    ];

    /// The three answers, from the sentences of the standard one by one.
    #[test]
    fn every_pair_of_method_and_status_is_as_the_standard_has_it() {
        for method in METHODS {
            for code in 100..=599 {
                let status = Status::new(code).unwrap();
                let content = ResponseContent::of(method, status);
                let (head, connect) = (method == Method::HEAD, method == Method::CONNECT);
                let tunnel = connect && status.is_successful();
                let bare = code < 200 || [204, 205, 304].contains(&code);
                let pair = (method, code);
                assert_eq!(content.may_follow, !head && !bare && !tunnel, "{pair:?}");
                // RFC 9110 §8.6, §15.3.6.
                let length = match code {
                    _ if tunnel || code < 200 || code == 204 => SentLength::Never,
                    205 => SentLength::Zero,
                    _ if head || code == 304 => SentLength::OfRepresentation,
                    _ => SentLength::OfContent,
                };
                assert_eq!(content.length, length, "{pair:?}");
                // RFC 9112 §6.3, rules 1 and 2.
                let framing = match code {
                    _ if tunnel => ContentFraming::Tunnel,
                    _ if head || code < 200 || code == 204 || code == 304 => {
                        ContentFraming::Nothing
                    }
                    _ => ContentFraming::ByFields,
                };
                assert_eq!(content.framing, framing, "{pair:?}");
            }
        }
    }

    #[test]
    fn no_content_is_no_length_of_what_was_not_modified() {
        let length = |method, code, known| {
            let status = Status::new(code).unwrap();
            ResponseContent::of(method, status).length_for(status, known)
        };
        assert_eq!(length(Method::GET, 304, Some(0)), None);
        assert_eq!(length(Method::HEAD, 304, Some(0)), None);
        assert_eq!(length(Method::GET, 304, Some(7)), Some(7));
        assert_eq!(length(Method::HEAD, 200, Some(0)), Some(0));
        assert_eq!(length(Method::HEAD, 200, None), None);
        assert_eq!(length(Method::POST, 205, None), Some(0));
        assert_eq!(length(Method::CONNECT, 200, Some(0)), None);
    }
}
