//! Calls whose response is wanted as a whole.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::listener::Listening;
use super::{LoopCall, ResponseView};
use crate::client::connecting::{Phase, Url};
use crate::client::http::call::Call;
use crate::client::http::error::{Error, ErrorKind};
use crate::client::http::request::OwnedMethod;
use crate::http::{FieldBuffer, Fields, Method, Status, Version};

/// A response that has come to its end.
#[derive(Debug, Clone)]
pub struct WholeResponse {
    method: OwnedMethod,
    status: Status,
    version: Version,
    url: Url,
    length: Option<u64>,
    fields: FieldBuffer,
    trailers: FieldBuffer,
    /// The body, decoded if it was coded.
    pub body: Vec<u8>,
}

impl WholeResponse {
    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The version of HTTP that it came in.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The fields of its head, as [`ResponseView::headers`] has them.
    pub fn headers(&self) -> Fields<'_> {
        self.fields.as_fields()
    }

    /// The first field of a name (in any case), if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get_str(name)
    }

    /// The length of the body in bytes, as the server has announced it: see
    /// [`ResponseView::content_length`].
    pub const fn content_length(&self) -> Option<u64> {
        self.length
    }

    /// The trailers.
    pub fn trailers(&self) -> Fields<'_> {
        self.trailers.as_fields()
    }

    /// The URL that has answered: the last one, after redirects.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The response, unless its status is an error (400 and above).
    ///
    /// # Errors
    /// [`ErrorKind::Status`].
    pub fn error_for_status(self) -> Result<Self, Error> {
        if !self.status.is_error() {
            return Ok(self);
        }
        let error = self.blame(Phase::Response, ErrorKind::Status(self.status));
        Err(error.possibly_processed(true))
    }

    /// The body as text, which has to be UTF-8.
    ///
    /// # Errors
    /// [`ErrorKind::NotText`].
    pub fn text(mut self) -> Result<String, Error> {
        let body = core::mem::take(&mut self.body);
        let not_text = |_| self.blame(Phase::Body, ErrorKind::NotText);
        String::from_utf8(body).map_err(not_text)
    }

    /// The body as the JSON of a value.
    ///
    /// # Errors
    /// [`ErrorKind::Json`].
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        let no_json = |error| self.blame(Phase::Body, ErrorKind::Json(error));
        serde_json::from_slice(&self.body).map_err(no_json)
    }
}

impl WholeResponse {
    fn blame(&self, phase: Phase, kind: ErrorKind) -> Error {
        Error::new(phase, kind).of(self.method.get().as_str(), &self.url)
    }
}

pub(super) struct Whole<F> {
    pub(super) done: F,
    pub(super) most: u64,
    pub(super) body: Vec<u8>,
    /// There is more than that: the response without it.
    pub(super) too_large: Option<Error>,
}

impl<F> Whole<F> {
    /// The body is too large, as far as is known: the call is given up.
    fn refuse(&mut self, method: Method<'_>, url: &Url, handle: &LoopCall) {
        let error = Error::new(Phase::Body, ErrorKind::TooLarge("collected"));
        let error = error.of(method.as_str(), url).possibly_processed(true);
        self.too_large = Some(error);
        handle.cancel();
    }
}

impl<F: FnOnce(Result<WholeResponse, Error>) + 'static> Listening for Whole<F> {
    fn informational(&mut self, _: Status, _: Fields<'_>, _: &LoopCall) {}

    fn head(&mut self, head: &ResponseView<'_>, handle: &LoopCall) {
        let announced = head.content_length().filter(|_| !head.is_complete());
        if announced.is_some_and(|it| it > self.most) {
            self.refuse(head.method(), head.url(), handle);
        }
    }

    fn piece(&mut self, call: &mut Call, handle: &LoopCall) {
        let bytes = call.piece().len();
        if (self.body.len() + bytes) as u64 > self.most {
            self.refuse(call.request().method.get(), call.url(), handle);
            return call.consume(bytes);
        }
        if self.body.is_empty()
            && let Some(body) = call.take_whole()
        {
            self.body = body;
            return;
        }
        self.body.extend_from_slice(call.piece());
        call.consume(bytes);
    }

    fn writable(&mut self, _: &LoopCall) {}

    fn end(self: Box<Self>, call: &mut Call) {
        let Self {
            done,
            body,
            too_large,
            ..
        } = *self;
        if let Some(error) = too_large {
            return done(Err(error));
        }
        let (method, url) = (call.request().method.clone(), call.url().clone());
        let answer = call.take_answer();
        done(Ok(WholeResponse {
            method,
            status: answer.status,
            version: answer.version,
            url,
            length: answer.length.filter(|_| !answer.is_decoded),
            fields: answer.fields,
            trailers: answer.trailers,
            body,
        }));
    }

    fn failed(self: Box<Self>, error: Error) {
        (self.done)(Err(self.too_large.unwrap_or(error)));
    }
}
