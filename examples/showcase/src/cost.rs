//! `GET /own/cost`: what one small task costs by each protocol, in bytes and in time.
//!
//! The task is to ask for a user. Each protocol has a warm connection through a [`Tap`],
//! which counts everything: heads, frames and acknowledgements, too. The relay is in
//! the times.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use barewire::client::{
    CallOptions, Channel, Client, ClientOptions, GrpcChannelOptions, RequestBuilder, WebSocket,
    WebSocketOptions,
};
use barewire::grpc::Protocol;
use serde_json::{Value, json};

use super::messages::{GetUserRequest, User};
use super::own_client::{Outcome, PATIENCE, micros, options};
use super::report;
use super::tap::Tap;

/// How often each protocol does it: the bytes are the mean, the time is the median.
const TIMES: usize = 21;

/// One does it at a time, so that none is in another's times.
static TURN: Mutex<()> = Mutex::new(());

/// Does the task once. The first time is not counted: it connects.
type Task = Box<dyn FnMut() -> Outcome<()>>;

type Start = fn(SocketAddr) -> Outcome<Task>;

const PROTOCOLS: [(&str, &str, Start); 7] = [
    ("HTTP/1.1", "JSON", |at| http(options().http1_only(), at)),
    ("HTTP/2", "JSON", |at| {
        http(options().http2_prior_knowledge(), at)
    }),
    ("WebSocket", "JSON", websocket),
    ("gRPC", "Protocol Buffers", |at| call(Protocol::Grpc, at)),
    ("gRPC-Web", "Protocol Buffers", |at| {
        call(Protocol::GrpcWeb, at)
    }),
    ("Connect", "JSON", connect),
    ("GraphQL", "JSON", graphql),
];

pub(crate) fn measure(own: SocketAddr) -> Outcome<Value> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = PROTOCOLS.map(|(protocol, format, start)| {
        // One that fails keeps none of the others from being measured.
        cost_of(own, start).map_or_else(
            |error| json!({"protocol": protocol, "error": error.to_string()}),
            |(up, down, median)| {
                json!({
                    "protocol": protocol,
                    "format": format,
                    "up": up,
                    "down": down,
                    "microseconds": median,
                })
            },
        )
    });
    Ok(json!({"times": TIMES, "rows": rows, "report": report::link()}))
}

/// Bytes up and down, and microseconds.
fn cost_of(own: SocketAddr, start: Start) -> Outcome<(u64, u64, u64)> {
    let tap = Tap::open(own)?;
    let mut task = start(tap.address())?;
    task()?;
    let before = tap.counts();
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let since = Instant::now();
        task()?;
        times.push(micros(since));
    }
    let after = tap.counts();
    times.sort_unstable();
    let mean = |before: u64, after: u64| (after - before).div_ceil(TIMES as u64);
    let median = times[TIMES / 2];
    Ok((mean(before.0, after.0), mean(before.1, after.1), median))
}

fn http(options: ClientOptions, at: SocketAddr) -> Outcome<Task> {
    let client = Client::with(options)?;
    let url = format!("http://{at}/users/1");
    Ok(Box::new(move || finish(client.get(&*url))))
}

fn connect(at: SocketAddr) -> Outcome<Task> {
    let url = format!("http://{at}/user_service.UserService/GetUser");
    posting(url, r#"{"id":"1"}"#)
}

fn graphql(at: SocketAddr) -> Outcome<Task> {
    let url = format!("http://{at}/graphql");
    posting(url, r#"{"query":"{user(id:\"1\"){id name email}}"}"#)
}

fn posting(url: String, body: &'static str) -> Outcome<Task> {
    let client = Client::with(options().http1_only())?;
    Ok(Box::new(move || {
        let request = client.post(&*url).body(body);
        finish(request.header("Content-Type", "application/json"))
    }))
}

fn finish(request: RequestBuilder) -> Outcome<()> {
    request.send()?.error_for_status()?.bytes()?;
    Ok(())
}

fn websocket(at: SocketAddr) -> Outcome<Task> {
    let options = WebSocketOptions::new().no_proxy();
    let mut socket = WebSocket::connect_with(&format!("ws://{at}/ws/users"), &options)?;
    Ok(Box::new(move || {
        socket.send(r#"{"id":"1"}"#)?;
        let answer = socket.receive_within(PATIENCE)?.ok_or("no answer came")?;
        match answer.text().is_some_and(|it| it.contains("name")) {
            true => Ok(()),
            false => Err("the answer is no user".into()),
        }
    }))
}

fn call(protocol: Protocol, at: SocketAddr) -> Outcome<Task> {
    let options = GrpcChannelOptions::new().protocol(protocol).no_proxy();
    let options = match protocol {
        Protocol::Grpc => options,
        Protocol::GrpcWeb | Protocol::Connect => options.http1(),
    };
    let channel = Channel::connect_with(&format!("http://{at}"), options)?;
    let request = GetUserRequest { id: "1".into() };
    Ok(Box::new(move || {
        let method = "/user_service.UserService/GetUser";
        let call = CallOptions::new().timeout(PATIENCE);
        channel.unary::<_, User>(method, &request, call)?;
        Ok(())
    }))
}
