//! Requests as they are written.

use super::send::room;
use super::{After, Connection, RequestKind, Sending};
use crate::http::target::{can_be_sent, is_authority};
use crate::http::{Method, RequestHead, Target};
use crate::http1::encode::{self, FieldSummary, Section};
use crate::http1::state::Input;
use crate::http1::{BodyLength, UsageError};
use crate::wire::{Instant, Role, Sink, ascii};

impl Connection {
    /// Sends a request (client role): its head, and with a `length` the
    /// framing of a body that [`send_body`](Self::send_body) and
    /// [`send_end`](Self::send_end) send. Connection is added, also for an
    /// Upgrade in the fields, which may then name it themselves. `Connection: close`
    /// among them ends the connection after this exchange (RFC 9112 §9.6). One request is
    /// under way at a time.
    ///
    /// # Errors
    /// [`UsageError::State`] while an exchange is under way or after the
    /// connection has ended, [`UsageError::Host`] without exactly one Host,
    /// [`UsageError::RequestLine`], [`UsageError::InvalidField`],
    /// [`UsageError::ForbiddenField`], [`UsageError::NoRoom`].
    pub fn send_request(
        &mut self,
        head: &RequestHead<'_>,
        length: Option<BodyLength>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        let body = !matches!(length, None | Some(BodyLength::Known(0)));
        let begun = self.exchange.after(Input::RequestHead { body });
        let (Role::Client, Some(begun)) = (self.role, begun) else {
            return Err(UsageError::State);
        };
        let line = check_request_line(head)?;
        let found = encode::check(head.fields, Section::Request)?;
        // Without one the server cannot tell its sites apart; of two it may take either
        // (RFC 9112 §3.2).
        if found.hosts != 1 {
            return Err(UsageError::Host);
        }
        room(out, encode::HEAD_ROOM + found.room + line)?;
        self.put_request(head, length, found, out);
        self.exchange = begun;
        self.asked = match head.method {
            Method::HEAD => RequestKind::Head,
            Method::CONNECT => RequestKind::Tunnel,
            _ if found.upgrade => RequestKind::Upgrade,
            _ => RequestKind::Plain,
        };
        self.after = match self.shutdown || found.close {
            true => After::Close,
            false => After::Keep,
        };
        (self.sending, self.owed) = match length {
            None => (Sending::Nothing, 0),
            Some(BodyLength::Known(length)) => (Sending::Fixed, length),
            Some(BodyLength::Unknown) => (Sending::Chunked, 0),
        };
        self.intake.expect_head();
        self.since = now;
        Ok(())
    }

    fn put_request(
        &self,
        head: &RequestHead<'_>,
        length: Option<BodyLength>,
        found: FieldSummary,
        out: &mut impl Sink,
    ) {
        out.put(head.method.as_str().as_bytes());
        out.put(b" ");
        put_target(&head.target, out);
        out.put(b" HTTP/1.1\r\n");
        match head.fields.lines() {
            Some((lines, ..)) if !found.connection => out.put(lines),
            _ => encode::put_fields(head.fields, out),
        }
        match (self.shutdown || found.close, found.upgrade) {
            (false, false) => {}
            (false, true) => out.put(b"Connection: upgrade\r\n"),
            (true, false) => out.put(b"Connection: close\r\n"),
            (true, true) => out.put(b"Connection: close, upgrade\r\n"),
        }
        match length {
            None => {}
            Some(BodyLength::Known(length)) => encode::put_content_length(length, out),
            Some(BodyLength::Unknown) => out.put(b"Transfer-Encoding: chunked\r\n"),
        }
        out.put(b"\r\n");
    }
}

/// The parts of a target as they stand in a request line: before the path, the
/// path, and the query.
const fn target_parts<'b>(target: &Target<'b>) -> [&'b str; 4] {
    match *target {
        Target::Origin { path, query } => ["", "", path, query_or_empty(query)],
        Target::Absolute {
            scheme,
            authority,
            path,
            query,
        } => [scheme, authority, path, query_or_empty(query)],
        Target::Authority(authority) => ["", authority, "", ""],
        Target::Asterisk => ["", "", "*", ""],
    }
}

const fn query_or_empty(query: Option<&str>) -> &str {
    match query {
        Some(query) => query,
        None => "",
    }
}

fn put_target(target: &Target<'_>, out: &mut impl Sink) {
    let [scheme, authority, path, query] = target_parts(target);
    out.put(scheme.as_bytes());
    if !scheme.is_empty() {
        out.put(b"://");
    }
    out.put(authority.as_bytes());
    out.put(path.as_bytes());
    if target.query().is_some() {
        out.put(b"?");
        out.put(query.as_bytes());
    }
}

/// Checks that method and target can stand in a request line and are what the
/// peer will read, and says how much room they need.
fn check_request_line(head: &RequestHead<'_>) -> Result<usize, UsageError> {
    let parts = target_parts(&head.target);
    let rooted = match head.target {
        Target::Origin { path, query } | Target::Absolute { path, query, .. } => {
            path.starts_with('/') && can_be_sent(path, query) && head.method != Method::CONNECT
        }
        Target::Authority(authority) => head.method == Method::CONNECT && is_authority(authority),
        Target::Asterisk => head.method == Method::OPTIONS,
    };
    let method = head.method.as_str();
    let [scheme, authority, ..] = parts;
    let visible = |text: &str| text.bytes().all(|b| ascii::is_in_target(b) && b != b'?');
    let is_clean = visible(scheme) && visible(authority);
    if !rooted || !ascii::is_token(method.as_bytes()) || !is_clean {
        return Err(UsageError::RequestLine);
    }
    Ok(method.len() + parts.iter().map(|part| part.len()).sum::<usize>() + 8)
}
