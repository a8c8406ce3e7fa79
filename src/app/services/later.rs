//! A unary response that comes later.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use core::marker::PhantomData;

use super::codec::{CallStatus, Payload};
use crate::app::publishing::door::Door;
use crate::app::publishing::handle::Letter;
use crate::grpc::{Code, Status};
use crate::net::Exchange;

/// Sends the response of a unary call, from any thread.
///
/// Dropped without having sent, it ends the call with INTERNAL. What is sent
/// after the client has gone, or after its deadline, is dropped.
pub struct Later<M> {
    door: Door,
    exchange: Exchange,
    sent: bool,
    message: PhantomData<fn(M)>,
}

impl<M> fmt::Debug for Later<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

/// What the session of the call is sent.
pub(in crate::app) struct Settled(pub(in crate::app) Result<Vec<u8>, CallStatus>);

impl<M> Later<M> {
    pub(in crate::app) const fn new(door: Door, exchange: Exchange) -> Self {
        Self {
            door,
            exchange,
            sent: false,
            message: PhantomData,
        }
    }

    fn settle(&mut self, result: Result<Vec<u8>, CallStatus>) {
        self.sent = true;
        // A mailbox that is full leaves the call to the limit on replies.
        self.door.post(
            self.exchange,
            Box::new(Letter::Mail(Box::new(Settled(result)))),
        );
    }
}

impl<M: Payload> Later<M> {
    /// Sends the response, or the status that the call ends with.
    pub fn send(mut self, result: Result<M, CallStatus>) {
        self.settle(result.map(|message| {
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            bytes
        }));
    }
}

impl<M> Drop for Later<M> {
    fn drop(&mut self) {
        if !self.sent {
            self.settle(Err(Status::new(
                Code::Internal,
                "the method gave no answer",
            )
            .into()));
        }
    }
}
