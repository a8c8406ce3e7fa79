//! The listener that is told what becomes of a call.

use alloc::boxed::Box;
use core::time::Duration;

use super::LoopCall;
use crate::client::connecting::Url;
use crate::client::http::call::{Answer, Call};
use crate::client::http::error::Error;
use crate::client::http::retry;
use crate::http::{Fields, Method, Status, Version};
use crate::wire::partly_shown;

/// A listener of a call of a [`LoopClient`](super::LoopClient), called on the loop's
/// thread. It must not block there.
///
/// The calls come in this order: any [`informational`](Self::informational), the
/// [`head`](Self::head), any [`chunk`](Self::chunk), and the [`end`](Self::end); or, in
/// place of whatever is still to come, [`failed`](Self::failed). One that panics loses
/// its call, and no other call is affected.
///
/// ```no_run
/// use barewire::client::{Error, LoopCall, LoopClient, ResponseListener, ResponseView};
/// use barewire::http::Fields;
/// use barewire::net::{Limits, Loop};
///
/// /// Prints a response.
/// struct Print;
///
/// impl ResponseListener for Print {
///     fn head(&mut self, head: &ResponseView<'_>, _call: &LoopCall) {
///         println!("{}", head.status());
///     }
///
///     fn chunk(&mut self, chunk: &[u8], _call: &LoopCall) {
///         print!("{}", String::from_utf8_lossy(chunk));
///     }
///
///     fn end(self, _trailers: Fields<'_>) {}
///
///     fn failed(self, error: Error) {
///         eprintln!("{error}");
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let client = LoopClient::on(&mut events, Default::default())?;
/// client.open(client.get("http://example.org/"), Print)?;
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ResponseListener: 'static {
    /// An interim response (1xx) has come, such as 103 (Early Hints).
    fn informational(&mut self, status: Status, fields: Fields<'_>, call: &LoopCall) {
        let _ = (status, fields, call);
    }

    /// The head of the response has come.
    fn head(&mut self, head: &ResponseView<'_>, call: &LoopCall);

    /// A piece of the body has come, decoded if it was coded.
    fn chunk(&mut self, chunk: &[u8], call: &LoopCall);

    /// After [`LoopCall::write`] has answered [`Flow::Wait`](crate::net::Flow::Wait): there
    /// is room again, or no more will be taken, which the next write says.
    fn writable(&mut self, call: &LoopCall) {
        let _ = call;
    }

    /// The body has come to its end.
    fn end(self, trailers: Fields<'_>);

    /// The call has failed, or was cancelled.
    fn failed(self, error: Error);
}

/// A response whose head has come.
pub struct ResponseView<'a> {
    pub(super) answer: &'a Answer,
    pub(super) method: Method<'a>,
    pub(super) url: &'a Url,
    pub(super) took: Duration,
}

impl<'a> ResponseView<'a> {
    /// The status.
    pub const fn status(&self) -> Status {
        self.answer.status
    }

    /// The method of the request that was answered: the last one, after redirects.
    pub const fn method(&self) -> Method<'a> {
        self.method
    }

    /// Whether there is no body, or all of it has come.
    pub(super) const fn is_complete(&self) -> bool {
        self.answer.content.has_ended()
    }

    /// The version of HTTP that it came in.
    pub const fn version(&self) -> Version {
        self.answer.version
    }

    /// The fields of its head. Those that describe a coding which is taken off are left
    /// out: Content-Encoding, and the Content-Length of what was coded.
    pub fn headers(&self) -> Fields<'a> {
        self.answer.fields.as_fields()
    }

    /// The first field of a name (in any case), if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers().get_str(name)
    }

    /// The length of the body in bytes, as the server has announced it; `None` if it has
    /// not, or the body is decoded. To HEAD, and with status 304, it is the length that the
    /// response to a GET would have.
    pub fn content_length(&self) -> Option<u64> {
        self.answer.length.filter(|_| !self.answer.is_decoded)
    }

    /// How long the server asks to wait (`Retry-After`, RFC 9110 §10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        retry::read(self.headers())
    }

    /// The URL that has answered: the last one, after redirects.
    pub const fn url(&self) -> &'a Url {
        self.url
    }

    /// From the beginning of the call to the head, with everything that it took.
    pub const fn elapsed(&self) -> Duration {
        self.took
    }
}

partly_shown!(it: ResponseView<'_> { url, status: it.status(), headers: it.headers() });

/// A listener of any type. It takes what is there of the call.
pub(super) trait Listening {
    fn informational(&mut self, status: Status, fields: Fields<'_>, handle: &LoopCall);
    fn head(&mut self, head: &ResponseView<'_>, handle: &LoopCall);
    fn piece(&mut self, call: &mut Call, handle: &LoopCall);
    fn writable(&mut self, handle: &LoopCall);
    fn end(self: Box<Self>, call: &mut Call);
    fn failed(self: Box<Self>, error: Error);
}

impl<L: ResponseListener> Listening for L {
    fn informational(&mut self, status: Status, fields: Fields<'_>, handle: &LoopCall) {
        ResponseListener::informational(self, status, fields, handle);
    }

    fn head(&mut self, head: &ResponseView<'_>, handle: &LoopCall) {
        ResponseListener::head(self, head, handle);
    }

    fn piece(&mut self, call: &mut Call, handle: &LoopCall) {
        let piece = call.piece();
        let bytes = piece.len();
        self.chunk(piece, handle);
        call.consume(bytes);
    }

    fn writable(&mut self, handle: &LoopCall) {
        ResponseListener::writable(self, handle);
    }

    fn end(self: Box<Self>, call: &mut Call) {
        ResponseListener::end(*self, call.head().trailers.as_fields());
    }

    fn failed(self: Box<Self>, error: Error) {
        ResponseListener::failed(*self, error);
    }
}
