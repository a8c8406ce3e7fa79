//! A response that is made apart from its exchange.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use bytes::Bytes;

use crate::http::{self, FieldBuffer, Fields, Status};

/// A response as a value: what a [`Deferred`](crate::app::Deferred) sends.
///
/// ```
/// use barewire::app::Response;
/// use barewire::http::Status;
///
/// let response = Response::text("made").status(Status::CREATED).header("X-Id", "7");
/// assert_eq!(response.headers().get("x-id"), Some(&b"7"[..]));
/// ```
#[derive(Debug, Clone)]
pub struct Response {
    pub(super) status: Status,
    pub(super) fields: FieldBuffer,
    pub(super) body: Bytes,
    pub(super) fault: Option<Box<Fault>>,
}

/// The first field that cannot stand on the wire.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) name: Box<str>,
    pub(super) value: Box<[u8]>,
    pub(super) why: Box<str>,
}

impl Response {
    /// A response without a body.
    pub const fn new(status: Status) -> Self {
        Self {
            status,
            fields: FieldBuffer::new(),
            body: Bytes::new(),
            fault: None,
        }
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::body("text/plain; charset=utf-8", text.into())
    }

    /// 200 with a value as JSON.
    ///
    /// # Errors
    /// The error of `serde_json`, if the value cannot be serialized.
    #[cfg(feature = "json")]
    pub fn json(value: &(impl serde::Serialize + ?Sized)) -> serde_json::Result<Self> {
        serde_json::to_string(value).map(Self::json_text)
    }

    /// 200 with text that is JSON already.
    pub fn json_text(text: impl Into<String>) -> Self {
        Self::body("application/json", text.into())
    }

    /// 200 with a body of this media type.
    pub fn body(content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::new(Status::OK).header("Content-Type", content_type);
        response.body = body.into();
        response
    }

    /// Sets the body, whose type is among the fields.
    #[cfg(feature = "http")]
    pub(super) fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Replaces the status.
    #[must_use]
    pub const fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Adds a header. One that cannot stand on the wire has 500
    /// sent in place of the response; the log says which it was.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        match self.fields.push(name, value) {
            Ok(()) => self,
            Err(why) => self.faulty(name, value, &why),
        }
    }

    /// Notes why it cannot be sent, unless something else was noted before.
    pub(super) fn faulty(mut self, name: &str, value: &[u8], why: &dyn fmt::Display) -> Self {
        self.fault.get_or_insert_with(|| {
            let (name, value, why) = (name.into(), value.into(), why.to_string().into());
            Box::new(Fault { name, value, why })
        });
        self
    }

    /// Bytes of memory that it refers to.
    pub(crate) fn memory(&self) -> usize {
        let text = |field: http::Field<'_>| field.name.len() + field.value.len();
        self.body.len() + self.headers().iter().map(text).sum::<usize>()
    }

    /// The fields.
    pub fn headers(&self) -> Fields<'_> {
        self.fields.as_fields()
    }
}
