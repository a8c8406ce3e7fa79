//! Heads of requests as HTTP/2 has them.

use crate::http::{FieldBuffer, RequestHead, Target};

/// Memory for the fields of a head that lacks some.
pub(super) type Kept = FieldBuffer;

/// The head as it stands over HTTP/2: without fields about one connection of HTTP/1.1, and
/// with `https` if it is for that.
pub(super) fn head_over_http2<'h>(
    head: &RequestHead<'h>,
    is_secure: bool,
    kept: &'h mut Kept,
) -> RequestHead<'h> {
    let mut head = *head;
    if head.fields.iter().any(|it| is_of_http1(it.name)) {
        for field in head.fields.iter().filter(|it| !is_of_http1(it.name)) {
            let name = core::str::from_utf8(field.name).unwrap_or_default();
            // Refused only where it would be below.
            let _ = kept.push(name, field.value);
        }
        head.fields = kept.as_fields();
    }
    if is_secure {
        secure(&mut head);
    }
    head
}

/// Whether a field is about one connection of HTTP/1.1, and has no place here (RFC 9113
/// §8.2.2).
fn is_of_http1(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 6] = [
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    ];
    NAMES.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// Says that a request is for `https`.
fn secure(head: &mut RequestHead<'_>) {
    if let (Target::Origin { path, query }, Some(authority)) = (head.target, head.authority()) {
        head.target = Target::Absolute {
            scheme: "https",
            authority,
            path,
            query,
        };
    }
}

#[cfg(test)]
mod tests;
