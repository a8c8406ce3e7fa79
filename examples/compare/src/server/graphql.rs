//! GraphQL: the transports, and an executor that knows three documents by heart, so that what is
//! measured is what carries them.

use std::pin::Pin;
use std::task::{Context, Poll};

use barewire::app::{App, Executor, GraphQl, GraphQlResponse, Operation, put_json_string};
use barewire::graphql::Limits;
use futures_core::Stream;
use serde::Deserialize;

use crate::cells::MESSAGES;
use crate::payload::Payload;

/// Asks for a text again.
pub const ECHO: &str = "query Echo($body: String!) { echo(body: $body) }";
/// Asks for the list.
pub const USERS: &str = "query Users { users { id name email age roles } }";
/// Asks for a thousand results.
pub const PUSHES: &str = "subscription Pushes($body: String!) { pushes(payload: $body) }";

pub(super) fn routes(app: App) -> App {
    let limits = Limits::DEFAULT
        .with_document(256 << 10)
        .with_message(1 << 20);
    app.graphql("/graphql", GraphQl::new(ByHeart).limits(limits))
}

struct ByHeart;

#[derive(Deserialize)]
struct Variables {
    body: String,
}

fn variables(operation: &Operation) -> Option<String> {
    let text = operation.request.variables.as_deref()?;
    let variables: Variables = serde_json::from_str(text).ok()?;
    Some(variables.body)
}

fn data(field: &str, text: &str) -> GraphQlResponse {
    let mut json = format!("{{\"data\":{{\"{field}\":");
    put_json_string(text, &mut json);
    json.push_str("}}");
    GraphQlResponse::new(json, true)
}

impl Executor for ByHeart {
    async fn execute(&self, operation: Operation) -> GraphQlResponse {
        match (&*operation.request.query, variables(&operation)) {
            (ECHO, Some(body)) => data("echo", &body),
            (USERS, _) => {
                let list = Payload::Users.text();
                GraphQlResponse::new(format!("{{\"data\":{list}}}"), true)
            }
            _ => GraphQlResponse::error("no such field", "GRAPHQL_VALIDATION_FAILED"),
        }
    }

    fn subscribe(
        &self,
        operation: Operation,
    ) -> impl Stream<Item = GraphQlResponse> + use<> + 'static {
        let name = variables(&operation).unwrap_or_default();
        Pushes {
            text: Payload::named(&name).map_or("", Payload::text),
            left: MESSAGES,
        }
    }
}

/// A thousand results.
struct Pushes {
    text: &'static str,
    left: usize,
}

impl Stream for Pushes {
    type Item = GraphQlResponse;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(data("pushes", self.text)))
    }
}
