use super::*;
use alloc::vec;
use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, TcpStream};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    (socket, peer)
}

fn file(name: &str, bytes: &[u8]) -> FilePart {
    let name = std::format!("barewire-send-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).unwrap();
    let part = FilePart::whole(File::open(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap(); // it lives on while it is open
    part
}

#[test]
fn parts_go_first_and_the_file_behind_them() {
    let (socket, mut peer) = pair();
    let part = file("order", b"0123456789").slice(2, 6);
    let parts = [IoSlice::new(b"he"), IoSlice::new(b"ad ")];
    assert_eq!(send(&socket, &parts, part.clone()).unwrap(), 11);
    assert_eq!(send(&socket, &[], part).unwrap(), 6);
    drop(socket);
    assert_eq!(io::read_to_string(&mut peer).unwrap(), "head 234567234567");
}

#[test]
fn a_full_socket_takes_less_and_goes_on_where_it_stopped() {
    let (socket, mut peer) = pair();
    let bytes: vec::Vec<u8> = (0..40_000_000_u32).map(|at| (at / 5 % 251) as u8).collect();
    let mut part = file("full", &bytes);
    let first = send(&socket, &[], part.clone()).unwrap();
    assert!(first > 0 && first < bytes.len(), "{first}");
    let reader = std::thread::spawn(move || {
        let mut received = vec::Vec::new();
        peer.read_to_end(&mut received).unwrap();
        received
    });
    part.advance(first as u64);
    while !part.is_empty() {
        match send(&socket, &[], part.clone()).unwrap() {
            0 => std::thread::yield_now(),
            sent => part.advance(sent as u64),
        }
    }
    drop(socket);
    assert!(reader.join().unwrap() == bytes);
}

#[test]
fn a_file_that_is_too_short_is_an_error() {
    let (socket, _peer) = pair();
    let part = file("short", b"0123");
    let beyond = FilePart::new(
        alloc::sync::Arc::new(part.file().try_clone().unwrap()),
        2,
        4,
    );
    let error = send(&socket, &[], beyond).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_peer_that_is_gone_is_an_error() {
    let (socket, peer) = pair();
    socket2::SockRef::from(&peer)
        .set_linger(Some(core::time::Duration::ZERO))
        .unwrap();
    drop(peer);
    let part = file("gone", &vec![0; 1 << 20]);
    // The reset may take a moment to arrive.
    let error = loop {
        match send(&socket, &[], part.clone()) {
            Ok(_) => std::thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{error}"
    );
}
