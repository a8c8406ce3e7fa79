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

/// The fields of a request's head that gRPC and Connect themselves read: one look at the
/// head finds both, as its content type may come last.
#[derive(Debug, Default)]
pub(crate) struct RequestFields<'b> {
    pub(super) content_type: Option<&'b [u8]>,
    pub(super) encoding: Option<&'b [u8]>,
    pub(super) timeout: Option<&'b [u8]>,
    pub(super) accepts_gzip: bool,
    pub(super) negotiates: bool,
    /// There is binary metadata that is not base64.
    pub(super) is_unreadable: bool,
    pub(super) connect_timeout: Option<&'b [u8]>,
    pub(super) connect_version: Option<&'b [u8]>,
    /// Of unary calls of Connect.
    pub(super) content: CodingFields<'b>,
    /// Of streams of Connect.
    pub(super) envelopes: CodingFields<'b>,
}

/// The encoding of a request of Connect, and whether its client reads gzip, if it says so.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct CodingFields<'b> {
    pub(super) encoding: Option<&'b [u8]>,
    pub(super) accepts_gzip: Option<bool>,
}

impl<'b> RequestFields<'b> {
    /// Looks at every field once; of several of one name the first counts.
    #[inline]
    pub(crate) fn new(fields: Fields<'b>) -> Self {
        let mut asked = Self::default();
        for field in fields.iter() {
            let value = field.value;
            // Over HTTP/2 names are in lower case.
            let is = |name: &str| field.name == name.as_bytes() || field.is(name);
            let place = match field.name.len() {
                12 if is("content-type") => &mut asked.content_type,
                12 if is("grpc-timeout") => &mut asked.timeout,
                13 if is("grpc-encoding") => &mut asked.encoding,
                16 if is("content-encoding") => &mut asked.content.encoding,
                18 if is("connect-timeout-ms") => &mut asked.connect_timeout,
                24 if is("connect-protocol-version") => &mut asked.connect_version,
                24 if is("connect-content-encoding") => &mut asked.envelopes.encoding,
                6 if is("accept") => {
                    asked.negotiates = true;
                    continue;
                }
                20 if is("grpc-accept-encoding") => {
                    asked.accepts_gzip |= lists_gzip(value);
                    continue;
                }
                15 if is("accept-encoding") => {
                    asked.content.accept(value);
                    continue;
                }
                23 if is("connect-accept-encoding") => {
                    asked.envelopes.accept(value);
                    continue;
                }
                _ => {
                    asked.is_unreadable |= !metadata::is_readable(field);
                    continue;
                }
            };
            place.get_or_insert(value);
        }
        asked
    }
}

impl CodingFields<'_> {
    fn accept(&mut self, list: &[u8]) {
        *self.accepts_gzip.get_or_insert(false) |= lists_gzip(list);
    }
}

/// Whether gzip is one of a list of encodings, and not refused by its weight: the last, as
/// most clients have it, or another.
fn lists_gzip(list: &[u8]) -> bool {
    let gzip = Encoding::Gzip.name().as_bytes();
    if let Some(before) = list.strip_suffix(gzip)
        && matches!(before, [] | [.., b','] | [.., b',', b' '])
    {
        return true;
    }
    let mut members = list.split(|&b| b == b',').map(ascii::trim_ows);
    members.any(|member| {
        let end = member.iter().position(|&b| b == b';');
        let (name, weight) = member.split_at(end.unwrap_or(member.len()));
        let is_zero = weight
            .iter()
            .all(|b| matches!(b, b';' | b' ' | b'q' | b'=' | b'0' | b'.'));
        ascii::trim_ows(name).eq_ignore_ascii_case(gzip) && (weight.is_empty() || !is_zero)
    })
}
