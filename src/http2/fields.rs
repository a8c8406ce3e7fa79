//! Checks of fields that are to be sent, and of the head of a request as
//! pseudo-header fields (RFC 9113 §8.2, §8.3).

use super::UsageError;
use super::cost::Cost;
use super::head::is_lower_token;
use crate::http::target::can_be_sent;
use crate::http::{Field, Fields, Method, RequestHead, Target, is_of_connection, trailers};
use crate::wire::ascii;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Host becomes `:authority`.
    Request,
    Response,
    Trailers,
}

/// Judges what an application wants to send.
pub(super) fn check(fields: Fields<'_>, place: Section) -> Result<Cost, UsageError> {
    let mut cost = Cost::default();
    for field in fields.iter() {
        if !(is_lower_token(field.name) && is_clean(field.value)) {
            field.check()?;
        }
        if is_forbidden(field, place) {
            return Err(UsageError::ForbiddenField);
        }
        cost.date |= field.is("date");
        cost.add(field.name.len(), field.value.len());
    }
    Ok(cost)
}

/// Whether a value may stand on the wire, white space at its ends apart.
fn is_clean(value: &[u8]) -> bool {
    let padded = matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
    !padded && ascii::is_field_value(value)
}

/// Fields that the machine is in charge of, or that HTTP/2 does not have
/// (RFC 9113 §8.2.2).
fn is_forbidden(field: Field<'_>, place: Section) -> bool {
    if place == Section::Trailers && !trailers::may_trail(field.name) {
        return true;
    }
    match field.name.len() {
        2 => field.is("te") && !field.value.eq_ignore_ascii_case(b"trailers"),
        4 => place != Section::Request && field.is("host"),
        14 => field.is("content-length"),
        _ => is_of_connection(field.name),
    }
}

/// The pseudo-header fields of a request (RFC 9113 §8.3.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pseudo<'a> {
    method: &'a str,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
    query: Option<&'a str>,
    protocol: Option<&'a str>,
}

impl<'a> Pseudo<'a> {
    pub(super) fn new(head: &RequestHead<'a>) -> Result<Self, UsageError> {
        let authority = head.authority();
        let tunnel = head.method == Method::CONNECT && head.protocol.is_none();
        let (scheme, path, query) = match head.target {
            Target::Origin { path, query } => (Some("http"), Some(path), query),
            Target::Absolute {
                scheme,
                path,
                query,
                ..
            } => (Some(scheme), Some(path), query),
            Target::Asterisk => (Some("http"), Some("*"), None),
            Target::Authority(_) => (None, None, None),
        };
        let fits = match (tunnel, path) {
            (true, path) => path.is_none() && authority.is_some(),
            (false, Some(path)) => path.starts_with('/') || path == "*",
            (false, None) => false,
        };
        let clean = |text: Option<&str>| {
            text.is_none_or(|text| text.bytes().all(|b| ascii::is_in_target(b) && b != b'?'))
        };
        let protocol_ok = head
            .protocol
            .is_none_or(|text| ascii::is_token(text.as_bytes()))
            && (head.protocol.is_none() || head.method == Method::CONNECT);
        let method = head.method.as_str();
        if !fits
            || !protocol_ok
            || !ascii::is_token(method.as_bytes())
            || !can_be_sent(path.unwrap_or_default(), query)
            || ![scheme, authority].into_iter().all(clean)
            || authority.is_none()
        {
            return Err(UsageError::Request);
        }
        Ok(Self {
            method,
            scheme,
            authority,
            path,
            query,
            protocol: head.protocol,
        })
    }

    /// Gives each of them that is there to `put`, in the order in which they go out.
    pub(super) fn each(&self, mut put: impl FnMut(&str, &str)) {
        put(":method", self.method);
        for (name, value) in [
            (":scheme", self.scheme),
            (":authority", self.authority),
            (":protocol", self.protocol),
        ] {
            if let Some(value) = value {
                put(name, value);
            }
        }
        match (self.path, self.query) {
            (Some(path), Some(query)) => put(":path", &alloc::format!("{path}?{query}")),
            (Some(path), None) => put(":path", path),
            (None, _) => {}
        }
    }

    pub(super) fn cost(&self, cost: &mut Cost) {
        let path = self.path.map_or(0, str::len) + self.query.map_or(0, |query| query.len() + 1);
        cost.add(10, self.method.len());
        cost.add(10, path);
        for part in [self.scheme, self.authority, self.protocol] {
            cost.add(10, part.map_or(0, str::len));
        }
    }
}
