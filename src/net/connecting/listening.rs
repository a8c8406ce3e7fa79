//! The connections of a listener, before there are any.

use crate::net::{Owner, Profile, Speaks, TransportMaker};

/// What the connections of a listener are.
#[derive(Debug, Clone)]
pub(in crate::net) struct Listening {
    pub(super) speaks: Speaks,
    pub(in crate::net) owner: Owner,
    pub(in crate::net) profile: Profile,
    /// Proxies say first whose their connections are.
    pub(super) proxied: bool,
    /// What makes the transport of each, if they have one.
    pub(super) transport: Option<TransportMaker>,
}
