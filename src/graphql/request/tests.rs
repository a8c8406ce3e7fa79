use alloc::format;
use alloc::string::String;

use proptest::prelude::*;

use super::*;

const LIMITS: &Limits = &Limits::DEFAULT;

fn fault(body: &str) -> RequestError {
    Request::parse(body.as_bytes(), LIMITS).unwrap_err()
}

#[test]
fn parameters_of_the_wrong_type_are_named() {
    for value in [r#"{"a":1}"#, "0", "false", r#"["array"]"#] {
        let body = format!(r#"{{"query":{value}}}"#);
        assert_eq!(fault(&body), RequestError::WrongType("query"));
        let body = format!(r#"{{"query":"{{a}}","operationName":{value}}}"#);
        assert_eq!(fault(&body), RequestError::WrongType("operationName"));
    }
    for value in [r#""string""#, "0", "false", r#"["array"]"#] {
        for name in ["variables", "extensions"] {
            let body = format!(r#"{{"query":"{{a}}","{name}":{value}}}"#);
            assert_eq!(fault(&body), RequestError::WrongType(name));
        }
    }
    let nulls = br#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
    assert_eq!(Request::parse(nulls, LIMITS), Ok(Request::new("{a}")));
}

#[test]
fn what_is_no_request_is_told_apart() {
    assert_eq!(fault(""), RequestError::NoBody);
    assert_eq!(fault(r#"{ "not a JSON"#), RequestError::NotJson);
    assert_eq!(fault("NONSENSE"), RequestError::NotJson);
    assert_eq!(fault("7"), RequestError::NotAnObject);
    assert_eq!(fault(r#"{"qeury":"{a}"}"#), RequestError::NoDocument);
    assert_eq!(fault(r#"{"query":""}"#), RequestError::NoDocument);
    let latin = Request::parse(b"{\"query\":\"\xe9\"}", LIMITS);
    assert_eq!(latin, Err(RequestError::NotJson));
    let additional = br#"{"query":"{a}","other":{"b":[]}}"#;
    assert_eq!(Request::parse(additional, LIMITS), Ok(Request::new("{a}")));
}

#[test]
fn message_document_and_nesting_stop_what_chokes_parsers() {
    let body = format!(r#"{{"query":"{}"}}"#, "a".repeat(LIMITS.document + 1));
    assert_eq!(fault(&body), RequestError::DocumentTooLong);
    let limits = &LIMITS.with_message(20);
    let long = Request::parse(br#"{"query":"{abcdefghij}"}"#, limits);
    assert_eq!(long, Err(RequestError::TooLong));
    assert_eq!(
        Request::parse_query("query=%7Babcdefghij%7D", limits),
        Err(RequestError::TooLong)
    );
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let body = format!(r#"{{"query":"{{a}}","variables":{{"a":{open}{close}}}}}"#);
    assert_eq!(fault(&body), RequestError::TooDeep);
    let query = format!("query=a&variables={{\"a\":{open}");
    assert_eq!(
        Request::parse_query(&query, LIMITS),
        Err(RequestError::TooDeep)
    );
}

#[test]
fn a_url_has_parameters_as_forms_write_them() {
    let query = "query=query+A(%24a%3AInt)%7Ba%7D&operationName=null&variables=%7B%22a%22:1%7D";
    let request = Request::parse_query(query, LIMITS).unwrap();
    assert_eq!(request.query, "query A($a:Int){a}");
    assert_eq!(request.operation_name.as_deref(), Some("null"));
    assert_eq!(request.variables.as_deref(), Some(r#"{"a":1}"#));
    let of = |query| Request::parse_query(query, LIMITS).unwrap_err();
    assert_eq!(of(""), RequestError::NoDocument);
    assert_eq!(of("query="), RequestError::NoDocument);
    assert_eq!(of("query=%zz"), RequestError::Malformed);
    assert_eq!(
        of("query=a&variables=7"),
        RequestError::WrongType("variables")
    );
    assert_eq!(of("query=a&variables={"), RequestError::NotJson);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        query in ".{1,40}",
        operation_name in prop::option::of(".{0,20}"),
        text in ".{0,20}",
        document_id in prop::option::of(".{0,20}"),
    ) {
        let mut json = String::from(r#"{"a":"#);
        put_string(&text, &mut json);
        json.push('}');
        let request = Request {
            query: query.into(),
            operation_name: operation_name.map(Cow::Owned),
            variables: Some(json.clone().into()),
            extensions: Some(json.into()),
            document_id: document_id.map(Cow::Owned),
        };
        let mut out = String::new();
        request.write(&mut out);
        prop_assert_eq!(Request::parse(out.as_bytes(), LIMITS), Ok(request));
    }
}
