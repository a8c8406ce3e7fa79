//! Forms that are given to a handler as they come.

use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::response::Response;
use crate::app::exchange::stream::{Stream, Streaming};
use crate::http::Fields;
use crate::http::multipart::{MultipartEvent, MultipartLimits, MultipartReader, PartHead};
use crate::link::EndReason;
use crate::wire::Step;

use super::multipart::{reader, refusal};

/// What takes a form of several parts as it comes: [`Reply::multipart`] gives it there. An
/// error answers the request, and nothing further comes.
///
/// It is called on the loop, and must not block: for files there is [`Reply::spool`].
///
/// ```
/// use barewire::app::{App, MultipartHandler, PartHead, Refusal, Response, Route};
///
/// /// Counts the bytes of all files.
/// #[derive(Default)]
/// struct Count {
///     is_file: bool,
///     bytes: usize,
/// }
///
/// impl MultipartHandler for Count {
///     fn part(&mut self, part: &PartHead) -> Result<(), Refusal> {
///         self.is_file = part.is_file();
///         Ok(())
///     }
///
///     fn content(&mut self, piece: &[u8]) -> Result<(), Refusal> {
///         self.bytes += if self.is_file { piece.len() } else { 0 };
///         Ok(())
///     }
///
///     fn end(&mut self) -> Result<Response, Refusal> {
///         Ok(Response::text(format!("{} bytes", self.bytes)))
///     }
/// }
///
/// App::new().route(
///     Route::post("/count").stream(|request, reply| reply.multipart(request, Count::default())),
/// );
/// ```
pub trait MultipartHandler {
    /// The limits of the form.
    fn limits(&self) -> MultipartLimits {
        MultipartLimits::DEFAULT
    }

    /// A part begins.
    ///
    /// # Errors
    /// The answer, if it is not wanted.
    fn part(&mut self, part: &PartHead) -> Result<(), Refusal>;

    /// A piece of its content.
    ///
    /// # Errors
    /// The answer, if it is not wanted.
    fn content(&mut self, piece: &[u8]) -> Result<(), Refusal>;

    /// The part is complete.
    ///
    /// # Errors
    /// The answer, if it is not wanted.
    fn part_end(&mut self) -> Result<(), Refusal> {
        Ok(())
    }

    /// The form is complete. Returns the answer.
    ///
    /// # Errors
    /// The answer, too.
    fn end(&mut self) -> Result<Response, Refusal>;

    /// The exchange has ended before the form was complete. Nothing follows.
    fn closed(&mut self, why: EndReason) {
        let _ = why;
    }
}

impl Reply<'_, '_> {
    /// Gives the form that is the request's body to `handler`, which answers at its end. On
    /// a route that streams it comes in pieces, else in one.
    ///
    /// The client gets 415 if it is no such form, 400 if it is malformed, 413 beyond a limit;
    /// the reason names the part.
    pub fn multipart(
        self,
        request: &Request<'_>,
        mut handler: impl MultipartHandler + 'static,
    ) -> Done {
        let limits = handler.limits();
        let mut reader = match reader(request, &limits) {
            Ok(reader) => reader,
            Err(refusal) => return self.refuse(refusal),
        };
        if request.is_streamed() {
            return self.receive(Receiving {
                reader,
                limits,
                handler,
            });
        }
        let given = give(&mut reader, &limits, request.body(), |event| {
            put(&mut handler, event)
        });
        match given.and_then(|()| end(&mut reader, &mut handler)) {
            Ok(response) => self.response(response),
            Err(refusal) => self.refuse(refusal),
        }
    }
}

/// A form on its way to its handler.
struct Receiving<H> {
    reader: MultipartReader,
    limits: MultipartLimits,
    handler: H,
}

impl<H: MultipartHandler> Streaming for Receiving<H> {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let Self {
            reader,
            limits,
            handler,
        } = self;
        if let Err(refusal) = give(reader, limits, data, |event| put(handler, event)) {
            stream.refuse(refusal);
        }
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        match end(&mut self.reader, &mut self.handler) {
            Ok(response) => stream.respond(response),
            Err(refusal) => stream.refuse(refusal),
        }
    }

    fn closed(&mut self, why: EndReason) {
        self.handler.closed(why);
    }
}

fn put(handler: &mut impl MultipartHandler, event: MultipartEvent<'_>) -> Result<(), Refusal> {
    match event {
        MultipartEvent::Part(part) => handler.part(part),
        MultipartEvent::Content(piece) => handler.content(piece),
        MultipartEvent::End => handler.part_end(),
    }
}

/// Takes what has come of a form to where it is wanted.
pub(super) fn give(
    reader: &mut MultipartReader,
    limits: &MultipartLimits,
    mut data: &[u8],
    mut put: impl FnMut(MultipartEvent<'_>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    while !data.is_empty() {
        let received = match reader.receive(data, limits) {
            Ok(received) => received,
            Err(error) => return Err(refusal(error, reader)),
        };
        let used = received.used;
        match received.step {
            Step::Event(event) => put(event)?,
            Step::Need(_) | Step::Paused | Step::Full | Step::Done => {}
        }
        data = data.get(used..).unwrap_or_default();
    }
    Ok(())
}

fn end(
    reader: &mut MultipartReader,
    handler: &mut impl MultipartHandler,
) -> Result<Response, Refusal> {
    match reader.finish() {
        Ok(()) => handler.end(),
        Err(error) => Err(refusal(error, reader)),
    }
}
