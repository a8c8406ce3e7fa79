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
