//! JSON of services whose messages are Protocol Buffers.

use barewire::app::{App, Call, CallStatus, NotDescribed, Payload, Reflection, Service};
use barewire::grpc::{Code, Status};

use super::scene::{Response, envelope, send, stream};
use crate::app_support::Running;

/// A field of a message: text, octets or a message.
fn part(number: u8, value: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, value.len() as u8][..], value].concat()
}

/// A field of a message that is a number below 128.
fn number(number: u8, value: u8) -> Vec<u8> {
    vec![number << 3, value]
}

fn descriptors() -> Vec<u8> {
    let field = |name: &str, n: u8, label: u8, kind: u8| {
        part(
            2,
            &[
                part(1, name.as_bytes()),
                number(3, n),
                number(4, label),
                number(5, kind),
            ]
            .concat(),
        )
    };
    let message = [
        part(1, b"User"),
        field("user_id", 1, 1, 9),
        field("big", 2, 1, 3),
        field("photo", 3, 1, 12),
        field("scores", 4, 3, 5),
    ]
    .concat();
    let method = |name: &str, more: &[u8]| {
        let types = [part(2, b".test.User"), part(3, b".test.User")].concat();
        part(2, &[&part(1, name.as_bytes())[..], &types, more].concat())
    };
    // idempotency_level, field 34 of the options: NO_SIDE_EFFECTS, IDEMPOTENT.
    let safe = part(4, &[0x90, 0x02, 1]);
    let idempotent = part(4, &[0x90, 0x02, 2]);
    let service = [
        part(1, b"Test"),
        method("Get", &safe),
        method("Put", &idempotent),
        method("Count", &[number(6, 1)].concat()),
    ]
    .concat();
    let file = [
        part(1, b"test.proto"),
        part(2, b"test"),
        part(4, &message),
        part(6, &service),
        part(12, b"proto3"),
    ]
    .concat();
    let length = file.len();
    assert!(length < 1 << 14);
    [&[0x0a, length as u8 | 0x80, (length >> 7) as u8][..], &file].concat()
}

/// The encoded message of a user.
struct User(Vec<u8>);

impl Payload for User {
    const CODECS: &'static [&'static str] = &["proto"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self(bytes.into()))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

fn running() -> Running {
    let reflection = Reflection::new(&descriptors()).unwrap();
    let echo = |User(bytes): User, _: &mut Call<'_>| match &bytes[..] {
        [] => Err(Status::new(Code::NotFound, "nobody").into()),
        bytes => Ok(User(bytes.into())),
    };
    let service = Service::new("test.Test")
        .unary("Get", echo)
        .unary("Put", echo)
        .unary("Bad", |_: User, _| Ok(User(vec![0xff])))
        .server_streaming("Count", |User(bytes): User, _: &mut Call<'_>| {
            Ok((0..2).map(move |_| Ok(User(bytes.clone()))))
        })
        .described_by(&reflection)
        .unwrap();
    Running::start(App::new().grpc(service).grpc(reflection.service()))
}

fn post(running: &Running, method: &str, json: &str) -> Response {
    let fields = "Content-Type: application/json\r\n";
    send(
        running,
        &format!("POST /test.Test/{method}"),
        fields,
        json.as_bytes(),
    )
}

#[test]
fn json_is_that_of_the_mapping() {
    let running = running();
    // Names as in the file or in lower camel case, numbers as text, both kinds of base64.
    let json =
        r#"{"user_id": "user_1", "big": 9007199254740993, "photo": "_w==", "scores": [1, "2"]}"#;
    let answer = post(&running, "Get", json);
    let expected = r#"{"userId":"user_1","big":"9007199254740993","photo":"/w==","scores":[1,2]}"#;
    assert_eq!((answer.status, answer.text()), (200, expected));
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(post(&running, "Get", expected).text(), expected);
    let nobody = post(&running, "Get", "{}");
    assert_eq!(
        (nobody.status, nobody.text()),
        (404, r#"{"code":"not_found","message":"nobody"}"#)
    );
    assert_eq!(
        post(&running, "Get", "").status,
        404,
        "no content is no field"
    );
}

#[test]
fn malformed_json_is_an_invalid_argument() {
    let running = running();
    let deep = "[".repeat(100_000);
    for json in [
        "{",
        "null",
        "[]",
        "{} {}",
        "{\"user_id\": 1}",
        "{\"none\": 1}",
        "{\"scores\": [1.5]}",
        "{\"photo\": \"!\"}",
        "\u{fffd}",
        &deep,
    ] {
        let answer = post(&running, "Get", json);
        assert_eq!(answer.status, 400, "{json:.20}: {}", answer.text());
        assert!(answer.text().starts_with(r#"{"code":"invalid_argument""#));
    }
    let fields = "Content-Type: application/json\r\n";
    assert_eq!(
        send(
            &running,
            "POST /test.Test/Get",
            fields,
            b"{\"user_id\": \"\xff\"}"
        )
        .status,
        400
    );
}

#[test]
fn proto_is_what_it_was() {
    let running = running();
    let fields = "Content-Type: application/proto\r\n";
    let answer = send(&running, "POST /test.Test/Get", fields, b"\x0a\x01a");
    assert_eq!(
        (answer.status, &answer.content[..]),
        (200, &b"\x0a\x01a"[..])
    );
}

#[test]
fn streams_are_mapped_message_by_message() {
    let running = running();
    let fields = "Content-Type: application/connect+json\r\n";
    let content = envelope(0, br#"{"userId": "a"}"#);
    let answer = send(&running, "POST /test.Test/Count", fields, &content);
    let user = (0, r#"{"userId":"a"}"#.to_owned());
    assert_eq!(answer.envelopes(), [user.clone(), user, (2, "{}".into())]);
    let failed = send(
        &running,
        "POST /test.Test/Count",
        fields,
        &envelope(0, b"{"),
    );
    assert!(failed.envelopes()[0].1.contains("invalid_argument"));
    let plain = stream(&running, "Count", "", &envelope(0, b"\x0a\x01a"));
    assert_eq!(plain.envelopes()[0], (0, "\n\u{1}a".into()));
}

#[test]
fn the_descriptor_says_what_get_may_call() {
    let running = running();
    let get = |method: &str| {
        let line =
            format!("GET /test.Test/{method}?encoding=json&message=%7B%22userId%22%3A%22a%22%7D");
        send(&running, &line, "", b"")
    };
    assert_eq!(
        (get("Get").status, get("Get").text()),
        (200, r#"{"userId":"a"}"#)
    );
    for method in ["Put", "Count", "Bad"] {
        assert_eq!(get(method).status, 405, "{method}");
    }
}

#[test]
fn what_is_not_described_speaks_no_json() {
    let running = running();
    assert_eq!(post(&running, "Bad", "{}").status, 415);
    let reflection = Reflection::new(&descriptors()).unwrap();
    let other = Service::new("test.Other").described_by(&reflection);
    assert_eq!(other.unwrap_err(), NotDescribed::Service);
    let file = [
        part(1, b"a.proto"),
        part(3, b"missing.proto"),
        part(6, &part(1, b"A")),
    ]
    .concat();
    let cut = Reflection::new(&part(1, &file)).unwrap();
    assert_eq!(
        Service::new("A").described_by(&cut).unwrap_err(),
        NotDescribed::Incomplete
    );
}

#[test]
fn reflection_itself_speaks_proto_alone() {
    let running = running();
    let path = "POST /grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let answer = send(
        &running,
        path,
        "Content-Type: application/connect+json\r\n",
        b"",
    );
    assert_eq!(answer.status, 415);
}
