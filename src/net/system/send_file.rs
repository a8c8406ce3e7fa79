//! Files from the page cache to a socket (`sendfile(2)`).

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsFd;

use rustix::fs::sendfile;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};

use super::retry::uninterrupted;
use crate::net::FilePart;

/// Sends `parts` and a part of a file, until done or the socket is full.
/// [`ErrorKind::UnexpectedEof`] if the file is too short.
pub(super) fn send(
    socket: &impl AsFd,
    parts: &[IoSlice<'_>],
    mut file: FilePart,
) -> io::Result<usize> {
    let offered: usize = parts.iter().map(|part| part.len()).sum();
    let mut taken = 0;
    if offered > 0 {
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let sent =
            uninterrupted(|| sendmsg(socket, parts, &mut SendAncillaryBuffer::default(), flags))?;
        taken = sent.unwrap_or_default();
        if taken < offered {
            return Ok(taken);
        }
    }
    while !file.is_empty() {
        let len = usize::try_from(file.len()).unwrap_or(usize::MAX);
        let mut offset = file.offset();
        match uninterrupted(|| sendfile(socket, file.file(), Some(&mut offset), len))? {
            None => break,
            Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Some(sent) => {
                taken += sent;
                file.advance(sent as u64);
            }
        }
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
