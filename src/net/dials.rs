//! Dials that were asked for, and those on their way.

use super::{Destination, Dial, Key, Speaks};

/// A dial that a handler has asked for.
#[derive(Debug)]
pub(super) struct DialRequest {
    pub(super) key: Key,
    pub(super) destination: Destination,
    pub(super) speaks: Speaks,
}

/// A connection on its way.
#[derive(Debug)]
pub(super) struct Dialling {
    pub(super) key: Key,
    pub(super) dial: Dial,
    pub(super) speaks: Speaks,
}
