//! Plain HTTP: an echo, a list, a stream of lines, and an upload that is counted.
//!
//! ```text
//! POST /echo             the body again
//! GET  /users            a list
//! GET  /pushes/{payload} a thousand lines, each with a payload
//! POST /upload           how many bytes came
//! ```

use barewire::app::{
    App, Bytes, Fields, Flow, Refusal, Reply, Response, Route, Status, Stream, Streaming,
};

use crate::cells::MESSAGES;
use crate::payload::Payload;

pub(super) fn routes(app: App) -> App {
    app.route(
        Route::post("/echo").collect(1 << 20, |request, reply: Reply<'_, '_>| {
            reply.body(request.content_type(), request.body())
        }),
    )
    .get("/users", |_request, reply| {
        reply.json_text(Payload::Users.text())
    })
    .get("/pushes/{payload}", |request, reply| {
        let payload = Payload::named(request.param("payload"));
        let payload = payload.ok_or_else(|| Refusal::new(Status::NOT_FOUND))?;
        let reply = reply.header("Content-Type", "application/x-ndjson");
        Ok::<_, Refusal>(reply.stream(Lines::new(payload)))
    })
    .route(Route::post("/upload").stream(|_request, reply: Reply<'_, '_>| reply.receive(Upload(0))))
}

/// A line for each message, as fast as they are taken.
struct Lines {
    line: Bytes,
    left: usize,
}

impl Lines {
    fn new(payload: Payload) -> Self {
        let line = [payload.text(), "\n"].concat();
        Self {
            line: line.into(),
            left: MESSAGES,
        }
    }
}

impl Streaming for Lines {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.left > 0 {
            self.left -= 1;
            if stream.write_shared(self.line.clone()) != Flow::Go {
                return;
            }
        }
        stream.finish();
    }
}

/// Counts the bytes of a body as they come.
struct Upload(usize);

impl Streaming for Upload {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        self.0 += data.len();
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.respond(Response::text(self.0.to_string()));
    }
}
