//! A call as its method sees it.

use alloc::vec::Vec;
use core::fmt;

use crate::app::publishing::door::Door;
use crate::grpc::{self, Misuse, metadata};
use crate::http::{Field, FieldBuffer, Fields};
use crate::net::{Context, Exchange, Peer};
use crate::wire::Instant;

/// A call: what came with its request apart from the message, and what goes
/// with its response.
pub struct Call<'a> {
    request: grpc::Request<'a>,
    peer: Option<Peer>,
    deadline: Option<Instant>,
    door: Door,
    exchange: Exchange,
    metadata: Metadata,
}

/// What goes with a response.
#[derive(Debug, Default)]
pub(in crate::app) struct Metadata {
    /// Ahead of it.
    pub(in crate::app) head: FieldBuffer,
    /// With the status.
    pub(in crate::app) trailers: FieldBuffer,
    /// When the client gives up.
    pub(in crate::app) deadline: Option<Instant>,
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("request", &self.request)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(in crate::app) fn new(
        request: grpc::Request<'a>,
        peer: Option<Peer>,
        deadline: Option<Instant>,
        context: &Context<'_>,
    ) -> Self {
        let door = Door {
            remote: context.remote(),
            owner: context.owner(),
        };
        let metadata = Metadata {
            deadline,
            ..Metadata::default()
        };
        Self {
            request,
            peer,
            deadline,
            door,
            exchange: context.exchange(),
            metadata,
        }
    }

    /// What goes with the response.
    pub(in crate::app) fn into_metadata(self) -> Metadata {
        self.metadata
    }

    pub(in crate::app) const fn door(&self) -> &Door {
        &self.door
    }

    pub(in crate::app) const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// The service with its package: `user_service.UserService`.
    pub const fn service(&self) -> &'a str {
        self.request.service
    }

    /// The method: `GetUser`.
    pub const fn method(&self) -> &'a str {
        self.request.method
    }

    /// The peer's address.
    pub const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// When the client gives up, on the loop's clock. A stream or a deferred
    /// response is ended with DEADLINE_EXCEEDED then.
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// All fields of the request's head, the metadata among them.
    pub const fn fields(&self) -> Fields<'a> {
        self.request.fields
    }

    /// The first metadata of this name, if it is text.
    pub fn metadata(&self, name: &str) -> Option<&'a str> {
        self.request.fields.get_str(name)
    }

    /// All metadata of this name, which ends with `-bin`, decoded. What is no
    /// base64 is left out.
    pub fn binary_metadata(&self, name: &str) -> impl Iterator<Item = Vec<u8>> {
        let values = self.request.fields.get_all(name);
        values
            .flat_map(metadata::binary_values)
            .flat_map(metadata::binary_to_vec)
    }

    /// Sends metadata ahead of the response.
    ///
    /// # Errors
    /// [`Misuse`] if the name or the value cannot be sent
    /// ([`metadata::check`]).
    pub fn send_metadata(&mut self, name: &str, value: &str) -> Result<(), Misuse> {
        push(&mut self.metadata.head, name, value)
    }

    /// Sends metadata behind the response, with the status.
    ///
    /// # Errors
    /// As [`send_metadata`](Self::send_metadata).
    pub fn send_trailer(&mut self, name: &str, value: &str) -> Result<(), Misuse> {
        push(&mut self.metadata.trailers, name, value)
    }
}

/// Adds metadata that can be sent.
pub(in crate::app) fn push(
    fields: &mut FieldBuffer,
    name: &str,
    value: &str,
) -> Result<(), Misuse> {
    metadata::check(Field {
        name: name.as_bytes(),
        value: value.as_bytes(),
    })?;
    fields.push(name, value).map_err(|_| Misuse::MetadataValue)
}
