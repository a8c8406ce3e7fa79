use super::*;
use crate::http::{Method, Status};
use crate::net::Peer;
use crate::wire::Instant;
use alloc::sync::Arc;

#[test]
fn a_line_says_who_asked_what_and_what_came_of_it() {
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = seen.clone();
    let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
    let ended = |log: &AccessLog, record: &Record, unsent| {
        let end = record.reply_end(unsent, Instant::from_nanos(85_000), 784_111_777);
        log.ended(record, &end);
        core::mem::take(&mut *seen.lock().unwrap())
    };
    let mut record = Record::default();
    let peer = Peer::V4([127, 0, 0, 1].into(), 5);
    record.begin(Method::GET, Instant::from_nanos(1_000));
    record.remember("/a%20b", Some("key=7"), Some(peer));
    record.reply(Status::OK, 10);
    record.wrote(3);
    let expected = "Sun, 06 Nov 1994 08:49:37 GMT 127.0.0.1:5 \"GET /a%20b\" 200 13 0.084ms\n";
    assert_eq!(ended(&log, &record, 0), expected);
    // What did not leave is not counted.
    assert!(ended(&log, &record, 5).contains(" 200 8 "));
    assert!(ended(&log, &record, 99).contains(" 200 0 "));

    let log = log.query();
    let line = ended(&log, &record, 0);
    assert!(line.contains("\"GET /a%20b?key=7\" 200"), "{line}");

    // What has no content has no bytes.
    for (method, status) in [
        (Method::HEAD, Status::OK),
        (Method::GET, Status::NOT_MODIFIED),
        (Method::GET, Status::NO_CONTENT),
    ] {
        record.begin(method, Instant::from_nanos(85_000));
        record.reply(status, 13);
        let line = ended(&log, &record, 0);
        let expected = alloc::format!(" {} 0 0.000ms\n", status.code());
        assert!(line.ends_with(&expected), "{line}");
    }

    record.begin(Method::Extension(""), Instant::from_nanos(85_000));
    record.remember("", None, None);
    record.reply(Status::BAD_REQUEST, 0);
    let expected = "Sun, 06 Nov 1994 08:49:37 GMT - \"-\" 400 0 0.000ms\n";
    assert_eq!(ended(&log, &record, 0), expected);
}

/// What each form makes of a request.
fn lines(fields: &[crate::http::Field<'_>], path: &str, query: bool) -> [String; 4] {
    use crate::http::{Fields, Version};
    let mut record = Record::default();
    record.begin(Method::GET, Instant::from_nanos(0));
    let peer = Peer::V6("2001:db8::1".parse().unwrap(), 5, 0);
    record.remember(path, Some("key=7"), Some(peer));
    record.version = Some(Version::Http2);
    record.reply(Status::OK, 13);
    let agent = Agent::of(&Fields::new(fields), query);
    let mut extensions = crate::app::Extensions::new();
    extensions.insert(agent);
    record.extensions = Some(Arc::new(extensions));
    let end = record.reply_end(0, Instant::from_nanos(84_000), 784_111_777);
    let end = end.of_route(Some("/{a}"));
    [Form::Own, Form::Common, Form::Combined, Form::Json].map(|form| {
        let mut line = String::new();
        put(form, &record, &end, query, &mut line);
        line
    })
}

#[test]
fn every_form_is_that_of_its_readers() {
    use crate::http::Field;
    let fields = [
        Field::new("Authorization", "Basic c2VjcmV0"),
        Field::new("Cookie", "c2VjcmV0"),
        Field::new("Referer", "https://a.example/b?token=c2VjcmV0"),
        Field::new("User-Agent", "curl/8.5.0"),
    ];
    let [own, common, combined, json] = lines(&fields, "/a", false);
    assert!(
        own.ends_with("[2001:db8::1]:5 \"GET /a\" 200 13 0.084ms\n"),
        "{own}"
    );
    let start = "2001:db8::1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a HTTP/2.0\" 200 13";
    assert_eq!(common, alloc::format!("{start}\n"));
    let agent = "\"https://a.example/b\" \"curl/8.5.0\"";
    assert_eq!(combined, alloc::format!("{start} {agent}\n"));
    let expected = "{\"time\":\"1994-11-06T08:49:37Z\",\"client\":\"2001:db8::1\",\"method\":\"GET\",\
        \"path\":\"/a\",\"version\":\"HTTP/2.0\",\"route\":\"/{a}\",\"referer\":\"https://a.example/b\",\
        \"user_agent\":\"curl/8.5.0\",\"status\":200,\"bytes\":13,\"ms\":0.084}\n";
    assert_eq!(json, expected);
    for line in lines(&fields, "/a", false) {
        assert!(
            !line.contains("c2VjcmV0") && !line.contains("key"),
            "{line}"
        );
    }
    let [_, common, combined, json] = lines(&fields, "/a", true);
    assert!(common.contains("\"GET /a?key=7 HTTP/2.0\""), "{common}");
    assert!(combined.contains("?token="), "{combined}");
    assert!(json.contains("\"query\":\"key=7\""), "{json}");
}

#[test]
fn no_client_can_forge_or_end_a_line() {
    use crate::http::Field;
    let hostile = &b"\"\\\r\n\x00\x1b[31m\xc3\xa9\xff"[..];
    let fields = [
        Field {
            name: b"Referer",
            value: b"https://user:secret@a.example/",
        },
        Field {
            name: b"User-Agent",
            value: hostile,
        },
    ];
    let [_, common, combined, json] = lines(&fields, "/\"a\\", false);
    assert!(common.contains("\"GET /\\x22a\\x5C HTTP/2.0\""), "{common}");
    let escaped = r#" "-" "\x22\x5C\x0D\x0A\x00\x1B[31m\xC3\xA9\xFF""#;
    assert!(combined.trim_end().ends_with(escaped), "{combined}");
    for line in [&common, &combined, &json] {
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains("secret") && !line.contains('\x1b'), "{line}");
    }
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["user_agent"], "\"\\\r\n\0\u{1b}[31m\u{e9}\u{fffd}");
    let long = "a".repeat(5_000);
    let [_, _, combined, _] = lines(&[Field::new("User-Agent", &long)], "/", false);
    assert!(combined.len() < 700);
}
