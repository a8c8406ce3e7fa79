//! The envelope: its server as clients see it that have no library, over real sockets.

#![cfg(feature = "envelope")]

use std::net::TcpStream;
use std::sync::mpsc::channel;

use crate::app_support::{self, Running, wait_until};
use barewire::app::{
    App, ChannelLimits, ChannelOptions, EnvelopeHub, EventStream, Events, History, Hub, Join,
    Refusal, Verdict,
};
use barewire::envelope::{EnvelopeLimits, ErrorCode};
use barewire::http::Status;
use serde_json::{Value, json};
use tungstenite::{Message as Frame, WebSocket as Client};

struct Scene {
    running: Running,
    hub: EnvelopeHub,
    channels: Hub,
}

/// A stream of one channel.
struct Listener(String);

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.join_with(&self.0, &Join::new()).unwrap();
    }
}

impl Scene {
    fn new() -> Self {
        Self::with(App::new(), |hub| hub)
    }

    fn with(app: App, more: impl FnOnce(EnvelopeHub) -> EnvelopeHub) -> Self {
        let keep = ChannelOptions::new().history(History::DEFAULT);
        let app = app.channel("kept*", keep);
        let channels = app.hub();
        let hub = more(EnvelopeHub::new(app.hub()));
        let app = app
            .websocket_route("/ws/hub", hub.route())
            .get("/metrics/hub", hub.metrics_route())
            .events("/sse/hub", |request| {
                let channel = request.query_value("channel").unwrap_or_default();
                Ok(Listener(channel.into()))
            });
        let running = Running::start(app);
        Self {
            running,
            hub,
            channels,
        }
    }

    fn client(&self) -> Browser {
        let stream = self.running.connect();
        let socket = tungstenite::client("ws://a/ws/hub", stream).unwrap().0;
        Browser { socket, last: 0 }
    }

    fn subscribed(&self, channel: &str) -> (Browser, Value) {
        let mut client = self.client();
        let answer = client.ask(json!({"type": "subscribe", "channel": channel}));
        assert_eq!(answer["type"], "subscribed", "{answer}");
        (client, answer)
    }
}

/// What a browser does.
struct Browser {
    socket: Client<TcpStream>,
    last: u64,
}

impl Browser {
    fn say(&mut self, text: &str) {
        self.socket.send(Frame::text(text)).unwrap();
    }

    fn next(&mut self) -> Value {
        loop {
            match self.socket.read().unwrap() {
                Frame::Text(text) => return serde_json::from_str(&text).unwrap(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Sends a request; the name of it.
    fn send(&mut self, message_type: &str, payload: Value) -> String {
        self.last += 1;
        let name = format!("m{}", self.last);
        let message = json!({
            "message_id": name, "message_type": message_type, "payload": payload,
            "timestamp": 0.0, "sender_id": "somebody else",
        });
        self.say(&message.to_string());
        name
    }

    /// The payload of the answer to a request.
    fn ask(&mut self, payload: Value) -> Value {
        let name = self.send("text", payload);
        let answer = self.next();
        assert_eq!(answer["message_type"], "text", "{answer}");
        assert_eq!(answer["sender_id"], Value::Null, "{answer}");
        assert_eq!(answer["payload"]["in_reply_to"], name, "{answer}");
        answer["payload"].clone()
    }

    fn broadcast(&mut self, channel: &str, data: Value) -> Value {
        let published = self.ask(json!({"type": "broadcast", "channel": channel, "data": data}));
        assert_eq!(published["type"], "published");
        published
    }

    /// Reads all that has been sent before the answer to a ping.
    fn read_all(&mut self) {
        self.send("ping", Value::Null);
        while self.next()["message_type"] != "pong" {}
    }

    /// The connection is there, and nothing else has come.
    fn is_silent(&mut self) {
        let name = self.send("ping", Value::Null);
        let pong = self.next();
        assert_eq!(pong["message_type"], "pong", "{pong}");
        assert_eq!(pong["in_reply_to"], name);
    }
}

#[test]
fn a_broadcast_goes_to_all_others_of_the_channel() {
    let scene = Scene::new();
    let (mut tea, answer) = scene.subscribed("tea");
    let sender = answer["connection_id"].as_str().unwrap().to_owned();
    let (mut other, answer) = scene.subscribed("tea");
    assert_ne!(answer["connection_id"], *sender);
    assert_eq!(answer["recovered"], Value::Null);
    assert_eq!(answer.get("epoch"), None);
    let (mut coffee, _) = scene.subscribed("coffee");
    let mut names = Vec::new();
    for data in [
        json!("Hello"),
        json!(null),
        json!(0),
        json!(false),
        json!(""),
        json!([]),
        json!({"type": "subscribed"}),
        json!({"a": [1, {"b": "\u{1f600}\n"}]}),
    ] {
        let published = tea.broadcast("tea", data.clone());
        assert_eq!(published["channel"], "tea");
        let message = other.next();
        assert_eq!(message["message_type"], "text");
        assert_eq!(message.get("payload"), Some(&data));
        assert_eq!(message["sender_id"], *sender);
        assert_eq!(message["channel"], "tea");
        assert_eq!((message.get("offset"), message.get("epoch")), (None, None));
        let timestamp = &message["timestamp"];
        assert!(timestamp.is_f64() && timestamp.as_f64().unwrap() > 1.7e9);
        let name = message["message_id"].as_str().unwrap();
        assert_eq!(uuid(name), "4", "{name}");
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
    for client in [&mut tea, &mut other, &mut coffee] {
        client.is_silent();
    }
}

/// The version of a UUID.
fn uuid(text: &str) -> &str {
    assert_eq!(text.len(), 36);
    let parts: Vec<&str> = text.split('-').collect();
    assert_eq!(
        parts.iter().map(|it| it.len()).collect::<Vec<_>>(),
        [8, 4, 4, 4, 12]
    );
    &parts[2][..1]
}

#[test]
fn numbers_keep_all_their_digits() {
    let scene = Scene::new();
    let (mut tea, _) = scene.subscribed("tea");
    let (mut other, _) = scene.subscribed("tea");
    for data in ["12345678901234567890123", "1.0", "1e400", "-0.0"] {
        tea.say(&format!(
            r#"{{"message_type":"text","payload":{{"type":"broadcast","channel":"tea","data":{data}}}}}"#
        ));
        let Frame::Text(text) = other.socket.read().unwrap() else {
            panic!()
        };
        assert!(text.contains(&format!(r#""payload":{data},"#)), "{text}");
    }
}

#[test]
fn a_channel_may_stand_in_the_payload_or_in_its_data() {
    let scene = Scene::new();
    let (mut reader, _) = scene.subscribed("tea");
    let mut client = scene.client();
    let answer = client.ask(json!({"type": "subscribe", "data": {"channel": "tea"}}));
    assert_eq!(
        (&answer["type"], &answer["channel"]),
        (&json!("subscribed"), &json!("tea"))
    );
    client.ask(json!({"type": "broadcast", "data": {"channel": "tea", "data": {"channel": 1}}}));
    assert_eq!(reader.next()["payload"], json!({"channel": 1}));
    let answer = client.ask(json!({"type": "unsubscribe", "data": {"channel": "tea"}}));
    assert_eq!(
        (&answer["type"], &answer["channel"]),
        (&json!("unsubscribed"), &json!("tea"))
    );
    reader.broadcast("tea", json!(1));
    client.is_silent();
    // Who is no member may broadcast, and unsubscribe.
    client.broadcast("tea", json!(2));
    assert_eq!(reader.next()["payload"], 2);
    let answer = client.ask(json!({"type": "unsubscribe", "channel": "tea"}));
    assert_eq!(answer["type"], "unsubscribed");
}

#[test]
fn who_comes_back_gets_what_it_missed_once_and_not_its_own() {
    let scene = Scene::new();
    let (mut away, answer) = scene.subscribed("kept");
    let epoch = answer["epoch"].as_str().unwrap().to_owned();
    assert_eq!(answer["offset"], 0);
    let (mut other, _) = scene.subscribed("kept");
    assert_eq!(other.broadcast("kept", json!("1"))["offset"], 1);
    let first = away.next();
    assert_eq!(
        (&first["offset"], &first["epoch"]),
        (&json!(1), &json!(epoch))
    );
    // Its own has an offset too, behind all that it has got by then.
    let own = away.broadcast("kept", json!("own"));
    assert_eq!((&own["offset"], &own["epoch"]), (&json!(2), &json!(epoch)));
    drop(away);
    for text in ["3", "4"] {
        other.next_but_own();
        other.broadcast("kept", json!(text));
    }
    let mut back = scene.client();
    let answer = back.ask(json!({
        "type": "subscribe", "channel": "kept", "epoch": epoch, "offset": own["offset"],
    }));
    assert_eq!(
        (&answer["recovered"], &answer["offset"]),
        (&json!(true), &json!(4))
    );
    let missed = [back.next(), back.next()];
    assert_eq!(
        missed.each_ref().map(|it| it["payload"].clone()),
        [json!("3"), json!("4")]
    );
    assert_eq!(
        missed.each_ref().map(|it| it["offset"].clone()),
        [json!(3), json!(4)]
    );
    back.is_silent();
    // Whoever recovers it again reads the same message.
    let mut again = scene.client();
    again.ask(json!({"type": "subscribe", "channel": "kept", "epoch": epoch, "offset": 2}));
    assert_eq!([again.next(), again.next()], missed);
}

impl Browser {
    /// Reads what is there of others, if anything, up to a pong.
    fn next_but_own(&mut self) {
        let name = self.send("ping", Value::Null);
        while self.next()["in_reply_to"] != name {}
    }
}

#[test]
fn what_cannot_be_recovered_is_never_passed_over_in_silence() {
    let scene = Scene::new();
    let (mut keeper, answer) = scene.subscribed("kept");
    let epoch = answer["epoch"].clone();
    keeper.broadcast("kept", json!(1));
    let positions = [
        json!({"epoch": "00000000c0ffee00", "offset": 0}),
        json!({"epoch": epoch, "offset": 7}),
        json!({"epoch": epoch}),
        json!({"offset": 0}),
        json!({"epoch": 7, "offset": 0}),
        json!({"epoch": epoch, "offset": "0"}),
        json!({"epoch": epoch, "offset": -1}),
        json!({"epoch": epoch, "offset": 0.5}),
        json!({"epoch": "x".repeat(1000), "offset": 0}),
    ];
    for position in &positions {
        let mut request = position.clone();
        request["type"] = json!("subscribe");
        request["channel"] = json!("kept");
        let mut client = scene.client();
        let answer = client.ask(request);
        assert_eq!(answer["recovered"], false, "{position}");
        assert_eq!((&answer["offset"], &answer["epoch"]), (&json!(1), &epoch));
        client.is_silent();
    }
    // A channel without history recovers nothing.
    let mut client = scene.client();
    let since = json!({"type": "subscribe", "channel": "tea", "epoch": epoch, "offset": 0});
    assert_eq!(client.ask(since)["recovered"], false);
}

#[test]
fn a_member_that_subscribes_again_stays_one_or_recovers() {
    let scene = Scene::new();
    let (mut member, answer) = scene.subscribed("kept");
    let epoch = answer["epoch"].clone();
    let mut other = scene.client();
    let subscribe = json!({"type": "subscribe", "channel": "kept"});
    assert_eq!(member.ask(subscribe)["type"], "subscribed");
    other.broadcast("kept", json!(1));
    assert_eq!(member.next()["payload"], 1);
    let since = json!({"type": "subscribe", "channel": "kept", "epoch": epoch, "offset": 0});
    let answer = member.ask(since);
    assert_eq!(
        (&answer["recovered"], &answer["offset"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(member.next()["payload"], 1);
    other.broadcast("kept", json!(2));
    assert_eq!(member.next()["payload"], 2);
    member.is_silent();
    assert_eq!(scene.channels.member_count("kept"), 1);
}

#[test]
fn every_fault_has_its_error_and_the_connection_stays() {
    let limits = EnvelopeLimits::DEFAULT.with_message(4096);
    let app = App::new().channel_limits(ChannelLimits::DEFAULT.with_joined(1).with_name(8));
    let scene = Scene::with(app, |hub| hub.limits(limits));
    let (mut client, _) = scene.subscribed("tea");
    for (text, code) in [
        ("{", "bad_json"),
        ("hello", "bad_json"),
        ("7", "bad_envelope"),
        ("{}", "bad_envelope"),
        (r#"{"message_type":"hello"}"#, "unknown_type"),
    ] {
        client.say(text);
        let payload = &client.next()["payload"];
        assert_eq!(
            (&payload["type"], &payload["code"]),
            (&json!("error"), &json!(code))
        );
        assert_eq!(payload.get("in_reply_to"), Some(&Value::Null));
        assert!(!payload["text"].as_str().unwrap().is_empty());
    }
    for (payload, code) in [
        (json!("hello"), "unknown_type"),
        (json!({"type": "hello"}), "unknown_type"),
        (json!({"type": "subscribe"}), "missing_channel"),
        (
            json!({"type": "unsubscribe", "data": {}}),
            "missing_channel",
        ),
        (json!({"type": "broadcast", "data": 1}), "missing_channel"),
        (json!({"type": "subscribe", "channel": 7}), "bad_channel"),
        (json!({"type": "subscribe", "channel": ""}), "bad_channel"),
        (
            json!({"type": "broadcast", "channel": "", "data": 1}),
            "bad_channel",
        ),
        (
            json!({"type": "unsubscribe", "channel": "a\nb"}),
            "bad_channel",
        ),
        (
            json!({"type": "broadcast", "channel": "123456789"}),
            "bad_channel",
        ),
        (
            json!({"type": "subscribe", "channel": "coffee"}),
            "too_many",
        ),
        (
            json!({"type": "broadcast", "channel": "tea", "data": "x".repeat(4096)}),
            "too_large",
        ),
    ] {
        let answer = client.ask(payload.clone());
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{payload}"
        );
    }
    for (payload, code) in [("AP8", "bad_payload"), ("AP8=", "unknown_type")] {
        let name = client.send("binary", json!(payload));
        let answer = &client.next()["payload"];
        assert_eq!(
            (&answer["code"], &answer["in_reply_to"]),
            (&json!(code), &json!(name))
        );
    }
    client.is_silent();
    let snapshot = scene.hub.snapshot();
    let count = |code| snapshot.errors.iter().find(|it| it.0 == code).unwrap().1;
    assert_eq!(
        (count(ErrorCode::BadJson), count(ErrorCode::MissingChannel)),
        (2, 3)
    );
}

#[test]
fn who_is_too_fast_is_told_so() {
    let limits = EnvelopeLimits::DEFAULT
        .with_subscribe_burst(2)
        .with_subscribe_rate(0);
    let app = App::new();
    let rate = ChannelLimits::DEFAULT
        .with_publish_burst(2)
        .with_publish_rate(0);
    let scene = Scene::with(app.channel_limits(rate), |hub| hub.limits(limits));
    let (mut client, _) = scene.subscribed("tea");
    client.ask(json!({"type": "unsubscribe", "channel": "tea"}));
    for kind in ["subscribe", "unsubscribe"] {
        let answer = client.ask(json!({"type": kind, "channel": "tea"}));
        assert_eq!(answer["code"], "too_fast");
    }
    client.broadcast("tea", json!(1));
    client.broadcast("tea", json!(2));
    let answer = client.ask(json!({"type": "broadcast", "channel": "tea", "data": 3}));
    assert_eq!(answer["code"], "too_fast");
    client.is_silent();
}

#[test]
fn a_ping_is_answered_and_close_begins_the_closing_handshake() {
    let scene = Scene::new();
    let mut client = scene.client();
    client.say(r#"{"message_type":"ping"}"#);
    let pong = client.next();
    assert_eq!(
        (&pong["message_type"], &pong["payload"]),
        (&json!("pong"), &json!("pong"))
    );
    assert_eq!(pong.get("in_reply_to"), None);
    client.send("pong", json!("pong"));
    client.is_silent();
    client.send("close", Value::Null);
    let Frame::Close(Some(frame)) = client.socket.read().unwrap() else {
        panic!()
    };
    assert_eq!(u16::from(frame.code), 1000);
}

#[test]
fn the_application_handles_its_own_types() {
    let (give, take) = channel();
    let scene = Scene::with(App::new(), |hub| {
        hub.on("sum", move |call| match call.data::<[i64; 2]>() {
            Ok([a, b]) => {
                give.send(call.connection_id()).unwrap();
                call.answer("sum is", &(a + b));
            }
            Err(_) => call.refuse("no_sum", call.json()),
        })
        .on_binary(|call| {
            let reversed: Vec<u8> = call.bytes().iter().rev().copied().collect();
            call.answer_binary(&reversed);
        })
    });
    let (mut client, answer) = scene.subscribed("tea");
    let sum = client.ask(json!({"type": "sum", "data": [1, 2]}));
    assert_eq!((&sum["type"], &sum["data"]), (&json!("sum is"), &json!(3)));
    let id = take.recv().unwrap();
    assert_eq!(answer["connection_id"], id.to_string());
    let error = client.ask(json!({"type": "sum", "data": "x"}));
    assert_eq!(
        (&error["type"], &error["code"]),
        (&json!("error"), &json!("no_sum"))
    );
    assert_eq!(error["text"], "\"x\"");
    client.send("binary", json!("AP8="));
    let reversed = client.next();
    assert_eq!(
        (&reversed["message_type"], &reversed["payload"]),
        (&json!("binary"), &json!("/wA="))
    );
    // The server speaks first.
    let handle = scene.hub.connection(id).unwrap();
    handle
        .send(&*EnvelopeHub::message("news", &[1]).unwrap())
        .unwrap();
    let news = client.next();
    assert_eq!(news["payload"]["type"], "news");
    assert_eq!(news["payload"]["data"], json!([1]));
}

#[test]
fn what_is_published_in_other_ways_reaches_clients_too() {
    let scene = Scene::new();
    let (mut client, _) = scene.subscribed("kept");
    let (tell, place) = std::sync::mpsc::channel();
    let then = move |place| tell.send(place).unwrap();
    scene.hub.publish_then("kept", "null", then).unwrap();
    assert_eq!(place.recv().unwrap().unwrap().unwrap().offset, 1);
    scene.channels.publish("kept", "{\"a\":1}");
    scene.channels.publish("kept", "null");
    scene.channels.publish("kept", "[no");
    scene.channels.publish("kept", &b"\x00\xff"[..]);
    let all: Vec<Value> = (0..5).map(|_| client.next()).collect();
    let payloads: Vec<&Value> = all.iter().map(|it| &it["payload"]).collect();
    let expected = [
        json!("null"),
        json!({"a": 1}),
        json!("null"),
        json!("[no"),
        json!("AP8="),
    ];
    assert_eq!(payloads, expected.iter().collect::<Vec<_>>());
    assert_eq!(all[4]["message_type"], "binary");
    let offsets: Vec<&Value> = all.iter().map(|it| &it["offset"]).collect();
    assert_eq!(offsets, [1, 2, 3, 4, 5]);
    assert!(all.iter().all(|it| it["sender_id"].is_null()));
    let versions: Vec<&str> = all
        .iter()
        .map(|it| uuid(it["message_id"].as_str().unwrap()))
        .collect();
    assert_eq!(versions, ["4", "8", "8", "8", "8"]);
    // The name of what has none is the same for who recovers it.
    let mut back = scene.client();
    let since =
        json!({"type": "subscribe", "channel": "kept", "epoch": all[0]["epoch"], "offset": 0});
    back.ask(since);
    assert_eq!((0..5).map(|_| back.next()).collect::<Vec<_>>(), all);
}

#[test]
fn an_event_stream_of_the_channel_gets_the_data() {
    let scene = Scene::new();
    let mut stream = scene.running.connect();
    let request = "GET /sse/hub?channel=kept HTTP/1.1\r\nHost: a\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    wait_until("the stream is a member", || {
        scene.channels.member_count("kept") == 1
    });
    let mut client = scene.client();
    client.broadcast("kept", json!({"a": 1}));
    let text = app_support::read_until(&mut stream, "data: {\"a\":1}\n");
    assert!(text.contains("id: "), "{text}");
}

#[test]
fn the_numbers_are_there_to_be_read() {
    let scene = Scene::new();
    let (mut first, answer) = scene.subscribed("tea");
    let (second, _) = scene.subscribed("tea");
    let (mut third, _) = scene.subscribed("<\"coffee\\>");
    first.broadcast("tea", json!(1));
    first.is_silent();
    third.is_silent();
    drop(second);
    wait_until("it is gone", || {
        scene.hub.snapshot().connections_active == 2
    });
    wait_until("it has left", || scene.channels.member_count("tea") == 1);
    let snapshot = scene.hub.snapshot();
    assert_eq!((snapshot.connections_total, snapshot.messages), (3, 6));
    assert_eq!(snapshot.channels_created, 2);
    assert_eq!(
        snapshot.channels,
        [("<\"coffee\\>".to_owned(), 1), ("tea".to_owned(), 1)]
    );
    let id = answer["connection_id"].as_str().unwrap();
    let connections = &snapshot.connections;
    let one = connections
        .iter()
        .find(|it| it.id.to_string() == id)
        .unwrap();
    assert_eq!(
        (one.session.messages_received, one.session.messages_sent),
        (3, 3)
    );
    assert!(one.session.opened > 1_700_000_000);
    assert!(one.session.last_activity >= one.session.opened);
    let text = scene.running.get("/metrics/hub").body;
    for line in [
        "barewire_hub_connections_total 3",
        "barewire_hub_connections_active 2",
        "barewire_hub_messages_total 6",
        "barewire_hub_channels_created_total 2",
        "barewire_hub_errors_total{code=\"bad_json\"} 0",
        "barewire_hub_channel_members{channel=\"tea\"} 1",
        "barewire_hub_channel_members{channel=\"<\\\"coffee\\\\>\"} 1",
    ] {
        let text = String::from_utf8_lossy(text.as_ref());
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
}

#[test]
fn numbers_of_channels_are_read_by_prometheus() {
    let app = App::new();
    let metrics = app.metrics();
    let scene = Scene::with(app, |hub| hub);
    let (mut first, place) = scene.subscribed("kept");
    let (_second, _) = scene.subscribed("tea");
    first.broadcast("kept", json!("one"));
    first.broadcast("kept", json!("two"));
    let (epoch, head) = (&place["epoch"], scene.channels.history_of("kept"));
    let mut back = scene.client();
    for (epoch, recovered) in [(epoch, true), (&json!("0000000000000001"), false)] {
        let since = json!({"type": "subscribe", "channel": "kept", "epoch": epoch, "offset": 1});
        assert_eq!(back.ask(since)["recovered"], recovered);
        back.read_all();
    }
    let text = metrics.snapshot().to_prometheus();
    for line in [
        "barewire_channels 2",
        "barewire_channels_created_total 2",
        "barewire_channel_members 3",
        "barewire_channel_history_publications 2",
        &format!("barewire_channel_history_bytes {}", head.1),
        "barewire_channel_recoveries_total 1",
        "barewire_channel_recoveries_failed_total 1",
        "barewire_slow_members_closed_total 0",
        "barewire_slow_members_left_out_total 0",
        "barewire_publications_left_out_total 0",
        "barewire_channel_members_lost_total 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(text.contains("\nbarewire_channel_memory_bytes "));
}

#[test]
fn a_user_with_too_long_a_name_is_sent_away() {
    let app = App::new();
    let hub = EnvelopeHub::new(app.hub());
    let route = hub.route_as(|request| Ok(request.query_value("user").unwrap_or_default().into()));
    let limits = ChannelLimits::DEFAULT.with_presence(20);
    let app = app.channel_limits(limits).websocket_route("/ws/hub", route);
    let running = Running::start(app);
    let connect = |length: usize| {
        let url = format!("ws://a/ws/hub?user={}", "x".repeat(length));
        tungstenite::client(url, running.connect()).unwrap().0
    };
    let socket = connect(20);
    let mut client = Browser { socket, last: 0 };
    client.is_silent();
    let Frame::Close(Some(close)) = connect(21).read().unwrap() else {
        panic!()
    };
    assert_eq!(u16::from(close.code), 1008);
    assert!(!close.reason.is_empty());
}

#[test]
fn a_thousand_joins_and_leaves_leave_nothing_behind() {
    let limits = EnvelopeLimits::DEFAULT.with_subscribe_burst(10_000);
    let scene = Scene::with(App::new(), |hub| hub.limits(limits));
    let mut client = scene.client();
    for nth in 0..1_000 {
        let channel = format!("c{nth}");
        client.ask(json!({"type": "subscribe", "channel": channel}));
        client.ask(json!({"type": "unsubscribe", "channel": channel}));
    }
    assert_eq!(scene.channels.channel_count(), 0);
    assert_eq!(scene.channels.channels_created(), 1_000);
}

#[test]
fn a_channel_says_who_may_also_later() {
    let (give, decisions) = channel();
    let later = give.clone();
    let rules = ChannelOptions::new()
        .may_join(move |ask| match ask.user {
            "ann" => {
                give.send(ask.decide_later()).unwrap();
                Verdict::Later
            }
            _ => Verdict::Refuse,
        })
        .may_publish(move |ask| match ask.payload {
            b"1" => Verdict::Refuse,
            _ => {
                later.send(ask.decide_later()).unwrap();
                Verdict::Later
            }
        });
    let app = App::new().channel("club*", rules);
    let hub = EnvelopeHub::new(app.hub());
    let route = hub.route_as(|request| match request.query_value("user").as_deref() {
        Some(user) => Ok(user.into()),
        None => Err(Refusal::new(Status::FORBIDDEN)),
    });
    let running = Running::start(app.websocket_route("/ws/hub", route));
    let client = |user: &str| {
        let url = format!("ws://a/ws/hub{user}");
        let socket = tungstenite::client(url, running.connect()).ok()?.0;
        Some(Browser { socket, last: 0 })
    };
    assert!(client("").is_none());
    let mut bob = client("?user=bob").unwrap();
    let subscribe = json!({"type": "subscribe", "channel": "club"});
    assert_eq!(bob.ask(subscribe.clone())["code"], "not_allowed");
    let broadcast = |data: u8| json!({"type": "broadcast", "channel": "club", "data": data});
    assert_eq!(bob.ask(broadcast(1))["code"], "not_allowed");
    bob.is_silent();

    let mut ann = client("?user=ann").unwrap();
    let since = json!({"type": "subscribe", "channel": "club", "epoch": "x", "offset": 0});
    for (payload, kind) in [
        (subscribe, "subscribed"),
        (broadcast(2), "published"),
        (since, "subscribed"),
    ] {
        let name = ann.send("text", payload.clone());
        let decision = decisions.recv().unwrap();
        // Others are answered meanwhile.
        ann.is_silent();
        decision.allow();
        let answer = &ann.next()["payload"];
        assert_eq!(
            (&answer["type"], &answer["in_reply_to"]),
            (&json!(kind), &json!(name))
        );
        let recovered = payload.get("offset").map(|_| json!(false));
        assert_eq!(
            answer.get("recovered").filter(|it| !it.is_null()),
            recovered.as_ref()
        );
    }
    let name = ann.send("text", broadcast(2));
    decisions.recv().unwrap().refuse();
    let answer = &ann.next()["payload"];
    assert_eq!(
        (&answer["code"], &answer["in_reply_to"]),
        (&json!("not_allowed"), &json!(name))
    );
}

#[test]
fn a_namespace_keeps_channels_apart_and_clients_do_not_see_it() {
    let app = App::new().channel("own:*", ChannelOptions::new().notices());
    let scene = Scene::with(app, |hub| hub.namespace("own:"));
    let (mut first, _) = scene.subscribed("tea");
    let (mut second, answer) = scene.subscribed("tea");
    assert_eq!(answer["channel"], "tea");
    let notice = first.next();
    assert_eq!(
        (&notice["channel"], &notice["sender_id"]),
        (&json!("tea"), &Value::Null)
    );
    assert_eq!(notice["payload"]["event"], "joined");
    assert_eq!(notice["payload"]["channel"], "tea");
    let published = second.broadcast("tea", json!("hello"));
    assert_eq!(published["channel"], "tea");
    let message = first.next();
    assert_eq!(
        (&message["channel"], &message["payload"]),
        (&json!("tea"), &json!("hello"))
    );
    assert_eq!(
        scene.channels.channel_sizes(None, 9),
        [("own:tea".to_owned(), 2)]
    );
    assert_eq!(scene.hub.snapshot().channels, [("tea".to_owned(), 2)]);
    scene.hub.publish("tea", &7).unwrap();
    assert_eq!(first.next()["payload"], 7);
    assert_eq!(second.next()["payload"], 7);
}
