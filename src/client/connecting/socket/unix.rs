//! Blocking sockets.
//!
//! A socket blocks, so that a wait for bytes is the read itself: `recv` with a time
//! (`SO_RCVTIMEO`) instead of a poll and a read. Writing never blocks (`MSG_DONTWAIT`).

use core::time::Duration;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};

use super::Woken;

#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT; // mio has set SO_NOSIGPIPE

/// A connected socket, of whatever family.
#[derive(Debug)]
pub(in crate::client::connecting) struct Socket(OwnedFd);

impl Socket {
    /// Takes a connected socket.
    pub(in crate::client::connecting) fn new(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        let socket = socket.into();
        rustix::io::ioctl_fionbio(&socket, false)?;
        Ok(Self(socket))
    }

    /// Waits for bytes for as long as [`set_patience`](Self::set_patience) has said, or a
    /// little longer, and reads them: none at the end. `None` if there were none in that
    /// time, or a signal came.
    #[inline]
    pub(in crate::client::connecting) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        taken(recv(&self.0, into, RecvFlags::empty()).map(|(_, bytes)| bytes))
    }

    /// Reads what has been received; `None` if nothing has.
    pub(in crate::client::connecting) fn read_now(
        &self,
        into: &mut [u8],
    ) -> io::Result<Option<usize>> {
        taken(recv(&self.0, into, RecvFlags::DONTWAIT).map(|(_, bytes)| bytes))
    }

    /// Writes what there is room for; `None` if there is none.
    #[inline]
    pub(in crate::client::connecting) fn write_now(
        &self,
        bytes: &[u8],
    ) -> io::Result<Option<usize>> {
        taken(send(&self.0, bytes, SEND))
    }

    /// Waits until there is something to read, or also room to write, for at most this
    /// long. Whether that is so.
    pub(in crate::client::connecting) fn wait(
        &self,
        writable: bool,
        time: Duration,
    ) -> io::Result<bool> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        let flags = match writable {
            true => PollFlags::IN | PollFlags::OUT,
            false => PollFlags::IN,
        };
        let mut fds = [PollFd::new(&self.0, flags)];
        match poll(&mut fds, time.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How long [`read`](Self::read) waits.
    pub(in crate::client::connecting) fn set_patience(&self, time: Duration) -> io::Result<()> {
        Ok(set_socket_timeout(&self.0, Timeout::Recv, Some(time))?)
    }

    /// Ends it in both directions, and wakes the threads that wait for it.
    pub(in crate::client::connecting) fn shut_down(&self) {
        // Refused only where the peer has done it.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

impl Socket {
    /// Waits until there is room to write, for at most this long.
    pub(in crate::client::connecting) fn wait_for_room(&self, time: Duration) -> io::Result<()> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the side that writes.
    pub(in crate::client::connecting) fn end_writing(&self) {
        // Refused only where the peer has ended it.
        let _ = shutdown(&self.0, Shutdown::Write);
    }

    /// Whether it has to be read until nothing is left before it is waited for.
    pub(in crate::client::connecting) const IS_EDGE_TRIGGERED: bool = false;

    /// Waits until there is something to read, or also room to write, or the alarm
    /// sounds, for at most this long.
    pub(in crate::client::connecting) fn wait_alarmed(
        &self,
        alarm: &Alarm,
        writable: bool,
        time: Duration,
    ) -> io::Result<Woken> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        let flags = match writable {
            true => PollFlags::IN | PollFlags::OUT,
            false => PollFlags::IN,
        };
        let heard = PollFd::new(&alarm.heard, PollFlags::IN);
        let mut fds = [PollFd::new(&self.0, flags), heard];
        match poll(&mut fds, time.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Woken::default()),
            Err(error) => return Err(error.into()),
        }
        let [socket, heard] = fds.map(|it| it.revents());
        if !heard.is_empty() {
            alarm.hear();
        }
        Ok(Woken {
            is_readable: !socket.difference(PollFlags::OUT).is_empty(),
            is_alarmed: !heard.is_empty(),
        })
    }
}

/// Ends the wait for a socket from other threads.
#[derive(Debug)]
pub(in crate::client::connecting) struct Alarm {
    sounded: UnixStream,
    heard: UnixStream,
}

impl Alarm {
    pub(in crate::client::connecting) fn new(_: &Socket) -> io::Result<Self> {
        let (sounded, heard) = UnixStream::pair()?;
        sounded.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        Ok(Self { sounded, heard })
    }

    /// Ends the present wait, or else the next.
    pub(in crate::client::connecting) fn sound(&self) {
        // Refused only where it was sounded often, and not heard yet.
        let _ = (&self.sounded).write(&[0]);
    }

    /// Silences it.
    fn hear(&self) {
        let mut bytes = [0; 64];
        while let Ok(64) = (&self.heard).read(&mut bytes) {}
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn taken(result: Result<usize, Errno>) -> io::Result<Option<usize>> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
