//! Redirects, and names for what is saved.

use alloc::string::String;
use core::fmt::Write as _;

use super::refusal::{Done, Refusal};
use super::reply::Reply;
use super::response::Response;
use crate::http::{Status, attachment};
use crate::link::Body;

impl Reply<'_, '_> {
    /// Sends the client elsewhere: 303 (RFC 9110 §15.4.4) unless another status has been
    /// set. 307 and 308 keep method and body, 301 and 308 are remembered. What cannot stand
    /// in a URL is percent-encoded.
    ///
    /// A target that a client names may lead to a foreign site: for these there is
    /// [`redirect_local`](Self::redirect_local).
    ///
    /// ```
    /// use barewire::app::{App, Status};
    ///
    /// App::new().get("/old", |_request, reply| {
    ///     reply.status(Status::PERMANENT_REDIRECT).redirect("/café")
    /// });
    /// ```
    pub fn redirect(self, location: &str) -> Done {
        let mut reply = self.set_header("Location", encode(location));
        if reply.status == Status::OK {
            reply.status = Status::SEE_OTHER;
        }
        let status = reply.status;
        reply.at().respond(status, None, Body::Whole(b""));
        Done(())
    }

    /// Sends the client to a path of this site that the client itself may have named; any
    /// other target is refused with 400.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// App::new().post("/login", |request, reply| {
    ///     reply.redirect_local(&request.query_value("next").unwrap_or("/".into()))
    /// });
    /// ```
    pub fn redirect_local(self, target: &str) -> Done {
        match is_local(target) {
            true => self.redirect(target),
            false => self.refuse(foreign()),
        }
    }

    /// Has the client save the body under this name (`Content-Disposition`, RFC 6266); a
    /// path in front of it is left out.
    ///
    /// ```
    /// use barewire::app::App;
    ///
    /// App::new().get("/report", |_request, reply| {
    ///     reply.attachment("Übersicht 2026.csv").body("text/csv; charset=utf-8", "a,b\n")
    /// });
    /// ```
    #[must_use]
    pub fn attachment(self, file_name: &str) -> Self {
        self.set_header("Content-Disposition", attachment(file_name))
    }
}

impl Response {
    /// Sends the client elsewhere, as [`Reply::redirect`] does.
    pub fn redirect(location: &str) -> Self {
        Self::new(Status::SEE_OTHER).header("Location", encode(location))
    }

    /// Sends the client to a path of this site, as [`Reply::redirect_local`] does.
    ///
    /// # Errors
    /// 400 if the target is none.
    pub fn redirect_local(target: &str) -> Result<Self, Refusal> {
        match is_local(target) {
            true => Ok(Self::redirect(target)),
            false => Err(foreign()),
        }
    }

    /// Has the client save the body under this name, as [`Reply::attachment`] does.
    #[must_use]
    pub fn attachment(self, file_name: &str) -> Self {
        self.header("Content-Disposition", attachment(file_name))
    }
}

fn foreign() -> Refusal {
    Refusal::new(Status::BAD_REQUEST)
        .because("the target of the redirect is not a path of this site")
}

/// Whether browsers take it for a path: to them a backslash is a slash, and what they skip
/// (tabs and ends of lines) is percent-encoded before they see it.
fn is_local(target: &str) -> bool {
    match target.as_bytes() {
        [b'/', b'/' | b'\\', ..] => false,
        [b'/', ..] => true,
        _ => false,
    }
}

/// Percent-encodes what may not stand in a URI reference (RFC 3986 §4.1).
fn encode(location: &str) -> String {
    let bytes = location.as_bytes();
    let mut text = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let is_kept = match byte {
            b'%' => {
                matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            other => matches!(other, b'!'..=b'~'),
        };
        if is_kept {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}"); // writing to a String never fails
        }
    }
    text
}
