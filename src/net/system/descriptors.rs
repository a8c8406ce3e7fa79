//! How many descriptors the process may open.

/// The soft limit of RLIMIT_NOFILE; `None` where there is none.
pub(in crate::net) fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}
