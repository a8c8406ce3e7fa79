//! The side of a connection without I/O that sends.

use alloc::vec::Vec;

use super::masks::Masks;
use super::spare;
use crate::http::{Fields, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, EndReason, Link, UsageError};
use crate::net::Flow;
use crate::websocket::deflate::Session;
use crate::websocket::{CloseCode, Kind};
use crate::wire::codec::Compression;
use crate::wire::{Instant, Role};

/// Output from which on nothing is added to it but answers of the protocol.
const OUTPUT: usize = 64 << 10;

/// The side of a [`Connection`](super::Connection) that sends.
#[derive(Debug)]
pub struct Wire {
    pub(crate) link: Link,
    pub(super) out: Vec<u8>,
    /// Bytes that wait after those, sealed.
    pub(super) behind: usize,
    pub(super) now: Instant,
    /// The exchange that is to be told when there is room again, where all exchanges
    /// share the output alone.
    held: Option<u32>,
    /// The owner knows that the connection is over.
    pub(super) told: bool,
    /// It is to end after what is under way, and was told so before it had begun.
    pub(super) leaves: bool,
    /// Nothing more of the input is looked at for now.
    pub(super) is_paused: bool,
    pub(crate) masks: Masks,
    /// How messages of WebSockets are compressed.
    compression: Compression,
}

impl Wire {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            link: Link::raw(Role::Client),
            out: Vec::new(),
            behind: 0,
            now,
            held: None,
            told: false,
            leaves: false,
            is_paused: false,
            masks: Masks::NONE,
            compression: Compression::DEFAULT,
        }
    }

    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    /// Tells it the time, in front of a request on a connection that was at rest.
    pub(crate) const fn set_now(&mut self, now: Instant) {
        self.now = now;
    }

    /// Bytes of output that its owner has not taken.
    const fn waiting(&self) -> usize {
        self.out.len() + self.behind
    }

    /// The exchange that has room again, if it was told to wait.
    pub(super) fn take_relieved(&mut self) -> Option<u32> {
        match self.waiting() < OUTPUT / 2 {
            true => self.held.take(),
            false => None,
        }
    }

    pub(super) fn pump(&mut self) {
        self.link.set_room(OUTPUT.saturating_sub(self.waiting()));
        self.link.pump(0, self.now, &mut self.out);
    }

    /// The mask of what the link may have to answer now.
    pub(super) fn mask_key(&mut self) -> [u8; 4] {
        match self.link.masks() {
            true => self.masks.next(),
            false => [0; 4],
        }
    }

    /// Sends the request of a WebSocket over HTTP/1.1.
    pub(crate) fn request_upgrade(&mut self, head: &RequestHead<'_>) -> Result<u32, UsageError> {
        self.link.request(head, None, self.now, &mut self.out)
    }

    /// Sends the request of a WebSocket over HTTP/2, whose stream stays open.
    pub(crate) fn extended_connect(&mut self, head: &RequestHead<'_>) -> Result<u32, UsageError> {
        let body = Body::Streamed {
            length: None,
            endless: true,
        };
        self.link.request(head, Some(body), self.now, &mut self.out)
    }

    /// Makes an exchange a WebSocket whose handshake is over, and for which a key has been
    /// drawn.
    pub(crate) fn switch_to_websocket(
        &mut self,
        stream: u32,
        streaming: bool,
    ) -> Result<(), UsageError> {
        // Messages come though some wait to be sent: both sides could wait for ever.
        self.link.let_owner_consume(stream);
        self.link.switched_to_websocket(stream, streaming, self.now)
    }

    /// Sends a message on a WebSocket, in one frame. A text has to be UTF-8.
    /// [`Flow::Wait`] asks for no more until the output has been taken, and over HTTP/2
    /// until [`Event::Writable`](crate::link::Event::Writable) for this stream.
    pub fn send_message(&mut self, stream: u32, kind: Kind, payload: &[u8]) -> Flow {
        if let Err(misuse) = self.put_message(stream, kind, payload) {
            return Flow::Over(misuse);
        }
        self.pump();
        match self.waiting() < OUTPUT && self.link.queued(stream) == 0 {
            true => Flow::Go,
            false => {
                self.link.wait(stream);
                Flow::Wait
            }
        }
    }

    fn put_message(&mut self, stream: u32, kind: Kind, payload: &[u8]) -> Result<(), UsageError> {
        let (mask, now) = (self.mask_key(), self.now);
        spare::fit_output(&mut self.out);
        let (link, out) = (&mut self.link, &mut self.out);
        #[cfg(feature = "deflate")]
        if let Some(session) = link.websocket(stream).ok().and_then(|it| it.compression()) {
            let mut deflater = spare::take_deflater();
            let number = deflater.add(self.compression); // another thread's has another
            let sent = link
                .compress(stream, session.compressing(number))
                .and_then(|()| {
                    let deflater = &mut *deflater;
                    link.send_message_deflated(stream, kind, payload, mask, now, deflater, out)
                });
            spare::give_deflater(deflater);
            return sent;
        }
        link.send_message(stream, kind, payload, mask, now, out)
    }

    /// Compresses the messages of a WebSocket, as was agreed on.
    pub(crate) fn compress(
        &mut self,
        stream: u32,
        session: Session,
        compression: Compression,
    ) -> Result<(), UsageError> {
        self.compression = compression;
        self.link.compress(stream, session)
    }

    /// Keeps the connection from looking at what follows the present event until
    /// [`Connection::resume`](super::Connection::resume): its owner answers this event
    /// before it is told of the next.
    pub const fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Sends a ping of at most 125 bytes on a WebSocket.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket.
    pub fn ping(&mut self, stream: u32, payload: &[u8]) -> Result<(), UsageError> {
        let mask = self.mask_key();
        self.link.ping(stream, payload, mask, &mut self.out)?;
        self.pump();
        Ok(())
    }

    /// Starts the closing handshake of a WebSocket.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket, the code may be sent and
    /// the reason has at most 123 bytes.
    pub fn close(&mut self, stream: u32, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        let (mask, now) = (self.mask_key(), self.now);
        let out = &mut self.out;
        self.link.close(stream, code, reason, mask, now, out)?;
        self.pump();
        Ok(())
    }
}

impl RequestSender for Wire {
    fn allowance(&mut self) -> usize {
        if self.told {
            return 0;
        }
        if self.waiting() >= OUTPUT {
            self.link.wait(0);
            return 0;
        }
        self.link.allowance()
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        spare::fit_output(&mut self.out);
        let stream = self.link.request(head, body, self.now, &mut self.out)?;
        self.link.let_owner_consume(stream);
        Ok(stream)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        spare::fit_output(&mut self.out);
        if let Err(misuse) = self.link.write(stream, data, &mut self.out) {
            return Flow::Over(misuse);
        }
        if !self.link.is_multiplexed() {
            // Nothing is queued but in the output.
            if self.waiting() < OUTPUT {
                return Flow::Go;
            }
            self.held = Some(stream);
            return Flow::Wait;
        }
        self.pump();
        if self.link.queued(stream) == 0 {
            return Flow::Go;
        }
        self.link.wait(stream);
        Flow::Wait
    }

    fn finish(&mut self, stream: u32, trailers: Fields<'_>) -> Result<(), UsageError> {
        self.link.finish(stream, trailers, self.now, &mut self.out)
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        let (code, now, out) = (code.code(), self.now, &mut self.out);
        // Refused only where it is over.
        let _ = self.link.reset(stream, code, EndReason::Aborted, now, out);
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.link.consume(stream, bytes, &mut self.out);
    }

    fn shutdown(&mut self) {
        self.leaves = true; // it may not have begun
        let mask = self.mask_key();
        self.link.drain(false, mask, self.now, &mut self.out);
    }
}

/// One connection, as a client sends requests on it.
///
/// The [`Wire`](super::Wire) of a [`Connection`](super::Connection) is one without
/// I/O; the connections of a loop are others. What the server sends comes as
/// [`Event`](crate::link::Event)s, from where the connection is driven.
pub trait RequestSender {
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

    /// Ends a streamed body, with the fields after it.
    ///
    /// # Errors
    /// [`UsageError`] if it is over, which an event says as well, or if these fields may not
    /// stand there: then it has not ended.
    fn finish(&mut self, stream: u32, trailers: Fields<'_>) -> Result<(), UsageError>;

    /// Ends an exchange before its time. Does nothing if it is over.
    fn reset(&mut self, stream: u32, code: ErrorCode);

    /// Opens the server's window again for content of a response.
    fn consume(&mut self, stream: u32, bytes: usize);

    /// Says that no further request follows: the connection ends after those that are
    /// under way.
    fn shutdown(&mut self);

    /// Where in the connection's output the next request begins, if that is known.
    fn position(&self) -> Option<u64> {
        None
    }
}
