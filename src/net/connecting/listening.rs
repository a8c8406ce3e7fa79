//! The settings of a listener's connections.

use crate::net::{Owner, Profile, Speaks, TransportMaker};

#[derive(Debug, Clone)]
pub(crate) struct Listening {
    pub(super) speaks: Speaks,
    pub(crate) owner: Owner,
    pub(crate) profile: Profile,
    /// Proxies say first whose their connections are.
    pub(super) proxied: bool,
    pub(super) transport: Option<TransportMaker>,
}
