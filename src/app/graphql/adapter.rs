//! Schemas of async-graphql.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};

use async_graphql::{PathSegment, Request, Response, UploadValue, Variables};
use bytes::Bytes;
use futures_core::Stream;

use super::executor::{Executor, Operation};
use super::response::GraphQlResponse;
use super::uploads::GraphQlUpload;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use crate::app::futures::spawner::Spawner;

/// Executes operations by a schema of [`async-graphql`](async_graphql), or by whatever else is
/// an executor of it.
///
/// Resolvers find the loop's [`Spawner`] in their context, for timers and tasks, the
/// [`Extensions`](crate::app::Extensions) that middleware and
/// [`GraphQl::on_connect`](crate::app::GraphQl::on_connect) have attached, in an `Arc`, and a
/// [`ConnectionInit`]. An argument `Upload` is a file of a multipart request; with
/// async-graphql's feature `tempfile` it is written to a file without a name, meanwhile the
/// loop waits.
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
/// use barewire::app::{App, AsyncGraphQl, GraphQl};
///
/// struct Query;
///
/// #[Object]
/// impl Query {
///     async fn hello(&self) -> &str {
///         "world"
///     }
/// }
///
/// let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
///     .limit_depth(20)
///     .limit_complexity(1_000)
///     .finish();
/// App::new().graphql("/graphql", GraphQl::new(AsyncGraphQl(schema)));
/// ```
///
/// What a document may cost is bounded by the schema: `limit_depth`, `limit_complexity`,
/// `limit_recursive_depth` and `limit_directives`.
#[derive(Debug, Clone)]
pub struct AsyncGraphQl<E>(pub E);

/// What a client has said of itself as it opened its WebSocket: a JSON object.
#[derive(Debug, Clone)]
pub struct ConnectionInit(pub Arc<str>);

impl<E: async_graphql::Executor> Executor for AsyncGraphQl<E> {
    async fn execute(&self, operation: Operation) -> GraphQlResponse {
        match request(operation) {
            Ok(request) => response(&self.0.execute(request).await),
            Err(refused) => refused,
        }
    }

    fn subscribe(
        &self,
        operation: Operation,
    ) -> impl Stream<Item = GraphQlResponse> + use<E> + 'static {
        match request(operation) {
            Ok(request) => Responses::Of(self.0.execute_stream(request, None)),
            Err(refused) => Responses::Refused(Some(refused)),
        }
    }
}

/// The operation in the words of the library.
fn request(operation: Operation) -> Result<Request, GraphQlResponse> {
    let Operation {
        request: asked,
        uploads,
        init,
        extensions,
        spawner,
        ..
    } = operation;
    let mut request = Request::new(asked.query).data::<Spawner>(spawner);
    if let Some(name) = asked.operation_name {
        request = request.operation_name(name);
    }
    if let Some(variables) = &asked.variables {
        let read = serde_json::from_str::<Variables>(variables);
        request = request.variables(read.map_err(|_| refused("variables"))?);
    }
    attach(uploads, &mut request).map_err(|error| {
        let message = alloc::format!("a file cannot be kept: {error}");
        GraphQlResponse::error(&message, "INTERNAL_SERVER_ERROR")
    })?;
    if let Some(given) = &asked.extensions {
        let read = serde_json::from_str(given);
        request.extensions = read.map_err(|_| refused("extensions"))?;
    }
    if let Some(init) = init {
        request = request.data(ConnectionInit(init));
    }
    Ok(match extensions {
        Some(extensions) => request.data(extensions),
        None => request,
    })
}

/// Puts files in their places.
fn attach(uploads: Vec<GraphQlUpload>, request: &mut Request) -> io::Result<()> {
    for upload in uploads {
        for path in upload.paths {
            let value = UploadValue {
                filename: upload.file_name.clone().unwrap_or_default(),
                content_type: upload.content_type.clone(),
                content: Content::of(&upload.content)?,
            };
            request.set_upload(&path, value);
        }
    }
    Ok(())
}

/// What the library keeps a file's content as: by its feature `tempfile`, which any crate of a
/// program may choose, the other of these two.
trait Content: Sized {
    fn of(content: &Bytes) -> io::Result<Self>;
}

impl Content for Bytes {
    fn of(content: &Bytes) -> io::Result<Self> {
        Ok(content.clone())
    }
}

impl Content for File {
    fn of(content: &Bytes) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        file.write_all(content)?;
        file.rewind()?;
        Ok(file)
    }
}

fn refused(name: &str) -> GraphQlResponse {
    let message = alloc::format!("the member `{name}` cannot be read");
    GraphQlResponse::error(&message, "BAD_REQUEST")
}

/// A response, which has no data if nothing was executed: then its errors name no place in it.
fn response(response: &Response) -> GraphQlResponse {
    let is_of_request = |errors: &[async_graphql::ServerError]| {
        let path = |path: &[PathSegment]| path.is_empty();
        !errors.is_empty() && errors.iter().all(|error| path(&error.path))
    };
    let has_data = response.data != async_graphql::Value::Null || !is_of_request(&response.errors);
    let written = match has_data {
        true => serde_json::to_string(response),
        false => serde_json::to_string(&response.errors).map(|errors| {
            // Extensions are of what was executed.
            alloc::format!(r#"{{"errors":{errors}}}"#)
        }),
    };
    match written {
        Ok(json) => GraphQlResponse::new(json, has_data),
        Err(error) => GraphQlResponse::error(&alloc::format!("{error}"), "INTERNAL_SERVER_ERROR"),
    }
}

/// The responses to a subscription.
enum Responses {
    Of(Pin<alloc::boxed::Box<dyn Stream<Item = Response> + Send>>),
    Refused(Option<GraphQlResponse>),
}

impl Stream for Responses {
    type Item = GraphQlResponse;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self {
            Self::Of(stream) => {
                let polled = stream.as_mut().poll_next(context);
                polled.map(|it| it.as_ref().map(response))
            }
            Self::Refused(refused) => Poll::Ready(refused.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_file_is_read_from_its_beginning() {
        let mut file = File::of(&Bytes::from_static(b"content")).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
    }
}
