//! Fields that belong to one connection, and not to the message (RFC 9110 §7.6.1).

use crate::wire::ascii;

/// Whether a field belongs to the connection (RFC 9110 §7.6.1): HTTP/2 has none, over HTTP/1.1
/// they are the machine's. TE is neither.
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
