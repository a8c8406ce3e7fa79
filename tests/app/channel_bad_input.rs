//! What clients send that no channel should suffer from: each has its limit and its error.

#![cfg(feature = "envelope")]

use core::task::Poll;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use crate::app_support::{Running, wait_until};
use barewire::app::{
    App, Backplane, ChannelError, ChannelLimits, ChannelOptions, EnvelopeHub, Epoch, History, Hub,
    Inlet, Join, Later, Line, Message, Past, Position, Publication, Socket, Verdict, WebSocket,
};
use barewire::net::Limits;
use serde_json::{Value, json};
use tungstenite::{Message as Frame, WebSocket as Client};

/// `join CHANNEL USER DATA`, `leave CHANNEL`, `all CHANNEL TEXT`, `as USER`.
struct Told;

impl WebSocket for Told {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let words: Vec<&str> = message.as_text().unwrap().split('|').collect();
        let answer = match words[..] {
            ["join", channel, user, data] => {
                let join = Join::new().user(user).data(data);
                format!(
                    "{:?}",
                    socket.join_with(channel, &join).map(|it| it.is_new())
                )
            }
            ["leave", channel] => socket.leave(channel).to_string(),
            ["all", channel, text] => format!("{:?}", socket.publish(channel, text).members()),
            ["as", user] => format!("{:?}", socket.identify(user)),
            _ => panic!("{words:?}"),
        };
        socket.send(&answer);
    }
}

struct Scene {
    running: Running,
    hub: Hub,
}

struct Peer(Client<TcpStream>);

impl Scene {
    fn new(app: App) -> Self {
        let hub = app.hub();
        let envelopes = EnvelopeHub::new(app.hub());
        let app = app
            .websocket("/told", |_| Ok(Told))
            .websocket_route("/ws/hub", envelopes.route());
        Self {
            running: Running::start(app),
            hub,
        }
    }

    fn peer(&self, path: &str) -> Peer {
        let url = format!("ws://a{path}");
        Peer(tungstenite::client(url, self.running.connect()).unwrap().0)
    }
}

impl Peer {
    fn say(&mut self, text: &str) {
        self.0.write(Frame::text(text)).unwrap();
    }

    fn next(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Frame::Text(text) => return text.to_string(),
                Frame::Ping(_) | Frame::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, text: &str) -> String {
        self.say(text);
        self.0.flush().unwrap();
        self.next()
    }

    /// The `type`, or the `code` of the error, of the next answer.
    fn verdict(&mut self) -> String {
        let answer: Value = serde_json::from_str(&self.next()).unwrap();
        let payload = &answer["payload"];
        let word = payload.get("code").unwrap_or(&payload["type"]);
        word.as_str().unwrap().into()
    }
}

fn asked(payload: &Value) -> String {
    json!({"message_id": "m", "message_type": "text", "payload": payload}).to_string()
}

#[test]
fn a_hundred_thousand_subscribes_are_answered_and_cost_nothing() {
    let scene = Scene::new(App::new());
    let mut peer = scene.peer("/ws/hub");
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for round in 0..100 {
        for nth in 0..1_000 {
            let channel = format!("c{round}-{nth}");
            peer.say(&asked(&json!({"type": "subscribe", "channel": channel})));
        }
        peer.0.flush().unwrap();
        for _ in 0..1_000 {
            *counts.entry(peer.verdict()).or_default() += 1;
        }
        assert!(scene.hub.channel_count() <= 64);
    }
    assert_eq!(counts["subscribed"], 64, "{counts:?}");
    assert!(
        counts["too_fast"] > 0 && counts["too_many"] > 0,
        "{counts:?}"
    );
    assert_eq!(counts.values().sum::<usize>(), 100_000);
    peer.say(r#"{"message_type":"ping"}"#);
    peer.0.flush().unwrap();
    assert!(peer.next().contains("pong"), "the connection stays");
    drop(peer);
    wait_until("all channels are freed", || scene.hub.channel_count() == 0);
}

#[test]
fn an_address_has_its_share_of_all_memberships() {
    let share = Limits::DEFAULT.memberships;
    let share = barewire::net::Share {
        address: 100,
        ..share
    };
    let scene = Scene::new(App::new().limits(Limits::DEFAULT.with_memberships(share)));
    let mut peers: Vec<Peer> = (0..3).map(|_| scene.peer("/ws/hub")).collect();
    let mut subscribed = 0;
    for (at, peer) in peers.iter_mut().enumerate() {
        for nth in 0..60 {
            peer.say(&asked(
                &json!({"type": "subscribe", "channel": format!("{at} {nth}")}),
            ));
        }
        peer.0.flush().unwrap();
        for _ in 0..60 {
            match &*peer.verdict() {
                "subscribed" => subscribed += 1,
                other => assert_eq!(other, "too_many"),
            }
        }
    }
    assert_eq!(subscribed, 100);
}

#[test]
fn who_comes_and_goes_too_fast_is_told_whatever_the_protocol() {
    let limits = ChannelLimits::DEFAULT.with_join_burst(10).with_join_rate(0);
    let notices = ChannelOptions::new().notices();
    let app = App::new().channel_limits(limits).channel("seen", notices);
    let scene = Scene::new(app);
    let mut watcher = scene.peer("/told");
    assert_eq!(watcher.ask("join|seen||"), "Ok(true)");
    let mut peer = scene.peer("/told");
    for nth in 0..1_000 {
        match peer.ask("join|seen|ann|") {
            joined if nth < 10 => {
                assert_eq!(joined, "Ok(true)");
                assert_eq!(peer.ask("leave|seen"), "true");
            }
            refused => assert_eq!(refused, "Err(TooFast)"),
        }
    }
    for _ in 0..10 {
        assert!(watcher.next().contains(r#""event":"joined""#));
        assert!(watcher.next().contains(r#""event":"left""#));
    }
    assert_eq!(peer.ask("all|seen|the last"), "1");
    assert_eq!(watcher.next(), "the last");
}

#[test]
fn what_a_session_shows_of_itself_is_bounded() {
    let options = ChannelOptions::new().presence();
    let scene = Scene::new(App::new().channel("seen", options));
    let mut peer = scene.peer("/told");
    let long = "x".repeat(1_000);
    for user in ["", "ann"] {
        let huge = format!("join|seen|{user}|{}", "x".repeat(60_000));
        assert_eq!(peer.ask(&huge), "Err(DataTooLong)");
    }
    assert_eq!(
        peer.ask(&format!("join|seen|{long}|{long}")),
        "Err(DataTooLong)"
    );
    assert_eq!(peer.ask(&format!("as|{long}{long}")), "Err(DataTooLong)");
    assert_eq!(scene.hub.present("seen", None, 9).len(), 0);
    assert_eq!(scene.hub.channel_count(), 0);
    assert_eq!(peer.ask(&format!("join|seen|ann|{long}")), "Ok(true)");
    assert_eq!(scene.hub.present("seen", None, 9)[0].data, long);
}

#[test]
fn a_rule_about_publishing_sees_the_user() {
    let rules = ChannelOptions::new().may_publish(|ask| match ask.user {
        "ann" => Verdict::Allow,
        _ => Verdict::Refuse,
    });
    let scene = Scene::new(App::new().channel("club", rules));
    // Identified by its handshake, so to say; by its first join; and not at all.
    let mut ann = scene.peer("/told");
    assert_eq!(ann.ask("as|ann"), "Ok(())");
    let mut other = scene.peer("/told");
    assert_eq!(other.ask("join|club|ann|"), "Ok(true)");
    assert_eq!(ann.ask("all|club|1"), "1");
    assert_eq!(other.next(), "1");
    assert_eq!(other.ask("leave|club"), "true");
    assert_eq!(other.ask("join|club|bob|"), "Ok(true)");
    other.say("all|club|2"); // it is still who it was first
    other.0.flush().unwrap();
    let mut both = [other.next(), other.next()];
    both.sort();
    assert_eq!(both, ["1", "2"]);
    let mut nobody = scene.peer("/told");
    assert_eq!(nobody.ask("all|club|3"), "0");
    assert_eq!(ann.ask("as|"), "Ok(())");
    assert_eq!(ann.ask("all|club|4"), "0");
}

#[test]
fn places_that_cannot_be_read_recover_nothing_and_break_nothing() {
    let app = App::new().channel("kept", ChannelOptions::new().history(History::DEFAULT));
    let scene = Scene::new(app);
    scene.hub.publish("kept", "1");
    let mut peer = scene.peer("/ws/hub");
    for epoch in [
        "null",
        "{}",
        "\"\"",
        "\"FFFFFFFFFFFFFFFF\"",
        "\"000000000000000\\u0000\"",
    ] {
        for offset in [
            "18446744073709551615",
            "18446744073709551616",
            "1e400",
            "-0",
            "[]",
            "\"\"",
        ] {
            let text = format!(
                r#"{{"message_type":"text","payload":{{"type":"subscribe","channel":"kept","epoch":{epoch},"offset":{offset}}}}}"#
            );
            let answer: Value = serde_json::from_str(&peer.ask(&text)).unwrap();
            let payload = &answer["payload"];
            assert_eq!(payload["recovered"], json!(false), "{text} {payload}");
            assert_eq!(payload["offset"], 1, "{text}");
        }
    }
}

/// A backplane that answers nothing until it is told to.
#[derive(Clone, Default)]
struct Silent(Arc<Mutex<Vec<Later<Option<Position>>>>>);

impl Backplane for Silent {
    fn subscribe(&self, _: &str, _: Option<History>, _: Inlet) -> Box<dyn Line> {
        Box::new(self.clone())
    }
}

impl Line for Silent {
    fn publish(
        &self,
        _: Publication,
        _deliver: &mut dyn FnMut(&Publication),
        later: &dyn Fn() -> Later<Option<Position>>,
    ) -> Poll<Result<Option<Position>, ChannelError>> {
        self.0.lock().unwrap().push(later());
        Poll::Pending
    }

    fn history(
        &self,
        _: &[Position],
        _: &dyn Fn() -> Later<Past>,
    ) -> Poll<Result<Past, ChannelError>> {
        Poll::Ready(Err(ChannelError::Unavailable))
    }

    fn unsubscribe(&self) {}

    fn is_needless(&self) -> bool {
        true
    }
}

#[test]
fn requests_that_wait_for_a_slow_backplane_are_bounded() {
    let silent = Silent::default();
    let options = ChannelOptions::new().history(History::DEFAULT);
    let app = App::new().channel("*", options).backplane(silent.clone());
    let scene = Scene::new(app);
    let mut peer = scene.peer("/ws/hub");
    let broadcast = asked(&json!({"type": "broadcast", "channel": "tea", "data": 1}));
    for _ in 0..5_000 {
        peer.say(&broadcast);
    }
    peer.0.flush().unwrap();
    for _ in 0..4_000 {
        assert_eq!(peer.verdict(), "too_fast");
    }
    let answers = core::mem::take(&mut *silent.0.lock().unwrap());
    assert_eq!(answers.len(), 1_000);
    for (offset, later) in (1..).zip(answers) {
        match offset % 2 {
            0 => drop(later), // the backplane has lost it
            _ => later.give(Ok(Some(Position::new(Epoch::new(1), offset)))),
        }
    }
    let mut counts = [0; 2];
    for _ in 0..1_000 {
        match &*peer.verdict() {
            "published" => counts[0] += 1,
            other => {
                assert_eq!(other, "unavailable");
                counts[1] += 1;
            }
        }
    }
    assert_eq!(counts, [500, 500], "each has its own answer");
    peer.say(&broadcast);
    peer.0.flush().unwrap();
    wait_until("there is room again", || {
        silent.0.lock().unwrap().len() == 1
    });
}
