//! Reading and writing sockets without the C library. Its functions can be
//! cancelled together with their thread, and the care for that costs 65
//! instructions a call.

use std::io;
use std::os::fd::AsFd;

use rustix::io::{Errno, Result};
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// Reads what has come, up to what `into` holds; `None` if nothing has.
#[inline]
pub(in crate::net) fn read(socket: &impl AsFd, into: &mut [u8]) -> io::Result<Option<usize>> {
    uninterrupted(|| recv(socket, &mut *into, RecvFlags::empty()).map(|(_, bytes)| bytes))
}

/// Writes what there is room for; `None` if there is none.
#[inline]
pub(in crate::net) fn write(socket: &impl AsFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    uninterrupted(|| send(socket, bytes, SendFlags::NOSIGNAL))
}

/// Calls until no signal is in the way; `None` if it would have to wait.
#[inline]
fn uninterrupted(mut call: impl FnMut() -> Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
