//! The events of a call.

use crate::client::connecting::Url;
use crate::http::{Fields, ResponseHead, Status};
use crate::wire::Instant;

/// An event of an [`HttpCall`](super::HttpCall), or a wish of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum HttpEvent<'c> {
    /// The output is to be written, and more bytes are needed, or the deadline passes.
    Wait,
    /// A connection to the host and port of this URL is wanted. The one before is given up.
    Connect {
        /// Where to.
        url: &'c Url,
        /// It has to be one that has carried no request: those that were at rest may all be
        /// dead.
        fresh: bool,
        /// Not before this time, which has passed unless an attempt is to wait.
        at: Instant,
    },
    /// An interim response (1xx), which the request has asked to be told of by
    /// [`on_informational`](crate::client::RequestBuilder::on_informational).
    Informational(Status, Fields<'c>),
    /// The head of the response. Fields that describe a coding which is taken off are left
    /// out.
    Response(ResponseHead<'c>),
    /// The next piece of the body, decoded.
    Body(&'c [u8]),
    /// The end of the body, and the trailers.
    End(Fields<'c>),
}
