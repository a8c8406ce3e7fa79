//! Whether a client's connections go over TLS, and how.

use alloc::string::ToString;

use super::Target;
#[cfg(feature = "tls")]
use super::target::host_of;
use crate::net::{Error, TransportMaker};
#[cfg(feature = "tls")]
use crate::tls;

/// How a client speaks TLS, where it does; by default as the system's roots have it.
#[derive(Debug, Clone, Default)]
pub(in crate::client) struct Security {
    #[cfg(feature = "tls")]
    tls: Option<tls::Client>,
}

impl Security {
    pub(in crate::client) const fn new() -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(in crate::client) fn with(tls: tls::Client) -> Self {
        Self { tls: Some(tls) }
    }

    /// What connections to a target go over, which requests call `authority`: nothing
    /// where its scheme is `http`, or no TLS was given and its scheme does not ask for it.
    ///
    /// # Errors
    /// [`Error::Target`] if that contradicts what was given.
    #[cfg(feature = "tls")]
    pub(in crate::client) fn over(
        self,
        text: &str,
        target: &Target,
        authority: &str,
    ) -> Result<Option<TransportMaker>, Error> {
        let tls = match (target.secure, self.tls) {
            (Some(false), Some(_)) => {
                let fault = "its scheme is http, and TLS was given: expected https://";
                return Err(refused(text, fault));
            }
            (Some(true), None) => tls::Client::new(tls::ClientOptions::new())?,
            (Some(true) | None, Some(tls)) => tls,
            (Some(false) | None, None) => return Ok(None),
        };
        Ok(Some(tls.transport(host_of(authority), &["h2"])?))
    }

    #[cfg(not(feature = "tls"))]
    pub(in crate::client) fn over(
        self,
        text: &str,
        target: &Target,
        _: &str,
    ) -> Result<Option<TransportMaker>, Error> {
        match target.secure {
            Some(true) => Err(refused(text, "this build has no TLS (feature `tls`)")),
            Some(false) | None => Ok(None),
        }
    }
}

fn refused(text: &str, fault: &'static str) -> Error {
    Error::Target {
        given: text.to_string(),
        fault,
    }
}
