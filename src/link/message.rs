//! An owner's calls on a WebSocket, on a connection of its own or inside a
//! stream.

use bytes::Bytes;

use super::protocol::Protocol;
use super::{Link, UsageError};
use crate::websocket::{self, CloseCode, Kind};
use crate::wire::{Instant, Sink};

/// A message as the frame that a server sends, to be
/// [delivered](Link::deliver) to many.
pub(crate) fn encode_message(kind: Kind, payload: &[u8]) -> Bytes {
    let mut frame = bytes::BytesMut::with_capacity(payload.len() + 10);
    websocket::encode_message(kind, payload, &mut frame);
    frame.freeze()
}

impl Link {
    /// Whether what is received may be answered with frames that have to be masked: a
    /// client's connection is a WebSocket, or has one in a stream.
    #[inline]
    pub(crate) fn masks(&self) -> bool {
        self.asks() && self.may_mask()
    }

    /// Sends a WebSocket message.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket.
    pub fn send_message(
        &mut self,
        stream: u32,
        kind: Kind,
        payload: &[u8],
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => {
                Ok(machine.send_message(kind, payload, mask_key, now, out)?)
            }
            Protocol::Http2(many) => many.with_socket(stream, |machine, out| {
                machine.send_message(kind, payload, mask_key, now, out)
            }),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }

    /// Books a whole message that was encoded by
    /// [`websocket::encode_message`](crate::websocket::encode_message), for a server to
    /// puts it behind what the connection has waiting; `false`: it waits for
    /// its stream already.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket.
    pub fn deliver(
        &mut self,
        stream: u32,
        frame: &Bytes,
        now: Instant,
    ) -> Result<bool, UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => {
                machine.book_message(now)?;
                Ok(true)
            }
            Protocol::Http2(many) => many.deliver(stream, frame, now).map(|()| false),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket.
    pub fn ping(
        &mut self,
        stream: u32,
        payload: &[u8],
        mask_key: [u8; 4],
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => Ok(machine.send_ping(payload, mask_key, out)?),
            Protocol::Http2(many) => many.with_socket(stream, |machine, out| {
                machine.send_ping(payload, mask_key, out)
            }),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }

    /// Starts a WebSocket's closing handshake.
    ///
    /// # Errors
    /// [`UsageError`] unless the exchange is an open WebSocket and the code may be
    /// sent.
    pub fn close(
        &mut self,
        stream: u32,
        code: CloseCode,
        reason: &str,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => {
                Ok(machine.send_close(code, reason, mask_key, now, out)?)
            }
            Protocol::Http2(many) => many.with_socket(stream, |machine, out| {
                machine.send_close(code, reason, mask_key, now, out)
            }),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }

    /// The machine of a WebSocket, to look at.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] if the exchange is none.
    pub fn websocket(&self, stream: u32) -> Result<&websocket::Connection, UsageError> {
        match &self.protocol {
            Protocol::WebSocket(machine) => Ok(machine),
            Protocol::Http2(many) => many.socket(stream).ok_or(UsageError::OtherProtocol),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }
}
