//! The methods of a service, and how one is run.

use alloc::{boxed::Box, format, vec::Vec};
use core::panic::AssertUnwindSafe;
use std::collections::HashMap;
use std::panic::catch_unwind;

use super::call::Call;
use super::codec::CallStatus;
use super::responses::Source;
use crate::app::exchange::session::At;
use crate::grpc::{self, Code, Limits, Status};
use crate::http::RequestHead;
use crate::net::Peer;

/// What a method does with a request's message: the bytes of one response, or
/// what they will come from.
pub(in crate::app) type Run =
    dyn Fn(&[u8], &mut Call<'_>) -> Result<Answer, CallStatus> + Send + Sync;

/// What a method answers.
pub(in crate::app) enum Answer {
    /// One message.
    Message(Vec<u8>),
    /// Messages from this.
    Stream(Box<dyn Source>),
    /// One message, which will be posted.
    Later,
}

/// The methods of one service.
pub(in crate::app) struct Methods {
    /// The service's name, with its package.
    pub(in crate::app) service: Box<str>,
    /// The methods by name.
    pub(in crate::app) named: HashMap<Box<str>, Box<Run>>,
    /// The limits on messages.
    pub(in crate::app) limits: Limits,
}

impl Methods {
    /// Bytes up to which a body is collected: one message, as base64.
    pub(in crate::app) const fn collected(&self) -> usize {
        let framed = self.limits.message.saturating_add(grpc::frame::PREFIX);
        (framed / 3 + 1).saturating_mul(4)
    }

    /// What a request asks for.
    pub(in crate::app) fn ask<'r>(
        &self,
        machine: &mut grpc::Call,
        head: &RequestHead<'r>,
        peer: Option<Peer>,
        at: &At<'_, '_>,
    ) -> Result<(&Run, Call<'r>), CallStatus> {
        let asked = machine.request(head)?;
        let run = self.find(asked.service, asked.method)?;
        if asked.timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(deadline_exceeded());
        }
        let deadline = asked.timeout.map(|timeout| at.context.now() + timeout);
        Ok((run, Call::new(asked, peer, deadline, at.context)))
    }

    /// The method of this name.
    pub(in crate::app) fn find(&self, service: &str, method: &str) -> Result<&Run, CallStatus> {
        let run = self.named.get(method).filter(|_| service == &*self.service);
        run.map(|run| &**run).ok_or_else(|| {
            let message = format!("no method {method} of {service}");
            Status::new(Code::Unimplemented, message).into()
        })
    }
}

/// What a call ends with when its time is up.
pub(in crate::app) fn deadline_exceeded() -> CallStatus {
    Status::new(Code::DeadlineExceeded, "deadline has passed").into()
}

/// Runs a method. Its panic is the call's end, and nobody else's.
pub(in crate::app) fn execute(
    run: &Run,
    message: &[u8],
    call: &mut Call<'_>,
    at: &At<'_, '_>,
) -> Result<Answer, CallStatus> {
    at.site.metrics.received_message(message.len());
    catch_unwind(AssertUnwindSafe(|| run(message, call))).unwrap_or_else(|_| {
        at.site.metrics.panicked();
        Err(Status::new(Code::Internal, "the method failed").into())
    })
}
