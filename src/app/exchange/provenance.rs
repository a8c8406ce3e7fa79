//! Where a request comes from, as a trusted proxy has told.

use crate::net::Peer;

/// A request's origin behind a proxy: kept with the request's extensions, so that
/// requests without one carry nothing for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Provenance {
    pub(crate) proxy: Peer,
    pub(crate) client: Peer,
    pub(crate) scheme: Option<&'static str>,
    /// The proxy has told the host, which need not be in our certificate.
    pub(crate) names_host: bool,
}
