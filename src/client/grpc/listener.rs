//! Calls whose news come to an object on the loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::handle::Guard;
use super::machine::Form;
use super::pending::miscounted;
use super::shared::{Listening, Shared};
use super::{CallOptions, CallResponse, Channel, Ending, UsageError};
use crate::grpc::connect::Shape;
use crate::grpc::{Code, Payload};
use crate::http::{FieldBuffer, Fields};
use crate::net::{Flow, Key};
use crate::wire::partly_shown;

/// A listener of one call, called on the thread of the channel's loop. It must not
/// block there.
///
/// ```no_run
/// use barewire::client::{CallOptions, Channel, Ending, CallListener, Outgoing};
///
/// /// Says "again" to everything, three times.
/// struct Again(u32);
///
/// impl CallListener for Again {
///     type Request = Vec<u8>;
///     type Response = Vec<u8>;
///
///     fn message(&mut self, _message: Vec<u8>, call: &Outgoing<Vec<u8>>) {
///         self.0 += 1;
///         match self.0 {
///             1..3 => drop(call.send(&b"again".to_vec())),
///             _ => call.close_sending(),
///         }
///     }
///
///     fn end(self, ending: Ending) {
///         println!("{ending}");
///     }
/// }
///
/// let channel = Channel::connect("http://127.0.0.1:50051")?;
/// let call = channel.open("/chat.Room/Talk", CallOptions::new(), Again(0))?;
/// call.send(&b"hello".to_vec())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CallListener: Send + 'static {
    /// The type of a message to send.
    type Request: Payload + 'static;
    /// The type of a received message.
    type Response: Payload;

    /// The fields at the head of the response. A call that ends with its head
    /// has only the trailers of its [`Ending`].
    fn metadata(&mut self, _fields: Fields<'_>) {}

    /// A message has come.
    fn message(&mut self, message: Self::Response, call: &Outgoing<Self::Request>);

    /// There is room to send again, after [`Flow::Wait`].
    fn writable(&mut self, _call: &Outgoing<Self::Request>) {}

    /// The call is over.
    fn end(self, ending: Ending);
}

/// The sending side of a call that does not block. Clones are the same call,
/// and dropping them ends nothing.
pub struct Outgoing<I> {
    shared: Arc<Shared>,
    guard: Arc<Guard>,
    call: Key,
    compress: bool,
    of: PhantomData<fn(I)>,
}

impl<I: Payload> Outgoing<I> {
    fn new(channel: &Channel, call: Key, compress: bool) -> Self {
        Self {
            shared: channel.shared.clone(),
            guard: channel.guard.clone(),
            call,
            compress,
            of: PhantomData,
        }
    }

    /// Sends a message. [`Flow::Wait`] asks for no more until
    /// [`CallListener::writable`].
    ///
    /// # Errors
    /// [`UsageError`]; nothing is sent then.
    pub fn send(&self, message: &I) -> Result<Flow, UsageError> {
        self.send_as(message, self.compress)
    }

    /// Sends a message uncompressed, on a call
    /// [with compression](CallOptions::compression).
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    #[cfg(feature = "gzip")]
    pub fn send_uncompressed(&self, message: &I) -> Result<Flow, UsageError> {
        self.send_as(message, false)
    }

    fn send_as(&self, message: &I, compress: bool) -> Result<Flow, UsageError> {
        let frame = self.shared.coding.frame(message, compress);
        let frame = frame.map_err(|_| UsageError::MessageTooLong)?;
        let mut state = self.shared.lock();
        let flow = state.calls.send_frame(self.call, frame)?;
        self.shared.wake(&mut state);
        Ok(flow)
    }

    /// Says that no message follows.
    pub fn close_sending(&self) {
        let mut state = self.shared.lock();
        state.calls.close_sending(self.call);
        self.shared.wake(&mut state);
    }

    /// Ends the call with CANCELLED, unless it is over; the listener is told.
    pub fn cancel(&self) {
        let mut state = self.shared.lock();
        state.calls.cancel(self.call);
        self.shared.wake(&mut state);
    }
}

impl<I> Clone for Outgoing<I> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            guard: self.guard.clone(),
            call: self.call,
            compress: self.compress,
            of: PhantomData,
        }
    }
}

partly_shown!([I] Outgoing<I>);

impl Channel {
    /// Calls a method of any kind, and has `listener` told what comes of it on
    /// the thread of the channel's loop. Never blocks.
    ///
    /// # Errors
    /// How the call ended if it could not begin: no listener is told then.
    pub fn open<L: CallListener>(
        &self,
        path: &str,
        options: CallOptions,
        listener: L,
    ) -> Result<Outgoing<L::Request>, Ending> {
        self.listen((path, options), None, listener)
    }

    /// Calls a method with one request and many responses, and has `listener` told what comes
    /// of it on the thread of the channel's loop. Never blocks.
    ///
    /// # Errors
    /// How the call ended if it could not begin: no listener is told then.
    pub fn server_streaming_then<L: CallListener>(
        &self,
        path: &str,
        request: &L::Request,
        options: CallOptions,
        listener: L,
    ) -> Result<Outgoing<L::Request>, Ending> {
        let frame = self.shared.coding.frame(request, options.compress)?;
        self.listen((path, options), Some(frame), listener)
    }

    fn listen<L: CallListener>(
        &self,
        (path, options): (&str, CallOptions),
        frame: Option<Vec<u8>>,
        listener: L,
    ) -> Result<Outgoing<L::Request>, Ending> {
        let form = Form::of::<L::Request>(Shape::Streaming);
        let call = self.shared.listen((path, &options), form, frame, |call| {
            Box::new(ListenedCall {
                listener,
                call: Outgoing::new(self, call, options.compress),
            })
        })?;
        Ok(Outgoing::new(self, call, options.compress))
    }

    /// Calls a method with one request and one response, and has `done` called
    /// with that on the thread of the channel's loop. Never blocks.
    ///
    /// # Errors
    /// How the call ended if it could not begin: `done` is not called then.
    pub fn unary_then<I: Payload, O: Payload + Send + 'static>(
        &self,
        path: &str,
        request: &I,
        options: CallOptions,
        done: impl FnOnce(Result<CallResponse<O>, Ending>) + Send + 'static,
    ) -> Result<(), Ending> {
        let frame = self.shared.coding.frame(request, options.compress)?;
        let single = Single {
            head: FieldBuffer::new(),
            message: None,
            compressed: false,
            done,
            _channel: self.guard.clone(),
        };
        let form = Form::of::<I>(Shape::Unary);
        let method = (path, &options);
        self.shared
            .listen(method, form, Some(frame), |_| Box::new(single))?;
        Ok(())
    }
}

struct ListenedCall<L: CallListener> {
    listener: L,
    call: Outgoing<L::Request>,
}

impl<L: CallListener> Listening for ListenedCall<L> {
    fn head(&mut self, fields: FieldBuffer) {
        self.listener.metadata(fields.as_fields());
    }

    fn message(&mut self, bytes: &[u8], _compressed: bool) -> Result<(), Ending> {
        let message = L::Response::decode(bytes)?;
        self.listener.message(message, &self.call);
        Ok(())
    }

    fn writable(&mut self) {
        self.listener.writable(&self.call);
    }

    fn end(self: Box<Self>, ending: Ending) {
        self.listener.end(ending);
    }
}

/// The listener of a call with a single response.
struct Single<O, F> {
    head: FieldBuffer,
    message: Option<O>,
    compressed: bool,
    done: F,
    _channel: Arc<Guard>,
}

impl<O: Payload + Send, F: FnOnce(Result<CallResponse<O>, Ending>) + Send> Listening
    for Single<O, F>
{
    fn head(&mut self, fields: FieldBuffer) {
        self.head = fields;
    }

    fn message(&mut self, bytes: &[u8], compressed: bool) -> Result<(), Ending> {
        if self.message.is_some() {
            return Err(miscounted("more than one response"));
        }
        self.message = Some(O::decode(bytes)?);
        self.compressed = compressed;
        Ok(())
    }

    fn writable(&mut self) {}

    fn end(self: Box<Self>, ending: Ending) {
        let Self {
            head,
            message,
            compressed,
            done,
            ..
        } = *self;
        done(match (ending.code(), message) {
            (Code::Ok, Some(message)) => Ok(CallResponse {
                message,
                compressed,
                head,
                ending,
            }),
            (Code::Ok, None) => Err(miscounted("no response")),
            (_, _) => Err(ending),
        });
    }
}
