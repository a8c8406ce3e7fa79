//! A socket, or TLS over one.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// Bytes that are read in one go: as rustls keeps at most that much content, all of
/// what comes out of them can be taken.
const MOST: usize = 16 << 10;

/// One connection's stream of bytes.
pub struct Wire<S = TcpStream> {
    socket: S,
    session: Option<Box<ClientConnection>>,
}

impl Wire {
    /// Without a configuration it is the socket itself. The handshake is over when
    /// this returns.
    pub fn new(socket: TcpStream, config: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let mut wire = Self {
            socket,
            session: None,
        };
        if let Some(config) = config {
            let name = ServerName::try_from("localhost").map_err(Error::other)?;
            let mut session = ClientConnection::new(config.clone(), name).map_err(Error::other)?;
            session.complete_io(&mut wire.socket)?;
            wire.session = Some(Box::new(session));
        }
        Ok(wire)
    }

    /// The same wire over another kind of socket.
    pub fn map<S>(self, into: impl FnOnce(TcpStream) -> S) -> Wire<S> {
        Wire {
            socket: into(self.socket),
            session: self.session,
        }
    }

    /// Says that nothing follows, and waits until the server has gone.
    pub fn end(mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.send_close_notify();
            session.complete_io(&mut self.socket)?;
        }
        self.socket.shutdown(std::net::Shutdown::Write)?;
        // What comes may be the server's own end of TLS.
        let mut buffer = [0; 1024];
        while self.socket.read(&mut buffer)? > 0 {}
        Ok(())
    }
}

impl<S> Wire<S> {
    pub fn socket(&self) -> &S {
        &self.socket
    }

    pub fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Whether a read may give less than there is.
    pub fn is_secure(&self) -> bool {
        self.session.is_some()
    }
}

impl<S: Read + Write> Wire<S> {
    /// Sends what is sealed, as far as the server takes it.
    fn push(&mut self) -> io::Result<()> {
        let Some(session) = &mut self.session else {
            return Ok(());
        };
        while session.wants_write() {
            session.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

impl<S: Read + Write> Read for Wire<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else {
            return self.socket.read(to);
        };
        let mut sealed = [0; MOST];
        loop {
            match session.reader().read(to) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            let length = self.socket.read(&mut sealed)?;
            if length == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let (mut rest, mut taken) = (&sealed[..length], 0);
            while !rest.is_empty() {
                session.read_tls(&mut rest)?;
                session.process_new_packets().map_err(Error::other)?;
                while let Ok(more @ 1..) = session.reader().read(&mut to[taken..]) {
                    taken += more;
                }
            }
            if taken > 0 {
                return Ok(taken);
            }
        }
    }
}

impl<S: Read + Write> Write for Wire<S> {
    /// What is written in one call shares a record, up to 16 KiB.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        let Some(session) = &mut self.session else {
            return self.socket.write(bytes);
        };
        let taken = session.writer().write(bytes)?;
        match self.push() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => result?,
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}
