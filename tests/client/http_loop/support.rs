//! A loop with a client, and listeners that note what they are told.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use barewire::client::{
    ClientLimits, ClientOptions, Error, LoopCall, LoopClient, RequestBuilder, ResponseListener,
    ResponseView,
};
use barewire::http::{Fields, Status};
use barewire::net::{Limits, Loop};

/// A loop with a client on it.
pub(crate) struct Scene {
    pub(crate) events: Loop,
    pub(crate) client: LoopClient,
}

/// What a call has told, each as a line.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

/// Notes what it is told.
pub(crate) struct Noting {
    pub(crate) log: Log,
    pub(crate) error: Rc<RefCell<Option<Error>>>,
}

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    fn note(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    pub(crate) fn is_over(&self) -> bool {
        let lines = self.0.borrow();
        let last = lines.last().map(String::as_str).unwrap_or_default();
        last.starts_with("end") || last.starts_with("failed")
    }

    /// The pieces of the body, joined.
    pub(crate) fn body(&self) -> String {
        let lines = self.0.borrow();
        let pieces = lines.iter().filter_map(|it| it.strip_prefix("chunk "));
        pieces.collect()
    }
}

impl ResponseListener for Noting {
    fn informational(&mut self, status: Status, _: Fields<'_>, _: &LoopCall) {
        self.log.note(format!("informational {}", status.code()));
    }

    fn head(&mut self, head: &ResponseView<'_>, _: &LoopCall) {
        self.log.note(format!("head {}", head.status().code()));
    }

    fn chunk(&mut self, chunk: &[u8], _: &LoopCall) {
        self.log
            .note(format!("chunk {}", String::from_utf8_lossy(chunk)));
    }

    fn writable(&mut self, _: &LoopCall) {
        self.log.note("writable");
    }

    fn end(self, trailers: Fields<'_>) {
        let trailers: Vec<_> = trailers
            .iter()
            .map(|it| String::from_utf8_lossy(it.value).into_owned())
            .collect();
        self.log.note(format!("end {}", trailers.join(",")));
    }

    fn failed(self, error: Error) {
        self.log.note(format!("failed {error}"));
        *self.error.borrow_mut() = Some(error);
    }
}

/// A call that notes.
pub(crate) struct Noted {
    pub(crate) log: Log,
    pub(crate) error: Rc<RefCell<Option<Error>>>,
    pub(crate) call: LoopCall,
}

impl Noted {
    pub(crate) fn error(&self) -> Error {
        self.error.borrow_mut().take().expect("an error")
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(ClientOptions::new())
    }

    pub(crate) fn limited(limits: ClientLimits) -> Self {
        Self::with(ClientOptions::new().limits(limits))
    }

    pub(crate) fn with(options: ClientOptions) -> Self {
        Self::through(options.no_proxy())
    }

    /// With the proxy of the options.
    pub(crate) fn through(options: ClientOptions) -> Self {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let client = LoopClient::on(&mut events, options).unwrap();
        Self { events, client }
    }

    pub(crate) fn open(&self, request: RequestBuilder) -> Noted {
        open_on(&self.client, request)
    }

    /// Runs the loop until that is so.
    pub(crate) fn until(&mut self, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < end, "it never came");
            self.events.turn(Some(Duration::from_millis(50))).unwrap();
        }
    }

    /// Runs the loop until the call is over.
    pub(crate) fn finish(&mut self, call: &Noted) {
        self.until(|| call.log.is_over());
    }

    pub(crate) fn get(&mut self, url: &str) -> Noted {
        let call = self.open(self.client.get(url));
        self.finish(&call);
        call
    }

    /// Runs the loop for as long.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.events.turn(Some(Duration::from_millis(5))).unwrap();
        }
    }
}

/// Begins a call that notes.
pub(crate) fn open_on(client: &LoopClient, request: RequestBuilder) -> Noted {
    let (log, error) = (Log::default(), Rc::default());
    let noting = Noting {
        log: log.clone(),
        error: Rc::clone(&error),
    };
    let call = client.open(request, noting).unwrap();
    Noted { log, error, call }
}
