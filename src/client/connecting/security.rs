//! The TLS of a client's connections, if there is any.

use alloc::string::ToString;

#[cfg(feature = "tls")]
use super::target::host_of;
use super::{Secure, Target};
use crate::net::Error;
#[cfg(feature = "tls")]
use crate::tls;

/// How a client speaks TLS, where it does; by default as the system's roots have it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Security {
    #[cfg(feature = "tls")]
    tls: Option<tls::Client>,
}

impl Security {
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with(tls: tls::Client) -> Self {
        Self { tls: Some(tls) }
    }

    /// TLS for a target that requests call `authority`; none if its scheme is `http`, or it has
    /// none and no TLS was given.
    ///
    /// # Errors
    /// [`Error::Target`] if scheme and settings contradict each other.
    #[cfg(feature = "tls")]
    pub(crate) fn secure(
        self,
        text: &str,
        target: &Target,
        authority: &str,
    ) -> Result<Option<Secure>, Error> {
        let tls = match (target.secure, self.tls) {
            (Some(false), Some(_)) => {
                let fault = "its scheme is http, and TLS was given: expected https://";
                return Err(refused(text, fault));
            }
            (Some(true), None) => tls::Client::new(tls::ClientOptions::new())?,
            (Some(true) | None, Some(tls)) => tls,
            (Some(false) | None, None) => return Ok(None),
        };
        Ok(Some(Secure {
            client: tls,
            name: host_of(authority).to_string(),
            protocols: &["h2"],
        }))
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn secure(
        self,
        text: &str,
        target: &Target,
        _: &str,
    ) -> Result<Option<Secure>, Error> {
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
