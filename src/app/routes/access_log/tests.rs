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
