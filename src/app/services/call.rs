//! A call as its method sees it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;

use super::outgoing::Outgoing;
use crate::app::exchange::extensions::Extensions;
#[cfg(feature = "tls")]
use crate::app::exchange::request::RequestTls;
use crate::app::exchange::session::SessionContext;
use crate::app::publishing::loop_address::LoopAddress;
use crate::grpc::{self, CallStatus, Code, Detail, Payload, Protocol, UsageError, metadata};
use crate::http::Fields;
use crate::net::{Exchange, Peer};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// A call: what came with its request apart from the messages, and what goes
/// with its response.
///
/// ```
/// use barewire::app::{Call, Service};
/// use barewire::grpc::{Code, Status};
///
/// Service::new("shop.Shop").unary("Buy", |request: Vec<u8>, call: &mut Call<'_>| {
///     let Some(user) = call.metadata("x-user").map(String::from) else {
///         return Err(Status::new(Code::Unauthenticated, "who is it?").into());
///     };
///     call.send_metadata("x-seen", &user)
///         .map_err(|error| Status::new(Code::InvalidArgument, error.to_string()))?;
///     Ok(request)
/// });
/// ```
pub struct Call<'a> {
    request: grpc::Request<'a>,
    outgoing: &'a mut Outgoing,
    peer: Option<Peer>,
    #[cfg(feature = "tls")]
    tls: RequestTls,
    deadline: Option<Instant>,
    loop_address: LoopAddress,
    exchange: Exchange,
    extensions: Option<Arc<Extensions>>,
}

partly_shown!(it: Call<'_> { request, peer });

impl<'a> Call<'a> {
    pub(super) fn new(
        request: grpc::Request<'a>,
        outgoing: &'a mut Outgoing,
        deadline: Option<Instant>,
        at: &SessionContext<'_, '_>,
    ) -> Self {
        let peer = outgoing.peer.or_else(|| at.peer());
        outgoing.peer = peer;
        let SessionContext {
            context, record, ..
        } = at;
        Self {
            request,
            outgoing,
            peer,
            #[cfg(feature = "tls")]
            tls: RequestTls::of(context),
            deadline,
            loop_address: LoopAddress {
                remote: context.remote(),
                owner: context.owner(),
            },
            exchange: context.exchange(),
            extensions: record.as_ref().and_then(|it| it.extensions.clone()),
        }
    }

    /// The message of a request that has come as these bytes.
    #[inline]
    pub(super) fn read<I: Payload>(&self, message: &[u8]) -> Result<I, CallStatus> {
        I::decode(message).map_err(|status| match (self.outgoing.protocol, status.code) {
            // The specification has a code for what is wrong with an argument.
            (Protocol::Connect, Code::Internal) => {
                CallStatus::new(Code::InvalidArgument, status.message)
            }
            _ => status,
        })
    }

    pub(super) const fn outgoing(&mut self) -> &mut Outgoing {
        self.outgoing
    }

    pub(super) const fn loop_address(&self) -> &LoopAddress {
        &self.loop_address
    }

    pub(super) const fn exchange(&self) -> Exchange {
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

    /// The client's address: the peer's, or the one that trusted proxies name
    /// ([`App::trust_proxies`](crate::app::App::trust_proxies)).
    pub const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// The TLS that the call came by; `None` in the clear.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&crate::tls::Info> {
        self.tls.info()
    }

    /// The values attached to the request by middleware with
    /// [`Incoming::insert`](crate::app::Incoming::insert), and by interceptors with
    /// [`insert`](Self::insert): typed, and no client can forge them.
    pub fn extensions(&self) -> &Extensions {
        let own = self.outgoing.extensions.as_deref();
        let given = own.or(self.extensions.as_deref());
        given.unwrap_or(Extensions::none())
    }

    /// Attaches a value to the call for what comes after, replacing one of its type: from
    /// an [`Interceptor`](crate::app::Interceptor) to the method.
    ///
    /// ```
    /// use barewire::app::{Call, CallStatus, Interceptor, Service};
    /// use barewire::grpc::{Code, Status};
    ///
    /// struct User(&'static str);
    ///
    /// /// Finds out who calls.
    /// struct Login;
    ///
    /// impl Interceptor for Login {
    ///     fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
    ///         match call.metadata("authorization") {
    ///             Some("Bearer 42") => Ok(call.insert(User("Ann"))),
    ///             _ => Err(Status::new(Code::Unauthenticated, "who are you?").into()),
    ///         }
    ///     }
    /// }
    ///
    /// Service::new("a.Service")
    ///     .intercept(Login)
    ///     .unary("Who", |_request: Vec<u8>, call| {
    ///         let user = call.extensions().get::<User>();
    ///         Ok(user.map_or("", |user| user.0).as_bytes().to_vec())
    ///     });
    /// ```
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        let given = || self.extensions.clone().unwrap_or_default();
        let own = self.outgoing.extensions.get_or_insert_with(given);
        Arc::make_mut(own).insert(value);
    }

    /// When the client gives up, on the loop's clock. A call that is still open is
    /// ended with DEADLINE_EXCEEDED then, wherever it is.
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// All fields of the request's head, the metadata among them.
    pub const fn headers(&self) -> Fields<'a> {
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
    /// [`UsageError`] if the name or the value cannot be sent
    /// ([`metadata::check`]).
    pub fn send_metadata(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        self.outgoing.push_head(name, value)
    }

    /// Sends octets ahead of the response, under a name that ends with `-bin`.
    ///
    /// # Errors
    /// Those of [`send_metadata`](Self::send_metadata).
    pub fn send_binary_metadata(&mut self, name: &str, octets: &[u8]) -> Result<(), UsageError> {
        let value = binary_value(name, octets)?;
        self.outgoing.push_head(name, &value)
    }

    /// Sends metadata after the response, with the status.
    ///
    /// # Errors
    /// [`UsageError`] if the name or the value cannot be sent there
    /// ([`metadata::check_trailing`]).
    pub fn send_trailer(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        self.outgoing.push_trailer(name, value)
    }

    /// Sends octets with the status, under a name that ends with `-bin`.
    ///
    /// # Errors
    /// Those of [`send_metadata`](Self::send_metadata).
    pub fn send_binary_trailer(&mut self, name: &str, octets: &[u8]) -> Result<(), UsageError> {
        let value = binary_value(name, octets)?;
        self.outgoing.push_trailer(name, &value)
    }

    /// Sends a message of Protocol Buffers with the error, if the call ends with one: to
    /// clients of gRPC in `grpc-status-details-bin`.
    ///
    /// ```
    /// use barewire::app::Service;
    /// use barewire::grpc::{Code, Detail, Status};
    ///
    /// Service::new("a.A").unary("Busy", |_: Vec<u8>, call| -> Result<Vec<u8>, _> {
    ///     call.send_detail(Detail::new("google.rpc.RetryInfo", [10, 2, 8, 60]));
    ///     Err(Status::new(Code::Unavailable, "in a minute").into())
    /// });
    /// ```
    pub fn send_detail(&mut self, detail: Detail) {
        self.outgoing.details.push(detail);
    }

    /// The protocol that the client speaks.
    pub const fn protocol(&self) -> Protocol {
        self.outgoing.protocol
    }

    /// Whether the call came by GET, so that its response may be cached: metadata such as
    /// `cache-control` says for how long.
    pub const fn is_get(&self) -> bool {
        self.outgoing.is_get
    }

    /// Whether the message of the request came compressed.
    pub const fn is_compressed(&self) -> bool {
        self.outgoing.was_compressed
    }

    /// Whether messages are compressed where the client reads that; else as
    /// the service has it ([`Service::compress`](super::service::Service::compress)).
    #[cfg(feature = "gzip")]
    pub const fn set_compressed(&mut self, compressed: bool) {
        self.outgoing.compress = compressed;
    }
}

pub(super) fn binary_value(name: &str, octets: &[u8]) -> Result<alloc::string::String, UsageError> {
    match metadata::is_binary(name.as_bytes()) {
        true => Ok(metadata::binary_value(octets)),
        false => Err(UsageError::MetadataName),
    }
}
