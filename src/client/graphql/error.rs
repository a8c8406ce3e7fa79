//! Why an operation has no result, or a partial one.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use super::GraphQlResponse;
use crate::client::{Closed, Error, EventSourceError, EventSourceFault, UrlError, WebSocketError};
use crate::graphql::socket::Closing;
use crate::http::Status;

/// Why an operation has no result, or only some of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphQlError {
    /// It is no URL that can be asked.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// There was no response of HTTP.
    #[error(transparent)]
    Network(#[from] Error),
    /// There was one that is none of GraphQL.
    #[error("a response with status {status} that is none of GraphQL")]
    Http {
        /// Its status.
        status: Status,
        /// Its content type; empty if there was none.
        content_type: String,
        /// Its body.
        body: String,
    },
    /// The server's executor has found errors. The response may have
    /// [data](GraphQlResponse::data) beside them.
    #[error("{0}")]
    Response(Box<GraphQlResponse>),
    /// A value is not the JSON that it is to be.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// No WebSocket can be opened.
    #[error(transparent)]
    Socket(#[from] WebSocketError),
    /// The WebSocket is over for good.
    #[error("the WebSocket is over: {0:?}")]
    Closed(Closed),
    /// The WebSocket's server has broken the protocol.
    #[error(transparent)]
    Protocol(#[from] Closing),
    /// The event stream has failed.
    #[error("{text}")]
    Events {
        /// How.
        fault: EventSourceFault,
        /// The fault in words, with the request and its cause.
        text: String,
        /// The body of a response that is no event stream.
        body: String,
    },
    /// More results wait than the [options](super::GraphQlOptions::waiting) allow, or the
    /// WebSocket's queue has no room: the subscription is over.
    #[error("too much waits to be read or sent")]
    Full,
    /// A thread that runs a loop is not to wait.
    #[error("this thread runs a loop, and must not wait")]
    OnLoop,
}

impl From<&EventSourceError> for GraphQlError {
    fn from(error: &EventSourceError) -> Self {
        Self::Events {
            fault: error.fault().clone(),
            text: error.to_string(),
            body: error.body().into(),
        }
    }
}

impl GraphQlError {
    /// The response, if there was one of GraphQL.
    pub fn response(&self) -> Option<&GraphQlResponse> {
        match self {
            Self::Response(response) => Some(response),
            _ => None,
        }
    }
}

impl GraphQlResponse {
    /// The data as a value, whatever errors there are beside it.
    ///
    /// # Errors
    /// [`GraphQlError::Json`]: it is another value; without data it is null.
    pub fn data<T: serde::de::DeserializeOwned>(&self) -> Result<T, GraphQlError> {
        Ok(serde_json::from_str(self.json().unwrap_or("null"))?)
    }

    /// The data as a value, if there are no errors.
    ///
    /// # Errors
    /// [`GraphQlError::Response`] with this response, [`GraphQlError::Json`].
    pub fn into_data<T: serde::de::DeserializeOwned>(self) -> Result<T, GraphQlError> {
        match self.errors().is_empty() {
            true => self.data(),
            false => Err(GraphQlError::Response(Box::new(self))),
        }
    }
}
