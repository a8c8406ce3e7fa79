//! `Sec-WebSocket-Key` and the answer to it (RFC 6455 §4.2.2, item 5.4).

#[cfg(not(feature = "std"))]
use super::digest::{base64, sha1};
use crate::wire::simd;

/// The constant by which an answer proves that it comes from a WebSocket server.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` value for a key: base64 of the SHA-1 of the key
/// and a fixed text.
///
/// ```
/// use barewire::websocket::handshake::accept_key;
///
/// assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    let mut text = [b'='; 28]; // what 20 bytes make in base64
    base64(&sha1([key, GUID]), &mut text);
    text
}

#[cfg(feature = "std")]
fn sha1(parts: [&[u8]; 2]) -> [u8; 20] {
    use ::sha1::{Digest, Sha1};
    let [a, b] = parts;
    let digest = Sha1::new().chain_update(a).chain_update(b).finalize();
    digest.into()
}

#[cfg(feature = "std")]
fn base64(bytes: &[u8], text: &mut [u8]) {
    use ::base64::{Engine, engine::general_purpose::STANDARD};
    let written = STANDARD.encode_slice(bytes, text);
    debug_assert!(written.is_ok_and(|it| it == bytes.len().div_ceil(3) * 4));
}

/// Whether `key` is base64 of 16 bytes: 22 characters and two signs of
/// padding.
pub(super) fn is_key(key: &[u8]) -> bool {
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    matches!(key, [text @ .., b'=', b'='] if text.len() == 22 && text.iter().all(alphabet))
}

/// The key of a client: 16 unpredictable bytes in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 24]);

impl Key {
    /// The key made of `random`, 16 unpredictable bytes for this handshake
    /// alone.
    pub fn new(random: [u8; 16]) -> Self {
        let mut text = [b'='; 24]; // what 16 bytes make in base64
        base64(&random, &mut text);
        Self(text)
    }

    /// The value of `Sec-WebSocket-Key`.
    pub fn as_str(&self) -> &str {
        // Base64 is ASCII, so the fallback is never taken.
        simd::as_text(&self.0).unwrap_or_default()
    }

    /// The value of `Sec-WebSocket-Accept` that answers it.
    pub fn accept(&self) -> [u8; 28] {
        accept_key(&self.0)
    }
}

#[cfg(test)]
mod tests;
