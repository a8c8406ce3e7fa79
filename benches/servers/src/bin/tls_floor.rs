//! The price of the kernel and of TLS: rustls alone on blocking sockets, a thread
//! for each connection. It answers every record that ends in an empty line with a
//! constant, and is no HTTP server.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use servers_common::{HELLO, LARGE, MEDIUM, address, content, raise_descriptors, tls};

/// Connections at a time. The threads stay: the time of those that have ended is
/// counted for nobody.
const THREADS: usize = 80;

fn main() -> io::Result<()> {
    raise_descriptors();
    let config = tls::server()?.expect("usage: PROGRAM PORT THREADS DIRECTORY CERTIFICATES");
    let listener = TcpListener::bind(address())?;
    let replies = [HELLO.into(), content(MEDIUM), content(LARGE)].map(|body| reply(&body));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    // A peer that goes away is no fault of the listener.
                    let _ = listener
                        .accept()
                        .and_then(|(socket, _)| serve(socket, &config, &replies));
                }
            });
        }
    });
    Ok(())
}

fn reply(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn serve(socket: TcpStream, config: &Arc<ServerConfig>, replies: &[Vec<u8>; 3]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    let mut buffer = [0; 16 << 10];
    loop {
        let length = stream.read(&mut buffer)?;
        let input = &buffer[..length];
        if length == 0 {
            stream.conn.send_close_notify();
            return stream.flush();
        }
        if input.ends_with(b"\r\n\r\n") {
            let reply = match input.get(5) {
                Some(b'6') => &replies[1],
                Some(b'1') => &replies[2],
                _ => &replies[0],
            };
            stream.write_all(reply)?;
        }
    }
}
