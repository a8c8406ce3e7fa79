//! A client's calls on one connection, free of its I/O.

use crate::http::RequestHead;
use crate::http2::ErrorCode;
use crate::link::{Body, UsageError};
use crate::net::Flow;

/// One connection, as a client sends requests on it.
///
/// The [`Wire`](super::Wire) of a [`Connection`](super::Connection) is one without
/// I/O; the connections of a loop are others. What the server sends comes as
/// [`Event`](crate::link::Event)s, from where the connection is driven.
pub trait Transport {
    /// How many further requests may be sent now: as many as the server allows,
    /// and none while much output waits for it.
    /// [`Event::Writable`](crate::link::Event::Writable) for stream 0 says that
    /// there may be more than before.
    fn allowance(&mut self) -> usize;

    /// Sends a request, or its head if the body is streamed, and returns the
    /// number of its exchange. The content of the response counts against the
    /// server's window until it is [consumed](Self::consume).
    ///
    /// # Errors
    /// [`UsageError`] if it cannot be sent on this connection, or on none.
    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError>;

    /// Sends a piece of a streamed body. [`Flow::Wait`] asks for no more until
    /// [`Event::Writable`](crate::link::Event::Writable) for this stream.
    fn write(&mut self, stream: u32, data: &[u8]) -> Flow;

    /// Ends a streamed body.
    fn finish(&mut self, stream: u32);

    /// Ends an exchange before its time. Does nothing if it is over.
    fn reset(&mut self, stream: u32, code: ErrorCode);

    /// Opens the server's window again for content of a response.
    fn consume(&mut self, stream: u32, bytes: usize);

    /// Says that no further request follows: the connection ends behind those
    /// that are under way.
    fn shutdown(&mut self);
}
