//! What is to be sent behind a head.

use bytes::Bytes;

use crate::http::Fields;

/// The content of a response, or of a request of ours.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// All of it; copied into the output.
    Whole(&'a [u8]),
    /// All of it; large ones leave without being copied.
    Shared(Bytes),
    /// All of it, copied, and the trailers behind it. Its length is not told.
    /// Where both are empty, HTTP/2 ends with the head.
    Trailed {
        /// The bytes.
        bytes: &'a [u8],
        /// What stands behind them.
        trailers: Fields<'a>,
    },
    /// It follows in writes, and ends with `finish`.
    Streamed {
        /// Its length in bytes, where it is known.
        length: Option<u64>,
        /// Whether it goes on until someone hangs up: an event stream. It then
        /// ends as soon as the peer has sent FIN.
        endless: bool,
    },
}
