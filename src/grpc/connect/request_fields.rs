//! The fields of a request's head that Connect reads.

use super::Shape;
use crate::grpc::metadata;
use crate::http::Fields;
use crate::wire::ascii;

/// The fields of a request's head that Connect itself reads.
#[derive(Default)]
pub(super) struct RequestFields<'b> {
    pub(super) content_type: Option<&'b [u8]>,
    pub(super) encoding: Option<&'b [u8]>,
    /// The encodings that the client reads; none if it does not say.
    pub(super) accepts_gzip: Option<bool>,
    pub(super) timeout: Option<&'b [u8]>,
    pub(super) version: Option<&'b [u8]>,
    pub(super) is_unreadable: bool,
}

impl<'b> RequestFields<'b> {
    pub(super) fn new(fields: Fields<'b>, shape: Shape) -> Self {
        let mut asked = Self::default();
        let (encoding, accept) = match shape {
            Shape::Unary => ("content-encoding", "accept-encoding"),
            Shape::Streaming => ("connect-content-encoding", "connect-accept-encoding"),
        };
        for field in fields.iter() {
            let value = field.value;
            // Over HTTP/2 names are in lower case.
            let is = |name: &str| field.name == name.as_bytes() || field.is(name);
            match field.name.len() {
                12 if is("content-type") => {
                    asked.content_type.get_or_insert(value);
                }
                15 | 23 if is(accept) => {
                    *asked.accepts_gzip.get_or_insert(false) |= lists_gzip(value);
                }
                18 if is("connect-timeout-ms") => {
                    asked.timeout.get_or_insert(value);
                }
                24 if is("connect-protocol-version") => {
                    asked.version.get_or_insert(value);
                }
                16 | 24 if is(encoding) => {
                    asked.encoding.get_or_insert(value);
                }
                _ => asked.is_unreadable |= !metadata::is_readable(field),
            }
        }
        asked
    }
}

fn lists_gzip(list: &[u8]) -> bool {
    let mut members = list.split(|&b| b == b',').map(ascii::trim_ows);
    members.any(|member| {
        let end = member.iter().position(|&b| b == b';');
        let (name, weight) = member.split_at(end.unwrap_or(member.len()));
        let is_zero = weight
            .iter()
            .all(|b| matches!(b, b';' | b' ' | b'q' | b'=' | b'0' | b'.'));
        ascii::trim_ows(name).eq_ignore_ascii_case(b"gzip") && (weight.is_empty() || !is_zero)
    })
}
