//! GraphQL, beside the same by hand: a query that a plain route executes, and a message that
//! a plain WebSocket is sent.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use barewire::app::{
    App, AsyncGraphQl, Executor, GraphQl, GraphQlResponse, Handle, Message, Operation, Socket,
    WebSocket,
};
use futures_core::Stream;

use crate::server::{Counted, head_and_body, send_text, upgrade_to};
use crate::{instructions_mark, wanted};

#[derive(SimpleObject)]
struct User {
    id: u32,
    name: &'static str,
    email: String,
}

struct Query;

#[Object]
impl Query {
    async fn users(&self, first: u32) -> Vec<User> {
        let users = (0..first).map(|id| User {
            id,
            name: "Ada Lovelace",
            email: format!("ada.{id}@example.com"),
        });
        users.collect()
    }
}

const QUERY: &str = r#"{"query":"query Users($first: Int!) { users(first: $first) { id name email } }","variables":{"first":10}}"#;

/// What a client that listens is sent.
const EVENT: &str = r#"{"data":{"tick":"0123456789abcdef"}}"#;
const MESSAGE: &str = r#"{"id":"1","type":"next","payload":{"data":{"tick":"0123456789abcdef"}}}"#;

/// Rung by one client, heard by another.
#[derive(Default)]
struct Bell {
    rung: u32,
    waker: Option<Waker>,
    handle: Option<Handle>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Bell>>);

impl Shared {
    fn with<R>(&self, act: impl FnOnce(&mut Bell) -> R) -> R {
        act(&mut self.0.lock().expect("nothing panics"))
    }

    fn ring(&self) {
        let waker = self.with(|bell| {
            if let Some(handle) = &bell.handle {
                handle.send(MESSAGE).expect("its mailbox has room");
            }
            bell.rung += 1;
            bell.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Stream for Shared {
    type Item = GraphQlResponse;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.with(|bell| match bell.rung {
            0 => {
                bell.waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => {
                bell.rung -= 1;
                Poll::Ready(Some(GraphQlResponse::new(EVENT.into(), true)))
            }
        })
    }
}

/// Has events that are no work.
struct Events(Shared);

impl Executor for Events {
    async fn execute(&self, _: Operation) -> GraphQlResponse {
        GraphQlResponse::error("there are only subscriptions", "BAD_REQUEST")
    }

    fn subscribe(&self, _: Operation) -> impl Stream<Item = GraphQlResponse> + use<> + 'static {
        self.0.with(|bell| bell.rung = 0);
        self.0.clone()
    }
}

struct Listener(Shared);

impl WebSocket for Listener {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        self.0.with(|bell| bell.handle = Some(socket.handle()));
    }

    fn message(&mut self, _: &mut Socket<'_, '_>, _: Message<'_>) {}
}

/// Polls a future that is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for nothing"),
    }
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

pub fn graphql() {
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let by_hand = schema.clone();
    let (plain, heard) = (Shared::default(), Shared::default());
    let (of_plain, of_heard, rings, tolls) =
        (plain.clone(), heard.clone(), plain.clone(), heard.clone());
    let app = App::new()
        .get("/mark", |_request, reply| {
            instructions_mark();
            reply.text("Hello, World!")
        })
        .post("/by_hand", move |request, reply| {
            let asked: async_graphql::Request =
                serde_json::from_slice(request.body()).expect("what is sent here is valid");
            let response = block_on(by_hand.execute(asked));
            let json = serde_json::to_string(&response).expect("it has strings for keys");
            reply.body("application/json", json)
        })
        .graphql("/graphql", GraphQl::new(AsyncGraphQl(schema)))
        .graphql("/events", GraphQl::new(Events(of_heard)))
        .websocket("/plain", move |_request| Ok(Listener(of_plain.clone())))
        .post("/silence", |_request, reply| reply.text("Hello, World!"))
        .post("/ring", move |_request, reply| {
            rings.ring();
            reply.text("Hello, World!")
        })
        .post("/toll", move |_request, reply| {
            tolls.ring();
            reply.text("Hello, World!")
        });
    let server = app.listen("127.0.0.1:0").and_then(App::spawn);
    let mut counted = Counted::new(server.expect("the loopback interface is there"));
    for (path, name) in [
        ("/by_hand", "server GraphQL query, by hand"),
        ("/graphql", "server GraphQL query"),
    ] {
        if wanted(name) {
            let mut stream = counted.connect();
            let request = post(path, QUERY);
            stream
                .write_all(request.as_bytes())
                .expect("the server reads");
            let answer = until(&mut stream, b"\"}]}}");
            counted.exchange(name, stream, request.as_bytes(), answer, 1);
        }
    }
    for (path, socket, name) in [
        ("/silence", "", "server GraphQL event, nobody listens"),
        (
            "/ring",
            "/plain",
            "server GraphQL event, as a plain message",
        ),
        ("/toll", "/events", "server GraphQL event"),
    ] {
        if wanted(name) {
            event(&mut counted, (path, socket), name);
        }
    }
    counted.stop();
}

/// Reads up to these bytes: how many they were.
fn until(stream: &mut TcpStream, end: &[u8]) -> usize {
    let (mut read, mut length) = ([0; 4096], 0);
    while !read[..length].ends_with(end) {
        length += stream.read(&mut read[length..]).expect("an answer");
    }
    length
}

/// An event for a client that listens, for which another one asks.
fn event(counted: &mut Counted, (path, socket): (&str, &str), name: &str) {
    let mut asking = counted.connect();
    let mut hearing = counted.connect();
    if !socket.is_empty() {
        let fields = "Host: a\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n";
        upgrade_to(socket, fields, &mut hearing);
        send_text(&mut hearing, r#"{"type":"connection_init"}"#);
    }
    if socket == "/events" {
        let mut acknowledged = [0; 2 + 25];
        hearing.read_exact(&mut acknowledged).expect("an answer");
        let query = "subscription { tick }";
        let subscribe =
            format!(r#"{{"id":"1","type":"subscribe","payload":{{"query":"{query}"}}}}"#);
        send_text(&mut hearing, &subscribe);
    }
    let request = post(path, "");
    counted.count(name, |operations| {
        for _ in 0..operations {
            asking
                .write_all(request.as_bytes())
                .expect("the server reads");
            head_and_body(&mut asking);
            if !socket.is_empty() {
                let mut message = [0; 2 + MESSAGE.len()];
                hearing.read_exact(&mut message).expect("an event");
                assert!(message.ends_with(MESSAGE.as_bytes()));
            }
        }
    });
}
