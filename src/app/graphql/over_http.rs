//! Operations by HTTP: one response for each request.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::Bytes;

use super::executor::{Executor, Operation};
use super::over_events::Source;
use super::reserved::Begun;
use super::response::GraphQlResponse;
use super::route::Route;
use super::shared::{Origin, Shared, refusal};
use super::uploads::GraphQlUpload;
use crate::app::exchange::accept::Accept;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::response::Response;
use crate::graphql::http::{Asked, MediaType, Received, Upload, status};
use crate::graphql::{RequestError, sse};
use crate::http::{Method, Status};
use crate::link::Full;

impl<E: Executor> Route<E> {
    /// Answers a request that opens no WebSocket.
    pub(super) fn answer_http(
        &self,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        match self.judge(request, reply) {
            Ok(done) => done,
            Err((error, reply)) => Ok(refuse(error, reply)),
        }
    }

    fn judge<'a, 'c>(
        &self,
        request: &Request<'_>,
        mut reply: Reply<'a, 'c>,
    ) -> Result<Result<Done, Refusal>, (RequestError, Reply<'a, 'c>)> {
        let method = request.method();
        if method == Method::PUT {
            return Ok(self.reserved.reserve(&self.shared.limits, reply));
        }
        let token = self.reserved.token_of(request);
        if let (Some(token), Method::GET) = (&token, method) {
            return match self.reserved.open(token) {
                Ok(()) => Ok(self.open_reserved(token, request, reply)),
                Err(error) => Err((error, reply)),
            };
        }
        if method == Method::DELETE {
            let stopped = sse::operation_to_stop(request.query())
                .and_then(|id| self.reserved.stop(token.as_deref(), &id));
            return match stopped {
                Ok(()) => Ok(Ok(reply.status(Status::OK).text(""))),
                Err(error) => Err((error, reply)),
            };
        }
        let origin = Origin {
            init: None,
            extensions: request.extensions.clone(),
            spawner: reply.spawner(),
        };
        let read = Received::read(
            method,
            request.query(),
            request.headers(),
            request.body(),
            &self.shared.limits,
        );
        let asked = read.and_then(|mut received| {
            for request in received.requests_mut() {
                self.shared.resolve(request)?;
            }
            match token {
                None => Ok((received.media_type()?, received.asked, None)),
                Some(token) => Ok((MediaType::EventStream, received.asked, Some(token))),
            }
        });
        match asked {
            Err(error) => Err((error, reply)),
            Ok((_, Asked::One(one), Some(token))) => {
                let charge = reply.at().context.charge();
                match self
                    .reserved
                    .begin(&token, one, (origin, charge), &self.shared)
                {
                    Ok(Begun::Begun) => Ok(Ok(reply.status(Status::ACCEPTED).text(""))),
                    Ok(Begun::Full) => Ok(Err(Status::SERVICE_UNAVAILABLE.into())),
                    Err(error) => Err((error, reply)),
                }
            }
            Ok((_, _, Some(_))) => Err((RequestError::NoBatches, reply)),
            Ok((MediaType::EventStream, Asked::One(one), None)) => {
                let charge = reply.at().context.charge();
                let Ok(operation) = Shared::<E>::operation(one, origin, charge) else {
                    return Ok(Err(Status::SERVICE_UNAVAILABLE.into()));
                };
                let source = Source::One(self.shared.clone(), Some(operation));
                Ok(self.events.begin(Accept::new(source), request, reply))
            }
            Ok((media_type, asked, None)) => Ok(self.respond(media_type, asked, &origin, reply)),
        }
    }

    /// Executes what is asked for, and responds with it.
    fn respond(
        &self,
        media_type: MediaType,
        asked: Asked<'_>,
        origin: &Origin,
        mut reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let mut operation = |request| {
            let charge = reply.at().context.charge();
            let operation = Shared::<E>::operation(request, origin.clone(), charge);
            operation.map_err(|_| Refusal::new(Status::SERVICE_UNAVAILABLE))
        };
        let (requests, is_batch, uploads) = match asked {
            Asked::One(one) => {
                let execute = self.shared.execute(operation(one)?);
                return Ok(reply.future(async move { one_response(media_type, execute.await) }));
            }
            Asked::Batch(requests) => (requests, true, Vec::new()),
            Asked::Uploads {
                requests,
                is_batch,
                uploads,
            } => (requests, is_batch, uploads),
        };
        let operations = requests.into_iter().map(operation);
        let mut operations: Vec<Operation> = operations.collect::<Result<_, _>>()?;
        for upload in uploads {
            hand_over(&upload, is_batch, &mut operations)
                .map_err(|_| Status::SERVICE_UNAVAILABLE)?;
        }
        let shared = Arc::clone(&self.shared);
        Ok(reply.future(async move {
            let mut json = String::from("[");
            for operation in operations {
                let response = shared.execute(operation).await;
                if !is_batch {
                    return one_response(media_type, response);
                }
                if json.len() > 1 {
                    json.push(',');
                }
                json.push_str(response.json());
            }
            json.push(']');
            Response::body(media_type.content_type(), json)
        }))
    }
}

fn one_response(media_type: MediaType, response: GraphQlResponse) -> Response {
    let of_response = status(media_type, response.has_data);
    let status = response.status.unwrap_or(of_response);
    Response::body(media_type.content_type(), response.json).status(status)
}

/// Hands a file to the operations that have a place for it.
///
/// # Errors
/// There is no memory for it.
fn hand_over(
    upload: &Upload<'_>,
    is_batch: bool,
    operations: &mut [Operation],
) -> Result<(), Full> {
    let content = Bytes::copy_from_slice(upload.content);
    for (at, operation) in operations.iter_mut().enumerate() {
        let in_operation = |path: &String| match is_batch {
            false => Some(path.clone()),
            true => {
                let (number, rest) = path.split_once('.')?;
                (number.parse() == Ok(at)).then(|| rest.into())
            }
        };
        let paths: Vec<String> = upload.paths.iter().filter_map(in_operation).collect();
        if !paths.is_empty() {
            let bytes = content.len() + paths.iter().map(String::len).sum::<usize>();
            operation.charge.try_grow(bytes)?;
            operation.uploads.push(GraphQlUpload {
                file_name: upload.file_name.map(String::from),
                content_type: upload.content_type.map(String::from),
                content: content.clone(),
                paths,
            });
        }
    }
    Ok(())
}

/// Says what is wrong with a request.
fn refuse(error: RequestError, mut reply: Reply<'_, '_>) -> Done {
    if let Some(allow) = error.allow() {
        reply = reply.set_header("Allow", allow);
    }
    let json = refusal(error).json;
    let content_type = MediaType::Json.content_type();
    reply.status(error.status()).body(content_type, json)
}
