use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::envelope::{Answer, Ask, Head, Published, Received};

const LIMITS: EnvelopeLimits = EnvelopeLimits::DEFAULT;

fn parse(text: &str) -> Result<Request<'_>, Fault> {
    Request::parse(text.as_bytes(), &LIMITS)
}

fn text(payload: &str) -> String {
    format!(r#"{{"message_id":"7","message_type":"text","payload":{payload}}}"#)
}

fn code(message: &str) -> (ErrorCode, Option<String>) {
    let fault = parse(message).unwrap_err();
    (fault.code, fault.in_reply_to)
}

const HEAD: Head = Head {
    message_id: uuid::Uuid::from_u128(9),
    unix_millis: 1_764_470_000_007,
    sender_id: Some(uuid::Uuid::from_u128(5)),
};

#[test]
fn a_channel_stands_in_the_payload_or_in_its_data() {
    for payload in [
        r#"{"type":"subscribe","channel":"tea"}"#,
        r#"{"type":"subscribe","data":{"channel":"tea"}}"#,
        r#"{"type":"subscribe","channel":null,"data":{"channel":"tea"}}"#,
        r#"{"type":"subscribe","channel":"tea","data":{"channel":"coffee"}}"#,
        r#"{"type":"subscribe","channel":"coffee","channel":"tea","epoch":null}"#,
        r#"{"type":"subscribe","channel":"\u0074ea","data":7}"#,
    ] {
        let message = text(payload);
        let want = Want::Subscribe {
            channel: "tea".into(),
            since: Since::Now,
        };
        assert_eq!(parse(&message).unwrap().want, want, "{payload}");
    }
    let message = text(r#"{"type":"unsubscribe","data":{"channel":"tea"}}"#);
    let want = Want::Unsubscribe {
        channel: "tea".into(),
    };
    assert_eq!(parse(&message).unwrap().want, want);
}

#[test]
fn data_passes_as_it_was_written() {
    for data in [
        "null",
        "0",
        "false",
        "\"\"",
        "1.0",
        "1e400",
        "-0",
        "12345678901234567890123",
        r#""\ud83d\ude00 é""#,
        "[ 1, 2 ]",
        "{}",
        r#"{"channel":"coffee","data":1}"#,
    ] {
        let outer = text(&format!(
            r#"{{"type":"broadcast","channel":"tea","data": {data} }}"#
        ));
        let inner = format!(r#"{{"type":"broadcast","data":{{"data":{data},"channel":"tea"}}}}"#);
        for message in [outer, text(&inner)] {
            let channel = "tea".into();
            let want = Want::Broadcast { channel, data };
            assert_eq!(parse(&message).unwrap().want, want, "{message}");
        }
    }
    let message = text(r#"{"type":"broadcast","channel":"tea"}"#);
    let Want::Broadcast { data, .. } = parse(&message).unwrap().want else {
        panic!()
    };
    assert_eq!(data, "null");
}

#[test]
fn a_subscribe_says_where_it_was_or_that_it_cannot() {
    let since = |rest: &str| {
        let message = text(&format!(r#"{{"type":"subscribe","channel":"tea"{rest}}}"#));
        match parse(&message).unwrap().want {
            Want::Subscribe { since, .. } => match since {
                Since::Now => None,
                Since::Offset { epoch, offset } => Some(Some((epoch.into_owned(), offset))),
                Since::Unreadable => Some(None),
            },
            _ => panic!(),
        }
    };
    assert_eq!(since(""), None);
    assert_eq!(since(r#","epoch":null,"offset":null"#), None);
    let found = Some(Some(("e".to_owned(), 7)));
    assert_eq!(since(r#","epoch":"e","offset":7"#), found);
    assert_eq!(since(r#","data":{"epoch":"e","offset":7}"#), found);
    for unreadable in [
        r#","epoch":"e""#,
        r#","offset":7"#,
        r#","epoch":7,"offset":7"#,
        r#","epoch":"e","offset":"7""#,
        r#","epoch":"e","offset":-1"#,
        r#","epoch":"e","offset":7.5"#,
        r#","epoch":"e","offset":18446744073709551616"#,
    ] {
        assert_eq!(since(unreadable), Some(None), "{unreadable}");
    }
}

#[test]
fn each_type_asks_for_its_own() {
    let of = |message_type: &str, payload: &str| {
        let message = format!(r#"{{"message_type":"{message_type}","payload":{payload}}}"#);
        let request = Request::parse(message.as_bytes(), &LIMITS).unwrap();
        assert_eq!(request.message_id, None);
        format!("{:?}", request.want)
    };
    assert_eq!(of("ping", "null"), "Ping");
    assert_eq!(of("pong", "\"pong\""), "Pong");
    assert_eq!(of("close", "{}"), "Close");
    assert_eq!(of("binary", "\"AP8=\""), "Binary([0, 255])");
    assert_eq!(of("binary", r#""\u0041P8=""#), "Binary([0, 255])");
    let message = text(r#"{"type":"move","data":[1]}"#);
    let want = Want::Other {
        kind: "move".into(),
        data: "[1]",
    };
    assert_eq!(parse(&message).unwrap().want, want);
}

#[test]
fn a_fault_has_its_code_and_names_the_message() {
    use ErrorCode::*;
    for (message, expected) in [
        ("", BadJson),
        ("hello", BadJson),
        (r#"{"message_type":"ping""#, BadJson),
        (r#"{"message_type":"ping"} 7"#, BadJson),
        ("[1", BadJson),
        ("7", BadEnvelope),
        ("null", BadEnvelope),
        ("\"text\"", BadEnvelope),
        ("[]", BadEnvelope),
        ("{}", BadEnvelope),
        (r#"{"message_type":7}"#, BadEnvelope),
        (r#"{"message_type":"ping","message_id":7}"#, BadEnvelope),
        (r#"{"message_type":"hello"}"#, UnknownType),
    ] {
        assert_eq!(code(message), (expected, None), "{message}");
    }
    for (payload, expected) in [
        ("null", UnknownType),
        ("7", UnknownType),
        ("\"subscribe\"", UnknownType),
        ("[]", UnknownType),
        ("{}", UnknownType),
        (r#"{"type":7}"#, UnknownType),
        (r#"{"type":"subscribe"}"#, MissingChannel),
        (r#"{"type":"subscribe","channel":null}"#, MissingChannel),
        (r#"{"type":"broadcast","data":"tea"}"#, MissingChannel),
        (r#"{"type":"unsubscribe","data":{}}"#, MissingChannel),
        (r#"{"type":"subscribe","channel":7}"#, BadChannel),
        (r#"{"type":"subscribe","channel":["tea"]}"#, BadChannel),
        (r#"{"type":"subscribe","channel":"\ud800"}"#, BadChannel),
    ] {
        let expected = (expected, Some("7".to_owned()));
        assert_eq!(code(&text(payload)), expected, "{payload}");
    }
    for payload in ["7", "\"AP8\"", "\"A\"", "\"é\"", "null"] {
        let message =
            format!(r#"{{"message_id":"7","message_type":"binary","payload":{payload}}}"#);
        assert_eq!(code(&message), (BadPayload, Some("7".to_owned())));
    }
    let broken = Request::parse(b"{\"a\":\"\xff\"}", &LIMITS).unwrap_err();
    assert_eq!((broken.code, broken.in_reply_to), (BadJson, None));
}

#[test]
fn what_is_too_large_is_named_all_the_same() {
    let long = text(&format!("\"{}\"", "x".repeat(LIMITS.message)));
    let named = (ErrorCode::TooLarge, Some("7".to_owned()));
    assert_eq!(code(&long), named);
    assert_eq!(
        code(&"x".repeat(LIMITS.message + 1)),
        (ErrorCode::TooLarge, None)
    );
    let deep = |depth| {
        let data = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        text(&format!(r#"{{"type":"x","data":{data}}}"#))
    };
    assert_eq!(code(&deep(LIMITS.nesting - 1)), named);
    assert!(parse(&deep(LIMITS.nesting - 2)).is_ok());
    assert_eq!(
        code(&"[".repeat(LIMITS.message)),
        (ErrorCode::TooLarge, None)
    );
    let brackets = text(&format!(
        r#"{{"type":"x","data":"\"{}"}}"#,
        "[".repeat(1_000)
    ));
    assert!(parse(&brackets).is_ok());
    let long_name = format!(
        r#"{{"message_id":"{}","message_type":"ping"}}"#,
        "x".repeat(129)
    );
    assert_eq!(code(&long_name), (ErrorCode::BadEnvelope, None));
}

/// Any JSON.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("subscribe")),
        Just(Value::from("text")),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            any::<String>(),
            proptest::sample::select(vec![
                "type",
                "channel",
                "data",
                "epoch",
                "offset",
                "payload",
                "message_type",
                "message_id",
            ])
            .prop_map(String::from),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..5)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Request::parse(&bytes, &LIMITS);
        if let Ok(text) = core::str::from_utf8(&bytes) {
            let _ = Received::parse(text).map(|it| (it.answer(), it.bytes()));
        }
    }

    #[test]
    fn a_fault_of_json_never_says_that_it_is_none(value in json()) {
        let text = serde_json::to_string(&value).unwrap();
        if let Err(fault) = parse(&text) {
            prop_assert_ne!(fault.code, ErrorCode::BadJson);
            let name = value.get("message_id").and_then(|it| it.as_str()).map(String::from);
            let is_named = fault.in_reply_to == name;
            prop_assert!(is_named || fault.in_reply_to.is_none());
        }
    }

    #[test]
    fn a_cut_request_is_no_json(value in json(), at in any::<prop::sample::Index>()) {
        let payload = serde_json::json!({"type": "broadcast", "channel": "c", "data": value});
        let whole = text(&payload.to_string());
        prop_assert!(parse(&whole).is_ok());
        let mut at = at.index(whole.len());
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        prop_assert_eq!(parse(&whole[..at]).unwrap_err().code, ErrorCode::BadJson);
    }

    #[test]
    fn what_is_asked_is_what_is_read(channel in any::<String>(), epoch in any::<String>(), offset: u64, value in json()) {
        let data = value.to_string();
        let mut out = String::new();
        let ask = Ask::Subscribe { channel: &channel, since: Some((&epoch, offset)) };
        ask.write(&HEAD, &mut out);
        let since = Since::Offset { epoch: (&*epoch).into(), offset };
        let want = Want::Subscribe { channel: (&*channel).into(), since };
        let read = parse(&out).unwrap();
        prop_assert_eq!(read.message_id.as_deref(), Some(&*HEAD.message_id.to_string()));
        prop_assert_eq!(read.want, want);
        let mut out = String::new();
        Ask::Broadcast { channel: &channel, data: &data }.write(&HEAD, &mut out);
        let want = Want::Broadcast { channel: (&*channel).into(), data: &data };
        prop_assert_eq!(parse(&out).unwrap().want, want);
    }

    #[test]
    fn what_is_answered_is_what_is_read(channel in any::<String>(), name in any::<String>(), offset: u64, value in json()) {
        let id = uuid::Uuid::from_u128(3);
        let place = Some(("e", offset));
        let answer = Answer::Subscribed { channel: &channel, place, recovered: Some(true), connection_id: &id };
        let mut out = String::new();
        answer.write(&HEAD, Some(&name), &mut out);
        let read = Received::parse(&out).unwrap();
        let answer = read.answer().unwrap();
        prop_assert_eq!((&*answer.kind, &*answer.channel), ("subscribed", &*channel));
        prop_assert_eq!(answer.in_reply_to.as_deref(), Some(&*name));
        prop_assert_eq!(answer.place, Some(("e".into(), offset)));
        prop_assert_eq!(answer.recovered, Some(true));

        let json = value.to_string();
        let mut out = String::new();
        Published { channel: &channel, place }.write_json(&HEAD, &json, &mut out);
        let read = Received::parse(&out).unwrap();
        prop_assert_eq!(read.payload, &*json);
        prop_assert_eq!(read.channel.as_deref(), Some(&*channel));
        prop_assert_eq!(&read.place, &Some(("e".into(), offset)));
        prop_assert_eq!(read.timestamp, Some(1_764_470_000.007));
        prop_assert_eq!(read.answer(), None);
        let sender = HEAD.sender_id.unwrap().to_string();
        prop_assert_eq!(read.sender_id.as_deref(), Some(&*sender));
    }

    #[test]
    fn a_text_stays_itself(text in any::<String>()) {
        let mut out = String::new();
        Published { channel: "c", place: None }.write_text(&HEAD, &text, &mut out);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(value["payload"].as_str(), Some(&*text));
    }
}

#[test]
fn a_text_that_is_an_object_or_an_array_is_that() {
    for (text, payload) in [
        ("{\"a\":1}", "{\"a\":1}"),
        ("[1]", "[1]"),
        ("[1", "\"[1\""),
        ("1", "\"1\""),
        ("null", "\"null\""),
    ] {
        let mut out = String::new();
        let of = Published {
            channel: "c",
            place: None,
        };
        of.write_text(&HEAD, text, &mut out);
        assert_eq!(Received::parse(&out).unwrap().payload, payload);
    }
    let mut out = String::new();
    let of = Published {
        channel: "c",
        place: None,
    };
    of.write_binary(&HEAD, &[0, 255], &mut out);
    let read = Received::parse(&out).unwrap();
    assert_eq!(
        (read.payload, read.bytes()),
        ("\"AP8=\"", Some(vec![0, 255]))
    );
}
