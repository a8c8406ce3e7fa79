//! The client on a loop behind the names of the one that blocks, so that both go through
//! the same tests: a call runs the loop until it is over.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use barewire::client::{
    AsUrl, Body, Canceller, ClientLimits, ClientOptions, Error, LoopClient, Metrics, Multipart,
    Phase, RedirectPolicy, Url, WholeResponse,
};
use barewire::http::{Fields, Status, Version};
use barewire::net::{Limits, Loop};

#[derive(Clone)]
pub(crate) struct Client {
    events: Rc<RefCell<Loop>>,
    client: LoopClient,
}

pub(crate) struct RequestBuilder {
    client: Client,
    request: barewire::client::RequestBuilder,
}

/// A response, or the error that came behind its head: the one that blocks tells it when
/// the body is asked for.
#[derive(Debug)]
pub(crate) struct Response {
    whole: Result<WholeResponse, Error>,
    is_given: bool,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with(ClientOptions::new()).unwrap()
    }

    pub(crate) fn with(options: ClientOptions) -> Result<Self, Error> {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let client = LoopClient::on(&mut events, options)?;
        Ok(Self {
            events: Rc::new(RefCell::new(events)),
            client,
        })
    }

    fn begin(&self, request: barewire::client::RequestBuilder) -> RequestBuilder {
        RequestBuilder {
            client: self.clone(),
            request,
        }
    }

    pub(crate) fn get(&self, url: impl AsUrl) -> RequestBuilder {
        self.begin(self.client.get(url))
    }

    pub(crate) fn post(&self, url: impl AsUrl) -> RequestBuilder {
        self.begin(self.client.post(url))
    }

    pub(crate) fn put(&self, url: impl AsUrl) -> RequestBuilder {
        self.begin(self.client.put(url))
    }

    pub(crate) fn patch(&self, url: impl AsUrl) -> RequestBuilder {
        self.begin(self.client.patch(url))
    }

    pub(crate) fn request(&self, method: &str, url: impl AsUrl) -> RequestBuilder {
        self.begin(self.client.request(method, url))
    }

    pub(crate) fn close_idle(&self) {
        self.client.close_idle();
        self.turn();
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.turn();
        self.client.metrics()
    }

    /// Lets the loop see what has come.
    fn turn(&self) {
        let mut events = self.events.borrow_mut();
        for _ in 0..3 {
            events.turn(Some(Duration::ZERO)).unwrap();
        }
    }
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $kind:ty),*))*) => {
        $(pub(crate) fn $name(mut self, $($argument: $kind),*) -> Self {
            self.request = self.request.$name($($argument),*);
            self
        })*
    };
}

#[allow(dead_code, reason = "not every build has all tests")]
impl RequestBuilder {
    forward! {
        header(name: &str, value: impl AsRef<[u8]>)
        query(name: &str, value: impl std::fmt::Display)
        body(body: impl Into<Body>)
        basic_auth(user: &str, password: &str)
        bearer_auth(token: &str)
        timeout(time: Duration)
        limits(limits: ClientLimits)
        redirects(redirects: RedirectPolicy)
        repeatable(may_be_repeated: bool)
        without_decoding()
        expect_continue()
        multipart(parts: Multipart)
        canceller(canceller: &Canceller)
        on_informational(hook: impl FnMut(Status, Fields<'_>) + Send + 'static)
    }

    #[cfg(feature = "json")]
    pub(crate) fn json(mut self, value: &serde_json::Value) -> Self {
        self.request = self.request.json(value);
        self
    }

    pub(crate) fn form<N: AsRef<str>, V: AsRef<str>>(
        mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.request = self.request.form(pairs);
        self
    }

    pub(crate) fn send(self) -> Result<Response, Error> {
        let answer = Rc::new(RefCell::new(None));
        let told = answer.clone();
        let done = move |result| *told.borrow_mut() = Some(result);
        let _call = self.client.client.send_then(self.request, done);
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(answer) = answer.borrow_mut().take() {
                return match answer {
                    Err(error) if error.phase() != Phase::Body => Err(error),
                    whole => Ok(Response {
                        whole,
                        is_given: false,
                    }),
                };
            }
            assert!(Instant::now() < end, "no answer came");
            let mut events = self.client.events.borrow_mut();
            events.turn(Some(Duration::from_millis(50))).unwrap();
        }
    }
}

#[allow(dead_code, reason = "not every build has all tests")]
impl Response {
    fn whole(&self) -> &WholeResponse {
        self.whole.as_ref().unwrap()
    }

    pub(crate) fn status(&self) -> Status {
        self.whole().status()
    }

    pub(crate) fn version(&self) -> Version {
        self.whole().version()
    }

    pub(crate) fn url(&self) -> &Url {
        self.whole().url()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.whole().header(name)
    }

    pub(crate) fn content_length(&self) -> Option<u64> {
        self.whole().content_length()
    }

    pub(crate) fn trailers(&self) -> Fields<'_> {
        self.whole().trailers()
    }

    pub(crate) fn text(self) -> Result<String, Error> {
        self.whole?.text()
    }

    pub(crate) fn error_for_status(self) -> Result<Self, Error> {
        let whole = Ok(self.whole?.error_for_status()?);
        Ok(Self {
            whole,
            is_given: false,
        })
    }

    #[cfg(feature = "json")]
    pub(crate) fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        self.whole?.json()
    }

    pub(crate) fn bytes(self) -> Result<Vec<u8>, Error> {
        Ok(self.whole?.body)
    }

    pub(crate) fn next_chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        let is_given = std::mem::replace(&mut self.is_given, true);
        let body = &*self.whole().body;
        Ok((!is_given && !body.is_empty()).then_some(body))
    }

    pub(crate) fn reader(self) -> impl Read {
        match self.whole {
            Ok(whole) => Reading::Whole(io::Cursor::new(whole.body)),
            Err(error) => Reading::Failing(Some(error)),
        }
    }
}

enum Reading {
    Whole(io::Cursor<Vec<u8>>),
    Failing(Option<Error>),
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(into),
            Self::Failing(error) => match error.take() {
                Some(error) => Err(error.into()),
                None => Ok(0),
            },
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}
