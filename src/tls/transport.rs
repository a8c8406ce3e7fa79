//! A TLS connection as the transport of a loop's connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error, ServerConfig};

use super::session::{Found, Session};
use crate::net::{Agreed, Speaks, Transport, TransportError};
use crate::wire::{Received, Step};

/// The name of HTTP/2 over TLS (RFC 9113 §3.2).
pub(super) const H2: &[u8] = b"h2";
/// The name of HTTP/1.1 (RFC 7301 §6).
pub(super) const HTTP_1_1: &[u8] = b"http/1.1";

/// The transport of one connection, over TLS.
pub(super) struct Secure {
    session: Result<Session, Error>,
}

impl Secure {
    /// The server's side.
    pub(super) fn server(config: Arc<ServerConfig>) -> Box<dyn Transport> {
        Box::new(Self {
            session: Session::server(config),
        })
    }

    #[expect(dead_code)]
    /// The client's side, to a server of this name.
    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Box<dyn Transport> {
        Box::new(Self {
            session: Session::client(config, name),
        })
    }

    fn session(&mut self) -> Result<&mut Session, TransportError> {
        match &mut self.session {
            Ok(session) => Ok(session),
            Err(error) => Err(TransportError::new(error.clone())),
        }
    }
}

impl Transport for Secure {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        let session = self.session()?;
        let (used, found) = session.receive(input, out).map_err(TransportError::new)?;
        let step = match found {
            Found::Content(range) => Step::Event(range),
            Found::Own => Step::Need(1),
            Found::Closed => Step::Done,
        };
        Ok(Received { used, step })
    }

    fn agreed(&self) -> Option<Agreed> {
        let session = self.session.as_ref().ok()?;
        session
            .is_agreed()
            .then(|| match session.state().alpn_protocol() {
                Some(H2) => Agreed::on(Speaks::Http2),
                Some(HTTP_1_1) => Agreed::on(Speaks::Http),
                _ => Agreed::NOTHING,
            })
    }

    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
        self.session()?
            .send(plain, out)
            .map_err(TransportError::new)
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let Ok(session) = &mut self.session {
            session.close(out);
        }
    }

    fn memory(&self) -> usize {
        // Not boxed here: the value itself is counted by who holds the box.
        size_of::<Self>()
    }
}
