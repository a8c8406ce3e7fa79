//! The pages that a server lets in.

use crate::http::Origin;

/// Which pages may open a WebSocket (RFC 6455 §10.2). Clients that are no
/// browsers send no origin and are always let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origins<'a> {
    /// Every page.
    Any,
    /// Pages of the host and port that the request is meant for
    /// ([`Origin::is_at`]).
    #[default]
    SameHost,
    /// Pages of these origins, each written as `https://example.com`.
    Listed(&'a [&'a str]),
}

impl Origins<'_> {
    /// Whether a page of this origin may talk to this authority.
    pub fn allow(&self, origin: Option<&[u8]>, authority: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        if let Self::Any = self {
            return true;
        }
        let Ok(origin) = Origin::parse(origin) else {
            return false; // such as `null`
        };
        match self {
            Self::Any => true,
            Self::SameHost => authority.is_some_and(|authority| origin.is_at(authority)),
            Self::Listed(list) => list
                .iter()
                .any(|listed| Origin::parse(listed.as_bytes()) == Ok(origin)),
        }
    }
}
