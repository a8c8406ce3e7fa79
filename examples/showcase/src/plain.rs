//! Plain HTTP: fixed replies, and as many bytes as one asks for.

use barewire::app::{App, Done, Flow, Refusal, Reply, Request, Stream, Streaming};
use barewire::http::Status;
use bytes::Bytes;

pub(crate) fn routes(app: App) -> App {
    app.get("/plaintext", |_request, reply| reply.text("Hello, World!"))
        .get("/json", |_request, reply| {
            reply.json_text(r#"{"message":"Hello, World!"}"#)
        })
        .get("/bytes/{n}", bytes)
}

/// Where all bytes come from; no copy of it is ever made.
static PIECE: [u8; 64 << 10] = [b'.'; 64 << 10];

fn bytes(request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
    let n = request.param("n");
    let digits = n.bytes().all(|byte| byte.is_ascii_digit()); // `parse` takes a sign too
    let Some(n) = n.parse::<u64>().ok().filter(|_| digits) else {
        return Err(Refusal::new(Status::BAD_REQUEST).because("n is not a number of bytes"));
    };
    Ok(reply
        .header("Content-Type", "application/octet-stream")
        .length(n)
        .stream(Dots { left: n }))
}

/// A body that is made while it is sent, as fast as the client takes it.
struct Dots {
    left: u64,
}

impl Streaming for Dots {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.left > 0 {
            let length =
                usize::try_from(self.left).map_or(PIECE.len(), |left| left.min(PIECE.len()));
            self.left -= length as u64;
            if stream.write_shared(Bytes::from_static(&PIECE[..length])) != Flow::Go {
                return; // called again when there is room
            }
        }
        stream.finish();
    }
}
