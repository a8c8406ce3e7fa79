//! Fields that belong to one connection, and not to the message (RFC 9110 §7.6.1).

use crate::wire::ascii;

/// Whether a field of this name rules the connection that it is sent on: HTTP/2
/// has none of them, and over HTTP/1.1 they are the machine's own. TE is another,
/// which either version takes in its own way.
#[inline]
pub(crate) fn is_of_connection(name: &[u8]) -> bool {
    let is = |known: &[u8]| ascii::eq_ignore_case(name, known);
    match name.len() {
        7 => is(b"upgrade"),
        10 => is(b"connection") || is(b"keep-alive"),
        16 => is(b"proxy-connection"),
        17 => is(b"transfer-encoding"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
