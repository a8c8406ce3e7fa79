//! The forms of a line of the access log.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::app::exchange::json::put_json_string;
use crate::app::exchange::record::Record;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::http::date::Date;
use crate::http::{Fields, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Own,
    Common,
    Combined,
    Json,
}

/// What a request says of the client's program and the page it comes from, as far as a
/// line shows it.
#[derive(Debug)]
pub(super) struct Agent {
    referer: Option<Box<[u8]>>,
    user_agent: Option<Box<[u8]>>,
}

/// Bytes that are shown of each.
const SHOWN: usize = 512;

impl Agent {
    pub(super) fn of(fields: &Fields<'_>, with_query: bool) -> Self {
        let cut = |value: &[u8]| value.get(..SHOWN).unwrap_or(value).into();
        let referer = fields.get("referer").and_then(|it| page(it, with_query));
        Self {
            referer: referer.map(cut),
            user_agent: fields.get("user-agent").map(cut),
        }
    }
}

/// A referrer without its query, unless that is asked for, and none with a password.
fn page(referer: &[u8], with_query: bool) -> Option<&[u8]> {
    let end = |stops: &[u8], from: usize| {
        let rest = referer.get(from..).unwrap_or_default();
        let at = rest.iter().position(|byte| stops.contains(byte));
        from + at.unwrap_or(rest.len())
    };
    let slashes = referer.windows(2).position(|it| it == b"//");
    let start = slashes.map_or(0, |at| at + 2);
    let authority = referer.get(start..end(b"/?#", start))?;
    let end = if with_query {
        end(b"#", 0)
    } else {
        end(b"?#", 0)
    };
    referer.get(..end).filter(|_| !authority.contains(&b'@'))
}

/// Writes a line. Writing to a String cannot fail.
pub(super) fn put(
    form: Form,
    record: &Record,
    end: &ReplyEnd<'_>,
    with_query: bool,
    line: &mut String,
) {
    let _ = match form {
        Form::Own => own(record, end, with_query, line),
        Form::Common => common(record, end, with_query, line),
        Form::Combined => common(record, end, with_query, line).and_then(|()| agent(record, line)),
        Form::Json => json(record, end, with_query, line),
    };
    line.push('\n');
}

fn own(record: &Record, end: &ReplyEnd<'_>, with_query: bool, line: &mut String) -> fmt::Result {
    let date = Date::from_unix(end.unix_seconds());
    write!(line, "{} ", date.as_str())?;
    match record.peer() {
        Some(peer) => write!(line, "{peer} ")?,
        None => line.write_str("- ")?,
    }
    match record.is_unread() {
        false => {
            let (method, target) = (record.method(), Target(record, with_query));
            write!(line, "\"{} {target}\" ", Quoted(method.as_str().as_bytes()))?;
        }
        true => line.write_str("\"-\" ")?,
    }
    let (status, bytes) = (end.status().code(), end.bytes());
    let time = end.elapsed().as_secs_f64() * 1e3;
    write!(line, "{status} {bytes} {time:.3}ms")
}

/// `host ident user [time] "request" status bytes`, as NCSA's server wrote it.
fn common(record: &Record, end: &ReplyEnd<'_>, with_query: bool, line: &mut String) -> fmt::Result {
    match record.peer().map(|peer| peer.ip()) {
        Some(Some(ip)) => write!(line, "{ip}")?,
        Some(None) => line.write_str("unix:")?,
        None => line.write_str("-")?,
    }
    let date = Date::from_unix(end.unix_seconds());
    let (day, month, year, time) = parts(&date);
    write!(line, " - - [{day}/{month}/{year}:{time} +0000] ")?;
    match record.is_unread() {
        false => {
            let (method, target) = (record.method(), Target(record, with_query));
            write!(line, "\"{} {target}", Quoted(method.as_str().as_bytes()))?;
            if let Some(version) = version(record) {
                write!(line, " {version}")?;
            }
            line.write_str("\"")?;
        }
        true => line.write_str("\"-\"")?,
    }
    write!(line, " {} ", end.status().code())?;
    match end.bytes() {
        0 => line.write_str("-"),
        bytes => write!(line, "{bytes}"),
    }
}

/// ` "referer" "user agent"`.
fn agent(record: &Record, line: &mut String) -> fmt::Result {
    let agent = record.extensions().get::<Agent>();
    let parts = agent.map(|it| [&it.referer, &it.user_agent]);
    for part in parts.unwrap_or([&None, &None]) {
        match part {
            Some(text) => write!(line, " \"{}\"", Quoted(text))?,
            None => line.write_str(" \"-\"")?,
        }
    }
    Ok(())
}

fn json(record: &Record, end: &ReplyEnd<'_>, with_query: bool, line: &mut String) -> fmt::Result {
    let date = Date::from_unix(end.unix_seconds());
    let (day, month, year, time) = parts(&date);
    let month = MONTHS.iter().position(|it| *it == month).unwrap_or(0) + 1;
    write!(line, "{{\"time\":\"{year}-{month:02}-{day}T{time}Z\"")?;
    match record.peer().map(|peer| peer.ip()) {
        Some(Some(ip)) => write!(line, ",\"client\":\"{ip}\"")?,
        Some(None) => line.write_str(",\"client\":\"unix:\"")?,
        None => {}
    }
    let mut text = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(line, ",\"{name}\":");
            put_json_string(value, line);
        }
    };
    if !record.is_unread() {
        text("method", Some(record.method().as_str()));
        text("path", Some(record.path()));
        text("query", record.query().filter(|_| with_query));
        text("version", version(record));
        text("route", end.route());
    }
    text("id", record.request_id());
    let trace = record.trace().map(|it| u128::from_be_bytes(it.trace_id()));
    text(
        "trace",
        trace.map(|it| alloc::format!("{it:032x}")).as_deref(),
    );
    if let Some(agent) = record.extensions().get::<Agent>() {
        let shown = |part: &Option<Box<[u8]>>| {
            let part = part.as_deref()?;
            Some(String::from_utf8_lossy(part).into_owned())
        };
        text("referer", shown(&agent.referer).as_deref());
        text("user_agent", shown(&agent.user_agent).as_deref());
    }
    let (status, bytes) = (end.status().code(), end.bytes());
    let time = end.elapsed().as_secs_f64() * 1e3;
    write!(
        line,
        ",\"status\":{status},\"bytes\":{bytes},\"ms\":{time:.3}}}"
    )
}

/// With the minor number that readers of logs expect.
fn version(record: &Record) -> Option<&'static str> {
    record.version().map(|version| match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2.0",
    })
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Day, month, year and time of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parts(date: &Date) -> (&str, &str, &str, &str) {
    let part = |from: usize, to: usize| date.as_str().get(from..to).unwrap_or_default();
    (part(5, 7), part(8, 11), part(12, 16), part(17, 25))
}

/// Path, and query if it is asked for.
struct Target<'a>(&'a Record, bool);

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(self.0.path().as_bytes()).fmt(f)?;
        match self.0.query().filter(|_| self.1) {
            Some(query) => write!(f, "?{}", Quoted(query.as_bytes())),
            None => Ok(()),
        }
    }
}

/// Bytes between quotes: no client can end them, or the line. What is no printable ASCII,
/// a quote or a backslash is `\xHH`, as nginx and Apache have it.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b' '..=b'~' if byte != b'"' && byte != b'\\' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02X}")?,
            }
        }
        Ok(())
    }
}
