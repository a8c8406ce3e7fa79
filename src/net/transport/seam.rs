//! The seam: what a transport is to the loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::error::Error;
use core::fmt;
use core::ops::Range;
use std::io::IoSlice;

use crate::net::Speaks;
use crate::wire::Received;

/// The most bytes that one call of [`Transport::open`] gives: those of a record of
/// TLS (RFC 8446 §5.1).
pub const MOST_OPENED: usize = 16 * 1024;

/// Turns the bytes of one socket into those of a protocol, and back: TLS is one.
///
/// It holds keys and counters, and none of the bytes. The loop owns all buffers:
/// it keeps the front of a record until the rest has come, and what the socket
/// does not take of sealed bytes, and both are charged.
///
/// ```text
///   open(&mut [])          once, first: who speaks first writes its first message
///   open(input) ...        until `agreed` answers: the handshake
///   open(input), seal(..)  in any order from there on
///   close                  once, after the last byte; not after an error
///   end_at                 or this, where the loop ends it at a limit
/// ```
pub trait Transport {
    /// Takes at most one record from the front of `input`. The event is where in
    /// `input` its content lies now, at most [`MOST_OPENED`] bytes, within the bytes
    /// used, and there is none before the handshake is over; a record of the
    /// transport's own is used up without one. Bytes past
    /// `used` come again in front of what arrives next.
    ///
    /// Output for the peer (messages of the handshake, alerts) is appended to `out`.
    /// [`Step::Done`](crate::wire::Step::Done) says that the peer has closed the
    /// transport as it should; a socket that ends without was cut off.
    ///
    /// # Errors
    /// [`TransportError`] ends the connection, after what is in `out`. Nothing is opened,
    /// sealed or closed after that.
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError>;

    /// The agreement of both sides, once the handshake is over.
    fn agreed(&self) -> Option<Agreed>;

    /// Appends `plain`, sealed, to `out`, in records of whatever size. Not called
    /// before the handshake is over.
    ///
    /// # Errors
    /// [`TransportError`] resets the connection: nothing more can be said.
    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError>;

    /// Seals as [`seal`](Self::seal) does, over whatever lies at the front of `room`,
    /// which grows where it is too small. How many bytes were written; those after them
    /// mean nothing. By default `room` is emptied before, and has to be filled again.
    ///
    /// # Errors
    /// Those of [`seal`](Self::seal).
    fn seal_over(
        &mut self,
        plain: &[IoSlice<'_>],
        room: &mut Vec<u8>,
    ) -> Result<usize, TransportError> {
        room.clear();
        self.seal(plain, room)?;
        Ok(room.len())
    }

    /// Says to the peer that nothing follows.
    fn close(&mut self, out: &mut Vec<u8>);

    /// Says to the peer that the connection ends, as it has exceeded a limit of the loop;
    /// by default, nothing. Nothing is opened, sealed or closed after that.
    fn end_at(&mut self, limit: TransportLimit, out: &mut Vec<u8>) {
        let _ = (limit, out);
    }

    /// Bytes of memory held, beside those of the value itself, the details among
    /// them.
    fn memory(&self) -> usize;

    /// Bytes that the peer may send for its side of the handshake, where that is less than
    /// [`Limits::handshake_bytes`](crate::net::Limits::handshake_bytes). By default it is
    /// not.
    fn handshake_limit(&self) -> usize {
        usize::MAX
    }

    /// Whether the end of the socket is the end of what the peer says, once the handshake
    /// is over. By default it is not: a transport that has an end of its own was cut off
    /// then.
    fn ends_with_socket(&self) -> bool {
        false
    }

    /// Details of the transport for the owner of the connection, such as the version
    /// and the peer's certificates:
    /// [`Context::transport_details`](crate::net::Context::transport_details) gives it.
    /// Asked when the handshake is over, and when the transport has failed. By default
    /// there is nothing to know.
    fn details(&self) -> Option<TransportDetails> {
        None
    }
}

/// Details of a transport. The type is the transport's own: an owner that knows it
/// finds it by `downcast_ref`.
pub type TransportDetails = Arc<dyn Any + Send + Sync>;

/// The agreement of the two sides of a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Agreed {
    /// The protocol over it; `None` if that was not settled, and the listener or the
    /// dial says it.
    pub speaks: Option<Speaks>,
}

impl Agreed {
    /// Agreed, but on no protocol.
    pub const NOTHING: Self = Self { speaks: None };

    /// Agreed on a protocol.
    pub const fn on(speaks: Speaks) -> Self {
        Self {
            speaks: Some(speaks),
        }
    }
}

/// A limit of the loop at which a connection over a transport ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportLimit {
    /// A record is longer than [`Limits::unopened`](crate::net::Limits::unopened).
    Record,
    /// The peer's side of the handshake is longer than
    /// [`Limits::handshake_bytes`](crate::net::Limits::handshake_bytes).
    Handshake,
    /// The handshake was not over in
    /// [`Limits::handshake_time`](crate::net::Limits::handshake_time), or the rest of a
    /// record did not come in [`Limits::record_time`](crate::net::Limits::record_time).
    Time,
}

/// Makes the transport of each connection of a listener or a dial. Clones share
/// one maker.
#[derive(Clone)]
pub struct TransportMaker(Arc<dyn Fn() -> Box<dyn Transport> + Send + Sync>);

impl TransportMaker {
    /// Calls `make` for each connection.
    pub fn new(make: impl Fn() -> Box<dyn Transport> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(in crate::net) fn make(&self) -> Box<dyn Transport> {
        (self.0)()
    }
}

impl fmt::Debug for TransportMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportMaker")
    }
}

/// Why a transport cannot go on.
#[derive(Debug)]
pub struct TransportError(Box<dyn Error + Send + Sync>);

impl TransportError {
    /// With this cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

pub(super) struct Over;

impl Transport for Over {
    fn open(
        &mut self,
        _input: &mut [u8],
        _out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        Err(TransportError::new("the transport is over"))
    }

    fn agreed(&self) -> Option<Agreed> {
        None
    }

    fn seal(&mut self, _plain: &[IoSlice<'_>], _out: &mut Vec<u8>) -> Result<(), TransportError> {
        Err(TransportError::new("the transport is over"))
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn memory(&self) -> usize {
        0
    }
}
