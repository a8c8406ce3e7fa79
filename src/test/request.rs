//! A request as a test puts it together.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Display;

use super::engine::Engine;
use super::error::TestError;
use super::events::TestEvents;
use super::response::TestResponse;
use super::running::TestExchange;
use super::socket::TestWebSocket;
use crate::client::{RequestSender as _, WebSocketRequest, push_pair};
use crate::http::{FieldBuffer, InvalidMethod, Method, RequestHead, Target, Version};
use crate::link::Body;
use crate::net::Peer;
use crate::wire::partly_shown;

/// A request that is being put together. What is wrong with it is told when it is sent.
#[must_use = "nothing is sent before `send`"]
pub struct TestRequest {
    engine: Rc<Engine>,
    version: Version,
    peer: Option<Peer>,
    method: String,
    target: String,
    fields: FieldBuffer,
    protocols: Vec<String>,
    body: Option<Vec<u8>>,
    fault: Option<TestError>,
}

partly_shown!(it: TestRequest { method, target, fields });

/// The host that requests name, unless they name another.
const HOST: &str = "localhost";

impl TestRequest {
    pub(super) fn new(
        (engine, version, peer): (Rc<Engine>, Version, Option<Peer>),
        method: Method<'_>,
        target: &str,
    ) -> Self {
        Self {
            engine,
            version,
            peer,
            method: method.as_str().into(),
            target: target.into(),
            fields: FieldBuffer::new(),
            protocols: Vec::new(),
            body: None,
            fault: None,
        }
    }

    /// Adds a header. A `Host` takes the place of `localhost`.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(fault) = self.fields.push(name, value) {
            self.fault.get_or_insert(fault.into());
        }
        self
    }

    /// Adds `name=value` to the query, percent-encoded as in forms.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, query),
            None => (self.target.as_str(), ""),
        };
        let mut query = String::from(query);
        push_pair(name, &alloc::format!("{value}"), &mut query);
        self.target = alloc::format!("{path}?{query}");
        self
    }

    /// Sets the body. Its media type is a [`header`](Self::header).
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets the body to the pairs of a form (`application/x-www-form-urlencoded`).
    pub fn form<N: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut text = String::new();
        for (name, value) in pairs {
            push_pair(name.as_ref(), value.as_ref(), &mut text);
        }
        self.describe("application/x-www-form-urlencoded")
            .body(text)
    }

    /// Sets the body to a value as JSON.
    #[cfg(feature = "json")]
    pub fn json(mut self, value: &(impl serde::Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(text) => self.describe("application/json").body(text),
            Err(fault) => {
                self.fault.get_or_insert(fault.into());
                self
            }
        }
    }

    /// Offers a subprotocol, for a [`websocket`](Self::websocket).
    pub fn protocol(mut self, name: &str) -> Self {
        self.protocols.push(name.into());
        self
    }

    /// Names the type of the body, unless the caller has.
    fn describe(self, media_type: &str) -> Self {
        match self.fields.as_fields().contains("content-type") {
            true => self,
            false => self.header("Content-Type", media_type),
        }
    }

    /// Sends the request, and waits for all of the response: for the app, and for threads and
    /// futures that answer for it. The clock stands still meanwhile; a response that waits
    /// for it is for [`start`](Self::start).
    ///
    /// # Errors
    /// [`TestError`]. A response is none, whatever its status.
    pub fn send(self) -> Result<TestResponse, TestError> {
        self.start()?.response()
    }

    /// Sends the request, and goes on as soon as the app has done what it can do at this
    /// time: for responses that wait for the clock, or that never end.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), for a request that cannot be sent.
    pub fn start(mut self) -> Result<TestExchange, TestError> {
        let body = self.body.take();
        self.ask(body.as_deref().map(Body::Whole))
    }

    /// Sends the head of a request whose body is [written](TestExchange::write) in pieces.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn stream(self) -> Result<TestExchange, TestError> {
        let body = Body::Streamed {
            length: None,
            endless: false,
        };
        self.ask(Some(body))
    }

    /// Opens a WebSocket: by an upgrade, or over HTTP/2 by an extended CONNECT.
    ///
    /// # Errors
    /// [`TestError::Refused`] has the response of an app that opens none.
    pub fn websocket(mut self) -> Result<TestWebSocket, TestError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let host = self.take_host();
        let mut request = WebSocketRequest::new(&host, &self.target);
        request.protocols = self.protocols;
        request.fields = self.fields;
        let begun = self.engine.open(self.version, self.peer, &request)?;
        TestWebSocket::open(TestExchange::new(self.engine, begun))
    }

    /// Opens an event stream.
    ///
    /// # Errors
    /// [`TestError::NoEvents`] for a response that is none.
    pub fn events(self) -> Result<TestEvents, TestError> {
        let request = match self.fields.as_fields().contains("accept") {
            true => self,
            false => self.header("Accept", "text/event-stream"),
        };
        TestEvents::open(request.start()?)
    }

    fn take_host(&mut self) -> String {
        let host = self.fields.as_fields().get_str("host").unwrap_or(HOST);
        let host = String::from(host);
        self.fields.remove("host");
        host
    }

    fn ask(mut self, body: Option<Body<'_>>) -> Result<TestExchange, TestError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let host = self.take_host();
        let mut fields = FieldBuffer::new();
        fields.push("Host", host)?;
        fields.extend(self.fields.as_fields())?;
        let method = match Method::try_from(self.method.as_str())? {
            Method::CONNECT => return Err(InvalidMethod.into()),
            method => method,
        };
        let head = RequestHead {
            method,
            target: Target::parse(self.target.as_bytes(), method)?,
            version: self.version,
            protocol: None,
            fields: fields.as_fields(),
        };
        let begun = self.engine.begin(self.version, self.peer, |wire| {
            let stream = wire.request(&head, body)?;
            Ok::<_, TestError>((stream, None))
        })?;
        Ok(TestExchange::new(self.engine, begun))
    }
}
