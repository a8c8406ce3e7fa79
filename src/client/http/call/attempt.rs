//! One attempt of a call, and its response as far as it has come.

use crate::client::http::body::Giving;
use crate::client::http::content::Content;
use crate::http::{FieldBuffer, Status, Version};
use crate::link::EndReason;
use crate::wire::Instant;

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) stream: u32,
    /// The connection was used before.
    pub(super) reused: bool,
    /// The body, while it is not sent.
    pub(super) giving: Option<Giving>,
    /// The connection takes no more of the body at the moment.
    pub(super) blocked: bool,
    /// All of the body that was written was given, and there is more to come.
    pub(super) lacks_pieces: bool,
    /// Until when the body is held back.
    pub(super) held: Option<Instant>,
    /// The last bytes of the request were taken by the system.
    pub(super) is_out: bool,
    pub(super) handed_over: u64,
    pub(super) received: u64,
    pub(super) last_stream: u32,
    pub(super) lost: Option<EndReason>,
    /// The time from which the present deadline counts.
    pub(super) since: Instant,
}

impl Attempt {
    /// That of a call which has no connection.
    pub(super) const fn none(now: Instant) -> Self {
        Self {
            stream: 0,
            reused: false,
            giving: None,
            blocked: false,
            lacks_pieces: false,
            held: None,
            is_out: false,
            handed_over: 0,
            received: 0,
            last_stream: u32::MAX,
            lost: None,
            since: now,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) version: Version,
    pub(crate) fields: FieldBuffer,
    pub(crate) trailers: FieldBuffer,
    pub(crate) content: Content,
    pub(crate) length: Option<u64>,
    /// How much of the content is still to come, where a head of HTTP/1.1 has said it.
    pub(super) left: u64,
    pub(crate) is_decoded: bool,
}

impl Answer {
    pub(super) fn none() -> Self {
        Self {
            status: Status::OK,
            version: Version::Http11,
            fields: FieldBuffer::new(),
            trailers: FieldBuffer::new(),
            content: Content::default(),
            length: None,
            left: 0,
            is_decoded: false,
        }
    }
}

/// An interim response (1xx).
#[derive(Debug)]
pub(crate) struct Informational {
    pub(crate) status: Status,
    pub(crate) fields: FieldBuffer,
}
