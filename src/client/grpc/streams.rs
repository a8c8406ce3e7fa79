//! Calls with many messages, for threads that may block.

use alloc::sync::Arc;
use core::fmt;
use core::marker::PhantomData;

use super::pending::Pending;
use super::{CallResponse, Ending};
use crate::grpc::{Code, Payload};
use crate::http::FieldBuffer;
use crate::wire::partly_shown;

/// The responses of a call. Dropping them before their end cancels it.
///
/// ```no_run
/// # use barewire::client::{CallOptions, Channel};
/// # let channel = Channel::connect("http://127.0.0.1:50051")?;
/// let request = b"from 1 to 3".to_vec();
/// let responses = channel.server_streaming("/count.Counter/Count", &request, CallOptions::new())?;
/// for response in responses {
///     let number: Vec<u8> = response?;
///     println!("{number:?}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Responses<O> {
    pending: Arc<Pending>,
    over: bool,
    compressed: bool, // the last message was
    of: PhantomData<fn() -> O>,
}

impl<O: Payload> Responses<O> {
    pub(super) const fn new(pending: Arc<Pending>) -> Self {
        Self {
            pending,
            over: false,
            compressed: false,
            of: PhantomData,
        }
    }

    /// Blocks until the response's metadata has arrived.
    ///
    /// # Errors
    /// How the call ended, if it ended first.
    pub fn metadata(&self) -> Result<FieldBuffer, Ending> {
        self.pending.metadata()
    }

    /// Blocks until the next message has been received; `None` after the last one.
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn receive(&mut self) -> Result<Option<O>, Ending> {
        let received = self.pending.receive();
        self.over |= !matches!(received, Ok(Some(_)));
        let Some((message, compressed)) = received? else {
            return Ok(None);
        };
        self.compressed = compressed;
        Ok(Some(message))
    }

    /// Whether the message that was received last came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// How the call has ended, with the trailers of the server; `None` while
    /// it runs.
    pub fn ending(&self) -> Option<Ending> {
        self.pending.ending()
    }

    /// Ends the call with CANCELLED, unless it is over.
    pub fn cancel(&self) {
        self.pending.cancel();
    }
}

impl<O: Payload> Iterator for Responses<O> {
    type Item = Result<O, Ending>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        self.receive().transpose()
    }
}

impl<O> Drop for Responses<O> {
    fn drop(&mut self) {
        if !self.over {
            self.pending.cancel();
        }
    }
}

/// The sending half of a call. Dropping it before it is [closed](Self::close) cancels the
/// call: the request was not complete.
pub struct Sender<I> {
    pending: Arc<Pending>,
    closed: bool,
    of: PhantomData<fn(I)>,
}

impl<I: Payload> Sender<I> {
    const fn new(pending: Arc<Pending>) -> Self {
        Self {
            pending,
            closed: false,
            of: PhantomData,
        }
    }

    /// Sends a message; blocks while [too much](super::ChannelLimits::unsent) waits.
    /// After the server has ended the call with OK it takes messages and drops
    /// them.
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn send(&mut self, message: &I) -> Result<(), Ending> {
        self.pending.send(message, self.pending.compress)
    }

    /// Sends a message uncompressed, on a call [with
    /// compression](super::CallOptions::compression): for messages that do not
    /// compress, or that mix secrets with data that an attacker may choose (CRIME).
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    #[cfg(feature = "gzip")]
    pub fn send_uncompressed(&mut self, message: &I) -> Result<(), Ending> {
        self.pending.send(message, false)
    }

    /// Says that no message follows.
    pub fn close(mut self) {
        self.closed = true;
        self.pending.close_sending();
    }

    /// Ends the call with CANCELLED, unless it is over.
    pub fn cancel(&self) {
        self.pending.cancel();
    }
}

impl<I> Drop for Sender<I> {
    fn drop(&mut self) {
        if !self.closed {
            self.pending.cancel();
        }
    }
}

/// The requests of a call with one response.
///
/// ```no_run
/// # use barewire::client::{CallOptions, Channel};
/// # let channel = Channel::connect("http://127.0.0.1:50051")?;
/// let mut requests = channel.client_streaming("/sum.Adder/Add", CallOptions::new())?;
/// for number in 1..=3u8 {
///     requests.send(&vec![number])?;
/// }
/// let sum: Vec<u8> = requests.finish()?.into_message();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Requests<I, O> {
    sender: Sender<I>,
    of: PhantomData<fn() -> O>,
}

impl<I: Payload, O: Payload> Requests<I, O> {
    pub(super) const fn new(pending: Arc<Pending>) -> Self {
        Self {
            sender: Sender::new(pending),
            of: PhantomData,
        }
    }

    /// Sends a message, as [`Sender::send`].
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn send(&mut self, message: &I) -> Result<(), Ending> {
        self.sender.send(message)
    }

    /// Sends a message uncompressed, as [`Sender::send_uncompressed`].
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    #[cfg(feature = "gzip")]
    pub fn send_uncompressed(&mut self, message: &I) -> Result<(), Ending> {
        self.sender.send_uncompressed(message)
    }

    /// Says that no message follows, and blocks until the response has been received.
    ///
    /// # Errors
    /// Those of [`Channel::unary`](super::Channel::unary).
    pub fn finish(self) -> Result<CallResponse<O>, Ending> {
        let pending = self.sender.pending.clone();
        self.sender.close();
        pending.single()
    }

    /// Ends the call with CANCELLED, and says how it ended.
    pub fn cancel(self) -> Ending {
        self.sender.cancel();
        let cancelled = Ending::constant(Code::Cancelled, "cancelled by the caller");
        self.sender.pending.ending().unwrap_or(cancelled)
    }
}

/// A call with many requests and many responses. Its halves may be used from
/// two threads after [`split`](Self::split).
///
/// ```no_run
/// # use barewire::client::{CallOptions, Channel};
/// # let channel = Channel::connect("http://127.0.0.1:50051")?;
/// let mut chat = channel.bidirectional::<Vec<u8>, Vec<u8>>("/chat.Room/Talk", CallOptions::new())?;
/// chat.send(&b"hello".to_vec())?;
/// println!("{:?}", chat.receive()?);
/// let (sender, responses) = chat.split();
/// sender.close();
/// for response in responses {
///     println!("{:?}", response?);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Duplex<I, O> {
    sender: Sender<I>,
    responses: Responses<O>,
}

impl<I: Payload, O: Payload> Duplex<I, O> {
    pub(super) fn new(pending: Arc<Pending>) -> Self {
        Self {
            sender: Sender::new(pending.clone()),
            responses: Responses::new(pending),
        }
    }

    /// Sends a message, as [`Sender::send`].
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn send(&mut self, message: &I) -> Result<(), Ending> {
        self.sender.send(message)
    }

    /// Sends a message uncompressed, as [`Sender::send_uncompressed`].
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    #[cfg(feature = "gzip")]
    pub fn send_uncompressed(&mut self, message: &I) -> Result<(), Ending> {
        self.sender.send_uncompressed(message)
    }

    /// Blocks until the next message has been received; `None` after the last one.
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn receive(&mut self) -> Result<Option<O>, Ending> {
        self.responses.receive()
    }

    /// Whether the message that was received last came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.responses.is_compressed()
    }

    /// Blocks until the response's metadata has arrived.
    ///
    /// # Errors
    /// How the call ended, if it ended first.
    pub fn metadata(&self) -> Result<FieldBuffer, Ending> {
        self.responses.metadata()
    }

    /// Says that no message follows; the responses go on.
    pub fn close_sending(self) -> Responses<O> {
        self.sender.close();
        self.responses
    }

    /// Ends the call with CANCELLED, unless it is over.
    pub fn cancel(&self) {
        self.responses.cancel();
    }

    /// How the call has ended; `None` while it runs.
    pub fn ending(&self) -> Option<Ending> {
        self.responses.ending()
    }

    /// The two halves.
    pub fn split(self) -> (Sender<I>, Responses<O>) {
        (self.sender, self.responses)
    }
}

macro_rules! opaque {
    ($($name:literal $type:ty;)*) => {$(
        impl<I, O> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )*};
}

opaque! {
    "Requests" Requests<I, O>;
    "Duplex" Duplex<I, O>;
}

partly_shown!([O] Responses<O>);

partly_shown!([I] Sender<I>);
