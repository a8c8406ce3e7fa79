//! Entity tags of what is made on the fly (RFC 9110 §8.8.3), and requests that depend on them.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write as _};

use sha1::{Digest, Sha1};

use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::response::Response;
use super::validators::{Validators, Verdict};
use crate::http::{FieldBuffer, Fields, Method, Status};

/// What tells one state of a resource from others: its version, or a hash.
///
/// ```
/// use barewire::app::EntityTag;
///
/// assert_eq!(EntityTag::strong(7).as_str(), r#""7""#);
/// assert_eq!(EntityTag::weak("a b").as_str(), r#"W/"a%20b""#);
/// assert_eq!(EntityTag::of(b"a"), EntityTag::of(b"a"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

impl EntityTag {
    /// A tag that changes with every byte of what it is for. What cannot stand in one is
    /// percent-encoded.
    pub fn strong(state: impl fmt::Display) -> Self {
        Self::new("\"", state)
    }

    /// A tag for states that mean the same, though their bytes may differ: `If-Match` holds
    /// for none of these.
    pub fn weak(state: impl fmt::Display) -> Self {
        Self::new("W/\"", state)
    }

    /// A strong tag made of a body: its SHA-1 hash, as what Git tells states apart by. It
    /// takes about 1 µs for each kilobyte.
    pub fn of(body: impl AsRef<[u8]>) -> Self {
        let mut text = String::with_capacity(42);
        text.push('"');
        for byte in Sha1::digest(body.as_ref()) {
            let _ = write!(text, "{byte:02x}"); // writing to a String never fails
        }
        text.push('"');
        Self(text)
    }

    fn new(start: &str, state: impl fmt::Display) -> Self {
        let mut text = String::from(start);
        for byte in format!("{state}").bytes() {
            match byte {
                b'!' | b'#'..=b'$' | b'&'..=b'~' => text.push(byte.into()),
                _ => drop(write!(text, "%{byte:02X}")), // never fails
            }
        }
        text.push('"');
        Self(text)
    }

    /// The tag as it stands in a field, with its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for EntityTag {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The conditions of a request, which a thread can take along: see
/// [`Request::conditions`].
#[derive(Debug, Clone)]
pub struct Conditions {
    fields: FieldBuffer,
    reads: bool,
}

impl Conditions {
    /// Judges the present state, in the order of RFC 9110 §13.2.2; `None` if there is nothing
    /// yet, which `If-None-Match: *` asks for.
    ///
    /// # Errors
    /// 304 if the client has it already, 412 if it takes it for another one.
    pub fn check<'t>(&self, state: impl Into<Option<&'t EntityTag>>) -> Result<(), Refusal> {
        judge(self.reads, self.fields.as_fields(), state.into())
    }
}

fn judge(reads: bool, fields: Fields<'_>, state: Option<&EntityTag>) -> Result<(), Refusal> {
    let failed = || Err(Refusal::new(Status::PRECONDITION_FAILED));
    let Some(tag) = state else {
        return if fields.contains("if-match") {
            failed()
        } else {
            Ok(())
        };
    };
    let validators = Validators {
        tag: tag.as_ref().into(),
        modified: None, // dates then count for nothing
    };
    match validators.weigh(Method::GET, fields, 0) {
        Verdict::Serve { .. } => Ok(()),
        Verdict::NotModified if reads => {
            let refusal = Refusal::new(Status::NOT_MODIFIED);
            // A tag can stand on the wire.
            Err(refusal
                .clone()
                .header("ETag", tag.as_str())
                .unwrap_or(refusal))
        }
        Verdict::NotModified | Verdict::Failed => failed(),
    }
}

impl Request<'_> {
    /// The conditions of the request (`If-Match`, `If-None-Match`), for an answer that is
    /// made elsewhere; [`Reply::etag`] is for one that is made here.
    ///
    /// ```
    /// use barewire::app::{App, EntityTag, Refusal, Response};
    ///
    /// # fn load() -> (u64, String) { (7, String::new()) }
    /// App::new().get("/report", |request, reply| {
    ///     let conditions = request.conditions();
    ///     reply.blocking(move || {
    ///         let (version, text) = load();
    ///         let tag = EntityTag::strong(version);
    ///         conditions.check(&tag)?; // 304 or 412
    ///         Ok::<_, Refusal>(Response::text(text).etag(&tag))
    ///     })
    /// });
    /// ```
    pub fn conditions(&self) -> Conditions {
        let mut fields = FieldBuffer::new();
        let wanted = |name| self.headers().get_all(name).map(move |value| (name, value));
        for (name, value) in wanted("if-match").chain(wanted("if-none-match")) {
            let _ = fields.push(name, value); // it has been received
        }
        Conditions {
            fields,
            reads: is_read(self),
        }
    }
}

fn is_read(request: &Request<'_>) -> bool {
    matches!(request.method(), Method::GET | Method::HEAD)
}

impl Reply<'_, '_> {
    /// Names the state of what is replied (`ETag`), if the request's conditions hold.
    ///
    /// ```
    /// use barewire::app::{App, EntityTag};
    ///
    /// App::new().get("/report", |request, reply| {
    ///     let version = 7; // known before the report is made
    ///     let reply = reply.etag(request, &EntityTag::strong(version))?;
    ///     reply.text("a long report").ok()
    /// });
    /// ```
    ///
    /// # Errors
    /// 304 if the client has it already, 412 if it takes it for another one.
    pub fn etag(self, request: &Request<'_>, tag: &EntityTag) -> Result<Self, Refusal> {
        judge(is_read(request), request.headers(), Some(tag))?;
        Ok(self.set_header("ETag", tag))
    }
}

impl Response {
    /// Names the state of what is replied. Conditions are checked by
    /// [`Conditions::check`].
    #[must_use]
    pub fn etag(self, tag: &EntityTag) -> Self {
        self.header("ETag", tag)
    }
}
