use super::*;
use proptest::prelude::*;

#[test]
fn a_query_names_its_fault() {
    use InvalidQuery::*;
    for (query, fault) in [
        ("", NoEncoding),
        ("encoding=&message=", NoEncoding),
        ("encoding=json", NoMessage),
        ("encoding=json&message=%f", Escape),
        ("encoding=json&message=%ff", Escape),
        ("encoding=proto&base64=1&message=a", InvalidBase64),
        (
            "encoding=proto&base64=1&message=%2B%2B%2B%2B",
            InvalidBase64,
        ),
        ("connect=v2&encoding=proto&message=", Version),
    ] {
        assert_eq!(Query::parse(query), Err(fault), "{query}");
    }
    let padded = Query::parse("base64=1&encoding=proto&message=AQ%3D%3D&connect=v1").unwrap();
    assert_eq!(padded.message, [1]);
    let odd = Query::parse("base64=2&encoding=proto&message=AQ&compression=foo").unwrap();
    assert_eq!(
        (&odd.message[..], odd.encoding, odd.is_versioned),
        (&b"AQ"[..], None, false)
    );
}

proptest! {
    #[test]
    fn a_query_survives_a_round_trip(message: Vec<u8>, text: String, is_json: bool) {
        let codec = if is_json { "json" } else { "proto" };
        let message = if is_json { text.into_bytes() } else { message };
        let query = Query { codec: codec.into(), message, encoding: Some(Encoding::Identity), is_versioned: true };
        let mut out = String::new();
        query.write(&mut out);
        prop_assert!(out.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert_eq!(Query::parse(&out), Ok(query));
    }
}
