//! Subscriptions over one WebSocket.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use barewire::client::{Client, ClientOptions, Closed};
use barewire::client::{
    GraphQl, GraphQlCredentials, GraphQlError, GraphQlEvent, GraphQlOptions, GraphQlSubscription,
};
use barewire::graphql::Limits;

use super::scripted::{Scripts, Socket, sockets};

const NEW: &str = "graphql-transport-ws";

fn url(address: SocketAddr) -> String {
    format!("http://{address}/graphql")
}

fn subscribe(id: u32, kind: &str) -> String {
    format!(r#"{{"id":"{id}","type":"{kind}","payload":{{"query":"subscription {{ a }}"}}}}"#)
}

fn next(id: u32, n: u32) -> String {
    format!(r#"{{"id":"{id}","type":"next","payload":{{"data":{{"a":{n}}}}}}}"#)
}

fn data(subscription: &mut GraphQlSubscription) -> Option<String> {
    match subscription.next()?.unwrap() {
        GraphQlEvent::Next(response) => response.json().map(String::from),
        GraphQlEvent::Resubscribed => Some("again".into()),
        _ => None,
    }
}

#[test]
fn subscriptions_share_a_socket_and_are_made_again_after_it_was_lost() {
    let first = |mut socket: Socket| {
        socket.begin(r#","payload":1"#);
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(&next(1, 1));
        socket.expect(&subscribe(2, "subscribe"));
        socket.send(&next(2, 2));
        socket.send(r#"{"type":"ping"}"#);
        socket.expect(r#"{"type":"pong"}"#);
        socket.lose();
    };
    let second = |mut socket: Socket| {
        socket.begin(r#","payload":2"#);
        let mut asked = [socket.read(), socket.read()];
        asked.sort();
        assert_eq!(
            asked,
            [subscribe(1, "subscribe"), subscribe(2, "subscribe")]
        );
        socket.send(&next(1, 3));
        socket.send(r#"{"id":"1","type":"complete"}"#);
        socket.send(&next(2, 4));
        socket.expect(r#"{"id":"2","type":"complete"}"#);
        socket.send(&next(2, 5)); // it has crossed the end
        socket.expect(&subscribe(3, "subscribe"));
        socket.send(r#"{"id":"3","type":"error","payload":[{"message":"no"}]}"#);
        socket.wait();
    };
    let (address, heads, server) = sockets(NEW, vec![Box::new(first), Box::new(second)]);
    let asked = AtomicU32::new(0);
    let options =
        GraphQlOptions::new().connection_init(move || asked.fetch_add(1, Ordering::Relaxed) + 1);
    let client = GraphQl::with(&Client::new(), &url(address), options).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut one).as_deref(), Some(r#"{"a":1}"#));
    let mut two = client.clone().subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut two).as_deref(), Some(r#"{"a":2}"#));
    assert_eq!(data(&mut one).as_deref(), Some("again"));
    assert_eq!(data(&mut one).as_deref(), Some(r#"{"a":3}"#));
    assert_eq!(data(&mut one), None, "completed by the server");
    assert_eq!(data(&mut two).as_deref(), Some("again"));
    assert_eq!(data(&mut two).as_deref(), Some(r#"{"a":4}"#));
    two.stopper().stop();
    assert_eq!(data(&mut two), None);
    let mut three = client.subscribe("subscription { a }").unwrap();
    let error = three.next().unwrap().unwrap_err();
    assert_eq!(error.response().unwrap().errors()[0].message, "no");
    assert!(three.next().is_none());
    drop((one, two, three, client));
    server.join().unwrap();
    assert!(
        heads
            .recv()
            .unwrap()
            .contains("graphql-transport-ws, graphql-ws")
    );
}

#[test]
fn the_legacy_protocol_is_spoken_where_the_server_chooses_it() {
    let script = |mut socket: Socket| {
        socket.begin("");
        socket.send(r#"{"type":"ka"}"#);
        socket.expect(&subscribe(1, "start"));
        socket.send(r#"{"id":"1","type":"data","payload":{"data":{"a":1}}}"#);
        socket.send(r#"{"type":"ka"}"#);
        socket.expect(r#"{"id":"1","type":"stop"}"#);
        socket.wait();
    };
    let (address, _heads, server) = sockets("graphql-ws", vec![Box::new(script)]);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut one).as_deref(), Some(r#"{"a":1}"#));
    drop((one, client));
    server.join().unwrap();
}

#[test]
fn a_legacy_server_that_refuses_what_it_has_chosen_is_offered_its_own_protocol() {
    // It takes the first one, and does not speak it.
    let refusing = |mut socket: Socket| {
        socket.expect(r#"{"type":"connection_init"}"#);
        socket.close(1002);
    };
    let legacy = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "start"));
        socket.send(r#"{"id":"1","type":"data","payload":{"data":{"a":1}}}"#);
        socket.lose();
    };
    // A newer one has taken its place.
    let newer = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(r#"{"id":"1","type":"complete"}"#);
        socket.wait();
    };
    let scripts: Scripts = vec![Box::new(refusing), Box::new(legacy), Box::new(newer)];
    let (address, heads, server) = sockets("FIRST", scripts);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut one).as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(data(&mut one).as_deref(), Some("again"));
    assert_eq!(data(&mut one), None);
    for is_alone in [false, true, false] {
        let head = heads.recv().unwrap();
        let both = head.contains("graphql-transport-ws, graphql-ws");
        assert_eq!(both, !is_alone, "{head}");
    }
    drop((one, client));
    server.join().unwrap();
    // One that refuses that, too, is not asked again.
    let again = |mut socket: Socket| {
        socket.expect(r#"{"type":"connection_init"}"#);
        socket.close(4406);
    };
    let (address, _heads, server) = sockets("FIRST", vec![Box::new(again), Box::new(again)]);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert!(matches!(one.next(), Some(Err(GraphQlError::Closed(_)))));
    server.join().unwrap();
}

#[test]
fn a_server_that_names_no_protocol_is_spoken_to_in_the_newer_one() {
    let script = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(r#"{"id":"1","type":"complete"}"#);
        socket.wait();
    };
    let (address, _heads, server) = sockets("", vec![Box::new(script)]);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut one), None);
    drop((one, client));
    server.join().unwrap();
}

#[test]
fn codes_that_are_fatal_end_the_subscriptions_and_others_do_not() {
    for code in [4400, 4401, 4406, 4409, 4429, 4500, 1011] {
        let script = move |mut socket: Socket| {
            socket.begin("");
            socket.expect(&subscribe(1, "subscribe"));
            socket.close(code);
        };
        let (address, _heads, server) = sockets(NEW, vec![Box::new(script)]);
        let client = GraphQl::new(&url(address)).unwrap();
        let mut one = client.subscribe("subscription { a }").unwrap();
        let error = one.next().unwrap().unwrap_err();
        let GraphQlError::Closed(Closed::ByPeer { code: seen, .. }) = error else {
            panic!()
        };
        assert_eq!(seen.get(), code);
        server.join().unwrap();
    }
    for code in [1001, 4403, 4408] {
        let first = move |mut socket: Socket| {
            socket.begin("");
            socket.expect(&subscribe(1, "subscribe"));
            socket.close(code);
        };
        let second = |mut socket: Socket| {
            socket.begin("");
            socket.expect(&subscribe(1, "subscribe"));
            socket.send(r#"{"id":"1","type":"complete"}"#);
            socket.wait();
        };
        let (address, _heads, server) = sockets(NEW, vec![Box::new(first), Box::new(second)]);
        let client = GraphQl::new(&url(address)).unwrap();
        let mut one = client.subscribe("subscription { a }").unwrap();
        assert_eq!(data(&mut one).as_deref(), Some("again"), "{code}");
        assert_eq!(data(&mut one), None);
        drop((one, client));
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_breaks_the_protocol_is_left() {
    let bad = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(r#"{"type":"nonsense"}"#);
        assert_eq!(socket.closed(), (4004, "Bad response".into()));
    };
    let good = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(r#"{"id":"1","type":"complete"}"#);
        socket.wait();
    };
    let (address, _heads, server) = sockets(NEW, vec![Box::new(bad), Box::new(good)]);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    let error = one.next().unwrap().unwrap_err();
    let GraphQlError::Protocol(closing) = error else {
        panic!("{error}")
    };
    assert_eq!(closing.code.code(), 4004);
    assert!(one.next().is_none());
    // The next subscription has a WebSocket of its own.
    let mut two = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut two), None);
    drop((one, two, client));
    server.join().unwrap();
}

#[test]
fn what_answers_the_introduction_badly_or_never_is_left_with_its_code() {
    let bad = |mut socket: Socket| {
        socket.expect(r#"{"type":"connection_init"}"#);
        socket.send(&next(1, 1));
        assert_eq!(socket.closed(), (4004, "Bad response".into()));
    };
    let silent = |mut socket: Socket| {
        socket.expect(r#"{"type":"connection_init"}"#);
        let reason = "Connection acknowledgement timeout";
        assert_eq!(socket.closed(), (4504, reason.into()));
    };
    let (address, _heads, server) = sockets(NEW, vec![Box::new(bad)]);
    let client = GraphQl::new(&url(address)).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    let error = one.next().unwrap().unwrap_err();
    assert!(matches!(error, GraphQlError::Protocol(it) if it.code.code() == 4004));
    server.join().unwrap();
    let (address, _heads, server) = sockets(NEW, vec![Box::new(silent)]);
    let limits = Limits::DEFAULT.with_ack_time(Duration::from_millis(20));
    let options = GraphQlOptions::new().limits(limits);
    let client = GraphQl::with(&Client::new(), &url(address), options).unwrap();
    let one = client.subscribe("subscription { a }").unwrap();
    server.join().unwrap();
    drop((one, client));
}

#[test]
fn one_that_is_not_read_ends_at_its_limit_alone() {
    let script = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.expect(&subscribe(2, "subscribe"));
        for n in 0..3 {
            socket.send(&next(1, n));
        }
        socket.expect(r#"{"id":"1","type":"complete"}"#);
        socket.send(&next(2, 7));
        socket.wait();
    };
    let (address, _heads, server) = sockets(NEW, vec![Box::new(script)]);
    let options = GraphQlOptions::new().waiting(2);
    let client = GraphQl::with(&Client::new(), &url(address), options).unwrap();
    let mut slow = client.subscribe("subscription { a }").unwrap();
    let mut other = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut other).as_deref(), Some(r#"{"a":7}"#));
    assert_eq!(data(&mut slow).as_deref(), Some(r#"{"a":0}"#));
    assert_eq!(data(&mut slow).as_deref(), Some(r#"{"a":1}"#));
    assert!(matches!(slow.next(), Some(Err(GraphQlError::Full))));
    assert!(slow.next().is_none());
    drop((slow, other, client));
    server.join().unwrap();
}

/// The head of the handshake, where requests go to another port or the same.
fn handshake(credentials: GraphQlCredentials, is_same: bool) -> String {
    let script = |socket: Socket| socket.wait();
    let (address, heads, server) = sockets(NEW, vec![Box::new(script)]);
    let http = ClientOptions::new()
        .header("Authorization", "Bearer secret")
        .header("X-App", "7");
    #[cfg(feature = "cookies")]
    let http = {
        let jar = barewire::client::CookieJar::new();
        let own = barewire::client::Url::parse("http://127.0.0.1/").unwrap();
        assert!(jar.set(&own, "id=secret"));
        http.cookies(jar.into())
    };
    let http = Client::with(http).unwrap();
    let requests = if is_same {
        url(address)
    } else {
        "http://127.0.0.1:9/graphql".into()
    };
    let options = GraphQlOptions::new()
        .socket_url(format!("ws://{address}/graphql"))
        .credentials(credentials);
    let client = GraphQl::with(&http, &requests, options).unwrap();
    let one = client.subscribe("subscription { a }").unwrap();
    let head = heads.recv().unwrap();
    drop((one, client));
    server.join().unwrap();
    head
}

#[cfg(feature = "cookies")]
#[test]
fn cookies_of_the_handshake_are_kept() {
    let lost = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.lose();
    };
    let last = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        socket.send(r#"{"id":"1","type":"complete"}"#);
        socket.wait();
    };
    let (address, heads, server) = sockets(NEW, vec![Box::new(lost), Box::new(last)]);
    let jar = std::sync::Arc::new(barewire::client::CookieJar::new());
    let http = Client::with(ClientOptions::new().cookies(jar.clone())).unwrap();
    let client = GraphQl::with(&http, &url(address), GraphQlOptions::new()).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    assert_eq!(data(&mut one).as_deref(), Some("again"));
    assert_eq!(data(&mut one), None);
    let first = heads.recv().unwrap();
    assert!(!first.contains("seen=7"), "{first}");
    let second = heads.recv().unwrap();
    assert!(second.contains("seen=7"), "{second}");
    assert_eq!(jar.len(), 1);
    drop((one, client));
    server.join().unwrap();
}

#[test]
fn credentials_go_where_the_rule_says() {
    use GraphQlCredentials::{Include, Omit, SameOrigin};
    for (credentials, is_same, goes) in [
        (SameOrigin, true, true),
        (SameOrigin, false, false),
        (Omit, true, false),
        (Include, false, true),
    ] {
        let head = handshake(credentials, is_same);
        assert_eq!(head.contains("Bearer secret"), goes, "{head}");
        #[cfg(feature = "cookies")]
        assert_eq!(head.contains("id=secret"), goes, "{head}");
        assert!(head.contains(r#""x-app": "7""#), "{head}");
    }
}

/// The WebSocket may be over before the subscription is noted.
#[test]
fn a_subscription_on_a_socket_that_is_over_ends_with_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for _ in 0..50 {
        let options = GraphQlOptions::new().attempts(1);
        let client = GraphQl::with(&Client::new(), &url(address), options).unwrap();
        for _ in 0..3 {
            let mut one = client.subscribe("subscription { a }").unwrap();
            let error = one.next().unwrap().unwrap_err();
            assert!(matches!(error, GraphQlError::Closed(_)), "{error}");
            assert!(one.next().is_none());
        }
    }
}

#[test]
fn results_that_wait_are_bounded_by_their_bytes() {
    let script = |mut socket: Socket| {
        socket.begin("");
        socket.expect(&subscribe(1, "subscribe"));
        for _ in 0..3 {
            let text = "x".repeat(600);
            socket.send(&format!(
                r#"{{"id":"1","type":"next","payload":{{"data":{{"a":"{text}"}}}}}}"#
            ));
        }
        socket.expect(r#"{"id":"1","type":"complete"}"#);
    };
    let (address, _heads, server) = sockets(NEW, vec![Box::new(script)]);
    let limits = Limits::DEFAULT.with_message(1000);
    let options = GraphQlOptions::new().limits(limits);
    let client = GraphQl::with(&Client::new(), &url(address), options).unwrap();
    let mut one = client.subscribe("subscription { a }").unwrap();
    server.join().unwrap();
    assert!(data(&mut one).is_some());
    assert!(matches!(one.next(), Some(Err(GraphQlError::Full))));
}
