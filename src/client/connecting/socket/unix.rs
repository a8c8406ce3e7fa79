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

use super::{WaitFor, Woken};

#[cfg(not(target_vendor = "apple"))]
const SEND: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
#[cfg(target_vendor = "apple")]
const SEND: SendFlags = SendFlags::DONTWAIT; // mio has set SO_NOSIGPIPE

/// A connected socket, of whatever family.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    pub(crate) fn new(socket: impl Into<OwnedFd>) -> io::Result<Self> {
        let socket = socket.into();
        rustix::io::ioctl_fionbio(&socket, false)?;
        Ok(Self(socket))
    }

    /// Waits for bytes for [`set_patience`](Self::set_patience) or slightly longer, and reads
    /// them: none at the end. `None` if none came, or a signal did.
    #[inline]
    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        taken(recv(&self.0, into, RecvFlags::empty()).map(|(_, bytes)| bytes))
    }

    /// Reads what has been received; `None` if nothing has.
    pub(crate) fn read_now(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        taken(recv(&self.0, into, RecvFlags::DONTWAIT).map(|(_, bytes)| bytes))
    }

    /// Writes what there is room for; `None` if there is none.
    #[inline]
    pub(crate) fn write_now(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        taken(send(&self.0, bytes, SEND))
    }

    /// Waits for input, or also room, for at most this long.
    pub(crate) fn wait(&self, writable: bool, time: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        let wanted = match writable {
            true => WaitFor::Both,
            false => WaitFor::Bytes,
        };
        let mut fds = [PollFd::new(&self.0, flags(wanted))];
        match poll(&mut fds, time.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How long [`read`](Self::read) waits.
    pub(crate) fn set_patience(&self, time: Duration) -> io::Result<()> {
        Ok(set_socket_timeout(&self.0, Timeout::Recv, Some(time))?)
    }

    /// Ends it in both directions, and wakes the threads that wait for it.
    pub(crate) fn shut_down(&self) {
        // Refused only where the peer has done it.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

impl Socket {
    /// Waits until there is what is wanted, for at most this long.
    pub(crate) fn wait_for(&self, wanted: WaitFor, time: Duration) -> io::Result<()> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        match poll(&mut [PollFd::new(&self.0, flags(wanted))], time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn end_writing(&self) {
        // Refused only where the peer has ended it.
        let _ = shutdown(&self.0, Shutdown::Write);
    }

    /// Whether it has to be read until nothing is left before it is waited for.
    pub(crate) const IS_EDGE_TRIGGERED: bool = false;

    /// Waits until there is what is wanted, or the alarm sounds, for at most this long.
    pub(crate) fn wait_alarmed(
        &self,
        alarm: &Alarm,
        wanted: WaitFor,
        time: Duration,
    ) -> io::Result<Woken> {
        let time = Timespec::try_from(time).ok(); // longer than it can say is for ever
        let heard = PollFd::new(&alarm.heard, PollFlags::IN);
        let mut fds = [PollFd::new(&self.0, flags(wanted)), heard];
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
pub(crate) struct Alarm {
    sounded: UnixStream,
    heard: UnixStream,
}

impl Alarm {
    pub(crate) fn new(_: &Socket) -> io::Result<Self> {
        let (sounded, heard) = UnixStream::pair()?;
        sounded.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        Ok(Self { sounded, heard })
    }

    /// Ends the present wait, or else the next.
    pub(crate) fn sound(&self) {
        // Refused only where it was sounded often, and not heard yet.
        let _ = (&self.sounded).write(&[0]);
    }

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

const fn flags(wanted: WaitFor) -> PollFlags {
    match wanted {
        WaitFor::Bytes => PollFlags::IN,
        WaitFor::Room => PollFlags::OUT,
        WaitFor::Both => PollFlags::IN.union(PollFlags::OUT),
    }
}

fn taken(result: Result<usize, Errno>) -> io::Result<Option<usize>> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
