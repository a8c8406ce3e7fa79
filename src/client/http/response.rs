//! The response to a request, and its body.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;
use std::io::{self, Read};

use super::call::Step;
use super::error::{Error, ErrorKind};
use super::exchange::Exchange;
use super::retry;
use crate::client::connecting::{Phase, Url, clock};
use crate::http::{Fields, Status, Version};
use crate::wire::partly_shown;

/// From this much room on a read goes straight there.
const ROOMY: usize = 8 << 10;

/// A response whose head has come. Its body comes when it is asked for, whole
/// ([`text`](Self::text), [`bytes`](Self::bytes)) or piece by piece
/// ([`next_chunk`](Self::next_chunk), [`reader`](Self::reader)): what is not asked for
/// waits with the server.
///
/// A response that is dropped before its end gives its connection back if little of the
/// body is missing, and comes within
/// [`drain_time`](crate::client::ClientLimits::drain_time); else the connection is closed.
///
/// ```no_run
/// use barewire::client::Client;
///
/// let response = Client::new().get("https://example.org/").send()?.error_for_status()?;
/// println!("{} {:?}", response.status(), response.header("content-type"));
/// let mut file = std::fs::File::create("page.html")?;
/// std::io::copy(&mut response.reader(), &mut file)?; // as it comes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Response {
    exchange: Exchange,
    took: Duration,
    shown: usize,
}

impl Response {
    pub(super) fn new(mut exchange: Exchange) -> Self {
        let took = exchange.now.saturating_since(exchange.call.started());
        let status = exchange.call.head().status;
        exchange.client.counters.answered(status, took);
        exchange.is_answered = true;
        Self {
            exchange,
            took,
            shown: 0,
        }
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.exchange.call.head().status
    }

    /// The version of HTTP that it came in.
    pub fn version(&self) -> Version {
        self.exchange.call.head().version
    }

    /// The fields of its head. Those that describe a coding which was taken off are left
    /// out: Content-Encoding, and the Content-Length of what was coded.
    pub fn headers(&self) -> Fields<'_> {
        self.exchange.call.head().fields.as_fields()
    }

    /// The first field of a name (in any case), if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get_str(name)
    }

    /// The length of the body in bytes, as the server has announced it; `None` if it has
    /// not, or the body is decoded. To HEAD, and with status 304, it is the length that
    /// the response to a GET would have.
    pub fn content_length(&self) -> Option<u64> {
        let head = self.exchange.call.head();
        head.length.filter(|_| !head.is_decoded)
    }

    /// The URL that has answered: the last one, after redirects.
    pub fn url(&self) -> &Url {
        self.exchange.call.url()
    }

    /// From [`send`](crate::client::RequestBuilder::send) to the head, with everything that
    /// it took: connecting, redirects, further attempts.
    pub fn elapsed(&self) -> Duration {
        self.took
    }

    /// The response, unless its status is an error (400 and above).
    ///
    /// # Errors
    /// [`ErrorKind::Status`].
    pub fn error_for_status(self) -> Result<Self, Error> {
        let status = self.status();
        if !status.is_error() {
            return Ok(self);
        }
        let error = ErrorKind::Status(status);
        let error = self.exchange.call.blame(Phase::Response, error);
        Err(error.possibly_processed(true))
    }

    /// The next piece of the body, as it came; `None` at its end.
    ///
    /// # Errors
    /// [`Error`] if the body does not come to its end, or does not decode.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        let shown = mem::take(&mut self.shown);
        self.exchange.call.consume(shown);
        match self.fill()? {
            false => Ok(None),
            true => {
                let piece = self.exchange.call.piece();
                self.shown = piece.len();
                Ok(Some(piece))
            }
        }
    }

    /// How long the server asks to wait (`Retry-After`, RFC 9110 §10.2.3), in seconds or
    /// until a date, which counts from that of the response.
    pub fn retry_after(&self) -> Option<Duration> {
        retry::read(self.headers())
    }

    /// Gives the rest of the body other times: between pieces, and perhaps until its end.
    pub(crate) fn retime(&mut self, silence: Duration, rest: Option<Duration>) {
        let until = rest.map(|rest| clock::now() + rest);
        self.exchange.call.retime(silence, until);
    }

    /// Waits for a piece; whether there is one.
    fn fill(&mut self) -> Result<bool, Error> {
        if self.exchange.call.piece().is_empty() {
            let now = self.exchange.tick();
            self.exchange.call.resume(now);
        }
        match self.exchange.advance() {
            Step::Failed(error) => Err(error),
            Step::Piece => Ok(true),
            _ => Ok(false),
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] beyond
    /// [`ClientLimits::collected`](crate::client::ClientLimits::collected), and those of
    /// [`next_chunk`](Self::next_chunk).
    pub fn bytes(mut self) -> Result<Vec<u8>, Error> {
        self.collect()
    }

    /// The whole body as text, which has to be UTF-8.
    ///
    /// # Errors
    /// [`ErrorKind::NotText`], and those of [`bytes`](Self::bytes).
    pub fn text(mut self) -> Result<String, Error> {
        let bytes = self.collect()?;
        let not_text = |_| self.exchange.call.blame(Phase::Body, ErrorKind::NotText);
        String::from_utf8(bytes).map_err(not_text)
    }

    /// The whole body as the JSON of a value.
    ///
    /// # Errors
    /// [`ErrorKind::Json`], and those of [`bytes`](Self::bytes).
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(mut self) -> Result<T, Error> {
        let bytes = self.collect()?;
        let no_json = |error| {
            self.exchange
                .call
                .blame(Phase::Body, ErrorKind::Json(error))
        };
        serde_json::from_slice(&bytes).map_err(no_json)
    }

    fn collect(&mut self) -> Result<Vec<u8>, Error> {
        let most = self.exchange.call.limits().collected;
        let too_large = |exchange: &Exchange| {
            let error = ErrorKind::TooLarge("collected");
            let error = exchange.call.blame(Phase::Body, error);
            Err(error.possibly_processed(true))
        };
        let is_received = self.exchange.call.is_received();
        if !is_received && self.content_length().is_some_and(|it| it > most) {
            return too_large(&self.exchange);
        }
        let shown = mem::take(&mut self.shown);
        self.exchange.call.consume(shown);
        if self.exchange.call.can_take_whole() {
            // Where it was received, it is put together.
            if !is_received {
                let now = self.exchange.tick();
                self.exchange.call.resume(now);
            }
            loop {
                if self.exchange.call.piece().len() as u64 > most {
                    return too_large(&self.exchange);
                }
                if let Some(whole) = self.exchange.call.take_whole() {
                    return Ok(whole);
                }
                self.exchange.receive()?;
            }
        }
        let mut whole = Vec::new();
        while self.fill()? {
            let piece = self.exchange.call.piece();
            if (whole.len() + piece.len()) as u64 > most {
                return too_large(&self.exchange);
            }
            whole.extend_from_slice(piece);
            let bytes = piece.len();
            self.exchange.call.consume(bytes);
        }
        Ok(whole)
    }

    /// The body as a reader. What it is read for waits for it.
    pub const fn reader(self) -> BodyReader {
        BodyReader { response: self }
    }

    /// The trailers, once the body has ended: none before.
    pub fn trailers(&self) -> Fields<'_> {
        match self.exchange.call.is_over() {
            true => self.exchange.call.head().trailers.as_fields(),
            false => Fields::EMPTY,
        }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.exchange.give_up();
    }
}

partly_shown!(it: Response { url: it.url(), status: it.status(), headers: it.headers() });

/// The body of a [`Response`] as a reader.
#[derive(Debug)]
pub struct BodyReader {
    response: Response,
}

impl BodyReader {
    /// The response, of whose body the rest is left.
    pub const fn response(&self) -> &Response {
        &self.response
    }

    /// The response again, with the rest of its body.
    pub fn into_response(self) -> Response {
        self.response
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let response = &mut self.response;
        let shown = mem::take(&mut response.shown);
        response.exchange.call.consume(shown);
        if into.len() >= ROOMY && response.exchange.call.piece().is_empty() {
            let now = response.exchange.tick();
            response.exchange.call.resume(now);
            let bytes = response.exchange.receive_into(into);
            if bytes > 0 {
                return Ok(bytes);
            }
        }
        if !response.fill()? {
            return Ok(0);
        }
        let call = &mut self.response.exchange.call;
        let piece = call.piece();
        let bytes = piece.len().min(into.len());
        let (piece, room) = (piece.get(..bytes), into.get_mut(..bytes));
        room.unwrap_or_default()
            .copy_from_slice(piece.unwrap_or_default());
        call.consume(bytes);
        Ok(bytes)
    }
}
