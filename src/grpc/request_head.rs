//! The call that a request asks for: its method, and the fields that are gRPC's own.

use core::time::Duration;

use super::{Encoding, metadata};
use crate::http::Fields;
use crate::wire::ascii;

/// The fields of a request's head that gRPC defines, borrowed from it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'b> {
    /// The service with its package: `user_service.UserService`.
    pub service: &'b str,
    /// The method: `GetUser`.
    pub method: &'b str,
    /// How long the client will wait, counted from the arrival of the head;
    /// zero has passed already.
    pub timeout: Option<Duration>,
    /// The fields of the head, the metadata among them.
    pub fields: Fields<'b>,
}

/// The fields of a request's head that gRPC itself reads.
#[derive(Debug, Default)]
pub(super) struct RequestFields<'b> {
    pub(super) content_type: Option<&'b [u8]>,
    pub(super) encoding: Option<&'b [u8]>,
    pub(super) timeout: Option<&'b [u8]>,
    pub(super) accepts_gzip: bool,
    pub(super) negotiates: bool,
    /// There is binary metadata that is not base64.
    pub(super) is_unreadable: bool,
}

impl<'b> RequestFields<'b> {
    /// Looks at every field once; the first of a name counts.
    pub(super) fn new(fields: Fields<'b>) -> Self {
        let mut asked = Self::default();
        for field in fields.iter() {
            let value = field.value;
            // Over HTTP/2 names are in lower case.
            let is = |name: &str| field.name == name.as_bytes() || field.is(name);
            match field.name.len() {
                6 if is("accept") => asked.negotiates = true,
                12 if is("content-type") => {
                    asked.content_type.get_or_insert(value);
                }
                12 if is("grpc-timeout") => {
                    asked.timeout.get_or_insert(value);
                }
                13 if is("grpc-encoding") => {
                    asked.encoding.get_or_insert(value);
                }
                20 if is("grpc-accept-encoding") => asked.accepts_gzip |= lists_gzip(value),
                _ => asked.is_unreadable |= !metadata::is_readable(field),
            }
        }
        asked
    }
}

/// Whether gzip is one of a list of encodings: the last, as most clients have
/// it, or another.
fn lists_gzip(list: &[u8]) -> bool {
    let gzip = Encoding::Gzip.name().as_bytes();
    if let Some(before) = list.strip_suffix(gzip)
        && matches!(before, [] | [.., b','] | [.., b',', b' '])
    {
        return true;
    }
    let mut names = list.split(|&b| b == b',').map(ascii::trim_ows);
    names.any(|name| name.eq_ignore_ascii_case(gzip))
}
