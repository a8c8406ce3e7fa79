//! The side of a connection without I/O that sends.

use alloc::vec::Vec;

use super::masks::Masks;
use super::{Transport, spare};
use crate::http::{Fields, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, EndReason, Link, UsageError};
use crate::net::Flow;
use crate::websocket::{CloseCode, Kind};
use crate::wire::{Instant, Role};

/// Output from which on nothing is added to it but answers of the protocol.
const OUTPUT: usize = 64 << 10;

/// The side of a [`Connection`](super::Connection) that sends.
#[derive(Debug)]
pub struct Wire {
    pub(in crate::client) link: Link,
    pub(super) out: Vec<u8>,
    /// Bytes that wait behind those, sealed.
    pub(super) behind: usize,
    pub(super) now: Instant,
    /// The exchange that is to be told when there is room again, where all exchanges
    /// share the output alone.
    held: Option<u32>,
    /// The owner knows that the connection is over.
    pub(super) told: bool,
    /// It is to end behind what is under way, and was told so before it had begun.
    pub(super) leaves: bool,
    /// Of frames of WebSockets.
    pub(in crate::client) masks: Masks,
}

impl Wire {
    /// That of a connection which has not begun.
    pub(in crate::client) const fn new(now: Instant) -> Self {
        Self {
            link: Link::raw(Role::Client),
            out: Vec::new(),
            behind: 0,
            now,
            held: None,
            told: false,
            leaves: false,
            masks: Masks::NONE,
        }
    }

    /// The time that it was told last.
    pub(in crate::client) const fn now(&self) -> Instant {
        self.now
    }

    /// Tells it the time, in front of a request on a connection that was at rest.
    pub(in crate::client) const fn set_now(&mut self, now: Instant) {
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
    pub(in crate::client) fn request_upgrade(
        &mut self,
        head: &RequestHead<'_>,
    ) -> Result<u32, UsageError> {
        self.link.request(head, None, self.now, &mut self.out)
    }

    /// Sends the request of a WebSocket over HTTP/2, whose stream stays open.
    pub(in crate::client) fn extended_connect(
        &mut self,
        head: &RequestHead<'_>,
    ) -> Result<u32, UsageError> {
        let body = Body::Streamed {
            length: None,
            endless: true,
        };
        self.link.request(head, Some(body), self.now, &mut self.out)
    }

    /// Makes an exchange a WebSocket whose handshake is over, and for which a key has been
    /// drawn.
    pub(in crate::client) fn switch_to_websocket(
        &mut self,
        stream: u32,
        streaming: bool,
    ) -> Result<(), UsageError> {
        self.link.switched_to_websocket(stream, streaming, self.now)
    }

    /// Sends a message on a WebSocket, in one frame. A text has to be UTF-8.
    /// [`Flow::Wait`] asks for no more until the output has been taken, and over HTTP/2
    /// until [`Event::Writable`](crate::link::Event::Writable) for this stream.
    pub fn send_message(&mut self, stream: u32, kind: Kind, payload: &[u8]) -> Flow {
        let (mask, now) = (self.mask_key(), self.now);
        let out = &mut self.out;
        let sent = self
            .link
            .send_message(stream, kind, payload, mask, now, out);
        if let Err(misuse) = sent {
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

impl Transport for Wire {
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

    fn finish(&mut self, stream: u32) {
        let out = &mut self.out;
        // Refused only where it is over: an event says so.
        let _ = self.link.finish(stream, Fields::EMPTY, self.now, out);
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
