//! barewire: the routes through `App`, with all limits, timers and metrics on.

use barewire::app::{App, Files, Message, Service, Socket, WebSocket};
use barewire::net::Limits;
use bytes::Bytes;
use servers_common::{
    HELLO, LARGE, MEDIUM, MESSAGES, address, directory, fixed, raise_descriptors, threads,
};

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

struct Member;

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        socket.join("all").expect("one room is within the limits");
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.publish("all", message);
    }
}

fn echo() -> Service {
    Service::new("bench.Echo")
        .unary("Unary", |message: Vec<u8>, _call| Ok(message))
        .server_streaming("Stream", |message: Bytes, _call| {
            Ok((0..MESSAGES).map(move |_| Ok(message.clone())))
        })
}

fn main() -> Result<(), barewire::net::Error> {
    raise_descriptors();
    let (medium, large) = (
        Bytes::from_static(fixed(MEDIUM)),
        Bytes::from_static(fixed(LARGE)),
    );
    let mut app = App::new();
    if let Some(directory) = directory() {
        app = app.files("/file", Files::new(directory.join("file")));
    }
    app.get("/hello", |_request, reply| reply.text(HELLO))
        .get("/64k", move |_request, reply| {
            reply.bytes("text/plain", medium.clone())
        })
        .get("/1m", move |_request, reply| {
            reply.bytes("text/plain", large.clone())
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .websocket("/websocket", |_request| Ok(Echo))
        .websocket("/room", |_request| Ok(Member))
        .grpc(echo())
        .threads(threads())
        .limits(
            Limits::DEFAULT
                .with_connections(50_000)
                .with_per_address(50_000),
        )
        .listen(&address().to_string())?
        .run()
}
