//! The written bytes that a socket still holds (`SIOCOUTQ`).
//!
//! On a TCP socket these are the bytes that the peer's system has not
//! acknowledged, and one more for a FIN. Acknowledged is not read: they may lie
//! in the peer's receive buffer, or in a proxy. On a Unix domain socket the
//! kernel answers with the memory of the pieces that the peer has not read to
//! their end: some hundreds of bytes more for each, so that the number falls in
//! steps of as much as was written in one call, tens of KiB.

use core::ffi::c_int;
use std::os::fd::AsFd;

use rustix::ioctl::{Getter, Opcode, ioctl};

/// `SIOCOUTQ`, which Linux also calls `TIOCOUTQ`.
const OUTPUT_QUEUE: Opcode = match () {
    () if cfg!(any(target_arch = "mips", target_arch = "mips64")) => 0x7472,
    () if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) => 0x4004_7473,
    () if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) => 0x4004_7473,
    () => 0x5411,
};

/// Bytes that were written to a connected socket and are still under way;
/// `None` if the system does not say.
pub(crate) fn bytes(socket: &impl AsFd) -> Option<usize> {
    // SAFETY: for this opcode the kernel writes one `int` to where the argument
    // points, and nothing else, whatever the descriptor is: a socket answers
    // with its queue, a terminal with its own, and anything else fails. `Getter`
    // points to an `int` of its own, and reads it only if the call succeeded.
    let queue = unsafe { ioctl(socket, Getter::<OUTPUT_QUEUE, c_int>::new()) };
    usize::try_from(queue.ok()?).ok()
}

#[cfg(test)]
mod tests;
