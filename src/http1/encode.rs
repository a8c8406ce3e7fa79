//! Heads as they are written.

use super::{ProtocolError, UsageError};
use crate::http::{Field, Fields, Status, date::Date, is_of_connection, trailers};
use crate::wire::{Sink, ascii};

/// Room for the longest thing that a machine sends of its own accord: an error
/// reply with its date, or `100 Continue`.
pub(crate) const CONTROL_ROOM: usize = 128;

/// `100 Continue` as it stands on the wire.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The room that a head needs beside its fields: the longest status line or
/// the fixed parts of a request line, Date, Connection, the longest
/// Content-Length.
pub(crate) const HEAD_ROOM: usize = 192;

/// Which fields the caller may set where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Response,
    Interim,
    /// A response that names protocols: 101 and 426.
    Upgrade,
    Request,
    Trailers,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FieldSummary {
    pub(crate) room: usize,
    pub(crate) date: bool,
    pub(crate) upgrade: bool,
    pub(crate) connection: bool,
    pub(crate) close: bool,
    pub(crate) hosts: usize,
}

/// Checks that `fields` can be sent.
///
/// # Errors
/// [`UsageError::InvalidField`] or [`UsageError::ForbiddenField`].
pub(crate) fn check(fields: Fields<'_>, place: Section) -> Result<FieldSummary, UsageError> {
    let mut found = FieldSummary::default();
    if let (Some((lines, hosts)), Section::Request) = (fields.request_lines(), place) {
        (found.room, found.hosts) = (lines.len(), hosts);
        return Ok(found);
    }
    let is_checked = fields.is_checked();
    for field in fields.iter() {
        if !is_checked {
            field.check()?;
        }
        if is_forbidden(&field, place) {
            return Err(UsageError::ForbiddenField);
        }
        found.room += field.name.len() + field.value.len() + 4;
        match field.name.len() {
            4 if field.is("date") => found.date = true,
            4 if field.is("host") => found.hosts += 1,
            7 if field.is("upgrade") => found.upgrade = true,
            10 if field.is("connection") => {
                found.connection = true;
                found.close |= is_close(&field);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether `field` is the machine's own business in `place`.
fn is_forbidden(field: &Field<'_>, place: Section) -> bool {
    let may_switch = matches!(place, Section::Upgrade | Section::Request);
    let framing = match field.name.len() {
        2 => field.is("te"),
        // Where a protocol may be named, so may Upgrade, and the one option that is
        // sent with it. A request may also say that it is the last one.
        7 if field.is("upgrade") => !may_switch,
        10 if field.is("connection") => {
            let names_upgrade = may_switch && field.value.eq_ignore_ascii_case(b"upgrade");
            let is_last = place == Section::Request && is_close(field);
            !names_upgrade && !is_last
        }
        14 => field.is("content-length"),
        _ => is_of_connection(field.name),
    };
    framing || (place == Section::Trailers && !trailers::may_trail(field.name))
}

fn is_close(field: &Field<'_>) -> bool {
    field.value.eq_ignore_ascii_case(b"close")
}

/// `HTTP/1.1 SP status SP reason CRLF`: at most 46 bytes.
#[inline]
pub(crate) fn put_status_line(status: Status, out: &mut impl Sink) {
    if status == Status::OK {
        return out.put(b"HTTP/1.1 200 OK\r\n");
    }
    let mut line = *b"HTTP/1.1 000 ";
    line[9..12].copy_from_slice(&status.digits());
    out.put(&line);
    out.put(status.reason().as_bytes());
    out.put(b"\r\n");
}

/// The status line of 200 and the Date field: 54 bytes.
#[inline]
pub(crate) fn put_ok_and_date(date: &Date, out: &mut impl Sink) {
    let mut lines = *b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    lines[23..52].copy_from_slice(date.as_bytes());
    out.put(&lines);
}

/// The status line of 200, Date and Content-Length: at most 92 bytes.
#[inline(always)]
pub(crate) fn put_ok(date: &Date, length: u64, out: &mut impl Sink) {
    const NAME: usize = 54; // where the name of the length begins
    const DIGITS: usize = NAME + 16;
    let mut lines = *b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
        Content-Length: 0000\r\n0000";
    lines[23..52].copy_from_slice(date.as_bytes());
    if length >= 10_000 {
        out.put(&lines[..NAME]);
        return put_content_length(length, out);
    }
    // Below 10,000: four digits, of which those in front are left out.
    let (high, low) = (length as usize / 100, length as usize % 100);
    let four = [PAIRS[high][0], PAIRS[high][1], PAIRS[low][0], PAIRS[low][1]];
    let skipped = usize::from(length < 1000) + usize::from(length < 100) + usize::from(length < 10);
    let digits = (u32::from_le_bytes(four) >> (8 * skipped)).to_le_bytes();
    lines[DIGITS..DIGITS + 4].copy_from_slice(&digits);
    let end = DIGITS + 4 - skipped; // skipped <= 3
    lines[end] = b'\r';
    lines[end + 1] = b'\n';
    out.put_front(&lines, end + 2);
}

/// The digits of the numbers below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// The Date field: 37 bytes.
#[inline]
pub(crate) fn put_date(date: &Date, out: &mut impl Sink) {
    let mut line = *b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    line[6..35].copy_from_slice(date.as_bytes());
    out.put(&line);
}

/// The Content-Length field: at most 38 bytes.
#[inline]
pub(crate) fn put_content_length(length: u64, out: &mut impl Sink) {
    const NAME: &[u8; 16] = b"Content-Length: ";
    let mut line = [0; NAME.len() + ascii::MAX_DECIMAL + 2];
    let end = NAME.len() + ascii::MAX_DECIMAL;
    line[end..].copy_from_slice(b"\r\n");
    let digits = ascii::write_decimal(length, &mut line[NAME.len()..end]);
    // Between the name's length and `end`: there are at most 20 digits.
    let start = end - digits - NAME.len();
    line[start..start + NAME.len()].copy_from_slice(NAME);
    out.put(&line[start..]);
}

/// Fields that have been checked. A Connection of the caller's is left out:
/// the machine puts its own.
#[inline]
pub(crate) fn put_fields(fields: Fields<'_>, out: &mut impl Sink) {
    for (index, field) in fields.iter().enumerate() {
        if field.name.len() != 10 || !field.is("connection") {
            fields.put_line(index, out);
        }
    }
}

/// The answer to a violation: at most [`CONTROL_ROOM`] bytes. It has no
/// content, so that it answers a HEAD as well.
pub(crate) fn put_refusal(violation: ProtocolError, date: Option<&Date>, out: &mut impl Sink) {
    let Some(status) = violation.status() else {
        return;
    };
    put_status_line(status, out);
    if let Some(date) = date {
        put_date(date, out);
    }
    out.put(b"Connection: close\r\nContent-Length: 0\r\n\r\n");
}
