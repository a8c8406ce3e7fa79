//! One call of a thread: what its halves share.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Condvar, MutexGuard};

use super::handle::Guard;
use super::machine::Form;
use super::shared::{Shared, State, Waiter};
use super::{CallOptions, CallResponse, Channel, Ending, NextMessage, UsageError};
use crate::grpc::{Code, Payload, Status};
use crate::http::FieldBuffer;
use crate::net::Key;

/// One call. It is cancelled when the last handle of it is dropped.
pub(super) struct Pending {
    shared: Arc<Shared>,
    news: Arc<Condvar>,
    call: Key,
    pub(super) compress: bool,
    _channel: Arc<Guard>,
}

impl Pending {
    /// Begins a call with messages of this form; with a message, that is all it sends.
    pub(super) fn start(
        channel: &Channel,
        (path, options): (&str, &CallOptions),
        form: Form,
        only: Option<Vec<u8>>,
    ) -> Result<Self, Ending> {
        let shared = channel.shared.clone();
        let news = Arc::new(Condvar::new());
        let waiter = Waiter::Thread(news.clone());
        let call = shared.start((path, options), form, waiter, only)?;
        Ok(Self {
            shared,
            news,
            call,
            compress: options.compress,
            _channel: channel.guard.clone(),
        })
    }

    /// Sends a message, and blocks while too many wait. One that comes after
    /// the server has ended the call with OK is dropped: it said that it needs
    /// no more.
    pub(super) fn send(&self, message: &impl Payload, compress: bool) -> Result<(), Ending> {
        let frame = self.shared.coding.frame(message, compress)?;
        let mut state = self.shared.lock();
        while !state.calls.has_room(self.call) && state.calls.ending(self.call).is_none() {
            state = self.shared.wait(state, &self.news)?;
        }
        match state.calls.send_frame(self.call, frame) {
            Ok(_) => {
                self.shared.wake(&mut state);
                Ok(())
            }
            Err(UsageError::Over) => match state.calls.ending(self.call) {
                Some(ending) if ending.code() != Code::Ok => Err(ending.clone()),
                Some(_) | None => Ok(()),
            },
            Err(misuse) => {
                let message = alloc::format!("{misuse}");
                Err(Status::new(Code::Internal, message).into())
            }
        }
    }

    /// Says that no message follows.
    pub(super) fn close_sending(&self) {
        let mut state = self.shared.lock();
        state.calls.close_sending(self.call);
        self.shared.wake(&mut state);
    }

    /// Ends the call with CANCELLED, unless it is over.
    pub(super) fn cancel(&self) {
        let mut state = self.shared.lock();
        state.calls.cancel(self.call);
        self.shared.wake(&mut state);
        self.news.notify_all();
    }

    /// Blocks until the next message has been received, and whether it came compressed;
    /// `None` at the end, if that is OK.
    pub(super) fn receive<O: Payload>(&self) -> Result<Option<(O, bool)>, Ending> {
        let mut state = self.shared.lock();
        let (bytes, compressed) = loop {
            match state.calls.next(self.call) {
                NextMessage::Message(message) => {
                    break (Vec::from(message.bytes), message.compressed);
                }
                NextMessage::Over => return self.over(&state),
                NextMessage::Wait => state = self.shared.wait(state, &self.news)?,
            }
        };
        if state.calls.has_output() {
            self.shared.wake(&mut state);
        }
        drop(state);
        let plain = self.shared.coding.plain(bytes, compressed);
        let decoded = plain.and_then(|bytes| O::decode(&bytes).map_err(Ending::from));
        match decoded {
            Ok(message) => Ok(Some((message, compressed))),
            Err(ending) => {
                let mut state = self.shared.lock();
                state.calls.fail(self.call, ending.clone());
                self.shared.wake(&mut state);
                Err(ending)
            }
        }
    }

    fn over<O>(&self, state: &MutexGuard<'_, State>) -> Result<Option<O>, Ending> {
        match state.calls.ending(self.call) {
            Some(ending) if ending.code() != Code::Ok => Err(ending.clone()),
            Some(_) | None => Ok(None),
        }
    }

    /// Blocks until the head of the response has been received, or the call is over.
    pub(super) fn metadata(&self) -> Result<FieldBuffer, Ending> {
        let mut state = self.shared.lock();
        loop {
            if let Some(head) = state.calls.head(self.call) {
                let mut fields = FieldBuffer::new();
                // It was checked when it came.
                let _ = fields.extend(head);
                return Ok(fields);
            }
            match state.calls.ending(self.call) {
                Some(ending) if ending.code() != Code::Ok => return Err(ending.clone()),
                Some(_) => return Ok(FieldBuffer::new()),
                None => state = self.shared.wait(state, &self.news)?,
            }
        }
    }

    /// How the call has ended, once it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.shared.lock().calls.ending(self.call).cloned()
    }

    /// Blocks until the call is over, which has exactly one message if it is
    /// OK.
    pub(super) fn single<O: Payload>(&self) -> Result<CallResponse<O>, Ending> {
        let message = self.receive()?;
        if message.is_some() && self.receive::<Vec<u8>>()?.is_some() {
            return Err(miscounted("more than one response"));
        }
        let (message, compressed) = message.ok_or_else(|| miscounted("no response"))?;
        let removed = self.shared.lock().calls.remove(self.call);
        let (head, ending) = removed.map_or_else(
            || (FieldBuffer::new(), Ending::from(Status::OK)),
            |removed| (removed.head, removed.ending),
        );
        Ok(CallResponse {
            message,
            compressed,
            head,
            ending,
        })
    }
}

/// A method with one response has sent another number (gRPC status codes).
pub(super) const fn miscounted(message: &'static str) -> Ending {
    Ending::constant(Code::Unimplemented, message)
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.calls.remove(self.call);
        if state.calls.has_output() {
            self.shared.wake(&mut state);
        }
    }
}
