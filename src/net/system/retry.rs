//! Calls of the system that a signal may cut short, and how many descriptors there may be.

use std::io::{self, ErrorKind};

/// Calls until no signal is in the way; `None` if it would have to wait.
#[inline]
pub(super) fn uninterrupted<T, E: Fault>(
    mut call: impl FnMut() -> Result<T, E>,
) -> io::Result<Option<T>> {
    loop {
        match call() {
            Ok(result) => return Ok(Some(result)),
            Err(error) if error.is_interrupted() => {}
            Err(error) if error.would_block() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) trait Fault: Into<io::Error> {
    fn is_interrupted(&self) -> bool;

    fn would_block(&self) -> bool;
}

impl Fault for io::Error {
    fn is_interrupted(&self) -> bool {
        self.kind() == ErrorKind::Interrupted
    }

    fn would_block(&self) -> bool {
        self.kind() == ErrorKind::WouldBlock
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Fault for rustix::io::Errno {
    #[inline]
    fn is_interrupted(&self) -> bool {
        *self == Self::INTR
    }

    #[inline]
    fn would_block(&self) -> bool {
        *self == Self::AGAIN
    }
}

/// The soft limit of RLIMIT_NOFILE; `None` where there is none.
pub(crate) fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}
