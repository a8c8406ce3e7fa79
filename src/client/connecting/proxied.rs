//! A way through a proxy, as the transport of a connection.
//!
//! ```text
//!   open(&mut [])          the first message to the proxy
//!   open(input) ...        what it answers, and what follows from that
//!   then                   the transport within, TLS for example, or the bytes as they are
//! ```

mod socks;
mod tunnel;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use std::io::IoSlice;

use socks::Socks;
use tunnel::Tunnel;

use super::proxy::Kind;
use super::{Proxy, ProxyError};
use crate::net::{Agreed, MOST_OPENED, Transport, TransportDetails, TransportError};
use crate::wire::{Received, Step};

/// The most that a proxy may say before the way is open.
const MOST: usize = 64 << 10;

/// A way through a proxy, and the transport within.
pub(super) struct Proxied {
    stage: Stage,
    inner: Option<Box<dyn Transport + Send>>,
}

enum Stage {
    Asking(Box<dyn Hop + Send>),
    Through,
    Failed(Arc<ProxyError>),
}

/// The value of [`details`](Transport::details) while the proxy is asked.
pub(super) struct Asking;

/// A conversation with a proxy until the tunnel is open.
trait Hop {
    /// Takes input, appends what is to be said to `out`; returns how much was used. The first
    /// call has no input.
    fn ask(&mut self, input: &mut [u8], out: &mut Vec<u8>) -> Result<usize, ProxyError>;

    fn is_through(&self) -> bool;
}

impl Proxied {
    /// A way through `proxy` to a server, named as here (an address without brackets); `inner`
    /// is spoken with the server.
    ///
    /// # Errors
    /// [`ProxyError::TooLong`] if the server's name is too long for the proxy's protocol.
    pub(super) fn new(
        proxy: &Proxy,
        host: &str,
        port: u16,
        inner: Option<Box<dyn Transport + Send>>,
    ) -> Result<Self, ProxyError> {
        let hop: Box<dyn Hop + Send> = match proxy.kind() {
            Kind::Http => Box::new(Tunnel::new(host, port, proxy.authorization())),
            Kind::Socks5 | Kind::Socks5h => Box::new(Socks::new(host, port, proxy.credentials())?),
        };
        let stage = Stage::Asking(hop);
        Ok(Self { stage, inner })
    }

    pub(super) fn closed() -> Self {
        Self {
            stage: Stage::Failed(Arc::new(ProxyError::Closed)),
            inner: None,
        }
    }

    fn fail(&mut self, error: ProxyError) -> TransportError {
        self.stage = Stage::Failed(Arc::new(error));
        TransportError::new(error)
    }
}

impl Transport for Proxied {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        let hop = match &mut self.stage {
            Stage::Failed(error) => return Err(TransportError::new(**error)),
            Stage::Asking(hop) => hop,
            Stage::Through => {
                return match &mut self.inner {
                    Some(inner) => inner.open(input, out),
                    None => Ok(as_it_is(input.len())),
                };
            }
        };
        let used = match hop.ask(input, out) {
            Ok(used) => used,
            Err(error) => return Err(self.fail(error)),
        };
        if hop.is_through() {
            self.stage = Stage::Through;
            if let Some(inner) = &mut self.inner {
                inner.open(&mut [], out)?;
            }
        }
        Ok(Received {
            used,
            step: Step::Need(1),
        })
    }

    fn agreed(&self) -> Option<Agreed> {
        match (&self.stage, &self.inner) {
            (Stage::Through, Some(inner)) => inner.agreed(),
            (Stage::Through, None) => Some(Agreed::NOTHING),
            _ => None,
        }
    }

    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
        match &mut self.inner {
            Some(inner) => inner.seal(plain, out),
            None => {
                plain.iter().for_each(|part| out.extend_from_slice(part));
                Ok(())
            }
        }
    }

    fn seal_over(
        &mut self,
        plain: &[IoSlice<'_>],
        room: &mut Vec<u8>,
    ) -> Result<usize, TransportError> {
        match &mut self.inner {
            Some(inner) => inner.seal_over(plain, room),
            None => {
                room.clear();
                self.seal(plain, room)?;
                Ok(room.len())
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if let (Stage::Through, Some(inner)) = (&self.stage, &mut self.inner) {
            inner.close(out);
        }
    }

    fn memory(&self) -> usize {
        let hop = match &self.stage {
            Stage::Asking(hop) => size_of_val(&**hop),
            Stage::Through | Stage::Failed(_) => 0,
        };
        let inner = self.inner.as_ref();
        hop + inner.map_or(0, |inner| size_of_val(&**inner) + inner.memory())
    }

    fn handshake_limit(&self) -> usize {
        let inner = self.inner.as_ref();
        inner.map_or(MOST, |inner| inner.handshake_limit().saturating_add(MOST))
    }

    /// [`ProxyError`] if the proxy failed, [`Asking`] until it has answered, then what the
    /// inner transport tells.
    fn details(&self) -> Option<TransportDetails> {
        match &self.stage {
            Stage::Failed(error) => Some(error.clone()),
            Stage::Asking(_) => Some(Arc::new(Asking)),
            Stage::Through => self.inner.as_ref()?.details(),
        }
    }

    fn ends_with_socket(&self) -> bool {
        let inner = self.inner.as_ref();
        inner.is_none_or(|inner| inner.ends_with_socket())
    }
}

impl fmt::Debug for Proxied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxied")
    }
}

/// All of the input, or as much as may be opened in one call.
const fn as_it_is(bytes: usize) -> Received<Range<usize>> {
    let used = if bytes < MOST_OPENED {
        bytes
    } else {
        MOST_OPENED
    };
    let step = match used {
        0 => Step::Need(1),
        used => Step::Event(0..used),
    };
    Received { used, step }
}

/// A host and a port as an authority has them (RFC 3986 §3.2).
fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => alloc::format!("[{host}]:{port}"),
        false => alloc::format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests;
