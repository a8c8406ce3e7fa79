use super::*;
use alloc::vec;
use std::io::{Read as _, Write as _};
use std::net::TcpStream as Plain;

const LONG: Option<Duration> = Some(Duration::from_secs(60));

/// Polls until an event satisfies `wanted`.
fn until(mio: &mut Mio, wanted: impl Fn(&Readiness) -> bool) -> Readiness {
    let mut ready = Vec::new();
    for _ in 0..100 {
        mio.poll(&mut ready, LONG).unwrap();
        if let Some(event) = ready.iter().find(|event| wanted(event)) {
            return *event;
        }
    }
    panic!("no such event");
}

fn listen(mio: &mut Mio, address: &str, token: usize) -> (MioListener, Address) {
    let address = address.parse().unwrap();
    let listener = mio
        .listen(&address, &ListenOptions::DEFAULT, token)
        .unwrap();
    let address = mio.local_address(&listener).unwrap();
    (listener, address)
}

fn accept(mio: &mut Mio, listener: &mut MioListener) -> (MioStream, Peer) {
    until(mio, |event| event.token == 1 && event.readable);
    let (mut stream, peer) = mio.accept(listener).unwrap();
    mio.register(&mut stream, 2).unwrap();
    (stream, peer)
}

fn pair() -> (Mio, MioStream, Plain) {
    let mut mio = Mio::new().unwrap();
    let (mut listener, address) = listen(&mut mio, "127.0.0.1:0", 1);
    let Address::Tcp(address) = address else {
        panic!()
    };
    let plain = Plain::connect(address).unwrap();
    let (stream, peer) = accept(&mut mio, &mut listener);
    assert_eq!(peer, Peer::from(plain.local_addr().unwrap()));
    assert!(SockRef::from(&stream.0).tcp_nodelay().unwrap());
    (mio, stream, plain)
}

#[test]
fn bytes_travel_both_ways() {
    let (mut mio, mut stream, mut plain) = pair();
    plain.write_all(b"hello").unwrap();
    until(&mut mio, |event| event.token == 2 && event.readable);
    let mut buffer = [0; 64];
    let read = mio.read(&mut stream, &mut buffer).unwrap();
    assert_eq!((read.bytes, read.end), (5, false));
    let again = mio.read(&mut stream, &mut buffer).unwrap();
    assert_eq!(
        again,
        Read {
            bytes: 0,
            drained: true,
            end: false
        }
    );
    let parts = [IoSlice::new(b"wor"), IoSlice::new(b"ld")];
    assert_eq!(mio.write(&mut stream, &parts).unwrap(), 5);
    assert_eq!(mio.write(&mut stream, &parts[..1]).unwrap(), 3);
    mio.shutdown_write(&mut stream).unwrap();
    let mut text = alloc::string::String::new();
    plain.read_to_string(&mut text).unwrap();
    assert_eq!(text, "worldwor");
    mio.close(stream);
}

#[test]
fn bytes_and_end_in_one_event_are_both_found() {
    let (mut mio, mut stream, mut plain) = pair();
    plain.write_all(b"bye").unwrap();
    plain.shutdown(Shutdown::Write).unwrap();
    // Usually one event; a busy kernel makes two, of which the second has both.
    let event = until(&mut mio, |event| {
        event.token == 2 && event.readable && event.read_closed
    });
    assert!(!event.closed);
    let mut buffer = [0; 64];
    assert_eq!(mio.read(&mut stream, &mut buffer).unwrap().bytes, 3);
    assert!(mio.read(&mut stream, &mut buffer).unwrap().end);
}

#[test]
fn a_full_buffer_takes_less_and_announces_room() {
    let (mut mio, mut stream, mut plain) = pair();
    let block = vec![7; 1 << 20];
    let mut sent = 0;
    loop {
        let n = mio.write(&mut stream, &[IoSlice::new(&block)]).unwrap();
        sent += n;
        if n < block.len() {
            break;
        }
    }
    let mut ready = Vec::new();
    mio.poll(&mut ready, Some(Duration::ZERO)).unwrap(); // drops what was ready at first
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; sent];
        plain.read_exact(&mut buffer).unwrap();
        plain
    });
    until(&mut mio, |event| event.token == 2 && event.writable);
    assert!(mio.write(&mut stream, &[IoSlice::new(&block)]).unwrap() > 0);
    reader.join().unwrap();
}

#[test]
fn a_reset_reaches_the_peer_as_one() {
    let (mut mio, stream, mut plain) = pair();
    mio.reset(stream);
    let error = plain.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let (mut mio, mut stream, plain) = pair();
    SockRef::from(&plain)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(plain);
    assert!(until(&mut mio, |event| event.token == 2 && event.closed).readable);
    assert!(mio.read(&mut stream, &mut [0; 8]).is_err());
}

#[test]
fn a_dial_connects_or_says_why_not() {
    let mut mio = Mio::new().unwrap();
    let (mut listener, address) = listen(&mut mio, "[::1]:0", 1);
    let mut dialled = mio.connect(&address).unwrap();
    mio.register(&mut dialled, 3).unwrap();
    while !mio.connected(&dialled).unwrap() {
        until(&mut mio, |event| event.token == 3);
    }
    let _accepted = mio.accept(&mut listener).unwrap();
    mio.unlisten(listener);
    // Nobody listens there any more.
    let refused = mio.connect(&address).and_then(|mut stream| {
        mio.register(&mut stream, 4)?;
        until(&mut mio, |event| event.token == 4);
        mio.connected(&stream)
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn several_loops_share_a_port() {
    let (mut a, mut b) = (Mio::new().unwrap(), Mio::new().unwrap());
    let options = ListenOptions::DEFAULT.with_reuse_port(true);
    let any: Address = "127.0.0.1:0".parse().unwrap();
    let first = a.listen(&any, &options, 1).unwrap();
    let address = a.local_address(&first).unwrap();
    assert!(b.listen(&address, &options, 1).is_ok());
    let alone = b.listen(&address, &ListenOptions::DEFAULT, 2).unwrap_err();
    assert_eq!(alone.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_claimed_port_is_shared_by_those_who_come_after() {
    let (mut a, mut b) = (Mio::new().unwrap(), Mio::new().unwrap());
    let shared = ListenOptions::DEFAULT.with_reuse_port(true);
    let claimed = shared.clone().with_claim(true);
    let any: Address = "127.0.0.1:0".parse().unwrap();
    let first = a.listen(&any, &claimed, 1).unwrap();
    let address = a.local_address(&first).unwrap();
    assert!(b.listen(&address, &shared, 1).is_ok());
    let again = b.listen(&address, &claimed, 2).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AddrInUse);
}

#[test]
fn another_thread_ends_a_poll() {
    let mut mio = Mio::new().unwrap();
    let waker = mio.waker();
    let mut ready = Vec::new();
    for _ in 0..3 {
        let waker = waker.clone();
        let thread = std::thread::spawn(move || waker.wake());
        let before = std::time::Instant::now();
        mio.poll(&mut ready, LONG).unwrap();
        assert!(before.elapsed() < Duration::from_secs(30));
        assert!(ready.is_empty() && !waker_raised(&mio));
        thread.join().unwrap();
    }
}

fn waker_raised(mio: &Mio) -> bool {
    mio.waker.is_raised()
}

#[test]
fn both_clocks_go_on() {
    let mut mio = Mio::new().unwrap();
    let before = mio.now();
    mio.poll(&mut Vec::new(), Some(Duration::from_millis(5)))
        .unwrap();
    assert!(mio.now() >= before + Duration::from_millis(5));
    assert!(mio.unix_seconds() > 1_700_000_000);
    assert!(mio.refresh() >= mio.now());
}

#[cfg(unix)]
mod unix {
    use super::*;
    use alloc::format;
    use std::path::PathBuf;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("barewire-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_unix_socket_serves_and_removes_its_file() {
        let path = path("serves");
        let mut mio = Mio::new().unwrap();
        let (mut listener, address) = listen(&mut mio, &format!("unix:{}", path.display()), 1);
        assert_eq!(address, Address::Unix(path.clone()));
        let mut plain = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let (mut stream, peer) = accept(&mut mio, &mut listener);
        assert_eq!(peer, Peer::Unix);
        assert_eq!(mio.write(&mut stream, &[IoSlice::new(b"hi")]).unwrap(), 2);
        mio.close(stream);
        let mut text = alloc::string::String::new();
        plain.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi");
        let mut dialled = mio.connect(&address).unwrap();
        mio.register(&mut dialled, 3).unwrap();
        assert!(mio.connected(&dialled).unwrap());
        mio.unlisten(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_replaced_and_a_living_one_is_not() {
        let path = path("stale");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // leaves its file
        let mut mio = Mio::new().unwrap();
        let address = Address::Unix(path.clone());
        let listener = mio.listen(&address, &ListenOptions::DEFAULT, 1).unwrap();
        let error = mio
            .listen(&address, &ListenOptions::DEFAULT, 2)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        // A file that another has put there stays.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        mio.unlisten(listener);
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        let error = mio
            .listen(&address, &ListenOptions::DEFAULT, 1)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        std::fs::remove_file(&path).unwrap();
    }
}
