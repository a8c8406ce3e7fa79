//! The envelope's client: against a hub, and against a server that says what it is told to.

use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};

use barewire::app::{App, ChannelOptions, EnvelopeHub, History, Hub, Server};
use barewire::client::{
    Closed, ComeBack, EnvelopeClient, EnvelopeError, EnvelopeListener, EnvelopeMessage,
    EnvelopeOptions, EnvelopePublished, EnvelopeRefusal, EnvelopeSender, EnvelopeSocket,
    LoopEnvelopeClient, LoopReconnecting, LoopWebSockets, Receipt, ReconnectOptions,
    WebSocketOptions, WhileAway,
};
use barewire::net::{Address, Limits, Loop};
use barewire::websocket::CloseCode;
use serde_json::Value;

use super::server::{PATIENCE, Script, read_frame, shake_hands, write_frame};

/// Tells a test what it is told.
struct Notes(Box<dyn Fn(String) + Send>);

impl Notes {
    fn new() -> (Self, Receiver<String>) {
        let (give, take) = channel();
        let give = move |line| drop::<Result<_, _>>(Sender::send(&give, line));
        (Self(Box::new(give)), take)
    }
}

impl<S: EnvelopeSocket + 'static> EnvelopeListener<S> for Notes {
    fn resumed(&mut self, _: &EnvelopeSender<S>, recovered: bool) {
        self.0(format!("resumed {recovered}"));
    }

    fn subscribed(&mut self, _: &EnvelopeSender<S>, channel: &str, recovered: Option<bool>) {
        self.0(format!("subscribed {channel} {recovered:?}"));
    }

    fn unsubscribed(&mut self, _: &EnvelopeSender<S>, channel: &str) {
        self.0(format!("unsubscribed {channel}"));
    }

    fn message(&mut self, _: &EnvelopeSender<S>, message: &EnvelopeMessage) {
        let channel = message.channel.as_deref().unwrap_or("-");
        self.0(format!("message {channel} {}", message.json()));
    }

    fn published(&mut self, _: &EnvelopeSender<S>, published: &EnvelopePublished) {
        let offset = published.position.as_ref().map(|it| it.offset);
        self.0(format!("published {} {offset:?}", published.channel));
    }

    fn refused(&mut self, _: &EnvelopeSender<S>, refusal: &EnvelopeRefusal) {
        self.0(format!("refused {} {:?}", refusal.code, refusal.channel));
    }

    fn pong(&mut self, _: &EnvelopeSender<S>, _: Option<&str>) {
        self.0("pong".into());
    }

    fn closed(&mut self, _: &EnvelopeSender<S>, _: &Closed, unknown: &[Receipt]) {
        self.0(format!("closed {}", unknown.len()));
    }

    fn finished(&mut self, _: &EnvelopeSender<S>, _: &[Receipt]) {
        self.0("finished".into());
    }
}

struct Scene {
    server: Option<Server>,
    hub: EnvelopeHub,
    channels: Hub,
}

impl Scene {
    fn new() -> Self {
        let keep = ChannelOptions::new().history(History::DEFAULT);
        let app = App::new().channel("kept*", keep);
        let channels = app.hub();
        let hub = EnvelopeHub::new(app.hub()).on("add", |call| match call.data::<[i64; 2]>() {
            Ok([a, b]) => call.answer("sum", &(a + b)),
            Err(_) => call.refuse("no_sum", "two numbers"),
        });
        let app = app.websocket_route("/ws/hub", hub.route());
        let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
        Self {
            server: Some(server),
            hub,
            channels,
        }
    }

    fn url(&self) -> String {
        let [Address::Tcp(address)] = self.server.as_ref().unwrap().local_addresses() else {
            panic!()
        };
        format!("ws://{address}/ws/hub")
    }

    /// Ends all connections.
    fn cut(&self) {
        for connection in self.hub.snapshot().connections {
            if let Some(handle) = self.hub.connection(connection.id) {
                handle.close(CloseCode::SERVICE_RESTART, "").unwrap();
            }
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.handle().shutdown(Duration::ZERO);
            server.join().unwrap();
        }
    }
}

/// Comes back immediately.
fn options() -> EnvelopeOptions {
    let now = ComeBack::Between {
        least: Duration::ZERO,
        most: Duration::ZERO,
    };
    let reconnect = ReconnectOptions::new().come_back(move |_| now);
    let limits = barewire::client::ReconnectLimits::DEFAULT.with_first(Duration::ZERO);
    EnvelopeOptions::new().reconnect(reconnect.limits(limits))
}

fn expect(notes: &Receiver<String>, lines: &[&str]) {
    for line in lines {
        assert_eq!(notes.recv_timeout(PATIENCE).unwrap(), *line);
    }
}

/// A client that connects when it may.
fn gated(scene: &Scene) -> (EnvelopeClient, Receiver<String>, Sender<()>) {
    let (listener, notes) = Notes::new();
    let (open, gate) = channel();
    let url = scene.url();
    let ask = move |_: &_| {
        gate.recv()?;
        Ok((url.clone(), WebSocketOptions::new()))
    };
    let client = EnvelopeClient::connect_by(ask, options(), listener).unwrap();
    (client, notes, open)
}

#[test]
fn what_was_missed_comes_first_after_a_reconnect() {
    let scene = Scene::new();
    let (client, notes, open) = gated(&scene);
    // Before there is a connection all of this waits.
    client.subscribe("kept").unwrap();
    client.broadcast("kept", &1).unwrap();
    open.send(()).unwrap();
    expect(&notes, &["subscribed kept None", "published kept Some(1)"]);
    client.subscribe("kept too").unwrap();
    expect(&notes, &["subscribed kept too None"]);
    scene.hub.publish("kept", "a").unwrap();
    expect(&notes, &["message kept \"a\""]);
    assert_eq!(client.position("kept").unwrap().offset, 2);
    scene.cut();
    expect(&notes, &["closed 0"]);
    for text in ["b", "c"] {
        scene.hub.publish("kept", text).unwrap();
    }
    scene.hub.publish("kept too", "d").unwrap();
    client.broadcast("kept", &2).unwrap();
    open.send(()).unwrap();
    let mut told: Vec<String> = (0..7)
        .map(|_| notes.recv_timeout(PATIENCE).unwrap())
        .collect();
    // One channel is not in order with the other.
    let is_first = |it: &String| !it.contains("too") && !it.starts_with("resumed");
    let other: Vec<String> = told.extract_if(.., |it| !is_first(it)).collect();
    assert_eq!(
        told,
        [
            "subscribed kept Some(true)",
            "message kept \"b\"",
            "message kept \"c\"",
            "published kept Some(5)"
        ]
    );
    assert_eq!(
        other,
        [
            "subscribed kept too Some(true)",
            "resumed true",
            "message kept too \"d\""
        ]
    );
    let counts = client.counts();
    assert_eq!((counts.connection_attempts, counts.reconnects), (2, 1));
    // Three subscribes, two of them again, and two broadcasts.
    assert_eq!((counts.messages_sent, counts.messages_received), (6, 10));
    client.disconnect().unwrap();
    expect(&notes, &["closed 0", "finished"]);
}

#[test]
fn what_cannot_be_recovered_is_told() {
    let scene = Scene::new();
    let (client, notes, open) = gated(&scene);
    open.send(()).unwrap();
    client.subscribe("tea").unwrap();
    expect(&notes, &["subscribed tea None"]);
    scene.cut();
    expect(&notes, &["closed 0"]);
    scene.hub.publish("tea", "lost").unwrap();
    open.send(()).unwrap();
    expect(&notes, &["subscribed tea Some(false)", "resumed false"]);
    scene.hub.publish("tea", "new").unwrap();
    expect(&notes, &["message tea \"new\""]);
}

#[test]
fn what_is_unsubscribed_while_away_stays_so() {
    let scene = Scene::new();
    let (client, notes, open) = gated(&scene);
    open.send(()).unwrap();
    for channel in ["tea", "kept"] {
        client.subscribe(channel).unwrap();
        expect(&notes, &[&format!("subscribed {channel} None")]);
    }
    client.unsubscribe("kept").unwrap();
    expect(&notes, &["unsubscribed kept"]);
    scene.cut();
    expect(&notes, &["closed 0"]);
    client.unsubscribe("tea").unwrap();
    client.subscribe("kept").unwrap();
    open.send(()).unwrap();
    expect(&notes, &["subscribed kept None", "resumed true"]);
    assert_eq!(client.channels(), ["kept"]);
    client.ping().unwrap();
    expect(&notes, &["pong"]);
    assert_eq!(scene.channels.member_count("tea"), 0);
}

#[test]
fn handlers_go_by_the_type() {
    let scene = Scene::new();
    let (listener, notes) = Notes::new();
    let client = EnvelopeClient::connect(&scene.url(), options(), listener).unwrap();
    let (give, handled) = channel();
    client.on("sum", move |client, message| {
        give.send(message.data::<i64>().unwrap()).unwrap();
        // A handler may do all that others may, and end itself.
        client.off("sum");
        client.ping().unwrap();
    });
    let sent = client.send_message("add", &[1, 2]).unwrap();
    assert_eq!(handled.recv_timeout(PATIENCE).unwrap(), 3);
    assert!(!sent.message_id.is_empty());
    expect(&notes, &["pong"]);
    client.send_message("add", &[3, 4]).unwrap();
    expect(&notes, &["message - 7"]);
    client.send_message("add", "x").unwrap();
    client.send_message("nothing", &()).unwrap();
    client.subscribe("").unwrap();
    expect(
        &notes,
        &[
            "refused no_sum None",
            "refused unknown_type None",
            "refused bad_channel Some(\"\")",
        ],
    );
    client.subscribe("tea").unwrap();
    expect(&notes, &["subscribed tea None"]);
    let (give, handled) = channel();
    client.on("move", move |_, message| {
        give.send(message.json().to_owned()).unwrap()
    });
    scene.channels.publish("tea", r#"{"type":"move","to":1}"#);
    assert_eq!(
        handled.recv_timeout(PATIENCE).unwrap(),
        r#"{"type":"move","to":1}"#
    );
}

#[test]
fn sending_while_not_connected_is_an_error_if_that_was_chosen() {
    let scene = Scene::new();
    let (listener, notes) = Notes::new();
    let (open, gate) = channel();
    let url = scene.url();
    let ask = move |_: &_| {
        gate.recv()?;
        Ok((url.clone(), WebSocketOptions::new()))
    };
    let options = options().while_away(WhileAway::Refuse);
    let client = EnvelopeClient::connect_by(ask, options, listener).unwrap();
    let refused = client.broadcast("tea", &1);
    assert!(matches!(refused, Err(EnvelopeError::NotConnected)));
    client.subscribe("tea").unwrap();
    open.send(()).unwrap();
    expect(&notes, &["subscribed tea None"]);
    client.broadcast("tea", &1).unwrap();
    expect(&notes, &["published tea None"]);
    let sender = client.sender().clone();
    client.disconnect().unwrap();
    let refused = sender.broadcast("tea", &1);
    assert!(matches!(refused, Err(EnvelopeError::NotConnected)));
    assert!(matches!(sender.subscribe("x"), Ok(())));
    assert_eq!(sender.counts().messages_sent, 2);
}

/// Reads requests up to one of this type; its name.
fn request(stream: &mut std::net::TcpStream, kind: &str) -> (String, Value) {
    loop {
        let (first, payload) = read_frame(stream).unwrap();
        match first {
            0x81 => {
                let request: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(request["payload"]["type"], kind, "{request}");
                let name = request["message_id"].as_str().unwrap().to_owned();
                return (name, request["payload"].clone());
            }
            0x89 => write_frame(stream, 0x8a, &payload),
            _ => panic!("{first:x}"),
        }
    }
}

fn subscribed(stream: &mut std::net::TcpStream, rest: &str) -> Value {
    let (name, payload) = request(stream, "subscribe");
    let answer = format!(
        r#"{{"message_type":"text","payload":{{"type":"subscribed","channel":"c","in_reply_to":"{name}"{rest}}}}}"#
    );
    write_frame(stream, 0x81, answer.as_bytes());
    payload
}

#[test]
fn a_client_asks_from_where_all_has_come_and_takes_nothing_twice() {
    let (end, gate) = channel::<()>();
    let script = Script::start(2, move |nth, mut stream| {
        shake_hands(&mut stream);
        let told = |offset: u64| {
            format!(
                r#"{{"message_type":"text","payload":{offset},"channel":"c","epoch":"e","offset":{offset}}}"#
            )
        };
        if nth == 0 {
            subscribed(&mut stream, r#","epoch":"e","offset":5"#);
            let (name, _) = request(&mut stream, "broadcast");
            // Its place comes before what is in front of it.
            let answer = format!(
                r#"{{"message_type":"text","payload":{{"type":"published","channel":"c","epoch":"e","offset":8,"in_reply_to":"{name}"}}}}"#
            );
            write_frame(&mut stream, 0x81, answer.as_bytes());
            write_frame(&mut stream, 0x81, told(6).as_bytes());
            gate.recv().unwrap();
            return; // 7 is lost
        }
        let payload = subscribed(&mut stream, r#","epoch":"e","offset":9,"recovered":true"#);
        assert_eq!(
            (&payload["epoch"], &payload["offset"]),
            (&"e".into(), &6.into())
        );
        for offset in 7..=9 {
            write_frame(&mut stream, 0x81, told(offset).as_bytes());
        }
        while let Some((first, payload)) = read_frame(&mut stream) {
            match first {
                0x89 => write_frame(&mut stream, 0x8a, &payload),
                0x88 => write_frame(&mut stream, 0x88, &payload),
                _ => {}
            }
        }
    });
    let (listener, notes) = Notes::new();
    let client = EnvelopeClient::connect(&script.url(), options(), listener).unwrap();
    client.subscribe("c").unwrap();
    expect(&notes, &["subscribed c None"]);
    client.broadcast("c", &0).unwrap();
    expect(&notes, &["published c Some(8)", "message c 6"]);
    end.send(()).unwrap();
    let closed = notes.recv_timeout(PATIENCE).unwrap();
    assert!(closed.starts_with("closed "), "{closed}");
    expect(
        &notes,
        &[
            "subscribed c Some(true)",
            "resumed true",
            "message c 7",
            "message c 9",
        ],
    );
    client.disconnect().unwrap();
    script.join();
}

#[test]
fn a_client_on_a_loop_recovers_as_well() {
    let scene = Scene::new();
    let lines: Rc<RefCell<Vec<String>>> = Rc::default();
    struct Own(Rc<RefCell<Vec<String>>>);
    impl EnvelopeListener<LoopReconnecting> for Own {
        fn message(&mut self, _: &LoopEnvelopeClient, message: &EnvelopeMessage) {
            self.0.borrow_mut().push(message.json().to_owned());
        }

        fn subscribed(&mut self, _: &LoopEnvelopeClient, _: &str, recovered: Option<bool>) {
            self.0.borrow_mut().push(format!("{recovered:?}"));
        }
    }
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
    let listener = Own(lines.clone());
    let client = LoopEnvelopeClient::connect(&sockets, &scene.url(), options(), listener).unwrap();
    let handled = lines.clone();
    client.on("sum", move |client, message| {
        handled.borrow_mut().push(format!("sum {}", message.json()));
        client.disconnect();
    });
    client.subscribe("kept").unwrap();
    let mut turn_until = |count: usize| {
        while lines.borrow().len() < count {
            events.turn(Some(Duration::from_millis(10))).unwrap();
        }
    };
    turn_until(1);
    scene.hub.publish("kept", &1).unwrap();
    turn_until(2);
    scene.cut();
    scene.hub.publish("kept", &2).unwrap();
    turn_until(4);
    client.send_message("add", &[1, 2]).unwrap();
    turn_until(5);
    let lines = lines.borrow();
    // 2 may have come before the end of the connection.
    assert_eq!(lines[0..2], ["None", "1"]);
    let mut middle = lines[2..4].to_vec();
    middle.sort();
    assert_eq!(middle, ["2", "Some(true)"]);
    assert_eq!(lines[4], "sum 3");
    assert_eq!(client.counts().reconnects, 1);
}
