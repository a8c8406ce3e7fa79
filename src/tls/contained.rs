//! Panics of rustls, kept to the connection that they happen on.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use rustls::Error;

/// Calls rustls, whose unbuffered connections panic in states to which a peer can
/// bring them. `None` then: it is the end of this connection, and not of the loop's
/// thread.
#[inline]
pub(super) fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok() // nothing more is asked of the connection
}

#[cold]
pub(super) fn panicked() -> Error {
    Error::General("rustls panicked".into())
}
