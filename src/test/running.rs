//! An exchange that goes on, as a test's client sees it.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Ref, RefMut};
use core::mem;

use super::engine::{Begun, Engine};
use super::error::TestError;
use super::exchange::Exchange;
use super::line::{Line, WINDOW};
use super::response::TestResponse;
use crate::client::{RequestSender as _, Wire};
use crate::http::{Fields, Status, Version};
use crate::http2::ErrorCode;
use crate::link::EndReason;
use crate::wire::partly_shown;

/// The longest body that is kept whole.
const MOST: usize = 64 << 20;

/// An exchange whose response is not complete, or not asked for yet.
pub struct TestExchange {
    pub(super) engine: Rc<Engine>,
    begun: Begun,
}

partly_shown!(it: TestExchange { stream: it.begun.stream });

impl TestExchange {
    pub(super) const fn new(engine: Rc<Engine>, begun: Begun) -> Self {
        Self { engine, begun }
    }

    pub(super) fn state(&self) -> Ref<'_, Exchange> {
        self.begun.exchange.borrow()
    }

    pub(super) fn state_mut(&self) -> RefMut<'_, Exchange> {
        self.begun.exchange.borrow_mut()
    }

    /// Acts on the connection, and has the app see it.
    pub(super) fn act<R>(&self, act: impl FnOnce(&mut Wire, u32) -> R) -> Result<R, TestError> {
        let mut line = self.begun.line.borrow_mut();
        let Line { connection, .. } = &mut *line;
        let wire = connection.wire();
        wire.set_now(self.now());
        let done = act(wire, self.begun.stream);
        drop(line);
        self.engine.run()?;
        Ok(done)
    }

    fn now(&self) -> crate::wire::Instant {
        use crate::net::Poller as _;
        self.engine.world.now()
    }

    /// Waits until the exchange has what `done` looks for.
    pub(super) fn wait<T>(
        &self,
        mut done: impl FnMut(&mut Exchange) -> Option<T>,
    ) -> Result<T, TestError> {
        self.engine.wait(|| {
            let mut state = self.state_mut();
            done(&mut state).map(Ok).or_else(|| {
                let ended = state.ended.filter(|_| !state.is_complete);
                ended.map(|why| Err(TestError::Ended(why)))
            })
        })?
    }

    /// The status, if the head of the response is here.
    pub fn status(&self) -> Option<Status> {
        self.state().head.as_ref().map(|head| head.status)
    }

    /// Whether all of the response is here.
    pub fn is_complete(&self) -> bool {
        self.state().is_complete
    }

    /// Why the exchange has ended without being complete, if it has.
    pub fn ended(&self) -> Option<EndReason> {
        self.state().ended
    }

    /// What has come of the body and was not taken yet.
    pub fn take(&self) -> Vec<u8> {
        mem::take(&mut self.state_mut().body)
    }

    /// Waits for more of the body; `None` at its end.
    ///
    /// # Errors
    /// [`TestError::Ended`] if the exchange ends first, [`TestError::Silent`] if nothing
    /// comes.
    pub fn read(&self) -> Result<Option<Vec<u8>>, TestError> {
        self.wait(|state| match state.body.is_empty() {
            true => state.is_complete.then_some(None),
            false => Some(Some(mem::take(&mut state.body))),
        })
    }

    /// Waits for all of the response. What was [taken](Self::take) before is not in it.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and [`TestError::TooLong`] beyond 64 MiB.
    pub fn response(&self) -> Result<TestResponse, TestError> {
        self.begun.line.borrow_mut().window = MOST + 1;
        let response = self.wait(|state| {
            if state.body.len() > MOST {
                return Some(Err(TestError::TooLong));
            }
            let all = state.is_complete.then(|| take_response(state));
            all.flatten().map(Ok)
        });
        self.begun.line.borrow_mut().window = WINDOW;
        response?
    }

    /// Writes a piece of the body of a request that is
    /// [streamed](super::TestRequest::stream).
    ///
    /// # Errors
    /// [`TestError::Ended`] if the exchange has ended.
    pub fn write(&self, data: impl AsRef<[u8]>) -> Result<(), TestError> {
        let flow = self.act(|wire, stream| wire.write(stream, data.as_ref()))?;
        match flow.is_taken() {
            true => Ok(()),
            false => Err(TestError::Ended(
                self.ended().unwrap_or(EndReason::Finished),
            )),
        }
    }

    /// Ends the body of a request that is streamed.
    ///
    /// # Errors
    /// [`TestError::Usage`] if it has ended before.
    pub fn finish(&self) -> Result<(), TestError> {
        self.act(|wire, stream| wire.finish(stream, Fields::EMPTY))??;
        Ok(())
    }

    /// The client gives up: over HTTP/2 it resets the stream, otherwise the connection.
    ///
    /// # Errors
    /// [`TestError::Restless`] and [`TestError::App`].
    pub fn cancel(self) -> Result<(), TestError> {
        if self.begun.line.borrow().version == Version::Http2 {
            return self.act(|wire, stream| wire.reset(stream, ErrorCode::CANCEL));
        }
        self.begun.line.borrow_mut().reset(&self.engine.world);
        self.engine.run()
    }
}

/// All that has come.
pub(super) fn take_response(state: &mut Exchange) -> Option<TestResponse> {
    Some(TestResponse {
        head: state.head.clone()?,
        informational: mem::take(&mut state.informational),
        body: mem::take(&mut state.body),
        trailers: mem::take(&mut state.trailers),
    })
}
