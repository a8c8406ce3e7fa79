//! A client's TLS connection as the transport of a connection.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, Error as RustlsError};

use super::error::Error;
use super::failure::{ConnectionError, Fault};
use super::info::{H2, HTTP_1_1, Info};
use super::session::{Found, Session};
use super::transport::seal_by_session;
use super::verify::take_refused;
use crate::net::{Agreed, Speaks, Transport, TransportDetails, TransportError, TransportLimit};
use crate::wire::Received;

#[derive(Debug, Clone)]
pub(super) struct Peer {
    name: ServerName<'static>,
    protocols: Vec<Vec<u8>>,
}

impl Peer {
    pub(super) fn new(server: &str, protocols: &[&str]) -> Result<Self, Error> {
        // A name that is complete has a dot at its end, and certificates have none.
        let name = server.strip_suffix('.').unwrap_or(server);
        let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let name = ServerName::try_from(bare.unwrap_or(name).to_string()).map_err(|_| {
            Error::Config(format!("{server:?} is neither a host name nor an address"))
        })?;
        if let Some(bad) = protocols.iter().find(|it| !(1..=255).contains(&it.len())) {
            return Err(Error::Config(format!(
                "{bad:?} cannot be offered: a protocol's name has 1 to 255 bytes"
            )));
        }
        let protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        Ok(Self { name, protocols })
    }

    fn memory(&self) -> usize {
        let protocols = self.protocols.iter();
        let protocols = protocols.map(|it| size_of_val(it) + it.len());
        self.name.to_str().len() + protocols.sum::<usize>()
    }

    fn offered(&self) -> Vec<String> {
        let text = |it: &Vec<u8>| String::from_utf8_lossy(it).into_owned();
        self.protocols.iter().map(text).collect()
    }
}

pub(super) struct Dialled {
    session: Result<Session, RustlsError>,
    peer: Peer,
    info: Option<Arc<Info>>,
    /// Why there is no connection any more.
    failure: Option<Arc<ConnectionError>>,
}

impl Dialled {
    pub(super) fn new(config: Arc<ClientConfig>, peer: Peer) -> Self {
        let protocols = peer.protocols.clone();
        Self {
            session: Session::client(config, peer.name.clone(), protocols),
            peer,
            info: None,
            failure: None,
        }
    }

    fn offers_http1(&self) -> bool {
        let mut offered = self.peer.protocols.iter();
        offered.any(|it| it == HTTP_1_1.as_bytes())
    }

    /// Whether the server's choice can be spoken; choosing nothing is HTTP/1.1, or whatever is
    /// offered unnamed.
    fn suits(&self, info: &Info) -> bool {
        info.alpn().is_some() || self.peer.protocols.is_empty() || self.offers_http1()
    }

    fn receive(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, Found), RustlsError> {
        let session = self.session.as_mut().map_err(|error| error.clone())?;
        let received = session.receive(input, out)?;
        if self.info.is_none() && session.is_agreed() {
            let name = match &self.peer.name {
                ServerName::DnsName(name) => Some(name.as_ref().into()),
                _ => None, // an address is not asked for (RFC 6066 §3)
            };
            let info = Info::new(session.state(), name, None);
            if !self.suits(&info) {
                self.close(out);
                return Err(RustlsError::NoApplicationProtocol);
            }
            self.info = Some(Arc::new(info));
        }
        Ok(received)
    }

    /// Notes, once, why there is no connection: rustls may not be asked any more.
    #[cold]
    fn fail(&mut self, error: RustlsError) -> TransportError {
        if let Some(failure) = &self.failure {
            return TransportError::new((**failure).clone());
        }
        self.session = Err(error.clone());
        let fault = match error {
            RustlsError::NoApplicationProtocol
            | RustlsError::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                Fault::NoProtocol {
                    offered: self.peer.offered(),
                }
            }
            error => Fault::new(error, take_refused(), self.info.is_some()),
        };
        let failure = ConnectionError::new(self.peer.name.to_str().into(), fault);
        self.failure = Some(Arc::new(failure.clone()));
        TransportError::new(failure)
    }
}

impl Transport for Dialled {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        match self.receive(input, out) {
            Ok((used, found)) => Ok(found.received(used)),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn agreed(&self) -> Option<Agreed> {
        let info = self.info.as_ref()?;
        Some(match info.alpn() {
            Some(H2) => Agreed::on(Speaks::Http2),
            Some(HTTP_1_1) => Agreed::on(Speaks::Http1),
            None if self.offers_http1() => Agreed::on(Speaks::Http1),
            _ => Agreed::NOTHING,
        })
    }

    seal_by_session!();

    fn memory(&self) -> usize {
        let of_info = |it: &Arc<Info>| size_of::<Info>() + it.memory();
        let session = self.session.as_ref().map_or(0, Session::memory);
        session + self.peer.memory() + self.info.as_ref().map_or(0, of_info)
    }

    fn details(&self) -> Option<TransportDetails> {
        match self.failure.clone() {
            Some(failure) => Some(failure),
            None => Some(self.info.clone()?),
        }
    }
}

#[cfg(test)]
mod tests;
