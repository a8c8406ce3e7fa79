//! The price of the kernel and of TLS: rustls alone in a loop. It answers what ends in
//! an empty line with a constant, and is no HTTP server.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use rustls::{ServerConnection, StreamOwned};
use servers_common::{HELLO, LARGE, MEDIUM, content, floor, tls};

fn main() -> io::Result<()> {
    let config = tls::server()?.expect("usage: PROGRAM PORT THREADS DIRECTORY CERTIFICATES");
    let replies = [HELLO.into(), content(MEDIUM), content(LARGE)].map(|body| reply(&body));
    floor::serve(
        |socket| {
            let mut session = ServerConnection::new(config.clone()).expect("it has keys");
            // A reply is taken as a whole, and leaves when the peer takes it.
            session.set_buffer_limit(None);
            StreamOwned::new(session, socket)
        },
        |stream, _readable| match serve(stream, &replies) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            result => result,
        },
        |_| {},
    )
}

fn reply(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Reads and answers until there is nothing to read; an error ends the connection.
fn serve(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    replies: &[Vec<u8>; 3],
) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            stream.conn.send_close_notify();
            stream.flush()?;
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let input = &buffer[..length];
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
