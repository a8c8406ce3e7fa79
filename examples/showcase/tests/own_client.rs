//! The showcase as a client of itself, and what its page tells of the connection.

#[path = "../../../tests/app_support/mod.rs"]
mod app_support;

use app_support::Running;
use barewire::net::Address;
use serde_json::{Value, json};
use showcase::OwnAddress;
use tungstenite::Message;

fn start(tell: bool) -> Running {
    let own = OwnAddress::default();
    let app = showcase::with_own_client(showcase::showcase(&[]), &own);
    let running = Running::start(app);
    if tell && let [Address::Tcp(address)] = running.server().local_addresses() {
        own.tell(*address);
    }
    running
}

fn ask(running: &Running, path: &str) -> Value {
    let answer = running.get(path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn without_an_address_the_server_cannot_call_itself() {
    let running = start(false);
    let answer = running.get("/own/cost");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("no address"), "{}", answer.body);
}

#[test]
fn each_protocol_does_the_task_and_its_bytes_are_counted() {
    let running = start(true);
    let told = ask(&running, "/own/cost");
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 7);
    for row in rows {
        assert_eq!(row["error"], Value::Null, "{row}");
        assert!(row["up"].as_u64() > Some(0) && row["down"].as_u64() > Some(0));
    }
    let bytes = |protocol: &str| {
        let row = rows.iter().find(|it| it["protocol"] == protocol).unwrap();
        [row["up"].as_u64().unwrap(), row["down"].as_u64().unwrap()]
    };
    // Here `compare` was never run.
    assert_eq!(told["report"], Value::Null);
    assert_eq!(running.get("/compare").status, 404);
    // A head of 2 bytes, from a client 4 more of a mask, and what is said.
    let user = r#"{"id":"1","name":"Ada Lovelace","email":"ada.lovelace@example.com"}"#;
    assert_eq!(bytes("WebSocket"), [6 + 10, 2 + user.len() as u64]);
    assert!(bytes("HTTP/2")[0] < bytes("HTTP/1.1")[0]);
}

#[test]
fn a_user_is_given_as_json_over_http_and_over_a_websocket() {
    let running = start(false);
    let ada = json!({"id": "1", "name": "Ada Lovelace", "email": "ada.lovelace@example.com"});
    assert_eq!(ask(&running, "/users/1"), ada);
    assert_eq!(running.get("/users/nobody").status, 404);
    let (mut socket, _) = tungstenite::client("ws://a/ws/users", running.connect()).unwrap();
    for (question, answer) in [
        (r#"{"id": "1"}"#, ada),
        (r#"{"id": 1}"#, json!({"error": "there is no such user"})),
        ("nonsense", json!({"error": "there is no such user"})),
    ] {
        socket.send(Message::text(question)).unwrap();
        let got = socket.read().unwrap();
        let got: Value = serde_json::from_str(got.to_text().unwrap()).unwrap();
        assert_eq!(got, answer);
    }
}

#[test]
fn native_calls_and_codings_are_told() {
    let running = start(true);
    assert_eq!(ask(&running, "/own/grpc")["messages"][0], "Ada Lovelace");
    let http2 = ask(&running, "/own/http2");
    assert_eq!(http2["connections"], 1);
    assert_eq!(http2["exchanges"][2]["version"], "HTTP/2");
    let codings = ask(&running, "/own/codings");
    let names: Vec<&Value> = codings
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["coding"])
        .collect();
    assert_eq!(names, ["identity", "gzip", "br", "zstd"]);
}

#[test]
fn the_page_links_to_sources_that_are_there() {
    let running = start(false);
    let page = running.get("/").body;
    let links: Vec<&str> = page
        .split("href=\"/source/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(links.len() >= 13, "{links:?}");
    for link in links {
        let answer = running.get(&format!("/source/{link}"));
        assert_eq!(answer.status, 200, "{link}");
        assert!(answer.body.starts_with("//! "), "{link}");
    }
    assert_eq!(running.get("/source/main.rs").status, 404);
}

#[test]
fn the_connection_is_told() {
    let told = ask(&start(false), "/connection");
    assert_eq!(told, json!({"http": "HTTP/1.1", "tls": null}));
}
