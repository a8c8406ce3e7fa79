//! What comes in goes out again, over HTTP and over WebSocket.

use barewire::app::{
    App, Charge, Done, Message, Reply, Request, Response, Route, Socket, Stream, Streaming,
    WebSocket, WebSocketRoute,
};
use barewire::http::{FieldBuffer, Fields, Status};
use barewire::websocket::deflate::Policy;
use barewire::wire::codec::Compression;
use bytes::Bytes;

/// A body up to this length is answered when it is complete, a longer one while
/// it comes: its sender has to read along.
const COLLECTED: usize = 16 << 20;

pub(crate) fn routes(app: App, origins: &[String]) -> App {
    let http = Route::any("/echo")
        .collect(COLLECTED, collected)
        .stream(streamed);
    let socket = WebSocketRoute::new(|_request| Ok(Echo))
        .deflate(Policy::TAKEOVER, Compression::DEFAULT)
        .origins(origins);
    app.route(http).websocket_route("/ws/echo", socket)
}

/// A WebSocket echo.
struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// A body that has been received.
fn collected(request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    reply.body(request.content_type(), request.body())
}

/// A body that is announced as longer than that, or comes without a length.
fn streamed(request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    let content_type = request.content_type();
    match request.content_length() {
        Some(length) => reply
            .header("Content-Type", content_type)
            .length(length)
            .stream(Through),
        None => reply.receive(Undecided {
            content_type: content_type.to_owned(),
            held: Some(Held::default()),
        }),
    }
}

/// An echo piece by piece. While a write waits, no piece comes, so that an echo
/// needs no thought, whatever its length.
struct Through;

impl Streaming for Through {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        stream.write(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.finish();
    }
}

/// An echo that holds the body for as long as it may turn out short, and goes
/// [`Through`] from there.
struct Undecided {
    content_type: String,
    held: Option<Held>,
}

impl Streaming for Undecided {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let Some(mut held) = self.held.take() else {
            return Through.chunk(stream, data);
        };
        if held.add(data, stream) {
            self.held = Some(held);
            return;
        }
        let mut fields = FieldBuffer::new();
        // It stood in the request as it is.
        let _ = fields.push("Content-Type", &self.content_type);
        stream.start(Status::OK, &fields, None);
        // In one piece: behind one that is over the cap nothing more is taken.
        stream.write_shared(held.into_body(data));
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, trailers: Fields<'_>) {
        match self.held.take() {
            Some(held) => stream.respond(Response::body(&self.content_type, held.into_body(&[]))),
            None => Through.end(stream, trailers),
        }
    }
}

/// A body that is being collected.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    charge: Charge,
}

impl Held {
    /// Takes a piece, charged to its sender; whether there was room for it.
    fn add(&mut self, data: &[u8], stream: &mut Stream<'_, '_>) -> bool {
        let length = self.bytes.len() + data.len();
        if length > COLLECTED {
            return false;
        }
        if length > self.bytes.capacity() {
            if self.charge.account().is_none() {
                self.charge = stream.charge();
            }
            let size = (2 * length).min(COLLECTED);
            if self.charge.try_grow(size - self.charge.bytes()).is_err() {
                return false;
            }
            self.bytes.reserve_exact(size - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        true
    }

    /// All of it, and `last` behind it.
    fn into_body(mut self, last: &[u8]) -> Bytes {
        self.bytes.extend_from_slice(last);
        self.bytes.into()
    }
}
