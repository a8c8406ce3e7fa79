//! The client on a loop.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use barewire::client::{
    ClientOptions, GraphQlError, GraphQlListener, GraphQlOptions, GraphQlResponse, LoopClient,
    LoopGraphQl, LoopWebSockets, WebSocketOptions,
};
use barewire::net::{Limits, Loop};

use super::scripted::{Socket, answer, http, json, sockets};

type Log = Rc<RefCell<Vec<String>>>;

struct Noting(Log);

impl GraphQlListener for Noting {
    fn next(&mut self, response: GraphQlResponse) {
        self.0.borrow_mut().push(response.json().unwrap().into());
    }

    fn resubscribed(&mut self) {
        self.0.borrow_mut().push("again".into());
    }

    fn ended(&mut self, end: Result<(), GraphQlError>) {
        self.0.borrow_mut().push(format!("ended {}", end.is_ok()));
    }
}

struct Fixture {
    events: Loop,
    client: LoopGraphQl,
    log: Log,
}

impl Fixture {
    fn new(url: &str, options: GraphQlOptions) -> Self {
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let http = LoopClient::on(&mut events, ClientOptions::new()).unwrap();
        let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
        let client = LoopGraphQl::new(&http, &sockets, url, options).unwrap();
        let log = Log::default();
        Self {
            events,
            client,
            log,
        }
    }

    /// Runs until so much was noted.
    fn wait(&mut self, count: usize) -> Vec<String> {
        while self.log.borrow().len() < count {
            self.events.turn(Some(Duration::from_millis(100))).unwrap();
        }
        self.log.borrow().clone()
    }
}

#[test]
fn calls_tell_their_responses() {
    let unknown = r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#;
    let (url, server) = http(vec![
        answer("200 OK", "application/json", unknown),
        json(r#"{"data":{"a":1}}"#),
        json(r#"[{"data":{"a":2}}]"#),
        answer("502 Bad Gateway", "text/plain", "away"),
    ]);
    let mut fixture = Fixture::new(&url, GraphQlOptions::new().persisted_queries());
    let log = fixture.log.clone();
    fixture.client.query("{ a }", move |response| {
        log.borrow_mut()
            .push(response.unwrap().json().unwrap().into());
    });
    fixture.wait(1);
    let log = fixture.log.clone();
    fixture.client.batch(&["{ a }".into()], move |responses| {
        log.borrow_mut()
            .push(responses.unwrap()[0].json().unwrap().into());
    });
    fixture.wait(2);
    let log = fixture.log.clone();
    let own = barewire::client::GraphQlOperation::trusted("b");
    fixture.client.mutation(own, move |response| {
        log.borrow_mut().push(response.unwrap_err().to_string());
    });
    let log = fixture.wait(3);
    assert_eq!(log[..2], [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert!(log[2].contains("502"), "{}", log[2]);
    assert_eq!(server.join().unwrap().len(), 4);
}

#[test]
fn subscriptions_are_made_again_on_a_loop_too() {
    let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a }"}}"#;
    let first = move |mut socket: Socket| {
        socket.begin("");
        socket.expect(subscribe);
        socket.send(r#"{"id":"1","type":"next","payload":{"data":1}}"#);
        socket.lose();
    };
    let second = move |mut socket: Socket| {
        socket.begin("");
        socket.expect(subscribe);
        socket.send(r#"{"id":"1","type":"next","payload":{"data":2}}"#);
        socket.expect(r#"{"id":"1","type":"complete"}"#);
        socket.wait();
    };
    let scripts: Vec<Box<dyn FnOnce(Socket) + Send>> = vec![Box::new(first), Box::new(second)];
    let (address, _heads, server) = sockets("graphql-transport-ws", scripts);
    let mut fixture = Fixture::new(&format!("http://{address}/"), GraphQlOptions::new());
    let noting = Noting(fixture.log.clone());
    let handle = fixture
        .client
        .subscribe("subscription { a }", noting)
        .unwrap();
    assert_eq!(fixture.wait(3), ["1", "again", "2"]);
    handle.stop();
    assert_eq!(fixture.wait(4)[3], "ended true");
    fixture.client.close();
    while !server.is_finished() {
        fixture
            .events
            .turn(Some(Duration::from_millis(100)))
            .unwrap();
    }
    server.join().unwrap();
}

#[test]
fn an_event_stream_serves_a_subscription_on_a_loop() {
    let (url, server) = http(vec![
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
         event: next\ndata: {\"data\":1}\n\nevent: complete\ndata:\n\n"
            .into(),
    ]);
    let mut fixture = Fixture::new(&url, GraphQlOptions::new());
    let noting = Noting(fixture.log.clone());
    let client = fixture.client.clone();
    client
        .subscribe_events(&mut fixture.events, "subscription { a }", noting)
        .unwrap();
    assert_eq!(fixture.wait(2), ["1", "ended true"]);
    server.join().unwrap();
}

#[test]
fn servers_at_fault_are_left_with_a_code_on_a_loop_too() {
    let silent = |mut socket: Socket| {
        socket.expect(r#"{"type":"connection_init"}"#);
        assert_eq!(socket.closed().0, 4504);
    };
    let bad = |mut socket: Socket| {
        socket.begin("");
        socket.send("{");
        assert_eq!(socket.closed().0, 4004);
    };
    let scripts: [Box<dyn FnOnce(Socket) + Send>; 2] = [Box::new(bad), Box::new(silent)];
    let patient = barewire::graphql::Limits::DEFAULT;
    let limits = [patient, patient.with_ack_time(Duration::from_millis(20))];
    for (script, limits) in scripts.into_iter().zip(limits) {
        let (address, _heads, server) = sockets("graphql-transport-ws", vec![script]);
        let options = GraphQlOptions::new().limits(limits);
        let mut fixture = Fixture::new(&format!("http://{address}/"), options);
        let noting = Noting(fixture.log.clone());
        let client = fixture.client.clone();
        client.subscribe("subscription { a }", noting).unwrap();
        while !server.is_finished() {
            let turn = Some(Duration::from_millis(100));
            fixture.events.turn(turn).unwrap();
        }
        server.join().unwrap();
        client.close();
        fixture.wait(1);
    }
}
