use super::*;
use crate::grpc;
use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
use alloc::borrow::ToOwned;
use alloc::vec::Vec;

fn machine(content_type: &str) -> Machine {
    let fields = [Field::new("content-type", content_type)];
    let target = Target::Origin {
        path: "/s/m",
        query: None,
    };
    let call = grpc::Call::open(&RequestHead {
        method: Method::POST,
        target,
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    });
    Machine::Grpc(call.unwrap())
}

/// A content type, a body, and what comes of it.
type Case<'b> = (&'b str, &'b [u8], Result<&'b [u8], Code>);

/// The message of a body that comes in these pieces, or how the call ends.
fn judge(content_type: &str, pieces: &[&[u8]]) -> Result<Vec<u8>, Code> {
    let limits = Limits::DEFAULT.with_message(8);
    let (mut machine, mut inbox) = (machine(content_type), Inbox::default());
    let pushed = pieces
        .iter()
        .try_for_each(|piece| inbox.push(piece, &mut machine, &limits));
    let message = pushed.and_then(|()| inbox.end(&mut machine).map(|it| it.0.to_owned()));
    message.map_err(|status| status.code)
}

#[test]
fn any_split_of_a_body_gives_the_same_message() {
    let (binary, text) = ("application/grpc-web", "application/grpc-web-text");
    let cases: [Case<'_>; 9] = [
        (binary, b"\0\0\0\0\x05hello", Ok(b"hello")),
        (binary, b"\0\0\0\0\0", Ok(b"")),
        (binary, b"", Err(Code::Unimplemented)),
        (
            binary,
            b"\0\0\0\0\x01a\0\0\0\0\x01b",
            Err(Code::Unimplemented),
        ),
        (binary, b"\0\0\0\0\x09", Err(Code::ResourceExhausted)),
        (binary, b"\0\0\0\0\x05hell", Err(Code::Internal)),
        (text, b"AAAAAAVoZWxsbw==", Ok(b"hello")),
        (text, b"AAAAAAU=aGVsbG8=", Ok(b"hello")),
        (text, b"AAAAAAVoZWxsbw==AAAAAAA=", Err(Code::Unimplemented)),
    ];
    for (content_type, body, expected) in cases {
        let expected = expected.map(<[u8]>::to_owned);
        assert_eq!(judge(content_type, &[body]), expected, "{body:?}");
        for a in 0..=body.len() {
            for b in a..=body.len() {
                let pieces = [&body[..a], &body[a..b], &body[b..]];
                assert_eq!(judge(content_type, &pieces), expected, "{pieces:?}");
            }
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(judge(content_type, &bytes), expected, "{body:?}");
    }
}
