//! How many written bytes a socket still holds (`SIOCOUTQ`).
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
pub(in crate::net) fn bytes(socket: &impl AsFd) -> Option<usize> {
    // SAFETY: for this opcode the kernel writes one `int` to where the argument
    // points, and nothing else, whatever the descriptor is: a socket answers
    // with its queue, a terminal with its own, and anything else fails. `Getter`
    // points to an `int` of its own, and reads it only if the call succeeded.
    let queue = unsafe { ioctl(socket, Getter::<OUTPUT_QUEUE, c_int>::new()) };
    usize::try_from(queue.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::vec;

    #[test]
    fn what_nobody_has_read_is_under_way() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        assert_eq!(bytes(&one), Some(0));
        one.write_all(b"hello").unwrap();
        assert!(bytes(&one).unwrap() >= 5);
        assert_eq!(bytes(&other), Some(0));
        other.read_exact(&mut [0; 5]).unwrap();
        assert_eq!(bytes(&one), Some(0));
    }

    #[test]
    fn what_the_peer_takes_is_what_was_written_less_what_is_under_way() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        let (piece, mut written) = (vec![0; 1 << 20], 0);
        while let Ok(n) = socket.write(&piece) {
            written += n;
        }
        let under_way = bytes(&socket).unwrap();
        assert!(under_way > 0 && under_way <= written);
        peer.read_exact(&mut vec![0; written]).unwrap();
        // The last acknowledgements may take a moment.
        while bytes(&socket) != Some(0) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_is_no_socket_has_no_answer() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(bytes(&file), None);
    }
}
