//! The seam to rustls: the only file that names its connections.
//!
//! It has the shape that rustls 0.24 gives its own: records lie in the caller's
//! memory, content comes out where its record lay, and what is sent is appended to
//! the caller's `Vec`. rustls 0.23 copies content into a `Vec`, and allocates each
//! record that it seals; a change of version changes this file.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use std::io::IoSlice;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus, WriteTraffic};
use rustls::{ClientConfig, CommonState, Error, InvalidMessage, ServerConfig};

use super::alert;
use super::contained::{contain, panicked};
use super::output::{Lack, Output, append, lacking, unexpected};
use crate::net::TransportLimit;
use crate::wire::partly_shown;

/// Bytes of the head of a record (RFC 8446 §5.1).
const HEAD: usize = 5;
/// Bytes of content that a record has at most (RFC 8446 §5.1).
const MOST_CONTENT: usize = 16 * 1024;
/// Room around a record's content: head, nonce (TLS 1.2), type (TLS 1.3) and tag.
const AROUND: usize = HEAD + 8 + 1 + 16;
/// Sizes of an answer's first records. A record opens only when complete: a small front is of
/// use before the congestion window lets the rest through.
const FIRST: [usize; 2] = [4 * 1024, 8 * 1024];

/// Bytes that rustls holds on the heap after a handshake, beside the value and the peer's
/// certificates (with ring, the larger). `tests/tls_memory.rs` compares it with the allocator.
const HEAP: usize = 2_304;

/// One TLS connection, of either side. It holds keys and no bytes.
pub(super) struct Session {
    side: Side,
    /// Input bytes that rustls has seen and that stay: an incomplete message of its own.
    seen: usize,
    /// Records of an answer so far, as many as [`FIRST`] has.
    answered: u8,
}

enum Side {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// The kind of record at the front of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Content(Range<usize>),
    /// Messages of TLS itself, or less than a record.
    Own,
    Closed,
}

impl Session {
    /// The server's side of a new connection.
    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        UnbufferedServerConnection::new(config).map(|it| Self::new(Side::Server(it)))
    }

    /// The client's side of a new connection, to a server of this name, which is offered
    /// these protocols.
    pub(super) fn client(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        protocols: Vec<Vec<u8>>,
    ) -> Result<Self, Error> {
        UnbufferedClientConnection::new_with_alpn(config, name, protocols)
            .map(|it| Self::new(Side::Client(it)))
    }

    const fn new(side: Side) -> Self {
        Self {
            side,
            seen: 0,
            answered: 0,
        }
    }

    /// Takes TLS's own records at the front of `input`, or one record of content; returns the
    /// bytes used and what they were. Appends replies to `out`, also on failure; then nothing
    /// more may be asked: rustls may have seen more than `seen` says.
    pub(super) fn receive(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, Found), Error> {
        let (side, seen, mark) = (&mut self.side, &mut self.seen, out.len());
        let taken = contain(|| match side {
            Side::Server(connection) => receive(connection, seen, input, &mut *out),
            Side::Client(connection) => receive(connection, seen, input, &mut *out),
        });
        let taken = taken.unwrap_or_else(|| {
            out.truncate(mark);
            Err(panicked())
        });
        if let Ok((_, Found::Content(_))) = taken {
            self.answered = 0;
        }
        taken
    }

    /// Appends `plain`, sealed, to `out`. Small parts share a record.
    pub(super) fn send(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), Error> {
        Output::behind(out, |out| self.send_to(plain, out))
    }

    /// Puts `plain`, sealed, over the front of `room`, which grows where it is too small;
    /// how many bytes that were.
    pub(super) fn send_over(
        &mut self,
        plain: &[IoSlice<'_>],
        room: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        let mut out = Output::over(room);
        self.send_to(plain, &mut out)?;
        Ok(out.len())
    }

    fn send_to(&mut self, plain: &[IoSlice<'_>], out: &mut Output<'_>) -> Result<(), Error> {
        let mut parts = plain.iter().map(|part| &**part).filter(|it| !it.is_empty());
        let mut part: &[u8] = &[];
        loop {
            if part.is_empty() {
                match parts.next() {
                    Some(next) => part = next,
                    None => return Ok(()),
                }
            }
            let most = FIRST.get(usize::from(self.answered)).copied();
            self.answered += u8::from(most.is_some());
            let most = most.unwrap_or(MOST_CONTENT);
            let (content, rest) = part.split_at(part.len().min(most));
            part = rest;
            let mut after = parts.clone();
            if !rest.is_empty() || content.len() == most || after.next().is_none() {
                self.seal(content, out)?;
                continue;
            }
            // Put together after the room for the record that they become.
            let mut joined = Vec::with_capacity(most);
            joined.extend_from_slice(content);
            while joined.len() < most {
                if part.is_empty() {
                    match parts.next() {
                        Some(next) => part = next,
                        None => break,
                    }
                }
                let (content, rest) = part.split_at(part.len().min(most - joined.len()));
                joined.extend_from_slice(content);
                part = rest;
            }
            self.seal(&joined, out)?;
        }
    }

    fn seal(&mut self, content: &[u8], out: &mut Output<'_>) -> Result<(), Error> {
        let (side, seen) = (&mut self.side, self.seen);
        contain(|| match side {
            Side::Server(connection) => seal(connection, seen, content, out),
            Side::Client(connection) => seal(connection, seen, content, out),
        })
        .unwrap_or_else(|| Err(panicked()))
    }

    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        let (side, seen, mark) = (&mut self.side, self.seen, out.len());
        let closed = contain(|| match side {
            Side::Server(connection) => close(connection, seen, &mut *out),
            Side::Client(connection) => close(connection, seen, &mut *out),
        });
        if closed.is_none() {
            out.truncate(mark);
        }
    }

    /// Appends to `out` what the peer is told when it has exceeded a limit. Nothing more
    /// may be asked of the session then.
    pub(super) fn end_at(&mut self, limit: TransportLimit, out: &mut Vec<u8>) {
        let (side, seen, mark) = (&mut self.side, self.seen, out.len());
        let told = contain(|| match side {
            Side::Server(connection) => end_at(connection, seen, limit, &mut *out),
            Side::Client(connection) => end_at(connection, seen, limit, &mut *out),
        });
        if told.is_none() {
            out.truncate(mark);
        }
    }

    pub(super) fn is_agreed(&self) -> bool {
        !self.state().is_handshaking()
    }

    pub(super) fn memory(&self) -> usize {
        let chain = self.state().peer_certificates().unwrap_or_default();
        let of_one = |it: &CertificateDer<'_>| size_of_val(it) + it.len();
        HEAP + chain.iter().map(of_one).sum::<usize>()
    }

    pub(super) fn state(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }
}

partly_shown!(it: Session { is_server: matches!(it.side, Side::Server(_)), is_agreed: it.is_agreed() });

/// A connection of rustls, of either side.
trait Engine: core::ops::Deref<Target: core::ops::Deref<Target = CommonState>> {
    type Data;

    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Engine for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }
}

impl Engine for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, input: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(input)
    }
}

enum Progress {
    Again,
    Waits,
    Content,
    Closed,
}

fn receive<E: Engine>(
    engine: &mut E,
    seen: &mut usize,
    input: &mut [u8],
    out: &mut Vec<u8>,
) -> Result<(usize, Found), Error> {
    let was_handshaking = engine.is_handshaking();
    let (mut used, mut given) = (0, (*seen).min(input.len()));
    let (mut wants_record, mut is_all) = (true, false);
    loop {
        // Record by record, so that it is known what rustls has looked at, and the call
        // that ends a handshake opens no content.
        if wants_record {
            let rest = &input[given..];
            if let [kind, ..] = rest
                && alert::has_no_place(*kind, engine)
            {
                provoke(engine, given - used, &alert::UNEXPECTED, out);
                return Err(InvalidMessage::InvalidContentType.into());
            }
            let record = record_at(rest).filter(|&it| it <= rest.len());
            given += record.unwrap_or(0);
            is_all = record.is_none();
        }
        // The front of a record may show that it is none.
        let to = if is_all { input.len() } else { given };
        let (discard, progress) = step(engine, &mut input[used..to], out)?;
        let from = used;
        used += discard; // of whole records
        *seen = given - used;
        match progress {
            Progress::Content => {
                let len = fetch(engine, &mut input[from..used])?;
                return Ok((used, Found::Content(from..from + len)));
            }
            Progress::Closed => return Ok((used, Found::Closed)),
            Progress::Waits if is_all || was_handshaking && !engine.is_handshaking() => {
                return Ok((used, Found::Own));
            }
            Progress::Again => wants_record = false,
            Progress::Waits => wants_record = true,
        }
    }
}

/// The length of the record that begins here, as its head says.
fn record_at(input: &[u8]) -> Option<usize> {
    let &[_, _, _, a, b, ..] = input else {
        return None;
    };
    Some(HEAD + usize::from(u16::from_be_bytes([a, b])))
}

/// Has rustls take a step; returns the bytes used and what comes next.
fn step<E: Engine>(
    engine: &mut E,
    input: &mut [u8],
    out: &mut Vec<u8>,
) -> Result<(usize, Progress), Error> {
    let mark = out.len();
    let UnbufferedStatus { discard, state } = engine.process(input);
    let progress = match state {
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            append(out, 512, |room| data.encode(room).map_err(lacking))?;
            Progress::Again
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Progress::Again
        }
        Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => Progress::Waits,
        Ok(ConnectionState::ReadTraffic(_)) => Progress::Content,
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Progress::Closed,
        // Early data is never accepted.
        Ok(_) => return Err(unexpected()),
        Err(error) => {
            // The alert waits inside. Asked for more than that, rustls would look for
            // input, and panics if it has seen the front of a message.
            while engine.wants_write()
                && let Ok(ConnectionState::EncodeTlsData(mut data)) = engine.process(&mut []).state
            {
                append(out, 64, |room| data.encode(room).map_err(lacking))?;
            }
            let is_clear = engine.negotiated_cipher_suite().is_none();
            alert::correct(&error, input, mark, is_clear, out);
            return Err(error);
        }
    };
    Ok((discard, progress))
}

/// Has rustls refuse a record, after the bytes that it has `seen`: only it can seal an
/// alert.
#[cold]
fn provoke<E: Engine>(engine: &mut E, seen: usize, record: &[u8], out: &mut Vec<u8>) {
    let mut input = alloc::vec![0; seen];
    input.extend_from_slice(record);
    while let Ok((_, Progress::Again)) = step(engine, &mut input, out) {}
}

#[cold]
fn end_at<E: Engine>(engine: &mut E, seen: usize, limit: TransportLimit, out: &mut Vec<u8>) {
    let mark = out.len();
    if limit == TransportLimit::Time {
        close(engine, seen, out);
    }
    if out.len() == mark {
        provoke(engine, seen, &alert::NO_RECORD, out);
        alert::tell_limit(limit, mark, out);
    }
}

/// Copies opened content to the front of where its record lay.
///
/// rustls lends it only with the call's input: it is asked again, without any.
fn fetch<E: Engine>(engine: &mut E, record: &mut [u8]) -> Result<usize, Error> {
    let Ok(ConnectionState::ReadTraffic(mut traffic)) = engine.process(&mut []).state else {
        return Err(unexpected());
    };
    let content = traffic.next_record().ok_or_else(unexpected)??.payload;
    let room = record.get_mut(..content.len()).ok_or_else(unexpected)?;
    room.copy_from_slice(content);
    Ok(content.len())
}

/// Calls `write` where rustls allows, after its own output. It takes the `seen` bytes to be
/// there.
fn write<E: Engine>(
    engine: &mut E,
    seen: usize,
    out: &mut Output<'_>,
    write: impl Fn(&mut WriteTraffic<'_, E::Data>, &mut Output<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    // It asks for them whenever it is called, and reads none of them here.
    let mut seen: Vec<u8> = alloc::vec![0; seen]; // mostly none, and no memory
    loop {
        match engine.process(&mut seen).state? {
            ConnectionState::EncodeTlsData(mut data) => {
                out.put(512, |room| data.encode(room).map_err(lacking))?;
            }
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::WriteTraffic(mut traffic) => return write(&mut traffic, out),
            _ => return Err(unexpected()),
        }
    }
}

fn seal<E: Engine>(
    engine: &mut E,
    seen: usize,
    content: &[u8],
    out: &mut Output<'_>,
) -> Result<(), Error> {
    write(engine, seen, out, |traffic, out| {
        out.put(content.len() + AROUND, |room| {
            traffic.encrypt(content, room).map_err(Lack::from)
        })
    })
}

fn close<E: Engine>(engine: &mut E, seen: usize, out: &mut Vec<u8>) {
    let closed = Output::behind(out, |out| {
        write(engine, seen, out, |traffic, out| {
            out.put(64, |room| {
                traffic.queue_close_notify(room).map_err(Lack::from)
            })
        })
    });
    // Where nothing can be said, nothing is.
    drop(closed);
}

#[cfg(test)]
mod tests;
