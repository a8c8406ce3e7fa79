//! Calls of what no service has.

use alloc::{boxed::Box, format, sync::Arc};

use super::codec::CallStatus;
use super::interceptor::Interceptors;
use super::rules::Rules;
use super::sending::Sending;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::session::SessionContext;
use crate::grpc::{self, Code, Limits, Status};
use crate::http::RequestHead;

/// Answers a request for what no service has.
pub(in crate::app) fn unknown(
    interceptors: &Arc<Interceptors>,
    head: &RequestHead<'_>,
    at: &mut SessionContext<'_, '_>,
) -> Result<Done, Refusal> {
    let machine = grpc::Call::open(head)?;
    let (status, service, method) = match machine.request(head) {
        Ok(asked) => (unimplemented(&asked), asked.service, asked.method),
        Err(status) => (status.into(), "", ""),
    };
    let rules = Arc::new(Rules {
        service: Box::from(service),
        method: Box::from(method),
        path: Box::from(head.target.path()),
        limits: Limits::DEFAULT,
        interceptors: interceptors.clone(),
        single: false,
        codecs: &[],
        compress: false,
    });
    Sending::new(machine, rules, at).finish(at, status);
    Ok(Done(()))
}

fn unimplemented(asked: &grpc::Request<'_>) -> CallStatus {
    let message = format!("no method {} of {}", asked.method, asked.service);
    Status::new(Code::Unimplemented, message).into()
}

impl From<grpc::Refusal> for Refusal {
    fn from(refusal: grpc::Refusal) -> Self {
        Self::new(refusal.http_status())
    }
}
