//! Chapter 8: clients of everything that the chapters before have served.
//!
//! Without an argument it asks a server of its own, else the one of this URL.

use std::error::Error;
use std::time::Duration;

use barewire::app::{App, Message as Said, Service, Socket, WebSocket as Session};
use barewire::client::{
    CallOptions, Channel, Client, ClientLimits, ClientOptions, EventSource, Message, Receipt,
    ReceiptState, ReconnectListener, ReconnectOptions, ReconnectSender, Reconnecting, RetryPolicy,
    WebSocket,
};
use barewire::grpc::Json;
use barewire::sse::Event;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn http(base: &str) -> Result<()> {
    let limits = ClientLimits::DEFAULT.with_total_time(Duration::from_secs(30));
    let options = ClientOptions::new()
        .base_url(base)
        .limits(limits)
        .retries(RetryPolicy::attempts(3));
    let client = Client::with(options)?;

    let cups: u32 = client.get("cups").send()?.error_for_status()?.json()?;
    println!("cups: {cups}");

    let response = client.post("cups").json(&(cups + 1)).send()?;
    println!("POST: {}", response.status());

    let missing = client.get("nowhere").send()?.error_for_status();
    println!("nowhere: {}", missing.unwrap_err());
    Ok(())
}

fn websocket(base: &str) -> Result<()> {
    let mut socket = WebSocket::connect(&format!("{}ws", base.replace("http", "ws")))?;
    socket.send("one")?;
    if let Some(message) = socket.receive()? {
        println!("websocket: {}", message.text().unwrap_or_default());
    }
    socket.close()?;
    Ok(())
}

/// What is told of a WebSocket that comes back.
struct Print;

impl ReconnectListener for Print {
    fn message(&mut self, _socket: &ReconnectSender, message: Message) {
        println!("reconnecting: {}", message.text().unwrap_or_default());
    }
}

fn reconnecting(base: &str) -> Result<()> {
    let url = format!("{}ws", base.replace("http", "ws"));
    let socket = Reconnecting::connect(&url, ReconnectOptions::new(), Print)?;
    let receipt: Receipt = socket.send("two")?; // waits until there is a connection
    let state = receipt.wait(Duration::from_secs(10))?;
    println!("receipt: {}", state == ReceiptState::Confirmed);
    socket.close()?;
    Ok(())
}

fn events(base: &str) -> Result<()> {
    for event in EventSource::connect(format!("{base}events"))?.take(2) {
        println!("event: {}", event?.data);
    }
    Ok(())
}

fn grpc(base: &str) -> Result<()> {
    let channel = Channel::connect(base)?;
    let options = CallOptions::new().timeout(Duration::from_secs(5));
    let request = Json(vec![1, 2, 3]);
    let sum = channel.unary::<_, Json<u32>>("/guide.Sums/Add", &request, options)?;
    println!("sum: {}", sum.into_message().0);
    Ok(())
}

/// Gives each message back.
struct Echo;

impl Session for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Said<'_>) {
        socket.send(message);
    }
}

/// Two events.
struct Two;

impl barewire::app::Events for Two {
    fn open(&mut self, stream: &mut barewire::app::EventStream<'_, '_>) {
        stream.send(&Event::new("first"));
        stream.send(&Event::new("second"));
    }
}

fn server() -> App {
    App::new()
        .get("/cups", |_request, reply| reply.json(&3))
        .post("/cups", |_request, reply| {
            reply.status(barewire::http::Status::CREATED).empty()
        })
        .websocket("/ws", |_request| Ok(Echo))
        .events("/events", |_request| Ok(Two))
        .grpc(
            Service::new("guide.Sums").unary("Add", |Json(it): Json<Vec<u32>>, _call| {
                Ok(Json(it.iter().sum::<u32>()))
            }),
        )
}

fn main() -> Result<()> {
    let own = server().listen("127.0.0.1:0")?.spawn()?;
    let base = format!("http://{}/", own.local_addresses()[0]);
    let base = std::env::args().nth(1).unwrap_or(base);
    http(&base)?;
    websocket(&base)?;
    reconnecting(&base)?;
    events(&base)?;
    grpc(&base)?;
    own.handle().shutdown(Duration::from_secs(5));
    own.join()?;
    Ok(())
}
