//! What all calls of one method share.

use alloc::{boxed::Box, sync::Arc};
use core::time::Duration;

use super::interceptor::Interceptors;
use crate::grpc::{Limits, Request};
use crate::http::Fields;

/// What all calls of one method are judged by.
pub(in crate::app) struct Rules {
    /// The service's name, with its package.
    pub(in crate::app) service: Box<str>,
    /// The method's name.
    pub(in crate::app) method: Box<str>,
    /// The limits on messages.
    pub(in crate::app) limits: Limits,
    /// What calls pass before the method and behind it.
    pub(in crate::app) interceptors: Arc<Interceptors>,
    /// Whether the response is one message.
    pub(in crate::app) single: bool,
    /// Whether messages are compressed where the client reads that.
    pub(in crate::app) compress: bool,
}

impl Rules {
    /// What a call of the method asks for.
    #[inline]
    pub(in crate::app) fn request<'r>(
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
