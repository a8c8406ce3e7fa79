//! An owner's calls on a WebSocket, on a connection of its own or inside a
//! stream.

use alloc::boxed::Box;

use bytes::Bytes;

use super::protocol::Protocol;
use super::{Charge, Link, UsageError};
use crate::websocket::deflate::Session;
use crate::websocket::{self, CloseCode, Kind};
use crate::wire::codec::Deflater;
use crate::wire::{Instant, Sink};

/// A message as a server's frame, to be [delivered](Link::deliver) to many.
pub(crate) fn encode_message(kind: Kind, payload: &[u8]) -> Bytes {
    let mut frame = bytes::BytesMut::with_capacity(payload.len() + 10);
    websocket::encode_message(kind, payload, &mut frame);
    frame.freeze()
}

/// For whom a message is compressed that goes to many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packing {
    /// The window that the peer keeps, as a power of two.
    pub(crate) window_bits: u8,
    number: u8,
}

/// Whether an encoded message is long enough to be compressed, and can be.
pub(crate) fn is_worth_packing(frame: &[u8], packing: Packing, deflater: &Deflater) -> bool {
    let threshold = deflater.compression(packing.number).threshold as usize;
    deflater.can_do(packing.window_bits) && frame.len() >= threshold.saturating_add(2)
}

/// An encoded message, compressed without reference to others; `None` if no shorter.
pub(crate) fn pack_message(
    frame: &[u8],
    packing: Packing,
    deflater: &mut Deflater,
) -> Option<Bytes> {
    websocket::deflate::pack(frame, packing.window_bits, packing.number, deflater)
}

impl websocket::Meter for Charge {
    fn set(&mut self, bytes: usize) {
        Self::set(self, bytes);
    }
}

/// A call on the machine of a WebSocket, wherever the link has it.
macro_rules! on_socket {
    ($link:ident, $stream:ident, $out:ident, $send:ident($($given:ident),*)) => {
        match &mut $link.protocol {
            Protocol::WebSocket(machine) => Ok(machine.$send($($given),*)?),
            Protocol::Http2(many) => {
                many.with_socket($stream, |machine, $out| machine.$send($($given),*))
            }
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    };
}

impl Link {
    /// Whether replies may need masked frames: a client's WebSocket, or one in a stream.
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
        on_socket!(
            self,
            stream,
            out,
            send_message(kind, payload, mask_key, now, out)
        )
    }

    /// [Sends](Self::send_message) a WebSocket message, compressed where that was agreed on
    /// and is worth it.
    ///
    /// # Errors
    /// Those of `send_message`.
    #[expect(
        clippy::too_many_arguments,
        reason = "those of `send_message`, and one"
    )]
    pub fn send_message_deflated(
        &mut self,
        stream: u32,
        kind: Kind,
        payload: &[u8],
        mask_key: [u8; 4],
        now: Instant,
        deflater: &mut Deflater,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        on_socket!(
            self,
            stream,
            out,
            send_message_deflated(kind, payload, mask_key, now, deflater, out)
        )
    }

    /// Compresses the messages of a WebSocket, as client and server have agreed on. To be
    /// called as soon as it is one.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] if the exchange is not a WebSocket.
    pub fn compress(&mut self, stream: u32, session: Session) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => machine.set_compression(session),
            Protocol::Http2(many) => return many.compress(stream, session),
            Protocol::Http1(_) | Protocol::Raw { .. } => return Err(UsageError::OtherProtocol),
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn is_compressed(&self, stream: u32) -> bool {
        match &self.protocol {
            Protocol::WebSocket(machine) => machine.compression().is_some(),
            Protocol::Http2(many) => {
                let socket = many.socket(stream);
                socket.is_some_and(|it| it.compression().is_some())
            }
            Protocol::Http1(_) | Protocol::Raw { .. } => false,
        }
    }

    #[inline]
    pub(crate) fn packing(&self, stream: u32) -> Option<Packing> {
        let session = match &self.protocol {
            Protocol::WebSocket(machine) => machine.compression()?,
            Protocol::Http2(many) => many.socket(stream)?.compression()?,
            Protocol::Http1(_) | Protocol::Raw { .. } => return None,
        };
        Some(Packing {
            window_bits: session.sending_window().get(),
            number: session.compression(),
        })
    }

    /// Forgets what was sent: the next message refers to nothing before it.
    pub(crate) fn forget_sent(&mut self, stream: u32) {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => machine.forget_sent(),
            Protocol::Http2(many) => many.forget_sent(stream),
            Protocol::Http1(_) | Protocol::Raw { .. } => {}
        }
    }

    /// Whether what compression keeps between messages is not charged yet.
    #[inline]
    pub(crate) fn lacks_meter(&self) -> bool {
        matches!(&self.protocol, Protocol::WebSocket(machine) if machine.lacks_meter())
    }

    /// Charges that to the connection's account.
    pub(crate) fn meter_compression(&mut self) {
        if let Protocol::WebSocket(machine) = &mut self.protocol
            && let Some(account) = &self.account
        {
            machine.meter_compression(Box::new(account.charge(0)));
        }
    }

    /// Books a whole message that was encoded by
    /// [`websocket::encode_message`](crate::websocket::encode_message), for a server to
    /// puts it after what the connection has waiting; `false`: it waits for its stream
    /// already.
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
        on_socket!(self, stream, out, send_ping(payload, mask_key, out))
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
        on_socket!(
            self,
            stream,
            out,
            send_close(code, reason, mask_key, now, out)
        )
    }

    /// The machine of a WebSocket, to look at.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] if the exchange is not a WebSocket.
    pub fn websocket(&self, stream: u32) -> Result<&websocket::Connection, UsageError> {
        match &self.protocol {
            Protocol::WebSocket(machine) => Ok(machine),
            Protocol::Http2(many) => many.socket(stream).ok_or(UsageError::OtherProtocol),
            Protocol::Http1(_) | Protocol::Raw { .. } => Err(UsageError::OtherProtocol),
        }
    }
}
