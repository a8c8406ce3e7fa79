//! Content codings of requests (RFC 9110 §8.4).

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::coded_request::CodedRequest;
use crate::app::exchange::reply::Reply;
use crate::coding::decode::{ACCEPTED, DecodeLimits};
use crate::net::Error;
use crate::wire::setters;

/// Decompresses the bodies of requests, before their routes see them: complete ones, and
/// those that come in pieces. Without it a route gets them as they came, with their
/// Content-Encoding.
///
/// ```
/// use barewire::app::{App, Decompression, DecompressionLimits};
///
/// let limits = DecompressionLimits::DEFAULT.with_decoded(4 << 20);
/// App::new()
///     .with(Decompression::new().limits(limits))
///     .post("/items", |request, reply| reply.text(request.body().len().to_string()));
/// ```
///
/// Of the codings those are taken whose features are there: `gzip` (with `deflate`),
/// `brotli`, `zstd`. A request with another one is refused with 415, and Accept-Encoding says
/// which would do (RFC 9110 §12.5.3). A body that is longer than
/// [`DecompressionLimits::decoded`], or than its route collects, is refused with 413 as soon
/// as it is, and one that is damaged, cut or followed by something else with 400. The route
/// sees no Content-Encoding.
#[derive(Debug, Clone, Default)]
pub struct Decompression {
    limits: DecompressionLimits,
}

impl Decompression {
    /// With the default limits.
    pub const fn new() -> Self {
        Self {
            limits: DecompressionLimits::DEFAULT,
        }
    }

    /// With these limits.
    #[must_use]
    pub const fn limits(mut self, limits: DecompressionLimits) -> Self {
        self.limits = limits;
        self
    }
}

impl Middleware for Decompression {
    fn ready(&self) -> Result<(), Error> {
        match ACCEPTED {
            Some(_) => Ok(()),
            None => Err(Error::Config(
                "Decompression has no coding: the features gzip, brotli and zstd bring them",
            )),
        }
    }

    fn before(&self, request: &mut Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        let limits = DecodeLimits {
            codings: self.limits.codings,
            decoded: self.limits.decoded,
            window: self.limits.window,
            empty: self.limits.empty_members,
        };
        match CodedRequest::of(request.headers(), limits) {
            Ok(None) => Next::Continue,
            Ok(Some(coded)) => {
                request.remove_header("content-encoding");
                if let Some(record) = reply.at().record.as_deref_mut() {
                    record.coded = Some(coded);
                }
                Next::Continue
            }
            Err(refusal) => {
                let accepted = ACCEPTED.unwrap_or("identity");
                // Constant text.
                let with = refusal.clone().header("Accept-Encoding", accepted);
                with.unwrap_or(refusal).into()
            }
        }
    }
}

/// Limits on a compressed request. Beyond any of these it is refused with 413.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecompressionLimits {
    /// Bytes of a body after each of its codings, beside what its route collects. Stops
    /// decompression bombs. Default 1 MiB.
    pub decoded: u64,
    /// Content codings that lie on each other, of which each multiplies. Stops nested
    /// bombs. Default 1.
    pub codings: u8,
    /// How far back a coding may refer to what it has brought, which is kept so long.
    /// Stops bodies that take memory by announcing it. Default 1 MiB.
    pub window: u32,
    /// Members of gzip, and frames of zstd, without content that follow each other. Stops
    /// bodies of nothing, which cost time. Default 64.
    pub empty_members: u16,
}

impl DecompressionLimits {
    /// Safe for a public server.
    pub const DEFAULT: Self = Self {
        decoded: 1 << 20,
        codings: 1,
        window: 1 << 20,
        empty_members: 64,
    };

    setters! {
        with_decoded decoded: u64,
        with_codings codings: u8,
        with_window window: u32,
        with_empty_members empty_members: u16,
    }
}

impl Default for DecompressionLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
