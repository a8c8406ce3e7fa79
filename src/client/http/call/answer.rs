//! What a call has received.

use crate::client::http::content::Content;
use crate::http::{FieldBuffer, Status, Version};

/// The response.
#[derive(Debug)]
pub(in crate::client::http) struct Answer {
    pub(in crate::client::http) status: Status,
    pub(in crate::client::http) version: Version,
    pub(in crate::client::http) fields: FieldBuffer,
    pub(in crate::client::http) trailers: FieldBuffer,
    pub(in crate::client::http) content: Content,
    /// The length that the head has announced, of what is received.
    pub(in crate::client::http) length: Option<u64>,
    /// The content is decoded.
    pub(in crate::client::http) is_decoded: bool,
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
            is_decoded: false,
        }
    }
}

/// An interim response (1xx).
#[derive(Debug)]
pub(in crate::client::http) struct Informational {
    pub(in crate::client::http) status: Status,
    pub(in crate::client::http) fields: FieldBuffer,
}
