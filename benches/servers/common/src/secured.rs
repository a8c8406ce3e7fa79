//! What rustls alone answers, in the loop of the floor programs and on blocking sockets.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{HELLO, LARGE, MEDIUM, content, tls};

/// What connections share: constants to answer with, and the keys.
#[derive(Debug)]
pub struct Constants {
    replies: [Vec<u8>; 3],
    config: Arc<ServerConfig>,
}

impl Constants {
    /// With the certificate that the fourth argument says.
    ///
    /// # Errors
    /// Those of the files, and what rustls says of what is in them.
    ///
    /// # Panics
    /// Without such an argument.
    pub fn read() -> io::Result<Self> {
        let config = tls::server("http/1.1")?;
        Ok(Self {
            replies: [HELLO.into(), content(MEDIUM), content(LARGE)].map(|body| reply(&body)),
            config: config.expect("usage: PROGRAM PORT THREADS DIRECTORY CERTIFICATES"),
        })
    }

    /// TLS over a socket.
    ///
    /// # Panics
    /// Never: the configuration has a key.
    pub fn secure<S: Read + Write>(&self, socket: S) -> StreamOwned<ServerConnection, S> {
        let mut session = ServerConnection::new(self.config.clone()).expect("it has keys");
        // A reply is taken as a whole, and leaves when the peer takes it.
        session.set_buffer_limit(None);
        StreamOwned::new(session, socket)
    }

    /// Reads, and answers what ends in an empty line, until there is nothing to read.
    ///
    /// # Errors
    /// Whatever ends the connection, or `WouldBlock`.
    pub fn serve<S: Read + Write>(
        &self,
        stream: &mut StreamOwned<ServerConnection, S>,
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
                    Some(b'6') => &self.replies[1],
                    Some(b'1') => &self.replies[2],
                    _ => &self.replies[0],
                };
                stream.write_all(reply)?;
            }
        }
    }
}

fn reply(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Fri, 20 Nov 2026 19:44:14 GMT\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
