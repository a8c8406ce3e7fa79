//! Requests in the clear on a port of TLS.

use alloc::format;
use alloc::string::String;
use core::str;

/// What a request of HTTP gets that comes without TLS where TLS is spoken.
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
mod tests {
    use super::*;

    fn status_and_location(input: &str, choice: PlainHttp) -> Option<String> {
        let answer = answer(input.as_bytes(), choice)?;
        let location = answer.lines().find_map(|it| it.strip_prefix("Location: "));
        Some(format!("{} {}", &answer[9..12], location.unwrap_or("-")))
    }

    #[test]
    fn a_request_in_the_clear_is_told_where_to_go() {
        for (head, expected) in [
            (
                "GET /a?b=%20 HTTP/1.1\r\nhOST:  a.test:8443 \r\n\r\n",
                "308 https://a.test:8443/a?b=%20",
            ),
            (
                "POST / HTTP/1.0\r\nA: b\r\nHost: [::1]\r\n\r\n",
                "308 https://[::1]/",
            ),
            ("GET / HTTP/1.1\r\nA: b\r\n\r\n", "400 -"),
            ("GET / HTTP/1.1\r\nHost: a@evil\r\n\r\n", "400 -"),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 -"),
            ("GET //\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 -"),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 -"),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "400 -"),
            ("PRI * HTTP/2.0\r\n\r\n", "400 -"),
            ("GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", "400 -"),
        ] {
            assert_eq!(
                status_and_location(head, PlainHttp::Redirect).unwrap(),
                expected,
                "{head}"
            );
            assert_eq!(
                status_and_location(head, PlainHttp::Refuse).unwrap(),
                "400 -"
            );
            for cut in 1..head.len() - 3 {
                if head.is_char_boundary(cut) {
                    assert_eq!(status_and_location(&head[..cut], PlainHttp::Redirect), None);
                }
            }
        }
        let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(LONGEST));
        assert_eq!(
            status_and_location(&endless, PlainHttp::Redirect).unwrap(),
            "400 -"
        );
    }

    #[test]
    fn records_are_no_requests() {
        for byte in [20, 21, 22, 23, 0x80, 0, b'g'] {
            assert!(!is_http(&[byte, 3, 1]));
        }
        assert!(!is_http(b""));
    }
}
