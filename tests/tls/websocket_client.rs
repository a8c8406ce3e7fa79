//! WebSockets and event streams as a client over TLS, over HTTP/1.1 and HTTP/2, also through
//! proxies.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use barewire::app::{App, EventStream, Events, Message as Incoming, Server, Socket, WebSocket};
use barewire::client::{
    self, Client, ClientOptions, EventSource, EventSourceOptions, LoopReconnecting, LoopWebSocket,
    LoopWebSockets, Message, Proxy, Receipt, ReceiptState, ReconnectListener, ReconnectOptions,
    ReconnectSender, Reconnecting, WebSocketError, WebSocketListener, WebSocketOptions,
};
use barewire::net::{Address, Limits, Loop};
use barewire::sse::Event;

use super::dialling::{tls, trusting};
use super::support::{Authority, stop};
use super::tunnels::tunnels;

const PATIENCE: Duration = Duration::from_secs(60);

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Incoming<'_>) {
        socket.send(message);
    }
}

/// Says who asks, and how, and that it is over.
struct Three(String);

impl Events for Three {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        for nth in 1..=3 {
            let data = format!("{nth} {}", self.0);
            stream.send(&Event::new(&data).id(&nth.to_string()));
        }
        stream.send(&Event::new("[DONE]"));
        stream.finish();
    }
}

fn server(authority: &Authority) -> (Server, u16) {
    let app = App::new()
        .websocket("/echo", |_request| Ok(Echo))
        .events("/events", |request| {
            let alpn = request.tls().and_then(|it| it.alpn().map(String::from));
            Ok(Three(alpn.unwrap_or_default()))
        });
    let certificates = authority.certificates(&["localhost"]);
    let listening = app.listen_tls("127.0.0.1:0", certificates).unwrap();
    let server = listening.spawn().unwrap();
    let [Address::Tcp(address)] = server.tls_addresses() else {
        panic!()
    };
    let port = address.port();
    (server, port)
}

fn options(authority: &Authority, http2: bool) -> WebSocketOptions {
    WebSocketOptions::new()
        .tls(tls(trusting(authority)))
        .http2(http2)
        .no_proxy()
}

/// Sends messages of all sizes, and gets them back.
fn echo(url: &str, options: &WebSocketOptions) {
    let mut socket = client::WebSocket::connect_with(url, options).unwrap();
    for size in [0, 1, 126, 16_384, 65_536, 300_000] {
        let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        socket.send(&bytes).unwrap();
        let message = socket.receive_within(PATIENCE).unwrap();
        assert!(message == Some(Message::Binary(bytes)), "{size}");
    }
    // Many in one read.
    let texts: Vec<String> = (0..500).map(|nth| format!("message {nth}")).collect();
    texts.iter().for_each(|text| socket.send(text).unwrap());
    for text in &texts {
        let message = socket.receive_within(PATIENCE).unwrap().unwrap();
        assert_eq!(message.text(), Some(&**text));
    }
    socket.close().unwrap();
}

#[test]
fn websockets_go_over_tls_and_within_http2() {
    let authority = Authority::new("root");
    let (server, port) = server(&authority);
    let url = format!("wss://localhost:{port}/echo");
    for http2 in [false, true] {
        echo(&url, &options(&authority, http2));
    }
    let stranger = Authority::new("another");
    let error = client::WebSocket::connect_with(&url, &options(&stranger, false)).unwrap_err();
    assert!(error.is_connect(), "{error}");
    let WebSocketError::Dial { error, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(error.phase(), client::Phase::Tls);
    stop(server);
}

struct Quiet;

impl ReconnectListener for Quiet {
    fn message(&mut self, _: &ReconnectSender, _: Message) {}
}

#[test]
fn what_reconnects_goes_over_tls_and_within_http2() {
    let authority = Authority::new("root");
    let (server, port) = server(&authority);
    let url = format!("wss://localhost:{port}/echo");
    for http2 in [false, true] {
        let options = options(&authority, http2);
        let socket =
            Reconnecting::connect_with(&url, options, ReconnectOptions::new(), Quiet).unwrap();
        let receipts: Vec<_> = (0..200)
            .map(|nth| socket.send(vec![nth as u8; 3000]).unwrap())
            .collect();
        for receipt in &receipts {
            assert_eq!(receipt.wait(PATIENCE).unwrap(), ReceiptState::Confirmed);
        }
        socket.close().unwrap();
    }
    stop(server);
}

/// Keeps what comes.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<Message>>>);

impl WebSocketListener for Kept {
    fn message(&mut self, _: &LoopWebSocket, message: Message) {
        self.0.borrow_mut().push(message);
    }

    fn failed(&mut self, error: &WebSocketError) {
        panic!("{error}");
    }
}

impl ReconnectListener<LoopReconnecting> for Kept {
    fn message(&mut self, _: &LoopReconnecting, message: Message) {
        self.0.borrow_mut().push(message);
    }
}

#[test]
fn on_a_loop_they_go_over_tls_and_within_http2_and_through_proxies() {
    let authority = Authority::new("root");
    let (server, port) = server(&authority);
    let url = format!("wss://localhost:{port}/echo");
    let (http, http_count) = tunnels(false);
    let (socks, socks_count) = tunnels(true);
    for proxy in [None, Some(&http), Some(&socks)] {
        for http2 in [false, true] {
            let mut options = options(&authority, http2);
            if let Some(proxy) = proxy {
                options = options.proxy(Proxy::parse(proxy).unwrap());
            }
            let mut events = Loop::new(Limits::DEFAULT).unwrap();
            let sockets = LoopWebSockets::on(&mut events, options);
            let kept = Kept::default();
            let socket = sockets.connect(&url, kept.clone()).unwrap();
            let sent = [0, 126, 16_384, 300_000].map(|size| Message::from(vec![7; size]));
            for message in &sent {
                socket.send(message).unwrap();
            }
            let again = Kept::default();
            let how = ReconnectOptions::new();
            let other = LoopReconnecting::connect(&sockets, &url, how, again.clone()).unwrap();
            let receipts = sent.clone().map(|it| other.send(it).unwrap());
            let until = Instant::now() + PATIENCE;
            let is_confirmed = || receipts.iter().all(|it| it.state().is_final());
            while kept.0.borrow().len() < 4 || again.0.borrow().len() < 4 || !is_confirmed() {
                assert!(Instant::now() < until, "{socket:?}, {other:?}");
                events.turn(Some(Duration::from_millis(50))).unwrap();
            }
            assert!(*kept.0.borrow() == sent && *again.0.borrow() == sent);
            let is_good = |it: &Receipt| it.state() == ReceiptState::Confirmed;
            assert!(receipts.iter().all(is_good));
        }
    }
    let counts = [&http_count, &socks_count].map(|it| it.load(Ordering::SeqCst));
    assert_eq!(counts, [4, 4]);
    stop(server);
}

/// The data of all events of a stream.
fn events(url: &str, options: ClientOptions) -> Vec<String> {
    let client = Client::with(options).unwrap();
    let options = EventSourceOptions::new().end_data("[DONE]");
    let source = EventSource::new(client.get(url), options).unwrap();
    source.map(|event| event.unwrap().data).collect()
}

#[test]
fn event_streams_go_over_tls_and_http2() {
    let authority = Authority::new("root");
    let (server, port) = server(&authority);
    let url = format!("https://localhost:{port}/events");
    let options = || {
        let tls = tls(trusting(&authority));
        ClientOptions::new().no_proxy().tls(tls)
    };
    let http2 = events(&url, options());
    assert_eq!(http2, ["1 h2", "2 h2", "3 h2"]);
    let http1 = events(&url, options().http1_only());
    assert_eq!(http1, ["1 http/1.1", "2 http/1.1", "3 http/1.1"]);
    stop(server);
}

#[test]
fn both_go_through_proxies() {
    let authority = Authority::new("root");
    let (server, port) = server(&authority);
    for is_socks in [false, true] {
        let (proxy, count) = tunnels(is_socks);
        let proxy = Proxy::parse(&proxy).unwrap();
        for http2 in [false, true] {
            let options = options(&authority, http2).proxy(proxy.clone());
            echo(&format!("wss://localhost:{port}/echo"), &options);
        }
        let options = ClientOptions::new()
            .proxy(proxy)
            .tls(tls(trusting(&authority)));
        let told = events(&format!("https://localhost:{port}/events"), options);
        assert_eq!(told, ["1 h2", "2 h2", "3 h2"]);
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }
    stop(server);
}
