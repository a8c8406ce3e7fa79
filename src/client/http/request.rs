//! A request as a client's user has put it together.

use alloc::boxed::Box;

use super::body::Body;
use super::limits::ClientLimits;
use super::redirect::RedirectPolicy;
use crate::client::connecting::{Canceller, Url};
use crate::http::{FieldBuffer, InvalidMethod, Method};

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: OwnedMethod,
    pub(super) url: Url,
    pub(super) fields: FieldBuffer,
    pub(super) body: Body,
    /// The body is held back until the server asks for it.
    pub(super) expects_continue: bool,
    /// The caller says that it may be made twice, or must not be.
    pub(super) repeatable: Option<bool>,
    pub(super) limits: Option<Box<ClientLimits>>,
    pub(super) redirects: Option<RedirectPolicy>,
    pub(super) decodes: bool,
    pub(super) canceller: Option<Canceller>,
    pub(super) wants_informational: bool,
}

impl Request {
    pub(super) const fn new(method: OwnedMethod, url: Url) -> Self {
        Self {
            method,
            url,
            fields: FieldBuffer::new(),
            body: Body::empty(),
            expects_continue: false,
            repeatable: None,
            limits: None,
            redirects: None,
            decodes: true,
            canceller: None,
            wants_informational: false,
        }
    }

    pub(super) fn with_body(&self, body: Body) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            fields: self.fields.clone(),
            body,
            limits: self.limits.clone(),
            canceller: self.canceller.clone(),
            ..*self
        }
    }

    /// Whether it may be made twice.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable.unwrap_or_else(|| {
            self.method.get().is_idempotent() || self.fields.as_fields().contains("idempotency-key")
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnedMethod {
    Named(Method<'static>),
    Other(Box<str>),
}

impl From<Method<'_>> for OwnedMethod {
    fn from(method: Method<'_>) -> Self {
        let parsed = Self::parse(method.as_str());
        parsed.unwrap_or_else(|_| Self::Other(method.as_str().into()))
    }
}

impl OwnedMethod {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidMethod> {
        Ok(match Method::try_from(text)? {
            Method::GET => Self::Named(Method::GET),
            Method::HEAD => Self::Named(Method::HEAD),
            Method::POST => Self::Named(Method::POST),
            Method::PUT => Self::Named(Method::PUT),
            Method::DELETE => Self::Named(Method::DELETE),
            Method::OPTIONS => Self::Named(Method::OPTIONS),
            Method::TRACE => Self::Named(Method::TRACE),
            Method::PATCH => Self::Named(Method::PATCH),
            // A tunnel is no exchange.
            Method::CONNECT => return Err(InvalidMethod),
            Method::Extension(text) => Self::Other(text.into()),
        })
    }

    pub(super) fn get(&self) -> Method<'_> {
        match self {
            Self::Named(method) => *method,
            Self::Other(text) => Method::Extension(text),
        }
    }
}
