//! The plain routes: sums, a fixed text, uploads, files, and an echo of WebSockets.
//!
//! ```text
//! GET, POST /baseline11?a=1&b=2   their sum, and that of the body
//! GET       /baseline2?a=1&b=2    their sum
//! GET       /pipeline             ok
//! GET       /json/{count}?m=3     the first items, each with its total
//! POST      /upload               how many bytes came
//! GET       /static/{*file}       the files of a directory
//!           /ws                   each message comes back
//! ```

use std::path::Path;
use std::sync::Arc;

use barewire::app::{
    App, Compression, Files, Incoming, Message, Middleware, Next, Refusal, Reply, Request,
    Response, Route, Scoped, Socket, Stream, Streaming, WebSocket,
};
use barewire::http::{Fields, Status, Version};

use crate::items::{self, Items};
use crate::sums;

/// Everything, but what a database is needed for.
pub(crate) fn all(app: App, items: &Arc<Items>, files: &Path) -> App {
    let upload = Route::post("/upload").stream(|_request, reply| reply.receive(Counted(0)));
    let app = sums_of_queries(app)
        // Files are there compressed already, and what is not gains nothing.
        .with(Scoped::new("/json", Compression::new()))
        .get("/pipeline", |_request, reply| reply.text("ok"))
        .route(upload)
        .files("/static", Files::new(files).precompressed())
        .websocket("/ws", |_request| Ok(Echo));
    items::routes(app, items).grpc(sums::service())
}

/// What is asked for over HTTP/2 without TLS, and over nothing else.
pub(crate) fn http2_alone(app: App, items: &Arc<Items>) -> App {
    items::routes(sums_of_queries(app.with(Http2Alone)), items)
}

fn sums_of_queries(app: App) -> App {
    let get = |request: &Request<'_>, reply: Reply<'_, '_>| {
        reply.text(of_query(request)?.to_string()).ok()
    };
    app.get("/baseline2", get)
        .get("/baseline11", get)
        .post("/baseline11", |request, reply| {
            let body = number(&String::from_utf8_lossy(request.body()))?;
            let sum = sum(of_query(request)?, body)?;
            reply.text(sum.to_string()).ok()
        })
}

fn of_query(request: &Request<'_>) -> Result<i64, Refusal> {
    let value = |name| number(&request.query_value(name).unwrap_or_default());
    sum(value("a")?, value("b")?)
}

fn number(text: &str) -> Result<i64, Refusal> {
    text.trim().parse().map_err(|_| bad("not a whole number"))
}

fn sum(a: i64, b: i64) -> Result<i64, Refusal> {
    a.checked_add(b).ok_or_else(|| bad("the sum is too large"))
}

/// A request that cannot be answered.
pub(crate) fn bad(why: &'static str) -> Refusal {
    Refusal::new(Status::BAD_REQUEST).because(why)
}

/// An upload, of which so many bytes have come.
struct Counted(u64);

impl Streaming for Counted {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        self.0 += data.len() as u64;
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.respond(Response::text(self.0.to_string()));
    }
}

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// Refuses what does not come over HTTP/2, as the rules have it for this port.
struct Http2Alone;

impl Middleware for Http2Alone {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        if request.head().version == Version::Http2 {
            return Next::Continue;
        }
        let refusal = Refusal::new(Status::HTTP_VERSION_NOT_SUPPORTED);
        refusal.because("HTTP/2 alone is spoken here").into()
    }
}
