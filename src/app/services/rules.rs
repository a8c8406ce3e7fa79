//! Settings that all calls of one method share.

use alloc::{boxed::Box, sync::Arc};
use core::time::Duration;

use super::interceptor::Interceptors;
use crate::grpc::{ContentType, Limits, Request};
use crate::http::Fields;

/// The limits and options of all calls of one method.
pub(in crate::app) struct Rules {
    /// The service's name, with its package.
    pub(super) service: Box<str>,
    /// The method's name.
    pub(super) method: Box<str>,
    /// Both as a path.
    pub(in crate::app) path: Box<str>,
    /// The limits on messages.
    pub(in crate::app) limits: Limits,
    /// What calls pass before the method and behind it.
    pub(in crate::app) interceptors: Arc<Interceptors>,
    /// Whether the response is one message.
    pub(super) single: bool,
    /// What the codec of the messages is called; any name will do where there
    /// is none.
    pub(super) codecs: &'static [&'static str],
    /// Whether messages are compressed where the client reads that.
    pub(super) compress: bool,
}

impl Rules {
    /// Whether `path` is the method's, octet by octet: without escapes.
    #[inline]
    pub(super) fn is_path(&self, path: &str) -> bool {
        *path == *self.path
    }

    /// Whether the messages are of the codec that a content type names.
    #[inline]
    pub(in crate::app) fn speaks(&self, content_type: &ContentType) -> bool {
        if self.codecs.is_empty() {
            return true;
        }
        let codec = content_type.codec();
        let is = |known: &&str| known.eq_ignore_ascii_case(codec);
        codec.is_empty() || self.codecs.iter().any(is)
    }

    /// What a call of the method asks for.
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
}
