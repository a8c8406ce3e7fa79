use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::http::Field;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn post_with(
    fields: &[(&str, &str)],
    body: &str,
    limits: &Limits,
) -> Result<MediaType, RequestError> {
    let fields: Vec<Field<'_>> = fields
        .iter()
        .map(|(name, value)| Field::new(name, value))
        .collect();
    let fields = Fields::new(&fields);
    Received::read(Method::POST, None, fields, body.as_bytes(), limits)?.media_type()
}

fn post(fields: &[(&str, &str)], body: &str) -> Result<MediaType, RequestError> {
    post_with(fields, body, &Limits::DEFAULT)
}

fn accepted(accept: &str, query: &str) -> Result<MediaType, RequestError> {
    let body = format!(r#"{{"query":"{query}"}}"#);
    post(&[JSON[0], ("accept", accept)], &body)
}

#[test]
fn the_form_is_negotiated_by_accept() {
    use MediaType::{EventStream, Json, Response};
    for (accept, expected) in [
        ("application/graphql-response+json", Ok(Response)),
        ("application/json", Ok(Json)),
        ("*/*", Ok(Json)),
        ("application/*", Ok(Json)),
        (
            "application/graphql-response+json, application/json;q=0.9",
            Ok(Response),
        ),
        (
            "application/json;q=0.9, application/graphql-response+json;q=0.8",
            Ok(Json),
        ),
        (
            "application/json, application/graphql-response+json, text/event-stream",
            Ok(Response),
        ),
        ("text/event-stream", Ok(EventStream)),
        ("application/json; charset=utf-8; q=0.1, */*;q=0", Ok(Json)),
        ("APPLICATION/JSON", Ok(Json)),
        ("text/html", Err(RequestError::NotAcceptable)),
        ("application/json;q=0", Err(RequestError::NotAcceptable)),
        ("text/html, */*;q=0.1", Ok(Json)),
    ] {
        assert_eq!(accepted(accept, "{ a }"), expected, "{accept}");
    }
    assert_eq!(post(JSON, r#"{"query":"{ a }"}"#), Ok(Json));
    let subscription = |accept| accepted(accept, "subscription { a }");
    let all = "application/graphql-response+json, application/json, text/event-stream";
    assert_eq!(subscription(all), Ok(EventStream));
    assert_eq!(subscription("*/*"), Err(RequestError::Subscription));
}

#[test]
fn simple_content_types_and_none_are_refused() {
    let body = r#"{"query":"{ a }"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/graphql",
        "application/json; charset=latin1",
        "",
    ] {
        let refused = post(&[("content-type", kind)], body);
        assert_eq!(refused, Err(RequestError::MediaType), "{kind}");
    }
    assert_eq!(post(&[], body), Err(RequestError::MediaType));
    assert_eq!(RequestError::MediaType.status().code(), 415);
    for kind in [
        "application/json; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "Application/JSON ; a=b; charset=utf-8",
    ] {
        assert!(post(&[("content-type", kind)], body).is_ok(), "{kind}");
    }
}

#[test]
fn get_runs_queries_only() {
    let get = |query| {
        let fields = Fields::new(&[]);
        Received::read(Method::GET, Some(query), fields, b"", &Limits::DEFAULT)?.media_type()
    };
    assert_eq!(get("query={a}"), Ok(MediaType::Json));
    for query in [
        "query=mutation{a}",
        "query=%23+query%0A%22%22%22+query+%22%22%22mutation+A{a}",
        "query=query+A{a}mutation+B{b}&operationName=B",
        "query=query+B{a}mutation+B{b}&operationName=B",
    ] {
        let refused = get(query).unwrap_err();
        assert_eq!(refused, RequestError::MutationByGet, "{query}");
        assert_eq!(
            (refused.status().code(), refused.allow()),
            (405, Some("POST"))
        );
    }
    assert_eq!(
        get("query=subscription{a}"),
        Err(RequestError::Subscription)
    );
    let other = Received::read(Method::PUT, None, Fields::new(&[]), b"", &Limits::DEFAULT);
    let refused = other.unwrap_err();
    assert_eq!(
        (refused.status().code(), refused.allow()),
        (405, Some("GET, POST"))
    );
}

#[test]
fn batches_are_off_and_bounded() {
    let batch = |n: usize| format!("[{}]", vec![r#"{"query":"{a}"}"#; n].join(","));
    assert_eq!(post(JSON, &batch(1)), Err(RequestError::NoBatches));
    let limits = &Limits::DEFAULT.with_batch(2);
    let of = |body: &str| post_with(JSON, body, limits);
    assert_eq!(of(&batch(2)), Ok(MediaType::Json));
    assert_eq!(of(&batch(3)), Err(RequestError::BatchLength));
    assert_eq!(of("[]"), Err(RequestError::BatchLength));
    assert_eq!(of("[7]"), Err(RequestError::NotAnObject));
    assert_eq!(of("[{}"), Err(RequestError::NotJson));
    let listens = r#"[{"query":"subscription{a}"},{"query":"mutation{a}"}]"#;
    assert_eq!(of(listens), Err(RequestError::Subscription));
}

const OPERATIONS: &str = r#"{"query":"mutation($f:[Upload!]){a}","variables":{"f":[null,null]}}"#;

fn form(map: &str, files: &[&str]) -> String {
    let part = |head: &str, content: &str| {
        format!("--x\r\ncontent-disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let mut body = part(r#"name="operations""#, OPERATIONS) + &part(r#"name="map""#, map);
    for name in files {
        let head = format!("name=\"{name}\"; filename=\"{name}.txt\"\r\nContent-Type: text/plain");
        body += &part(&head, &format!("file {name}\r\n-"));
    }
    body + "--x--\r\n"
}

const FORM: &[(&str, &str)] = &[
    ("content-type", "multipart/form-data; boundary=x"),
    ("apollo-require-preflight", "true"),
];

#[test]
fn files_stand_where_the_map_says() {
    let limits = &Limits::DEFAULT.with_uploads(2);
    let fields = FORM.iter().map(|(name, value)| Field::new(name, value));
    let fields: Vec<Field<'_>> = fields.collect();
    let body = form(
        r#"{"0":["variables.f.0"],"1":["variables.f.1"]}"#,
        &["0", "1"],
    );
    let received = Received::read(
        Method::POST,
        None,
        Fields::new(&fields),
        body.as_bytes(),
        limits,
    )
    .unwrap();
    let Asked::Uploads {
        uploads,
        is_batch,
        requests,
    } = received.asked
    else {
        panic!()
    };
    assert_eq!((is_batch, requests.len()), (false, 1));
    assert_eq!(uploads[1].content, b"file 1\r\n-");
    assert_eq!(uploads[1].file_name, Some("1.txt"));
    assert_eq!(uploads[1].content_type, Some("text/plain"));
    assert_eq!(uploads[1].paths, ["variables.f.1"]);
}

#[test]
fn forms_that_do_not_fit_are_refused() {
    let limits = &Limits::DEFAULT.with_uploads(2);
    let of = |body: &str| post_with(FORM, body, limits).unwrap_err();
    let one = r#"{"0":["variables.f.0"]}"#;
    assert!(post_with(FORM, &form(one, &["0"]), limits).is_ok());
    assert_eq!(
        post(FORM, &form(one, &["0"])),
        Err(RequestError::MediaType),
        "off"
    );
    let simple = post_with(&FORM[..1], &form(one, &["0"]), limits);
    assert_eq!(simple, Err(RequestError::Preflight));
    assert_eq!(RequestError::Preflight.status().code(), 415);
    for (map, file) in [
        (one, "1"),
        (r#"{"0":["variables.g"]}"#, "0"),
        (r#"{"0":["query"]}"#, "0"),
        (r#"{"0":["variables.f.2"]}"#, "0"),
        (r#"{"0":["variables.f.x"]}"#, "0"),
        (r#"{"0":[]}"#, "0"),
        (r#"{"0":7}"#, "0"),
        ("[]", "0"),
    ] {
        assert_eq!(of(&form(map, &[file])), RequestError::UploadMap, "{map}");
    }
    let places = r#"{"0":["variables.f.0","variables.f.1","variables.f.0"]}"#;
    assert_eq!(of(&form(places, &["0"])), RequestError::TooManyUploads);
    let whole = form(one, &["0"]);
    for cut in 0..whole.len() - "--\r\n".len() {
        post_with(FORM, &whole[..cut], limits).unwrap_err();
    }
}

#[test]
fn the_status_tells_whether_there_is_data() {
    use MediaType::{EventStream, Json, Response};
    for (media_type, has_data, code) in [
        (Response, true, 200),
        (Response, false, 400),
        (Json, true, 200),
        (Json, false, 200),
        (EventStream, true, 200),
        (EventStream, false, 200),
    ] {
        assert_eq!(status(media_type, has_data).code(), code);
        assert!(media_type.content_type().ends_with("; charset=utf-8"));
    }
}

#[test]
fn faults_are_responses_with_a_code() {
    let mut out = String::new();
    RequestError::DocumentNotFound.write_response(&mut out);
    let expected = concat!(
        r#"{"errors":[{"message":"PersistedQueryNotFound","#,
        r#""extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}"#
    );
    assert_eq!(out, expected);
    assert_eq!(
        RequestError::WrongType("query").to_string(),
        "the member `query` is of the wrong type"
    );
}

proptest! {
    #[test]
    fn no_request_is_too_much(kind in ".{0,40}", accept in ".{0,40}", body in ".{0,200}") {
        let limits = &Limits::DEFAULT.with_batch(3).with_uploads(3);
        let fields = [("content-type", &*kind), ("accept", &*accept), FORM[1]];
        let fields: Vec<Field<'_>> = fields
            .iter()
            .map(|(name, value)| Field::new(name, value))
            .collect();
        let fields = Fields::new(&fields);
        if let Ok(it) = Received::read(Method::POST, None, fields, body.as_bytes(), limits) {
            let _ = it.media_type();
        }
        let _ = Received::read(Method::GET, Some(&body), fields, b"", limits);
    }
}
