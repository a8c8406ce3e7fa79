//! Responses that come later, from any thread.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, Ordering};

use super::call::Call;
use super::codec::{CallStatus, Payload};
use crate::app::publishing::handle::HandleError;
use crate::app::publishing::loop_address::LoopAddress;
use crate::grpc::{Code, Status};
use crate::net::{Claim, Exchange, Exhausted, Peer, Resource};
use crate::wire::partly_shown;

/// A message posted to the session of a call.
pub(super) enum Posted {
    Message(Vec<u8>),
    Response(Vec<u8>),
    End(CallStatus),
}

impl Posted {
    fn memory(&self) -> usize {
        match self {
            Self::Message(bytes) | Self::Response(bytes) => bytes.capacity(),
            Self::End(status) => status.message.len(),
        }
    }
}

struct Address {
    loop_address: LoopAddress,
    exchange: Exchange,
    wanted: Arc<AtomicBool>,
}

impl Address {
    fn post(&self, posted: Posted) -> Result<(), HandleError> {
        let bytes = posted.memory();
        let is_taken = self.is_wanted()
            && self
                .loop_address
                .post(self.exchange, Box::new(posted), bytes);
        is_taken.then_some(()).ok_or(HandleError)
    }

    /// Posts what ends the call; nothing if it has been ended.
    fn end(&self, posted: Posted) -> Result<(), HandleError> {
        let bytes = posted.memory();
        let is_taken = self.wanted.swap(false, Ordering::AcqRel)
            && self
                .loop_address
                .post(self.exchange, Box::new(posted), bytes);
        is_taken.then_some(()).ok_or(HandleError)
    }

    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
}

fn encoded<M: Payload>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

fn no_answer() -> Posted {
    Posted::End(Status::new(Code::Internal, "the method gave no answer").into())
}

/// Sends the response of a unary call, from any thread.
///
/// Dropped without having sent, it ends the call with INTERNAL. What is sent
/// after the client has gone, or after its deadline, is dropped.
pub struct DeferredResponse<M> {
    address: Address,
    peer: Option<Peer>,
    message: PhantomData<fn(M)>,
}

partly_shown!([M] it: DeferredResponse<M> { exchange: it.address.exchange });

impl<M> DeferredResponse<M> {
    /// That of this call.
    pub(super) fn of(call: &mut Call<'_>) -> Self {
        let wanted = call.outgoing().wanted();
        Self {
            address: Address {
                loop_address: call.loop_address().clone(),
                exchange: call.exchange(),
                wanted,
            },
            peer: call.peer(),
            message: PhantomData,
        }
    }

    /// Whether the client still waits: it has not gone, and its deadline has
    /// not passed.
    pub fn is_wanted(&self) -> bool {
        self.address.is_wanted()
    }
}

impl<M> DeferredResponse<M> {
    /// Whether the client still waits, as long as anyone wants to know.
    pub(crate) fn wanted(&self) -> Arc<AtomicBool> {
        self.address.wanted.clone()
    }

    /// Takes the call's place among those that wait for blocking work.
    pub(crate) fn claim_job(&self) -> Result<Claim, Exhausted> {
        let Address {
            loop_address,
            exchange,
            ..
        } = &self.address;
        loop_address
            .remote
            .claim(Resource::Jobs, self.peer, *exchange)
    }
}

impl<M: Payload> DeferredResponse<M> {
    /// Sends the response, or the status that the call ends with. Returns whether it is
    /// on its way: false if the caller no longer waits for it, or the loop's mailbox is
    /// full.
    pub fn send(self, result: Result<M, CallStatus>) -> bool {
        let posted = match result {
            Ok(message) => Posted::Response(encoded(&message)),
            Err(status) => Posted::End(status),
        };
        self.address.end(posted).is_ok()
    }
}

impl<M> Drop for DeferredResponse<M> {
    fn drop(&mut self) {
        let _ = self.address.end(no_answer());
    }
}

/// Sends the messages of a call, and its end, from any thread.
///
/// Clones send to the same call. When the last is dropped and the call has not
/// been [finished](Self::finish), it ends with INTERNAL, so that a thread that
/// fails leaves no client waiting. What is sent after the client has gone, or
/// after its deadline, is dropped.
pub struct ResponseSender<M> {
    shared: Arc<Last>,
    message: PhantomData<fn(&M)>,
}

/// Ends the call when the last sender is dropped.
struct Last(Address);

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.0.end(no_answer());
    }
}

impl<M> Clone for ResponseSender<M> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            message: PhantomData,
        }
    }
}

partly_shown!([M] it: ResponseSender<M> { exchange: it.shared.0.exchange });

impl<M> ResponseSender<M> {
    /// One of this call.
    pub(super) fn of(call: &mut Call<'_>) -> Self {
        let wanted = call.outgoing().wanted();
        Self::new(call.loop_address().clone(), call.exchange(), wanted)
    }

    pub(super) fn new(
        loop_address: LoopAddress,
        exchange: Exchange,
        wanted: Arc<AtomicBool>,
    ) -> Self {
        let address = Address {
            loop_address,
            exchange,
            wanted,
        };
        Self {
            shared: Arc::new(Last(address)),
            message: PhantomData,
        }
    }

    /// Whether the call is still open: the client has not gone, its deadline has not
    /// passed, and the call has not been finished.
    pub fn is_wanted(&self) -> bool {
        self.shared.0.is_wanted()
    }

    /// Ends the call with a status: [`Status::OK`] if all has been sent.
    ///
    /// # Errors
    /// [`HandleError`] if the call is over, or the mailbox of its loop full.
    pub fn finish(&self, status: impl Into<CallStatus>) -> Result<(), HandleError> {
        self.shared.0.end(Posted::End(status.into()))
    }
}

impl<M: Payload> ResponseSender<M> {
    /// Sends a message. It never waits: a sender of more than the client
    /// takes has the call ended when its backlog reaches the cap.
    ///
    /// # Errors
    /// [`HandleError`] if the call is over, or the mailbox of its loop full.
    pub fn send(&self, message: &M) -> Result<(), HandleError> {
        self.shared.0.post(Posted::Message(encoded(message)))
    }
}
