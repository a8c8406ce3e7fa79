//! GraphQL over event streams (graphql-sse), in both modes.
//!
//! ```text
//!   distinct connections          single connection
//!   POST Accept: text/event-stream  PUT              201, a token
//!     event: next                   GET  + token     the stream
//!     data: {"data":…}              POST + token     202, then on the stream
//!                                     event: next
//!     event: complete                 data: {"id":"1","payload":{"data":…}}
//!     data:                         DELETE ?operationId=1
//! ```

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::{Limits, OperationType, Request, RequestError};
use crate::http::Fields;
use crate::http::target::{Plus, percent_decode, query_pairs};
use crate::wire::json::{members, put_string, string};

/// The header that names the stream of a request.
pub const TOKEN_HEADER: &str = "x-graphql-event-stream-token";

/// The name of the event of a result.
pub const NEXT: &str = "next";
/// The name of the event behind the last result.
pub const COMPLETE: &str = "complete";

/// The token of a request: of its header, or of the query of its URL. `None` without one:
/// the request is of the mode of distinct connections.
///
/// ```
/// use barewire::graphql::sse::token;
/// use barewire::http::{Field, Fields};
///
/// assert_eq!(token(Some("token=abc"), Fields::new(&[])).as_deref(), Some("abc"));
/// ```
pub fn token(query: Option<&str>, fields: Fields<'_>) -> Option<String> {
    match fields.get_str(TOKEN_HEADER) {
        Some(token) => Some(token.into()),
        None => parameter(query?, "token"),
    }
}

/// The operation that a DELETE names: the parameter `operationId`.
///
/// # Errors
/// [`RequestError::OperationId`].
pub fn operation_to_stop(query: Option<&str>) -> Result<String, RequestError> {
    let id = query.and_then(|it| parameter(it, "operationId"));
    id.ok_or(RequestError::OperationId)
}

/// The id of an operation of a POST: `extensions.operationId`.
///
/// # Errors
/// [`RequestError::OperationId`]: there is none, or it is too long.
pub fn operation_id(request: &Request<'_>, limits: &Limits) -> Result<String, RequestError> {
    let id = request.extensions.as_deref().and_then(|extensions| {
        let [id] = members(extensions, ["operationId"]).ok()?;
        Some(string(id?)?.into_owned())
    });
    id.filter(|it| !it.is_empty() && it.len() <= limits.id)
        .ok_or(RequestError::OperationId)
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let (_, value) = query_pairs(query).find(|it| it.0 == name)?;
    let value = percent_decode(value, Plus::Space)?;
    Some(value.into_owned()).filter(|it| !it.is_empty())
}

/// The stream of one token, in single connection mode: reserved, then open, and the
/// operations on it. The token, its secret, is drawn and kept by the caller.
///
/// ```
/// use barewire::graphql::{Limits, Request, RequestError, sse::Reservation};
///
/// let mut stream = Reservation::new();
/// stream.open()?;
/// assert_eq!(stream.open(), Err(RequestError::StreamOpen));
/// let request = Request {
///     extensions: Some(r#"{"operationId": "1"}"#.into()),
///     ..Request::new("{ a }")
/// };
/// let id = stream.begin(&request, &Limits::DEFAULT)?;
/// let mut data = String::new();
/// stream.next(&id, r#"{"data":{"a":1}}"#, &mut data);
/// assert_eq!(data, r#"{"id":"1","payload":{"data":{"a":1}}}"#);
/// # Ok::<(), RequestError>(())
/// ```
#[derive(Debug, Default)]
pub struct Reservation {
    is_open: bool,
    /// The ids of operations that run, and whether they are subscriptions.
    operations: BTreeMap<Box<str>, bool>,
    subscriptions: usize,
    held: usize,
}

impl Reservation {
    /// A stream that was reserved (PUT, 201).
    pub fn new() -> Self {
        Self::default()
    }

    /// Its stream comes (GET). Operations may run already.
    ///
    /// # Errors
    /// [`RequestError::StreamOpen`]: there is never more than one.
    pub const fn open(&mut self) -> Result<(), RequestError> {
        match self.is_open {
            true => Err(RequestError::StreamOpen),
            false => {
                self.is_open = true;
                Ok(())
            }
        }
    }

    /// Whether its stream is open.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// An operation begins (POST, 202). Its id.
    ///
    /// # Errors
    /// [`RequestError::OperationId`], [`RequestError::OperationExists`],
    /// [`RequestError::TooManyOperations`].
    pub fn begin(
        &mut self,
        request: &Request<'_>,
        limits: &Limits,
    ) -> Result<String, RequestError> {
        let id = operation_id(request, limits)?;
        if self.operations.contains_key(&*id) {
            return Err(RequestError::OperationExists);
        }
        let listens = request.operation_type() == Some(OperationType::Subscription);
        if self.operations.len() >= limits.operations
            || (listens && self.subscriptions >= limits.subscriptions)
        {
            return Err(RequestError::TooManyOperations);
        }
        self.held += id.len();
        self.subscriptions += usize::from(listens);
        self.operations.insert(id.as_str().into(), listens);
        Ok(id)
    }

    /// Appends the data of a [`NEXT`] event. False, and nothing is written, if the operation
    /// is over.
    pub fn next(&self, id: &str, result: &str, data: &mut String) -> bool {
        let is_live = self.is_live(id);
        if is_live {
            put_id(id, data);
            data.push_str(r#","payload":"#);
            data.push_str(result);
            data.push('}');
        }
        is_live
    }

    /// Ends an operation, and appends the data of a [`COMPLETE`] event. False, and nothing is
    /// written, if it is over.
    pub fn complete(&mut self, id: &str, data: &mut String) -> bool {
        let is_live = self.stop(id);
        if is_live {
            put_id(id, data);
            data.push('}');
        }
        is_live
    }

    /// Stops an operation (DELETE). False if it is over.
    pub fn stop(&mut self, id: &str) -> bool {
        let Some(listens) = self.operations.remove(id) else {
            return false;
        };
        self.held -= id.len();
        self.subscriptions -= usize::from(listens);
        true
    }

    /// Whether an operation runs.
    pub fn is_live(&self, id: &str) -> bool {
        self.operations.contains_key(id)
    }

    /// The operations that run.
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// Bytes of ids that are held for the client.
    pub const fn held(&self) -> usize {
        self.held
    }
}

fn put_id(id: &str, data: &mut String) {
    data.push_str(r#"{"id":"#);
    put_string(id, data);
}

/// An event of a stream, as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent<'a> {
    /// A result: a JSON object of GraphQL.
    Next(&'a str),
    /// No further result follows.
    Complete,
}

impl<'a> StreamEvent<'a> {
    /// Reads an event of the mode of distinct connections; `None` if it is another one.
    pub fn read(name: &str, data: &'a str) -> Option<Self> {
        match name {
            NEXT => Some(Self::Next(data)),
            COMPLETE => Some(Self::Complete),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
