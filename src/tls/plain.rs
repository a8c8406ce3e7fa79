//! Requests in the clear on a port of TLS.

use alloc::format;
use alloc::string::String;
use core::str;

/// The answer to a request of HTTP that comes without TLS where TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// 400, with a text that says so.
    #[default]
    Refuse,
    /// 308 to the same place by `https`; where the request does not name one, 400.
    Redirect,
}

/// Bytes of a head that are looked at for where it leads.
const LONGEST: usize = 8 * 1024;

/// Whether these are the first bytes of a request rather than of TLS, whose records
/// begin with no letter.
pub(super) fn is_http(input: &[u8]) -> bool {
    input.first().is_some_and(u8::is_ascii_uppercase)
}

/// The answer to a request that begins so, once enough of it has come.
pub(super) fn answer(input: &[u8], choice: PlainHttp) -> Option<String> {
    let end = input.windows(4).position(|it| it == b"\r\n\r\n");
    match (choice, end) {
        (PlainHttp::Refuse, _) => Some(refusal()),
        (PlainHttp::Redirect, None) if input.len() < LONGEST => None,
        (PlainHttp::Redirect, end) => {
            let head = input.get(..end.unwrap_or(0)).unwrap_or_default();
            let location = str::from_utf8(head).ok().and_then(location);
            Some(location.map_or_else(refusal, |it| redirect(&it)))
        }
    }
}

/// Where a request leads: its authority, and the rest of its target.
fn location(head: &str) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (target, version) = (line.nth(1)?, line.next()?);
    let is_path = target.starts_with('/') && target.bytes().all(|it| it.is_ascii_graphic());
    if !is_path || !version.starts_with("HTTP/1.") {
        return None;
    }
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    })?;
    let is_part = |it: u8| it.is_ascii_alphanumeric() || b"-._~:[]".contains(&it);
    let is_authority = !host.is_empty() && host.bytes().all(is_part);
    is_authority.then(|| format!("https://{host}{target}"))
}

fn refusal() -> String {
    let text = "This port speaks HTTPS: the address begins with https://\n";
    let len = text.len();
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {len}\r\nConnection: close\r\n\r\n{text}"
    )
}

fn redirect(location: &str) -> String {
    format!(
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: {location}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests;
