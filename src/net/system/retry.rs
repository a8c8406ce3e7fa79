//! Calls of the system that a signal may cut short.

use std::io::{self, ErrorKind};

/// Calls until no signal is in the way; `None` if it would have to wait.
#[inline]
pub(in crate::net) fn uninterrupted<T>(
    mut call: impl FnMut() -> io::Result<T>,
) -> io::Result<Option<T>> {
    loop {
        match call() {
            Ok(result) => return Ok(Some(result)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}
