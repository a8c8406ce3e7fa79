//! A server's TLS connection as the transport of a loop's connection.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use rustls::{Error, ServerConfig};

use super::info::{H2, Info};
use super::names::{Choice, take_choice};
use super::plain::{PlainHttp, answer, is_http};
use super::session::{Found, Session};
use crate::net::{Agreed, Speaks, Transport, TransportDetails, TransportError, TransportLimit};
use crate::wire::{Received, Step};

/// The one protocol that some older clients offer (`curl --http1.0` does).
pub(super) const HTTP_1_0: &str = "http/1.0";

/// A level of alerts, and two of them (RFC 8446 §6).
const FATAL: u8 = 2;
const ACCESS_DENIED: u8 = 49;
const UNRECOGNIZED_NAME: u8 = 112;

/// The methods of a transport with a `session: Result<Session, Error>` that only pass on.
macro_rules! seal_by_session {
    () => {
        fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
            let session = self.session.as_mut().map_err(|error| error.clone());
            let sealed = session.and_then(|it| it.send(plain, out));
            sealed.map_err(|error| self.fail(error))
        }

        fn seal_over(
            &mut self,
            plain: &[IoSlice<'_>],
            room: &mut Vec<u8>,
        ) -> Result<usize, TransportError> {
            let session = self.session.as_mut().map_err(|error| error.clone());
            let sealed = session.and_then(|it| it.send_over(plain, room));
            sealed.map_err(|error| self.fail(error))
        }

        fn close(&mut self, out: &mut Vec<u8>) {
            if let Ok(session) = &mut self.session {
                session.close(out);
            }
        }

        fn end_at(&mut self, limit: TransportLimit, out: &mut Vec<u8>) {
            if let Ok(session) = &mut self.session {
                session.end_at(limit, out);
            }
        }
    };
}

pub(super) use seal_by_session;

pub(super) struct Secure {
    session: Result<Session, Error>,
    /// The server's choice by the hello, until the handshake is over.
    choice: Option<Box<Choice>>,
    info: Option<Arc<Info>>,
    /// The answer to a request in the clear, until some input has come.
    plain: Option<PlainHttp>,
    /// The client's side of the handshake may have any length: there are certificates in it.
    asks: bool,
}

/// Bytes of a client's handshake without certificates: two hellos of 8 KiB, where usual ones
/// have 300 to 2,000 bytes.
const HELLOS: usize = 16 * 1024;

impl Secure {
    /// The server's side, which `asks` clients for certificates or not.
    pub(super) fn server(
        config: Arc<ServerConfig>,
        plain: PlainHttp,
        asks: bool,
    ) -> Box<dyn Transport> {
        Box::new(Self {
            session: Session::server(config),
            choice: None,
            info: None,
            plain: Some(plain),
            asks,
        })
    }

    /// Notes what the hello has led to, and what was agreed on.
    #[cold]
    fn follow_handshake(&mut self, out: &mut [u8]) {
        if let Some(choice) = take_choice() {
            // rustls has another alert for it than RFC 6066 §3.
            if let [.., FATAL, alert @ ACCESS_DENIED] = out
                && choice.is_refused
            {
                *alert = UNRECOGNIZED_NAME;
            }
            self.choice = Some(Box::new(choice));
        }
        if let Ok(session) = &self.session
            && session.is_agreed()
        {
            let chosen = self.choice.take().map(|it| *it).unwrap_or_default();
            let (name, own) = (chosen.server_name, chosen.certificate);
            self.info = Some(Arc::new(Info::new(session.state(), name, own)));
        }
    }

    #[cold]
    fn fail(&mut self, error: Error) -> TransportError {
        self.session = Err(error.clone());
        TransportError::new(error)
    }

    fn session(&mut self) -> Result<&mut Session, TransportError> {
        match &mut self.session {
            Ok(session) => Ok(session),
            Err(error) => Err(TransportError::new(error.clone())),
        }
    }
}

impl Found {
    /// The answer of a transport that has used so many bytes.
    pub(super) const fn received(self, used: usize) -> Received<Range<usize>> {
        let step = match self {
            Self::Content(range) => Step::Event(range),
            Self::Own => Step::Need(1),
            Self::Closed => Step::Done,
        };
        Received { used, step }
    }
}

impl Transport for Secure {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        let was_agreed = self.info.is_some();
        if let Some(choice) = self.plain.filter(|_| is_http(input)) {
            return refuse_plain(input, choice, out);
        }
        let session = self.session()?;
        let received = session.receive(input, out);
        if !input.is_empty() {
            self.plain = None;
        }
        if !was_agreed {
            self.follow_handshake(out);
        }
        match received {
            Ok((used, found)) => Ok(found.received(used)),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn agreed(&self) -> Option<Agreed> {
        let info = self.info.as_ref()?;
        Some(Agreed::on(match info.alpn() {
            Some(H2) => Speaks::Http2,
            // HTTP/2 over TLS is chosen by ALPN alone (RFC 9113 §3.2).
            _ => Speaks::Http1,
        }))
    }

    seal_by_session!();

    fn memory(&self) -> usize {
        let of_info = |it: &Arc<Info>| size_of::<Info>() + it.memory();
        let info = self.info.as_ref().map_or(0, of_info);
        self.session.as_ref().map_or(0, Session::memory) + info
    }

    fn handshake_limit(&self) -> usize {
        if self.asks { usize::MAX } else { HELLOS }
    }

    fn details(&self) -> Option<TransportDetails> {
        Some(self.info.clone()?)
    }
}

/// Answers a request that came without TLS, once enough of it is there.
#[cold]
fn refuse_plain(
    input: &[u8],
    choice: PlainHttp,
    out: &mut Vec<u8>,
) -> Result<Received<Range<usize>>, TransportError> {
    let Some(answer) = answer(input, choice) else {
        return Ok(Received::need(0, 1));
    };
    out.extend_from_slice(answer.as_bytes());
    Err(TransportError::new("a request of HTTP without TLS"))
}
