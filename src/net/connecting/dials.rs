//! Dials that were asked for, and those on their way.

use crate::net::{Destination, Dial, Key, Speaks, TransportMaker};

/// A dial that a handler has asked for.
#[derive(Debug)]
pub(in crate::net) struct DialRequest {
    pub(in crate::net) key: Key,
    pub(in crate::net) destination: Destination,
    pub(in crate::net) speaks: Speaks,
    pub(in crate::net) transport: Option<TransportMaker>,
}

/// A connection on its way.
#[derive(Debug)]
pub(in crate::net) struct Dialling {
    pub(in crate::net) key: Key,
    pub(in crate::net) dial: Dial,
    pub(in crate::net) speaks: Speaks,
    pub(in crate::net) transport: Option<TransportMaker>,
}
