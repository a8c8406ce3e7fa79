//! Proxies that lead to servers on this machine.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A proxy that makes tunnels, by CONNECT or by SOCKS5, and counts them.
pub(crate) fn tunnels(is_socks: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let counter = counter.clone();
            thread::spawn(move || {
                let mut near = stream.unwrap();
                let port = match is_socks {
                    true => socks_port(&mut near),
                    false => connect_port(&mut near),
                };
                counter.fetch_add(1, Ordering::SeqCst);
                let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (from, to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || copy(from, to));
                copy(far, near);
            });
        }
    });
    let scheme = if is_socks { "socks5h" } else { "http" };
    (format!("{scheme}://{address}"), count)
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn connect_port(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let rest = head.strip_prefix("CONNECT localhost:").unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

fn socks_port(stream: &mut TcpStream) -> u16 {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).unwrap();
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods).unwrap();
    stream.write_all(&[5, 0]).unwrap();
    let mut request = [0; 5 + 9 + 2];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request[..5], [5, 1, 0, 3, 9]);
    assert_eq!(&request[5..14], b"localhost");
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    u16::from_be_bytes([request[14], request[15]])
}
