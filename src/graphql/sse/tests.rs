use alloc::format;

use super::*;
use crate::http::Field;

fn request(id: &str) -> Request<'static> {
    Request {
        extensions: Some(format!(r#"{{"operationId":{id}}}"#).into()),
        ..Request::new("{a}")
    }
}

#[test]
fn a_token_stands_in_a_header_or_in_the_url() {
    let header = [Field::new(TOKEN_HEADER, "abc")];
    assert_eq!(
        token(Some("token=d"), Fields::new(&header)).as_deref(),
        Some("abc")
    );
    assert_eq!(
        token(Some("a=b&token=d%20e"), Fields::new(&[])).as_deref(),
        Some("d e")
    );
    assert_eq!(token(Some("token="), Fields::new(&[])), None);
    assert_eq!(token(None, Fields::new(&[])), None);
}

#[test]
fn operations_of_a_stream_have_ids_of_their_own() {
    let limits = &Limits::DEFAULT.with_operations(2).with_id(3);
    let mut stream = Reservation::new();
    assert_eq!(stream.begin(&request("\"1\""), limits).as_deref(), Ok("1"));
    let again = stream.begin(&request("\"1\""), limits);
    assert_eq!(again, Err(RequestError::OperationExists));
    for id in ["7", "null", "\"\"", "\"long\""] {
        let refused = stream.begin(&request(id), limits);
        assert_eq!(refused, Err(RequestError::OperationId), "{id}");
    }
    assert_eq!(
        stream.begin(&Request::new("{a}"), limits),
        Err(RequestError::OperationId)
    );
    stream.begin(&request("\"2\""), limits).unwrap();
    let full = stream.begin(&request("\"3\""), limits);
    assert_eq!(full, Err(RequestError::TooManyOperations));
    assert_eq!((stream.operations(), stream.held()), (2, 2));
}

#[test]
fn nothing_comes_of_an_operation_that_is_over() {
    let mut stream = Reservation::new();
    let mut data = String::new();
    stream.begin(&request("\"1\""), &Limits::DEFAULT).unwrap();
    assert!(stream.complete("1", &mut data));
    assert_eq!(data, r#"{"id":"1"}"#);
    data.clear();
    assert!(!stream.complete("1", &mut data) && !stream.next("1", "{}", &mut data));
    assert!(!stream.stop("1"));
    assert_eq!(data, "");
    assert_eq!(stream.held(), 0);
    stream.begin(&request("\"1\""), &Limits::DEFAULT).unwrap();
    assert!(stream.stop("1"));
}

#[test]
fn a_stream_is_open_once() {
    let mut stream = Reservation::new();
    assert!(!stream.is_open());
    assert_eq!(stream.open(), Ok(()));
    assert!(stream.is_open());
    assert_eq!(stream.open().unwrap_err().status().code(), 409);
    let stop = operation_to_stop(Some("operationId=a%2Fb"));
    assert_eq!(stop.as_deref(), Ok("a/b"));
    assert_eq!(operation_to_stop(None), Err(RequestError::OperationId));
    assert_eq!(
        StreamEvent::read("next", "{}"),
        Some(StreamEvent::Next("{}"))
    );
    assert_eq!(
        StreamEvent::read("complete", ""),
        Some(StreamEvent::Complete)
    );
    assert_eq!(StreamEvent::read("other", ""), None);
}
