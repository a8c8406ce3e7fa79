use super::*;
use core::net::SocketAddr;
use std::net::TcpListener;
use std::thread;

const DELAY: Duration = Duration::from_millis(250);

fn far() -> Instant {
    clock::now() + Duration::from_secs(60)
}

/// An address whose queue is full, so that nobody is answered there.
fn silent() -> (Vec<TcpStream>, TcpListener, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let waiting = (0..8).map(|_| TcpStream::connect(address).unwrap());
    (waiting.collect(), listener, address)
}

fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap() // nobody listens there any more
}

fn attempts(addresses: &[SocketAddr]) -> Attempts<Address> {
    Attempts::new(addresses.iter().copied().map(Address::Tcp), DELAY)
}

#[test]
fn an_address_that_refuses_or_is_silent_hands_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = listener.local_addr().unwrap();
    let (_waiting, _full, silent) = silent();
    let never = Canceller::new();
    for first in [refused(), silent] {
        connect(attempts(&[first, good]), far(), &never).unwrap();
        let (_, _) = listener.accept().unwrap();
    }
}

#[test]
fn a_wait_for_nobody_ends_with_its_time_or_the_canceller() {
    let (_waiting, _full, silent) = silent();
    let cancel = Canceller::new();
    let soon = clock::now() + Duration::from_millis(20);
    let error = connect(attempts(&[silent]), soon, &cancel).unwrap_err();
    assert!(error.is_timeout() && error.phase() == Phase::Connect);
    let other = cancel.clone();
    let waiting = thread::spawn(move || connect(attempts(&[silent]), far(), &other));
    thread::sleep(Duration::from_millis(20)); // most likely it waits now
    cancel.cancel();
    assert!(waiting.join().unwrap().unwrap_err().is_cancelled());
}

#[test]
#[cfg(unix)]
fn a_unix_socket_whose_queue_is_full_is_tried_again() {
    use std::os::unix::net::UnixListener;
    let path = std::env::temp_dir().join(alloc::format!("bw-{}", std::process::id()));
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
    let socket = socket.unwrap();
    socket
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = UnixStream::connect(&path) {
        waiting.push(stream);
    }
    let place = || Attempts::new([Address::Unix(path.clone())], DELAY);
    let soon = clock::now() + Duration::from_millis(20);
    let late = connect(place(), soon, &Canceller::new()).unwrap_err();
    assert!(late.is_timeout(), "{late}");
    let listener = UnixListener::from(socket);
    let accepting = thread::spawn(move || {
        for _ in 0..=waiting.len() {
            listener.accept().unwrap();
        }
    });
    connect(place(), far(), &Canceller::new()).unwrap();
    accepting.join().unwrap();
    std::fs::remove_file(&path).unwrap();
}
