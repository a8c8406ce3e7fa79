//! A request that is made again and again, each time a little different.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::body::Body;
use super::builder::RequestBuilder;
use super::error::{Error, ErrorKind};
use super::redirect;
use super::request::{OwnedMethod, Request};
use super::shared_state::Shared;
use crate::client::connecting::{Canceller, Phase};
use crate::http::{Field, InvalidField, Method};

#[derive(Debug)]
pub(crate) struct Repeated {
    client: Arc<Shared>,
    request: Request,
}

/// How a request differs from the first one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    Same,
    Get,
    Body(&'a [u8]),
}

impl Repeated {
    pub(crate) fn new(builder: RequestBuilder) -> Result<Self, Error> {
        let (client, mut request) = builder.into_parts()?;
        request.wants_informational = false;
        Ok(Self { client, request })
    }

    pub(crate) fn method(&self) -> Method<'_> {
        self.request.method.get()
    }

    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.method(), self.request.url.shown())
    }

    /// Takes a field out of it; its value, if it is UTF-8.
    pub(crate) fn take_field(&mut self, name: &str) -> Option<String> {
        let value = self
            .request
            .fields
            .as_fields()
            .get_str(name)
            .map(String::from);
        self.request.fields.remove(name);
        value
    }

    pub(crate) const fn has_own_limits(&self) -> bool {
        self.request.limits.is_some()
    }

    pub(crate) fn refuse(&self, error: InvalidField) -> Error {
        self.fail(ErrorKind::Field(error))
    }

    fn fail(&self, kind: ErrorKind) -> Error {
        let error = Error::new(Phase::Request, kind);
        error.of(self.method().as_str(), &self.request.url)
    }

    pub(crate) fn roll(&self) -> u32 {
        (self.client.policy.dice.roll() >> 32) as u32
    }

    /// The next request. Those of `fields` are added that it does not have.
    ///
    /// # Errors
    /// That its body was read before and cannot be read again, or a field cannot be sent.
    pub(crate) fn next<'f>(
        &mut self,
        form: Form<'_>,
        fields: impl Iterator<Item = Field<'f>>,
        canceller: &Canceller,
    ) -> Result<RequestBuilder, Error> {
        let body = match form {
            Form::Same => self.request.body.share(),
            Form::Get => Some(Body::empty()),
            Form::Body(bytes) => Some(Body::from(bytes.to_vec())),
        };
        let Some(body) = body else {
            let text = "its body can be read once, and was";
            return Err(self.fail(ErrorKind::Usage(text)));
        };
        let mut request = self.request.with_body(body);
        if let Form::Get = form {
            request.method = OwnedMethod::Named(Method::GET);
            redirect::leave_body(&mut request.fields);
        }
        request.canceller = Some(canceller.clone());
        for field in fields {
            let Field { name, value } = field;
            let name = core::str::from_utf8(name).unwrap_or_default();
            if !request.fields.as_fields().contains(name) {
                let pushed = request.fields.push(name, value);
                pushed.map_err(|error| self.refuse(error))?;
            }
        }
        Ok(RequestBuilder::made(self.client.clone(), request))
    }
}
