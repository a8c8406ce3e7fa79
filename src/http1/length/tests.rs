use super::*;
use crate::http::{Method, Status};

/// The lengths in the fields of `text`, which is `name: value|name: value`.
fn said(text: &str) -> (TransferEncoding, ContentLength) {
    let (mut coding, mut length) = (TransferEncoding::Absent, ContentLength::Absent);
    for (name, value) in text.split('|').filter_map(|line| line.split_once(": ")) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length.add(value.as_bytes()),
            "transfer-encoding" => coding.add(value.as_bytes()),
            other => panic!("{other}"),
        }
    }
    (coding, length)
}

fn request(text: &str, version: Version) -> Result<Framing, ProtocolError> {
    let (coding, length) = said(text);
    of_request(coding, length, version)
}

fn response(text: &str, code: u16, to_head: bool) -> Result<Framing, ProtocolError> {
    let (coding, length) = said(text);
    let method = if to_head { Method::HEAD } else { Method::GET };
    let content = ResponseContent::of(method, Status::new(code).unwrap());
    of_response(coding, length, Version::Http11, content)
}

#[test]
fn requests_are_framed_by_rules_3_to_7() {
    use ProtocolError as V;
    for (text, framing) in [
        ("", Ok(Framing::None)),
        ("Content-Length: 0", Ok(Framing::None)),
        ("content-length: 007", Ok(Framing::Fixed(7))),
        (
            "Content-Length: 18446744073709551615",
            Ok(Framing::Fixed(u64::MAX)),
        ),
        (
            "Content-Length: 18446744073709551616",
            Err(V::ContentLength),
        ),
        ("Content-Length: ", Err(V::ContentLength)),
        ("Content-Length: 5,", Err(V::ContentLength)),
        ("Content-Length: 5, 6", Err(V::ContentLength)),
        ("Content-Length: 5, 5", Err(V::RepeatedContentLength)),
        (
            "Content-Length: 5|Content-Length: 5",
            Err(V::RepeatedContentLength),
        ),
        ("Content-Length: 5|Content-Length: 6", Err(V::ContentLength)),
        ("Transfer-Encoding: ChunKed", Ok(Framing::Chunked)),
        ("Transfer-Encoding: gzip", Err(V::UnknownCoding)),
        ("Transfer-Encoding: gzip, chunked", Err(V::UnknownCoding)),
        ("Transfer-Encoding: x;a=b", Err(V::UnknownCoding)),
        ("Transfer-Encoding: chu nked", Err(V::TransferEncoding)),
        ("Transfer-Encoding: ", Err(V::TransferEncoding)),
        ("Transfer-Encoding: chunked,", Err(V::TransferEncoding)),
        (
            "Transfer-Encoding: chunked, chunked",
            Err(V::TransferEncoding),
        ),
        ("Transfer-Encoding: chunked, gzip", Err(V::TransferEncoding)),
        (
            "Transfer-Encoding: chunked|Transfer-Encoding: x",
            Err(V::TransferEncoding),
        ),
        ("Transfer-Encoding: \"chunked\"", Err(V::TransferEncoding)),
        (
            "Transfer-Encoding: chunked|Content-Length: 5",
            Err(V::LengthAndCoding),
        ),
        (
            "Content-Length: x|Transfer-Encoding: x",
            Err(V::LengthAndCoding),
        ),
    ] {
        assert_eq!(request(text, Version::Http11), framing, "{text}");
    }
    let old = request("Transfer-Encoding: chunked", Version::Http10);
    assert_eq!(old, Err(V::CodingVersion));
}

#[test]
fn responses_are_framed_by_rules_1_to_8() {
    for (text, code, to_head, framing) in [
        ("Content-Length: 5", 200, true, Framing::None),
        ("Transfer-Encoding: chunked", 200, true, Framing::None),
        ("Content-Length: 5", 204, false, Framing::None),
        ("Content-Length: 5", 304, false, Framing::None),
        ("Content-Length: 5", 205, false, Framing::Fixed(5)),
        ("", 205, false, Framing::UntilClose),
        ("Content-Length: 5", 205, true, Framing::None),
        ("Content-Length: 5", 199, false, Framing::None),
        ("Content-Length: 5", 404, false, Framing::Fixed(5)),
        (
            "Content-Length: 5, 5|Content-Length: 5",
            200,
            false,
            Framing::Fixed(5),
        ),
        ("Transfer-Encoding: chunked", 200, false, Framing::Chunked),
        ("", 200, false, Framing::UntilClose),
    ] {
        assert_eq!(response(text, code, to_head), Ok(framing), "{text} {code}");
    }
    for bad in [
        "Content-Length: 5, 6",
        "Content-Length: 5|Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip",
    ] {
        assert!(response(bad, 200, false).is_err(), "{bad}");
    }
}
