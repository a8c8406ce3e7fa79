//! Calls of an app's services, as a test makes them.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{RefCell, RefMut};
use core::marker::PhantomData;

use super::engine::Engine;
use super::error::TestError;
use crate::client::{CallOptions, CallResponse, Calls, ChannelLimits, Coding, Ending, NextMessage};
use crate::grpc::{Code, Payload, Status};
use crate::http::FieldBuffer;
use crate::net::{Key, Peer, Poller as _};
use crate::wire::partly_shown;

/// Calls of an app's services, over HTTP/2.
pub struct TestChannel {
    engine: Rc<Engine>,
    calls: Rc<RefCell<Calls<()>>>,
}

partly_shown!(TestChannel);

impl TestChannel {
    pub(super) fn new(engine: Rc<Engine>, peer: Option<Peer>) -> Self {
        let calls = Calls::new("localhost", ChannelLimits::DEFAULT, 0);
        let calls = Rc::new(RefCell::new(calls));
        engine.add_calls(&calls, peer);
        Self { engine, calls }
    }

    /// Calls a method with one request and one response, and waits for that.
    ///
    /// # Errors
    /// How the call ended, unless with OK. UNKNOWN where the [test itself](TestError) got no
    /// further.
    pub fn unary<I: Payload, O: Payload>(
        &self,
        path: &str,
        request: &I,
        options: CallOptions,
    ) -> Result<CallResponse<O>, Ending> {
        let call = self.start::<I, O>(path, options)?;
        call.send(request)?;
        call.finish()
    }

    /// Begins a call, of a method of any kind: it sends and receives as many messages as the
    /// method has.
    ///
    /// # Errors
    /// That of a call that cannot begin.
    pub fn start<I: Payload, O: Payload>(
        &self,
        path: &str,
        options: CallOptions,
    ) -> Result<TestCall<I, O>, Ending> {
        let now = self.engine.world.now();
        let key = self.calls.borrow_mut().start(path, &options, (), now)?;
        let call = TestCall {
            engine: self.engine.clone(),
            calls: self.calls.clone(),
            key,
            of: PhantomData,
        };
        call.run()?;
        Ok(call)
    }
}

/// A call of a [`TestChannel`]. Dropping it before its end cancels it.
pub struct TestCall<I, O> {
    engine: Rc<Engine>,
    calls: Rc<RefCell<Calls<()>>>,
    key: Key,
    of: PhantomData<fn(I) -> O>,
}

impl<I, O> core::fmt::Debug for TestCall<I, O> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TestCall").finish_non_exhaustive()
    }
}

impl<I, O> TestCall<I, O> {
    fn calls(&self) -> RefMut<'_, Calls<()>> {
        self.calls.borrow_mut()
    }

    fn run(&self) -> Result<(), Ending> {
        self.engine.run().map_err(stuck)
    }

    /// Says that no message follows.
    ///
    /// # Errors
    /// UNKNOWN where the test itself got no further.
    pub fn close_sending(&self) -> Result<(), Ending> {
        self.calls().close_sending(self.key);
        self.run()
    }

    /// Ends the call with CANCELLED, unless it is over.
    ///
    /// # Errors
    /// UNKNOWN where the test itself got no further.
    pub fn cancel(&self) -> Result<(), Ending> {
        self.calls().cancel(self.key);
        self.run()
    }

    /// How the call has ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        self.calls().ending(self.key).cloned()
    }

    /// The fields at the head of the response, if they are here.
    pub fn metadata(&self) -> Option<FieldBuffer> {
        let calls = self.calls();
        let mut own = FieldBuffer::new();
        // They were fields before.
        let _ = own.extend(calls.head(self.key)?);
        Some(own)
    }
}

impl<I: Payload, O: Payload> TestCall<I, O> {
    /// Sends a message.
    ///
    /// # Errors
    /// How the call has ended, unless with OK: a message after that is dropped.
    pub fn send(&self, message: &I) -> Result<(), Ending> {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        let sent = self.calls().send(self.key, &bytes);
        self.run()?;
        match (sent, self.ending()) {
            (Ok(_), _) => Ok(()),
            (Err(_), Some(ending)) if ending.code() == Code::Ok => Ok(()),
            (Err(_), Some(ending)) => Err(ending),
            (Err(misuse), None) => Err(Status::new(Code::Internal, format!("{misuse}")).into()),
        }
    }

    /// Waits for the next message; `None` after the last.
    ///
    /// # Errors
    /// How the call ended, unless with OK.
    pub fn receive(&self) -> Result<Option<O>, Ending> {
        Ok(self.next()?.map(|(message, _)| message))
    }

    fn next(&self) -> Result<Option<(O, bool)>, Ending> {
        let next = self.engine.wait(|| match self.calls().next(self.key) {
            NextMessage::Message(it) => Some(Some((Vec::from(it.bytes), it.compressed))),
            NextMessage::Over => Some(None),
            NextMessage::Wait => None,
        });
        let Some((bytes, compressed)) = next.map_err(stuck)? else {
            return match self.ending() {
                Some(ending) if ending.code() != Code::Ok => Err(ending),
                Some(_) | None => Ok(None),
            };
        };
        let coding = Coding::new(ChannelLimits::DEFAULT.message);
        let plain = coding.plain(bytes, compressed)?;
        Ok(Some((O::decode(&plain)?, compressed)))
    }

    /// Says that no message follows, and waits for the one response.
    ///
    /// # Errors
    /// How the call ended, unless with OK; INTERNAL for a response without a message or with
    /// several.
    pub fn finish(self) -> Result<CallResponse<O>, Ending> {
        self.close_sending()?;
        let first = self.next()?;
        let second = self.next()?;
        let (Some((message, compressed)), None) = (first, second) else {
            let why = "the response has no message, or several";
            return Err(Status::new(Code::Internal, why).into());
        };
        let head = self.metadata().unwrap_or_default();
        match self.ending() {
            Some(ending) => Ok(CallResponse::new(message, compressed, head, ending)),
            None => Err(Status::new(Code::Internal, "the call has no end").into()),
        }
    }
}

impl<I, O> Drop for TestCall<I, O> {
    fn drop(&mut self) {
        drop(self.calls().remove(self.key));
    }
}

fn stuck(error: TestError) -> Ending {
    Status::new(Code::Unknown, format!("{error}")).into()
}
