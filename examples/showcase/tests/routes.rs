//! The showcase over real sockets, on two loops: what its page and its clients
//! rely on.

#[path = "../../../tests/app_support/mod.rs"]
mod app_support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use app_support::{Answer, Running, read_until, unchunked, wait_until};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// Enough clients that both loops have some.
const CROWD: usize = 8;

fn start() -> Running {
    Running::start(showcase::showcase(&[]).threads(2))
}

// Chat.

struct Chatter(WebSocket<TcpStream>);

impl Chatter {
    fn new(running: &Running) -> Self {
        let (socket, _) = tungstenite::client("ws://a/ws/chat", running.connect()).unwrap();
        let mut chatter = Self(socket);
        let welcome = chatter.next();
        assert_eq!(welcome["type"], "system");
        assert_eq!(welcome["payload"]["command"], "welcome");
        assert_eq!(
            welcome["payload"]["message"],
            "Connected to WebSocket server"
        );
        chatter
    }

    fn say(&mut self, kind: &str, payload: Value) {
        let message = json!({"type": kind, "payload": payload}).to_string();
        self.0.send(Message::text(message)).unwrap();
    }

    fn next(&mut self) -> Value {
        let message = self.0.read().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// All that came before the answer to a ping.
    fn heard(&mut self) -> Vec<Value> {
        self.say("system", json!({"command": "ping"}));
        let mut heard = Vec::new();
        loop {
            let message = self.next();
            if message["payload"]["command"] == "pong" {
                return heard;
            }
            heard.push(message);
        }
    }

    fn join(&mut self, room: &str) {
        self.say("room", json!({"action": "join", "room": room}));
        self.heard();
    }

    fn stats(&mut self) -> Value {
        self.stats_after(&Value::Null)
    }

    fn stats_after(&mut self, after: &Value) -> Value {
        self.say("system", json!({"command": "get_stats", "after": after}));
        loop {
            let message = self.next();
            if message["payload"]["command"] == "stats" {
                return message["payload"]["data"].clone();
            }
        }
    }
}

#[test]
fn a_chat_message_reaches_everyone_in_the_room_and_nobody_else() {
    let running = start();
    let mut members: Vec<Chatter> = (0..CROWD).map(|_| Chatter::new(&running)).collect();
    members.iter_mut().for_each(|chatter| chatter.join("tea"));
    let mut outsider = Chatter::new(&running);
    members[0].say("chat", json!({"room": "tea", "message": ""})); // ignored
    members[0].say(
        "chat",
        json!({"room": "tea", "message": "Hello", "sender": "forged"}),
    );
    for member in &mut members {
        let heard = loop {
            let message = member.next();
            if message["type"] == "chat" {
                break message["payload"].clone();
            }
            assert_eq!(message["payload"]["command"], "user_joined");
        };
        assert_eq!(
            (&heard["message"], &heard["room"]),
            (&json!("Hello"), &json!("tea"))
        );
        assert_eq!(heard["sender"], "guest-1");
        assert!(heard["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(outsider.heard(), Vec::<Value>::new());
}

#[test]
fn statistics_of_many_rooms_come_in_pages() {
    let running = start();
    let mut members: Vec<Chatter> = (0..4).map(|_| Chatter::new(&running)).collect();
    let names: Vec<String> = (0..130).map(|n| format!("{n:0>128}")).collect();
    for (n, name) in names.iter().enumerate() {
        members[n % 4].join(name);
    }
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let stats = members[0].stats_after(&after);
        assert_eq!(stats["total_rooms"], 130);
        assert!(stats.to_string().len() < 8 << 10, "a page is short");
        let rooms = stats["rooms"].as_object().unwrap();
        let Some(last) = rooms.keys().next_back() else {
            break;
        };
        after = last.as_str().into();
        seen.extend(rooms.keys().cloned());
    }
    assert_eq!(seen, names);
}

#[test]
fn a_chatter_who_just_dies_has_left() {
    let running = start();
    let mut witness = Chatter::new(&running);
    witness.join("tea");
    let others: Vec<Chatter> = (0..CROWD)
        .map(|_| {
            let mut other = Chatter::new(&running);
            other.join("tea");
            other
        })
        .collect();
    for _ in 0..CROWD {
        let told = witness.next();
        assert_eq!(
            told["payload"],
            json!({"command": "user_joined", "room": "tea"})
        );
    }
    assert_eq!(witness.stats()["rooms"], json!({"tea": CROWD + 1}));
    drop(others); // without a Close frame
    for _ in 0..CROWD {
        let told = witness.next();
        assert_eq!(
            told["payload"],
            json!({"command": "user_left", "room": "tea"})
        );
    }
    let alone = json!({"total_clients": 1, "total_rooms": 1, "rooms": {"tea": 1}});
    wait_until("all are forgotten", || witness.stats() == alone);
    witness.say("room", json!({"action": "leave", "room": "tea"}));
    assert_eq!(witness.stats()["total_rooms"], 0, "an empty room is freed");
}

#[test]
fn a_chatter_who_sends_no_json_is_told_and_stays() {
    let running = start();
    let mut chatter = Chatter::new(&running);
    for wrong in ["", "{", "[1,]", "{\"type\":\"chat\"", "\"\\ud800"] {
        chatter.0.send(Message::text(wrong)).unwrap();
        let answer = json!({"type": "error", "payload": {"message": "Invalid JSON format"}});
        assert_eq!(chatter.next(), answer, "{wrong}");
    }
    for odd in [
        "[]",
        "null",
        "{\"type\":1}",
        "{\"type\":\"room\",\"payload\":{}}",
    ] {
        chatter.0.send(Message::text(odd)).unwrap();
        assert_eq!(chatter.next()["type"], "error", "{odd}");
    }
    assert_eq!(chatter.heard(), Vec::<Value>::new());
}

// Events.

/// A stream of the broadcaster, past its first event.
fn listen(running: &Running, id: &str) -> TcpStream {
    let mut stream = running.connect();
    let request = format!("GET /api/events?client_id={id} HTTP/1.1\r\nHost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_until(&mut stream, "\n\n");
    assert!(
        head.contains("event: connected\ndata: {\"client_id\":"),
        "{head}"
    );
    stream
}

fn clients(running: &Running) -> Value {
    let answer: Value = serde_json::from_str(&running.get("/api/clients").body).unwrap();
    answer["client_count"].clone()
}

fn posted(running: &Running, path: &str, body: Value) -> Value {
    let answer = running.post(path, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn a_broadcast_reaches_all_listeners_or_those_it_names() {
    let running = start();
    let ids: Vec<String> = (0..CROWD).map(|n| format!("client-{n}")).collect();
    let mut streams: Vec<TcpStream> = ids.iter().map(|id| listen(&running, id)).collect();
    assert_eq!(clients(&running), CROWD);
    let to_one = json!({"event": "only", "data": 1, "target_clients": ["client-3", "nobody"]});
    let sent = json!({"status": "sent", "clients": 1});
    assert_eq!(posted(&running, "/api/broadcast", to_one), sent);
    let to_all = json!({"event": "news", "data": {"b": "one\ntwo", "a": [null]}});
    let sent = json!({"status": "sent", "clients": CROWD});
    assert_eq!(posted(&running, "/api/broadcast", to_all), sent);
    for (id, stream) in ids.iter().zip(&mut streams) {
        let only = read_until(stream, "\n\n");
        if id == "client-3" {
            assert!(only.ends_with("event: only\ndata: 1\n\n"), "{only}");
            read_until(stream, "\n\n");
        } else {
            // Its members in the order in which they were posted, on one line.
            let news = "event: news\ndata: {\"b\":\"one\\ntwo\",\"a\":[null]}\n\n";
            assert!(only.ends_with(news), "{only}");
        }
    }
    drop(streams);
    wait_until("all are forgotten", || clients(&running) == 0);
}

#[test]
fn a_post_that_makes_no_sense_is_refused_with_json() {
    let running = start();
    for (path, body) in [
        ("/api/broadcast", ""),
        ("/api/broadcast", "{\"data\":1}"),
        ("/api/broadcast", "{\"event\":\"a\\nb\",\"data\":1}"),
        (
            "/api/broadcast",
            "{\"event\":\"a\",\"data\":1,\"target_clients\":\"b\"}",
        ),
        ("/api/notify", "{\"title\":\"T\",}"),
        (
            "/api/notify",
            "{\"title\":\"T\",\"message\":\"M\",\"priority\":1}",
        ),
        ("/api/update", "{}"),
    ] {
        let answer = running.post(path, body);
        assert_eq!(answer.status, 400, "{body}");
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(error["error"].is_string(), "{body}");
    }
    let [title, priority] = ["T", "normal"];
    let mut stream = listen(&running, "");
    posted(
        &running,
        "/api/notify",
        json!({"title": title, "message": "M"}),
    );
    let notification = read_until(&mut stream, "\n\n");
    let data = json!({"title": title, "message": "M", "priority": priority});
    assert!(notification.ends_with(&format!("event: notification\ndata: {data}\n\n")));
}

#[test]
fn ticks_go_on_after_the_last_one_that_was_seen() {
    let running = start();
    for (last, next) in [("41", "id: 42\n"), ("odd", "id: 1\n"), ("-1", "id: 1\n")] {
        let mut stream = running.connect();
        let head = format!("GET /sse/ticks HTTP/1.1\r\nHost: a\r\nLast-Event-ID: {last}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let first = read_until(&mut stream, "\n\n");
        assert!(first.contains(next), "{first}");
    }
}

// HTTP.

/// Sends a body in chunks while the answer is read; returns the answer's body.
fn echoed(running: &Running, chunk: &[u8], chunks: usize) -> Vec<u8> {
    let mut stream = running.connect();
    let mut writer = stream.try_clone().unwrap();
    let size = chunk.len();
    let framed = [format!("{size:x}\r\n").as_bytes(), chunk, b"\r\n"].concat();
    let sender = std::thread::spawn(move || {
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        writer.write_all(head.as_bytes()).unwrap();
        for _ in 0..chunks {
            writer.write_all(&framed).unwrap();
        }
        writer.write_all(b"0\r\n\r\n").unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    sender.join().unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    let is_chunked = String::from_utf8_lossy(&answer[..end]).contains("chunked");
    if is_chunked {
        return unchunked(&answer[end..]);
    }
    answer.split_off(end)
}

#[test]
fn a_body_of_unknown_length_is_echoed_whole_on_both_sides_of_the_limit() {
    let running = start();
    let chunk: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    for chunks in [0, 1, 16, 17, 40] {
        let body = echoed(&running, &chunk, chunks);
        assert_eq!(body.len(), chunks << 20);
        assert!(body.chunks(1 << 20).all(|piece| piece == chunk));
    }
}

#[test]
fn as_many_bytes_come_as_are_asked_for() {
    let running = start();
    for n in [0, 1, 65_536, 65_537, 3_000_000] {
        let answer = running.get(&format!("/bytes/{n}"));
        assert_eq!((answer.status, answer.body.len()), (200, n));
        assert_eq!(answer.header("content-length"), n.to_string());
    }
    for wrong in ["abc", "-1", "1x", "99999999999999999999999999"] {
        let answer = running.get(&format!("/bytes/{wrong}"));
        assert_eq!(answer.status, 400);
        assert!(answer.body.starts_with("{\"error\":"));
    }
}

#[test]
fn a_head_of_endless_bytes_is_answered_at_once() {
    let running = start();
    let most = u64::MAX.to_string();
    let answer = running.exchange(&format!("HEAD /bytes/{most} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!((answer.status, &*answer.body), (200, ""));
    assert_eq!(answer.header("content-length"), most);
}

#[test]
fn a_page_of_another_origin_changes_nothing_and_opens_no_websocket() {
    let trusted = ["http://b".to_owned()];
    let running = Running::start(showcase::showcase(&trusted));
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let length = "Content-Length: 0\r\n";
    for (origin, site, may) in [
        ("http://a", "same-origin", true),
        ("http://b", "cross-site", true),
        ("http://c", "cross-site", false),
    ] {
        let ask = |line: &str, more: &str| {
            running.exchange(&format!(
                "{line} HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nSec-Fetch-Site: {site}\r\n{more}\r\n"
            ))
        };
        for line in ["POST /echo", "PUT /echo", "DELETE /echo"] {
            assert_eq!(ask(line, length).status, if may { 200 } else { 403 });
        }
        for path in ["/ws/echo", "/ws/chat"] {
            let answer = ask(&format!("GET {path}"), upgrade);
            assert_eq!(answer.status, if may { 101 } else { 403 });
        }
        assert_eq!(ask("GET /plaintext", "").status, 200);
    }
}

#[test]
fn a_page_of_another_origin_sees_answers_and_errors() {
    let running = start();
    let ask = |line: &str, more: &str| -> Answer {
        running.exchange(&format!(
            "{line} HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n{more}\r\n"
        ))
    };
    let preflight = "Access-Control-Request-Method: POST\r\n\
                     Access-Control-Request-Headers: content-type,x-grpc-web\r\n";
    for path in ["/api/broadcast", "/user_service.UserService/GetUser"] {
        let answer = ask(&format!("OPTIONS {path}"), preflight);
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-methods"), "POST");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "content-type,x-grpc-web"
        );
        let refused = ask(&format!("PUT {path}"), "");
        assert_eq!(
            (
                refused.status,
                refused.header("access-control-allow-origin")
            ),
            (403, "*".into())
        );
        assert_eq!(
            refused.header("access-control-expose-headers"),
            "grpc-status, grpc-message"
        );
    }
}
