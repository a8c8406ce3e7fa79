//! Heads against an independent parser: what we accept, httparse accepts with
//! the same names and values; what only httparse accepts falls in the list of
//! our strictnesses.

use barewire::http::{CallContext, OwnedScratch};
use barewire::http1::{Connection, Event, Limits, ProtocolError};
use barewire::wire::{Instant, Received, Role, Step};

type List = Vec<(Vec<u8>, Vec<u8>)>;

/// What a parser makes of a head.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    Head {
        method: String,
        minor: u8,
        fields: List,
        end: usize,
    },
    Partial,
    Refused(Option<ProtocolError>),
}

pub fn ours(input: &[u8]) -> Read {
    let mut connection = Connection::new(Role::Server, Instant::START);
    let mut scratch = OwnedScratch::new(100);
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let mut input = input.to_vec();
    match connection.receive(&mut input, lent, &mut Vec::new()) {
        Ok(Received {
            used,
            step: Step::Event(Event::Request { head, content }),
        }) => Read::Head {
            method: head.method.as_str().into(),
            minor: u8::from(head.version == barewire::http::Version::Http11),
            fields: head
                .fields
                .iter()
                .map(|f| (f.name.to_vec(), f.value.to_vec()))
                .collect(),
            end: used
                - match content {
                    barewire::http::Content::Whole(body) => body.len(),
                    _ => 0,
                },
        },
        Ok(_) => Read::Partial,
        Err(violation) => Read::Refused(Some(violation)),
    }
}

fn theirs(input: &[u8]) -> Read {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(input) {
        Ok(httparse::Status::Complete(end)) => Read::Head {
            method: request.method.unwrap().into(),
            minor: request.version.unwrap(),
            fields: request
                .headers
                .iter()
                .map(|h| (h.name.as_bytes().to_vec(), h.value.to_vec()))
                .collect(),
            end,
        },
        Ok(httparse::Status::Partial) => Read::Partial,
        Err(_) => Read::Refused(None),
    }
}

/// What httparse, which knows syntax only, lets pass and we refuse.
fn is_known_strictness(violation: ProtocolError, input: &[u8]) -> bool {
    use ProtocolError as V;
    match violation {
        // LF alone ends its lines, and before the request line any number of
        // empty ones.
        V::BareLf | V::EmptyLines => input.contains(&b'\n'),
        // It does not judge the target's form, only its bytes.
        V::Target => true,
        // What fields mean is beyond it.
        V::HostMissing | V::HostRepeated | V::HostInvalid => true,
        V::ContentLength | V::RepeatedContentLength | V::LengthAndCoding => true,
        V::TransferEncoding | V::UnknownCoding | V::CodingVersion | V::Expectation => true,
        // Limits that it does not have.
        V::MethodTooLong | V::TargetTooLong | V::HeadTooLarge | V::TooManyFields => true,
        _ => false,
    }
}

/// What we take and httparse does not.
fn is_known_latitude(input: &[u8]) -> bool {
    // A minor version above 1 is spoken to as 1.1 (RFC 9110 §2.5).
    let line = input.split(|&b| b == b'\n').find(|line| line.len() > 1);
    let version = line.and_then(|line| line.strip_suffix(b"\r")?.last_chunk::<8>());
    matches!(
        version,
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'])
    )
}

/// Both parsers agree on a head, but for our known strictnesses.
pub fn check(input: &[u8]) {
    let shown = input.escape_ascii();
    match (ours(input), theirs(input)) {
        (
            Read::Head {
                method,
                minor,
                fields,
                end,
            },
            theirs,
        ) => {
            if theirs == Read::Refused(None) && is_known_latitude(input) {
                return;
            }
            assert_eq!(
                Read::Head {
                    method,
                    minor,
                    fields,
                    end
                },
                theirs,
                "{shown}"
            );
        }
        (Read::Refused(Some(violation)), Read::Head { .. }) => {
            assert!(
                is_known_strictness(violation, input),
                "{violation:?}: {shown}"
            );
        }
        // We refuse a line when it ends and httparse a byte when it comes, so
        // an unfinished head may be refused by either.
        (Read::Refused(_) | Read::Partial, Read::Partial | Read::Refused(_)) => {}
        (Read::Partial, theirs @ Read::Head { .. }) => panic!("{theirs:?}: {shown}"),
        (Read::Refused(None), _) => unreachable!(),
    }
}
