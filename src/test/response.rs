//! A response as a test looks at it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::http::{FieldBuffer, Fields, Status, Version};

/// A response, complete.
#[derive(Debug, Clone)]
pub struct TestResponse {
    pub(super) head: Head,
    pub(super) informational: Vec<Head>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: FieldBuffer,
}

#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) status: Status,
    pub(super) version: Version,
    pub(super) fields: FieldBuffer,
}

impl TestResponse {
    /// The status. It compares with numbers: `assert_eq!(response.status(), 200)`.
    pub const fn status(&self) -> Status {
        self.head.status
    }

    /// The version of HTTP that it came in.
    pub const fn version(&self) -> Version {
        self.head.version
    }

    /// The headers.
    pub fn headers(&self) -> Fields<'_> {
        self.head.fields.as_fields()
    }

    /// The first header of this name, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get_str(name)
    }

    /// The body, as it came: nothing is decompressed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without a copy.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The body as text. What is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body, parsed as JSON.
    ///
    /// # Errors
    /// The error of `serde_json`, if it is not JSON of that type.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.body)
    }

    /// The fields after the body.
    pub fn trailers(&self) -> Fields<'_> {
        self.trailers.as_fields()
    }

    /// The interim responses before it, such as 103 (Early Hints).
    pub fn informational(&self) -> impl Iterator<Item = (Status, Fields<'_>)> {
        let all = self.informational.iter();
        all.map(|head| (head.status, head.fields.as_fields()))
    }
}
