//! Interceptors: code before and after every method.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;
use std::sync::OnceLock;

use super::call::{Call, binary_value};
use super::codec::CallStatus;
use super::outgoing::Outgoing;
use crate::app::exchange::extensions::Extensions;
use crate::grpc::{Detail, Protocol, UsageError};
use crate::net::Peer;

/// Something that sees every call before its method, and how each ended.
///
/// Added to a [`Service`](crate::app::Service::intercept), or with
/// [`App::intercept`](crate::app::App::intercept) to all of them. They run in
/// the order in which they were added, those of the app first; their
/// [`after`](Self::after) in the opposite order. All loops share them.
///
/// ```
/// use barewire::app::{Call, CallStatus, CallEnd, Interceptor, Service};
/// use barewire::grpc::{Code, Status};
///
/// /// Refuses requests without the word.
/// struct Password(&'static str);
///
/// impl Interceptor for Password {
///     fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
///         match call.metadata("authorization") {
///             Some(word) if word == self.0 => Ok(()),
///             _ => Err(Status::new(Code::Unauthenticated, "say the word").into()),
///         }
///     }
///
///     fn after(&self, ended: &mut CallEnd<'_>) {
///         println!("{}/{} {}", ended.service(), ended.method(), ended.status());
///     }
/// }
///
/// Service::new("echo.Echo")
///     .intercept(Password("please"))
///     .unary("Say", |request: Vec<u8>, _call| Ok(request));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interceptor",
    note = "implement `Interceptor` for it: `before` sees each call before its method"
)]
pub trait Interceptor: Send + Sync {
    /// Looks at a call when its head has been received: the messages of its request may
    /// still be to come.
    ///
    /// # Errors
    /// The status that the call ends with; the method is not called then.
    fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        let _ = call;
        Ok(())
    }

    /// Looks at how a call ended, before the client is told. Also called for
    /// calls that were refused, that no method serves, and, with CANCELLED,
    /// for those that the client gave up.
    fn after(&self, ended: &mut CallEnd<'_>) {
        let _ = ended;
    }
}

/// A call that has ended.
#[derive(Debug)]
pub struct CallEnd<'a> {
    pub(super) service: &'a str,
    pub(super) method: &'a str,
    pub(crate) peer: Option<Peer>,
    pub(super) elapsed: Duration,
    pub(super) status: &'a mut CallStatus,
    pub(super) outgoing: &'a mut Outgoing,
}

impl CallEnd<'_> {
    /// The service with its package.
    pub const fn service(&self) -> &str {
        self.service
    }

    /// The method; if there is no such method, the path that the client has called.
    pub const fn method(&self) -> &str {
        self.method
    }

    /// The peer's address.
    pub const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// How long the call took, from the turn of the loop in which its head was
    /// read.
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The values that middleware and interceptors have attached to the call.
    pub fn extensions(&self) -> &Extensions {
        let all = self.outgoing.extensions.as_deref();
        all.unwrap_or(Extensions::none())
    }

    /// How it ended.
    pub const fn status(&self) -> &CallStatus {
        self.status
    }

    /// Ends it with another status.
    pub fn set_status(&mut self, status: impl Into<CallStatus>) {
        *self.status = status.into();
    }

    /// Sends a message of Protocol Buffers with the error, if it is one.
    pub fn send_detail(&mut self, detail: Detail) {
        self.outgoing.details.push(detail);
    }

    /// The protocol that the client speaks.
    pub const fn protocol(&self) -> Protocol {
        self.outgoing.protocol
    }

    /// Sends metadata with the status.
    ///
    /// # Errors
    /// [`UsageError`] if the name or the value cannot be sent.
    pub fn send_trailer(&mut self, name: &str, value: &str) -> Result<(), UsageError> {
        self.outgoing.push_trailer(name, value)
    }

    /// Sends octets with the status, under a name that ends with `-bin`.
    ///
    /// # Errors
    /// Those of [`send_trailer`](Self::send_trailer).
    pub fn send_binary_trailer(&mut self, name: &str, octets: &[u8]) -> Result<(), UsageError> {
        let value = binary_value(name, octets)?;
        self.outgoing.push_trailer(name, &value)
    }
}

pub(crate) type OfApp = Arc<OnceLock<Vec<Box<dyn Interceptor>>>>;

/// All that a service's calls pass.
#[derive(Default)]
pub(crate) struct Interceptors {
    pub(crate) of_app: OfApp,
    pub(crate) own: Vec<Box<dyn Interceptor>>,
}

impl Interceptors {
    fn all(&self) -> impl DoubleEndedIterator<Item = &dyn Interceptor> {
        let of_app = self.of_app.get().map_or(&[][..], Vec::as_slice);
        of_app.iter().chain(&self.own).map(|it| &**it)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    pub(super) fn before(&self, call: &mut Call<'_>) -> Result<(), CallStatus> {
        self.all().try_for_each(|it| it.before(call))
    }

    pub(super) fn after(&self, ended: &mut CallEnd<'_>) {
        self.all().rev().for_each(|it| it.after(ended));
    }
}
