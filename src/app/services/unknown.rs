//! Calls of what no service has.

use alloc::{boxed::Box, format, sync::Arc};

use super::codec::CallStatus;
use super::interceptor::Interceptors;
use super::machine::Machine;
use super::rules::Rules;
use super::sending::Sending;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::session::SessionContext;
use crate::grpc::{self, Code, Limits, Status, connect};
use crate::http::{self, RequestHead};

/// Answers a request for what no service has.
pub(crate) fn unknown(
    interceptors: &Arc<Interceptors>,
    head: &RequestHead<'_>,
    at: &mut SessionContext<'_, '_>,
) -> Result<Done, Refusal> {
    let machine = match grpc::Call::open(head) {
        // What no service has is not found (Connect, HTTP to Error Code).
        Err(grpc::Refusal::ContentType) if is_connect(head) => {
            return Err(http::Status::NOT_FOUND.into());
        }
        opened => opened?,
    };
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
        shape: connect::Shape::Streaming,
        needs_http2: false,
        codecs: &[],
        mapping: None,
        compress: false,
        versioned: false,
        has_get: false,
    });
    Sending::new(Machine::Grpc(machine), rules, at).finish(at, status);
    Ok(Done(()))
}

fn is_connect(head: &RequestHead<'_>) -> bool {
    let content_type = head.fields.get("content-type").unwrap_or_default();
    connect::ContentType::parse(content_type).is_some()
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
