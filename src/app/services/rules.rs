//! Settings that all calls of one method share.

use alloc::{boxed::Box, string::String, sync::Arc};
use core::time::Duration;

use super::interceptor::Interceptors;
use super::mapping::Mapping;
use crate::app::exchange::refusal::Refusal;
use crate::grpc::connect::{self, Shape};
use crate::grpc::{Limits, Request};
use crate::http::Fields;

/// The limits and options of all calls of one method.
pub(super) struct Rules {
    pub(super) service: Box<str>,
    pub(super) method: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) limits: Limits,
    pub(crate) interceptors: Arc<Interceptors>,
    pub(super) single: bool,
    pub(super) shape: Shape,
    /// Messages flow both ways at one time.
    pub(super) needs_http2: bool,
    /// The names of the messages' codec; any name is accepted if there is none.
    pub(super) codecs: &'static [&'static str],
    pub(super) mapping: Option<Mapping>,
    pub(super) compress: bool,
    /// Whether calls of Connect have to name the version of the protocol.
    pub(super) versioned: bool,
    pub(super) has_get: bool,
}

/// How messages on the wire become those of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Own,
    /// They are the JSON of those of Protocol Buffers.
    Mapped,
    /// The method does not have this codec.
    Unknown,
}

impl Rules {
    /// Whether `path` is the method's, octet by octet: without escapes.
    #[inline]
    pub(super) fn is_path(&self, path: &str) -> bool {
        *path == *self.path
    }

    /// How messages of this codec are read. Without codecs of its own a method takes any name
    /// for gRPC, and the usual ones for Connect: a form's content type, which any page may
    /// send, is no call.
    #[inline]
    pub(super) fn codec(&self, name: &str, is_connect: bool) -> Codec {
        if name.is_empty() {
            return Codec::Own;
        }
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        if self.codecs.iter().any(is) {
            return Codec::Own;
        }
        let is_json = name.eq_ignore_ascii_case("json");
        let is_proto = self.codecs.is_empty() || self.codecs.contains(&"proto");
        if is_json && is_proto && self.mapping.is_some() {
            return Codec::Mapped;
        }
        let is_usual = is_json || name.eq_ignore_ascii_case("proto");
        match self.codecs.is_empty() && (is_usual || !is_connect) {
            true => Codec::Own,
            false => Codec::Unknown,
        }
    }

    #[inline]
    pub(super) fn request<'r>(
        &'r self,
        timeout: Option<Duration>,
        fields: Fields<'r>,
    ) -> Request<'r> {
        Request {
            service: &self.service,
            method: &self.method,
            timeout,
            fields,
        }
    }

    /// The answer to a request that is no call of the method.
    #[cold]
    pub(super) fn refusal(&self, refusal: connect::Refusal) -> Refusal {
        let plain = Refusal::new(refusal.http_status());
        let (name, value) = match refusal {
            connect::Refusal::ContentType => ("Accept-Post", self.content_types()),
            connect::Refusal::Method if self.has_get => ("Allow", "GET, HEAD, POST".into()),
            connect::Refusal::Method => ("Allow", "POST".into()),
            _ => return plain,
        };
        // Media types and methods are tokens.
        plain.clone().header(name, &value).unwrap_or(plain)
    }

    fn content_types(&self) -> String {
        let prefix = match self.shape {
            Shape::Unary => "application/",
            Shape::Streaming => "application/connect+",
        };
        let mut list = String::from("application/grpc, application/grpc-web");
        let usual = ["proto", "json"]
            .iter()
            .filter(|it| !self.codecs.contains(*it));
        for codec in self.codecs.iter().chain(usual) {
            if self.codec(codec, true) != Codec::Unknown {
                list.extend([", ", prefix, codec]);
            }
        }
        list
    }
}
