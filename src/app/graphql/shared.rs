//! The state of one route, shared by all its transports.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use super::executor::{Executor, Operation};
use super::guarded::{Subscribed, execute};
use super::response::GraphQlResponse;
use crate::app::exchange::extensions::Extensions;
use crate::app::futures::kept::FutureError;
use crate::app::futures::spawner::Spawner;
use crate::graphql::{Documents, Limits, OperationType, Request, RequestError};
use crate::link::{Charge, Full};

/// One route's executor, and what it is allowed.
pub(super) struct Shared<E> {
    pub(super) executor: Arc<E>,
    pub(super) limits: Limits,
    pub(super) time: Duration,
    documents: Mutex<Documents>,
}

/// Where an operation comes from.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) init: Option<Arc<str>>,
    pub(super) extensions: Option<Arc<Extensions>>,
    pub(super) spawner: Spawner,
}

/// Bytes that an operation takes beside its texts.
const OPERATION: usize = size_of::<Operation>();

impl<E: Executor> Shared<E> {
    pub(super) fn new(executor: E, limits: Limits, documents: Documents, time: Duration) -> Self {
        Self {
            executor: Arc::new(executor),
            limits,
            time,
            documents: Mutex::new(documents),
        }
    }

    /// Puts the document into a request that names one.
    pub(super) fn resolve(&self, request: &mut Request<'_>) -> Result<(), RequestError> {
        // No code of others runs under the lock.
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        documents.resolve(request, &self.limits)
    }

    /// The operation that a request asks for.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(super) fn operation(
        request: Request<'_>,
        origin: Origin,
        mut charge: Charge,
    ) -> Result<Operation, Full> {
        let Origin {
            init,
            extensions,
            spawner,
        } = origin;
        let texts = [
            request.operation_name.as_deref(),
            request.variables.as_deref(),
            request.extensions.as_deref(),
            request.document_id.as_deref(),
        ];
        let length = texts.iter().flatten().map(|it| it.len()).sum::<usize>();
        charge.try_grow(OPERATION + request.query.len() + length)?;
        Ok(Operation {
            operation_type: request.operation_type(),
            request: request.into_owned(),
            uploads: Vec::new(),
            init,
            extensions,
            spawner,
            charge,
        })
    }

    /// Executes a query or a mutation.
    pub(super) fn execute(
        &self,
        operation: Operation,
    ) -> impl Future<Output = GraphQlResponse> + use<E> + 'static {
        execute(self.executor.clone(), operation, self.time)
    }

    /// Executes a subscription.
    pub(super) fn subscribe(&self, operation: Operation) -> Subscribed {
        Subscribed::new(&*self.executor, operation)
    }
}

/// Whether it is a subscription.
pub(super) fn listens(operation: &Operation) -> bool {
    operation.operation_type == Some(OperationType::Subscription)
}

/// A response that says what is wrong with a request.
pub(super) fn refusal(error: RequestError) -> GraphQlResponse {
    let mut json = String::new();
    error.write_response(&mut json);
    GraphQlResponse::new(json, false)
}

/// The response to an operation for which there is no room.
pub(super) fn busy(error: &FutureError) -> GraphQlResponse {
    let message = alloc::format!("the server is busy: {error}");
    GraphQlResponse::error(&message, "SERVICE_UNAVAILABLE")
}
