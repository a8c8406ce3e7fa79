//! Requests of HTTP, and what their responses mean.

use alloc::string::String;
#[cfg(feature = "cookies")]
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{GraphQlCredentials, GraphQlError, GraphQlOperation, GraphQlOptions, GraphQlResponse};
use crate::client::{RequestBuilder, Url, UrlError, WebSocketOptions};
use crate::graphql::socket::Protocol;
use crate::http::{FieldBuffer, Status};
use crate::wire::ascii::eq_ignore_case;
use crate::wire::json::elements;

const ACCEPT: &str = "application/graphql-response+json, application/json;q=0.9";

/// Responses of a batch that are read.
const MOST_RESPONSES: usize = 10_000;

/// Where a client asks, and how.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) url: Url,
    pub(super) socket_url: Url,
    pub(super) options: GraphQlOptions,
}

impl Asking {
    pub(super) fn new(url: &str, options: GraphQlOptions) -> Result<Self, UrlError> {
        let url = Url::parse(url)?;
        let socket_url = match (&options.socket_url, url.as_str().strip_prefix("http")) {
            (Some(own), _) => Url::parse(own)?,
            (None, Some(rest)) => Url::parse(&alloc::format!("ws{rest}"))?,
            (None, None) => url.clone(),
        };
        Ok(Self {
            url,
            socket_url,
            options,
        })
    }

    /// What is asked first, and what where the server does not know the document.
    pub(super) fn attempts(
        &self,
        operation: GraphQlOperation,
    ) -> (GraphQlOperation, Option<GraphQlOperation>) {
        let hashed = match self.options.persisted {
            true => operation.hashed(false).zip(operation.hashed(true)),
            false => None,
        };
        match hashed {
            Some((first, second)) => (first, Some(second)),
            None => (operation, None),
        }
    }

    /// A request for one operation. A query may be sent again where a connection was lost.
    pub(super) fn one(
        &self,
        begin: impl FnOnce(&str, &Url) -> RequestBuilder,
        operation: &GraphQlOperation,
        is_query: bool,
        by_get: bool,
    ) -> RequestBuilder {
        let request = &operation.request;
        if is_query && by_get {
            let mut asked = begin("GET", &self.url)
                .header("Accept", ACCEPT)
                // Servers that let no page of another site ask demand it.
                .header("Apollo-Require-Preflight", "true");
            for (name, value) in [
                ("query", Some(&request.query).filter(|it| !it.is_empty())),
                ("operationName", request.operation_name.as_ref()),
                ("variables", request.variables.as_ref()),
                ("extensions", request.extensions.as_ref()),
                ("documentId", request.document_id.as_ref()),
            ] {
                if let Some(value) = value {
                    asked = asked.query(name, value);
                }
            }
            return asked;
        }
        let mut body = String::new();
        request.write(&mut body);
        self.post(begin, body, ACCEPT).repeatable(is_query)
    }

    fn post(
        &self,
        begin: impl FnOnce(&str, &Url) -> RequestBuilder,
        body: String,
        accept: &str,
    ) -> RequestBuilder {
        begin("POST", &self.url)
            .header("Accept", accept)
            .header("Content-Type", "application/json")
            .body(body)
    }

    /// A request for an event stream.
    pub(super) fn stream(
        &self,
        begin: impl FnOnce(&str, &Url) -> RequestBuilder,
        operation: &GraphQlOperation,
    ) -> RequestBuilder {
        let mut body = String::new();
        operation.request.write(&mut body);
        self.post(begin, body, "text/event-stream")
    }

    /// A request for several operations.
    pub(super) fn batch(
        &self,
        begin: impl FnOnce(&str, &Url) -> RequestBuilder,
        operations: &[GraphQlOperation],
    ) -> RequestBuilder {
        let mut body = String::from("[");
        for (at, operation) in operations.iter().enumerate() {
            if at > 0 {
                body.push(',');
            }
            operation.request.write(&mut body);
        }
        body.push(']');
        self.post(begin, body, ACCEPT)
    }

    /// Whether the WebSocket's server may have the client's credentials.
    fn is_credible(&self) -> bool {
        let (url, socket) = (&self.url, &self.socket_url);
        match self.options.credentials {
            GraphQlCredentials::Omit => false,
            GraphQlCredentials::SameOrigin => {
                (url.host(), url.port(), url.is_secure())
                    == (socket.host(), socket.port(), socket.is_secure())
            }
            GraphQlCredentials::Include => true,
        }
    }

    /// Gives the WebSocket the HTTP client's cookies, and keeps there what it is set.
    #[cfg(feature = "cookies")]
    pub(super) fn share_cookies(
        &self,
        options: WebSocketOptions,
        jar: Option<Arc<crate::client::CookieJar>>,
    ) -> WebSocketOptions {
        match jar.filter(|_| self.is_credible()) {
            Some(jar) => options.cookies(jar),
            None => options,
        }
    }

    /// How the WebSocket is opened: with the fields of the HTTP client, and the credentials
    /// among them as the options say.
    pub(super) fn upgrade(
        &self,
        options: WebSocketOptions,
        offers: &[Protocol],
        fields: &FieldBuffer,
    ) -> Result<WebSocketOptions, crate::http::InvalidField> {
        let is_credible = self.is_credible();
        let mut options = options.protocols(offers.iter().map(|it| it.name()));
        for field in fields.as_fields().iter() {
            let is = |name: &str| eq_ignore_case(field.name, name.as_bytes());
            let is_own = is("host") || is("accept-encoding") || is("content-type") || is("accept");
            if is_own || (!is_credible && (is("authorization") || is("cookie"))) {
                continue;
            }
            let text = |it| core::str::from_utf8(it).unwrap_or_default();
            options = options.header(text(field.name), text(field.value))?;
        }
        Ok(options)
    }
}

/// The response in a body, if it is one of GraphQL.
pub(super) fn read(
    status: Status,
    content_type: Option<&str>,
    body: String,
) -> Result<GraphQlResponse, GraphQlError> {
    let response = match is_json(content_type) {
        true => GraphQlResponse::parse(&body),
        false => None,
    };
    response.ok_or_else(|| none_of_graphql(status, content_type, body))
}

/// The responses of a batch of so many.
pub(super) fn read_batch(
    status: Status,
    content_type: Option<&str>,
    body: String,
    count: usize,
) -> Result<Vec<GraphQlResponse>, GraphQlError> {
    let read = || -> Option<Vec<GraphQlResponse>> {
        let all = elements(&body, MOST_RESPONSES).filter(|_| is_json(content_type))?;
        let all: Option<Vec<_>> = all.into_iter().map(GraphQlResponse::parse).collect();
        all.filter(|it| it.len() == count)
    };
    match read() {
        Some(responses) => Ok(responses),
        // A server that takes no batches may say so in one response.
        None => match read_errors(content_type, &body) {
            Some(response) => Err(GraphQlError::Response(response.into())),
            None => Err(none_of_graphql(status, content_type, body)),
        },
    }
}

fn read_errors(content_type: Option<&str>, body: &str) -> Option<GraphQlResponse> {
    let response = GraphQlResponse::parse(body).filter(|_| is_json(content_type))?;
    (!response.errors().is_empty()).then_some(response)
}

fn is_json(content_type: Option<&str>) -> bool {
    let name = content_type.unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/graphql-response+json"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it))
}

fn none_of_graphql(status: Status, content_type: Option<&str>, body: String) -> GraphQlError {
    GraphQlError::Http {
        status,
        content_type: content_type.unwrap_or_default().into(),
        body,
    }
}
