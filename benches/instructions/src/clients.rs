//! The clients of HTTP, WebSocket and event streams, each on the thread that is counted: the
//! server answers on another one. A program of its own: together with the others' paths,
//! theirs would be inlined otherwise than in a program that has them alone.

mod counting;

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use barewire::app::{App, Message, Server, Socket};
use barewire::client::{
    Client, ClientOptions, EventSource, EventSourceOptions, LoopClient, Url, WebSocket,
    WebSocketOptions,
};
use barewire::net::{Address, Limits, Loop};

use counting::{count, instructions_mark, path, wanted};

/// Events of 17 bytes in one stream.
const EVENTS: usize = 1_000;

/// A URL as an application has them.
const URL: &str = "https://api.example.org:8443/v1/items/42?fields=name,price&page=3";

fn main() {
    let names = [
        "client GET",
        "client GET, a loop's",
        "client echo, 16 B",
        "client echo, 16 B, 10 at once",
        "client stream of 1,000 events of 17 B",
    ];
    if names.iter().any(|name| wanted(name)) {
        let server = start();
        let [Address::Tcp(address)] = server.local_addresses() else {
            panic!("one TCP address was listened on");
        };
        let runs: [fn(&str, &str); 5] = [get, get_on_a_loop, echo, echoes, events];
        for (name, run) in names.into_iter().zip(runs) {
            if wanted(name) {
                run(name, &address.to_string());
            }
        }
        server.handle().shutdown(core::time::Duration::ZERO);
    }
    path("client Url::parse", || {
        black_box(Url::parse(black_box(URL)).expect("a URL"));
    });
}

struct Echo;

impl barewire::app::WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

fn start() -> Server {
    App::new()
        .get("/", |_, reply| reply.text("Hello, World!"))
        .get("/events", |_, reply| {
            reply.bytes(
                "text/event-stream",
                b"data: 123456789\n\n".repeat(EVENTS).into(),
            )
        })
        .websocket("/websocket", |_| Ok(Echo))
        .listen("127.0.0.1:0")
        .and_then(App::spawn)
        .expect("the loopback interface is there")
}

fn client() -> Client {
    Client::with(ClientOptions::new().no_proxy()).expect("a client")
}

/// Counts what is done on this thread, one operation a call.
fn counted(name: &str, mut operation: impl FnMut()) {
    let run = |operations| (0..operations).for_each(|_| operation());
    count(name, instructions_mark, run);
}

fn get(name: &str, address: &str) {
    let (client, url) = (
        client(),
        Url::parse(&format!("http://{address}/")).expect("a URL"),
    );
    counted(name, || {
        let response = client.get(&url).send().expect("a response");
        assert_eq!(response.bytes().expect("a body"), b"Hello, World!");
    });
}

fn get_on_a_loop(name: &str, address: &str) {
    let mut events = Loop::new(Limits::DEFAULT).expect("a loop");
    let options = ClientOptions::new().no_proxy();
    let client = LoopClient::on(&mut events, options).expect("a client");
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    count(name, instructions_mark, |operations| {
        let left = Rc::new(Cell::new(operations));
        ask(client.clone(), url.clone(), left.clone());
        while left.get() > 0 {
            events.turn(None).expect("a turn");
        }
    });
}

/// Asks so often, one request behind the other.
fn ask(client: LoopClient, url: Url, left: Rc<Cell<u32>>) {
    let request = client.get(&url);
    client.clone().send_then(request, move |answer| {
        let text = answer.and_then(|it| it.text()).expect("a response");
        assert_eq!(text, "Hello, World!");
        left.set(left.get() - 1);
        if left.get() > 0 {
            ask(client, url, left);
        }
    });
}

fn echo(name: &str, address: &str) {
    let mut socket = open(address);
    counted(name, || {
        socket.send([7; 16]).expect("room");
        let echo = socket.receive().expect("an echo").expect("an echo");
        assert_eq!(echo.payload(), [7; 16]);
    });
}

fn echoes(name: &str, address: &str) {
    let mut socket = open(address);
    let messages = [[7; 16]; 10];
    let run = |operations: u32| {
        for _ in 0..operations / 10 {
            socket.send_all(&messages).expect("room");
            for _ in 0..10 {
                let echo = socket.receive().expect("an echo").expect("an echo");
                assert_eq!(echo.payload(), [7; 16]);
            }
        }
    };
    count(name, instructions_mark, run);
}

fn open(address: &str) -> WebSocket {
    let options = WebSocketOptions::new().no_proxy();
    let url = format!("ws://{address}/websocket");
    WebSocket::connect_with(&url, &options).expect("a WebSocket")
}

fn events(name: &str, address: &str) {
    let (client, url) = (client(), format!("http://{address}/events"));
    let url = Url::parse(&url).expect("a URL");
    counted(name, || {
        let options = EventSourceOptions::new();
        let mut source = EventSource::new(client.get(&url), options).expect("a source");
        for _ in 0..EVENTS {
            let data = source.next_with(|event, _| event.data.as_bytes().len());
            assert_eq!(data.expect("an event").expect("no error"), 9);
        }
    });
}
