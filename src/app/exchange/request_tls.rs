//! The TLS connection of a request; always absent without the feature `tls`.

#[cfg(feature = "tls")]
use alloc::sync::Arc;

use crate::http::RequestHead;
use crate::net::Context;
#[cfg(feature = "tls")]
use crate::tls::Info;

/// The TLS of a connection, if it has any.
#[derive(Debug, Clone, Default)]
pub(in crate::app) struct RequestTls {
    #[cfg(feature = "tls")]
    info: Option<Arc<Info>>,
}

impl RequestTls {
    /// That of the connection at hand.
    #[inline(always)]
    pub(in crate::app) fn of(context: &Context<'_>) -> Self {
        #[cfg(feature = "tls")]
        if let Some(details) = context.transport_details() {
            let info = details.clone().downcast().ok();
            return Self { info };
        }
        let _ = context;
        Self::default()
    }

    /// What it has agreed on.
    #[cfg(feature = "tls")]
    pub(in crate::app) fn info(&self) -> Option<&Info> {
        self.info.as_deref()
    }

    /// Whether the request should have come over another connection: this one's
    /// certificate is not for its authority.
    #[inline(always)]
    pub(in crate::app) fn is_misdirected(&self, head: &RequestHead<'_>) -> bool {
        #[cfg(feature = "tls")]
        if let Some(info) = &self.info {
            let host = head.fields.get("host");
            if head.target.authority().is_none() && host.is_some_and(|it| info.is_named(it)) {
                return false;
            }
            return head.authority().is_some_and(|it| !info.is_for(it));
        }
        let _ = head;
        false
    }
}
