//! A schema with all that may happen, its server, and a client that says what it is told to.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use async_graphql::{Context, Object, Schema, Subscription, Upload};
use barewire::app::{App, AsyncGraphQl, ConnectionInit, Executor, Extensions, GraphQl};
use barewire::app::{GraphQlConnection, GraphQlResponse, Operation, Spawner};
use barewire::graphql::{Documents, Limits};

use crate::app_support::{Answer, Running, read_until};

pub(crate) struct Query;

fn panic_on_purpose() -> u8 {
    panic!("on purpose")
}

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn broken(&self) -> async_graphql::Result<u8> {
        Err("on purpose".into())
    }

    async fn panics(&self) -> u8 {
        panic_on_purpose()
    }

    /// Later than any client waits.
    async fn never(&self) -> u8 {
        core::future::pending().await
    }

    /// Waits on the loop.
    async fn slept(&self, context: &Context<'_>, millis: u64) -> async_graphql::Result<u64> {
        let spawner = context.data::<Spawner>()?;
        spawner.sleep(Duration::from_millis(millis)).await;
        Ok(millis)
    }

    /// What the client has said of itself.
    async fn init(&self, context: &Context<'_>) -> Option<String> {
        let init = context.data_opt::<ConnectionInit>()?;
        Some(init.0.to_string())
    }

    /// Who the client is found to be.
    async fn who(&self, context: &Context<'_>) -> Option<String> {
        let extensions = context.data_opt::<Arc<Extensions>>()?;
        Some(extensions.get::<User>()?.0.clone())
    }
}

/// Attached where a client connects.
pub(crate) struct User(pub(crate) String);

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn set(&self, to: u8) -> u8 {
        to
    }

    /// What has come in each file.
    async fn put(
        &self,
        context: &Context<'_>,
        files: Vec<Upload>,
    ) -> async_graphql::Result<Vec<String>> {
        let shown = files.into_iter().map(|file| {
            let file = file.value(context)?;
            let head = format!("{} {:?} ", file.filename, file.content_type);
            let mut text = head + &file.size()?.to_string() + " ";
            file.into_read().read_to_string(&mut text)?;
            Ok(text)
        });
        shown.collect()
    }
}

pub(crate) struct Events;

#[Subscription]
impl Events {
    async fn countdown(&self, from: u8) -> impl futures_core::Stream<Item = u8> {
        Countdown(from)
    }

    async fn silence(&self, context: &Context<'_>) -> impl futures_core::Stream<Item = u8> {
        Silence(context.data_unchecked::<Arc<Watch>>().clone())
    }

    /// Has an event whenever it is asked.
    async fn flood(&self, context: &Context<'_>) -> impl futures_core::Stream<Item = String> {
        Flood(context.data_unchecked::<Arc<Watch>>().clone())
    }
}

/// Sees what becomes of streams.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) asked: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
}

struct Countdown(u8);

impl futures_core::Stream for Countdown {
    type Item = u8;

    fn poll_next(
        mut self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Option<u8>> {
        let next = self.0.checked_sub(1);
        self.0 = next.unwrap_or(0);
        core::task::Poll::Ready(next)
    }
}

struct Silence(Arc<Watch>);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Relaxed);
    }
}

impl futures_core::Stream for Silence {
    type Item = u8;

    fn poll_next(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Option<u8>> {
        core::task::Poll::Pending
    }
}

struct Flood(Arc<Watch>);

impl futures_core::Stream for Flood {
    type Item = String;

    fn poll_next(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Option<String>> {
        self.0.asked.fetch_add(1, Relaxed);
        core::task::Poll::Ready(Some("x".repeat(10_000)))
    }
}

pub(crate) type Route = GraphQl<AsyncGraphQl<Schema<Query, Mutation, Events>>>;

pub(crate) fn route() -> Route {
    route_watched_by(&Arc::default())
}

pub(crate) fn route_watched_by(watch: &Arc<Watch>) -> Route {
    let mut documents = Documents::new();
    documents.trust("hello", "{ hello }");
    let schema = Schema::build(Query, Mutation, Events)
        .data(watch.clone())
        .limit_complexity(200)
        .limit_depth(10)
        .finish();
    GraphQl::new(AsyncGraphQl(schema))
        .documents(documents)
        .timeout(Duration::from_millis(200))
}

pub(crate) fn running() -> Running {
    Running::start(App::new().graphql("/graphql", route()))
}

pub(crate) fn running_with(limits: Limits) -> Running {
    Running::start(App::new().graphql("/graphql", route().limits(limits)))
}

/// Executes nothing, and accepts clients by what they say.
pub(crate) struct Doorman;

impl Executor for Doorman {
    async fn execute(&self, _: Operation) -> GraphQlResponse {
        GraphQlResponse::error("nothing is executed", "BAD_REQUEST")
    }

    async fn connect(&self, client: &mut GraphQlConnection) -> Result<Option<String>, String> {
        match client.payload.as_deref() {
            None => Ok(Some(r#"{"welcome":true}"#.into())),
            Some(r#"{"panic":true}"#) => panic!("on purpose"),
            Some(_) => Err("go away".into()),
        }
    }
}

pub(crate) fn post(running: &Running, fields: &str, body: &str) -> Answer {
    let length = body.len();
    running.exchange(&format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
    ))
}

pub(crate) const JSON: &str = "Content-Type: application/json\r\n";
pub(crate) const STRICT: &str = "Content-Type: application/json\r\n\
                      Accept: application/graphql-response+json\r\n";

/// A WebSocket that speaks this subprotocol.
pub(crate) fn websocket(running: &Running, protocol: &str, fields: &str) -> TcpStream {
    let mut stream = running.connect();
    write!(
        stream,
        "GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {protocol}\r\n{fields}\r\n"
    )
    .unwrap();
    stream
}

pub(crate) fn open(running: &Running, protocol: &str) -> TcpStream {
    let mut stream = websocket(running, protocol, "");
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    stream
}

/// One that was acknowledged.
pub(crate) fn begun(running: &Running) -> TcpStream {
    let mut stream = open(running, "graphql-transport-ws");
    say(&mut stream, INIT);
    assert_eq!(hear(&mut stream).unwrap(), r#"{"type":"connection_ack"}"#);
    stream
}

pub(crate) const INIT: &str = r#"{"type":"connection_init"}"#;

pub(crate) fn subscribe(id: &str, query: &str) -> String {
    format!(r#"{{"id":"{id}","type":"subscribe","payload":{{"query":"{query}"}}}}"#)
}

pub(crate) fn say(stream: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81];
    match text.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        middle @ ..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    stream.write_all(&frame).unwrap();
}

/// The next message, or the close code and its words.
pub(crate) fn hear(stream: &mut TcpStream) -> Result<String, (u16, String)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        stream.read_exact(&mut long).unwrap();
        length = u16::from_be_bytes(long).into();
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).unwrap();
    match head[0] {
        0x81 => Ok(String::from_utf8(payload).unwrap()),
        0x88 => {
            let code = u16::from_be_bytes([payload[0], payload[1]]);
            Err((code, String::from_utf8(payload[2..].into()).unwrap()))
        }
        other => panic!("{other:x}"),
    }
}
