//! One connection of a client without I/O.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::Transport;
use crate::http::{Fields, OwnedScratch, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, BufferedRequest, CallContext, EndReason, Event, Limits, Link, UsageError};
use crate::net::Flow;
use crate::wire::{Instant, Received, Step};

/// Output from which on nothing is added to it but answers of the protocol.
const OUTPUT: usize = 64 << 10;

/// One connection of a client without I/O: a [`Link`], and what waits in front of
/// it and behind it.
///
/// Its owner has a socket, or whatever else carries bytes. It gives what arrives to
/// [`receive`](Self::receive), and the end of that to
/// [`receive_eof`](Self::receive_eof) or [`closed`](Self::closed); writes
/// [`output`](Self::output) after each [`flush`](Self::flush); and calls
/// [`elapsed`](Self::elapsed) at the [`deadline`](Self::deadline). All of them but
/// `output` tell what has happened, each event with the stream that it is for and
/// the [`Wire`] to act on. What is done on the [`wire`](Self::wire) apart from them
/// is to be followed by a `flush`.
///
/// ```
/// use barewire::client::{Connection, Transport};
/// use barewire::link::{Event, Limits};
/// use barewire::wire::Instant;
///
/// let now = Instant::START;
/// let mut connection = Connection::http2(Limits::DEFAULT, now);
/// assert!(connection.output().starts_with(b"PRI * HTTP/2.0"));
/// let mut settings = *b"\0\0\0\x04\0\0\0\0\0";
/// connection.receive(&mut settings, now, |wire, stream, event| {
///     assert!(matches!((stream, event), (0, Event::Writable)));
///     assert!(wire.allowance() > 0);
/// });
/// ```
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    limits: Limits,
    scratch: OwnedScratch,
    shown: Option<Box<BufferedRequest>>,
    /// What the link has not used.
    input: Vec<u8>,
    /// The server's last byte has come.
    ended: bool,
}

/// The side of a [`Connection`] that sends.
#[derive(Debug)]
pub struct Wire {
    link: Link,
    out: Vec<u8>,
    now: Instant,
    /// The owner knows that the connection is over.
    told: bool,
}

impl Connection {
    /// A connection that has just been opened and speaks HTTP/2, with prior
    /// knowledge (RFC 9113 §3.3).
    pub fn http2(limits: Limits, now: Instant) -> Self {
        let (mut link, mut out) = (Link::client_http2(now), Vec::new());
        link.begin(&limits, now, &mut out);
        let fields = limits.http2.fields;
        Self {
            wire: Wire {
                link,
                out,
                now,
                told: false,
            },
            limits,
            scratch: OwnedScratch::new(usize::from(fields) + 8),
            shown: None,
            input: Vec::new(),
            ended: false,
        }
    }

    /// The side that sends.
    pub const fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// Takes bytes that have arrived.
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        now: Instant,
        mut owner: impl FnMut(&mut Wire, u32, Event<'_>),
    ) {
        self.wire.now = now;
        let mut kept = mem::take(&mut self.input);
        if kept.is_empty() {
            let used = self.feed(bytes, &mut owner);
            kept.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            kept.extend_from_slice(bytes);
            let used = self.feed(&mut kept, &mut owner);
            kept.drain(..used.min(kept.len()));
        }
        self.input = kept;
    }

    /// Takes the end of what arrives: the server has sent its last byte.
    pub fn receive_eof(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        (self.wire.now, self.ended) = (now, true);
        let mut rest = mem::take(&mut self.input);
        self.feed(&mut rest, &mut owner);
    }

    /// The transport has ended, and nothing can be sent either.
    pub fn closed(&mut self, why: EndReason, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.tell_gone(why, &mut owner);
    }

    /// Puts into the output what may be sent now, up to some 64 KiB; whether there
    /// is anything to write. To be called until there is not.
    pub fn flush(
        &mut self,
        now: Instant,
        mut owner: impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> bool {
        self.wire.now = now;
        self.feed(&mut [], &mut owner);
        !self.wire.out.is_empty()
    }

    /// What is to be written. The owner takes it from the front, as much as the
    /// transport has room for.
    pub const fn output(&mut self) -> &mut Vec<u8> {
        &mut self.wire.out
    }

    /// Whether the transport is to be closed once the output is written.
    pub const fn is_over(&self) -> bool {
        self.wire.told
    }

    /// When [`elapsed`](Self::elapsed) is to be called; `None` if never. Any other
    /// call may change the answer.
    pub fn deadline(&self) -> Option<Instant> {
        match self.wire.told {
            true => None,
            false => self.wire.link.deadline(&self.limits),
        }
    }

    /// Does what time has made due: pings, and the end of a connection that is
    /// idle or whose server is silent.
    pub fn elapsed(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        while self.deadline().is_some_and(|at| at <= now) {
            let context = CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
                shown: &mut self.shown,
            };
            match self.wire.link.elapsed(context, &mut self.wire.out) {
                Ok(Some(event)) => {
                    let stream = self.wire.link.stream();
                    owner(&mut self.wire, stream, event);
                }
                Ok(None) => break,
                Err(error) => self.tell_gone(EndReason::ProtocolError(error), &mut owner),
            }
        }
        self.feed(&mut [], &mut owner);
    }

    /// Says that output which the owner has taken still waits on our side. To be
    /// called before [`elapsed`](Self::elapsed): a ping behind it is not with the
    /// server, whose time to answer counts from the last such call. How long
    /// output may wait is for the owner to limit.
    pub fn output_waits(&mut self, now: Instant) {
        self.wire.link.resume(now);
    }

    /// Gives the link its input, until nothing more comes of it; returns how much
    /// was used.
    fn feed(
        &mut self,
        input: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        let (mut at, mut at_end) = (0, false);
        loop {
            if self.wire.told {
                return input.len();
            }
            let rest = input.get_mut(at..).unwrap_or_default();
            let context = CallContext {
                now: self.wire.now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
                shown: &mut self.shown,
            };
            let received = match at_end {
                false => self.wire.link.receive(rest, context, &mut self.wire.out),
                true => self
                    .wire
                    .link
                    .receive_eof(rest, context, &mut self.wire.out),
            };
            let goes_on = match received {
                Ok(Received { used, step }) => {
                    at += used;
                    let goes_on = used > 0 || matches!(step, Step::Need(0) | Step::Event(_));
                    if let Step::Event(event) = step {
                        let stream = self.wire.link.stream();
                        owner(&mut self.wire, stream, event);
                    }
                    goes_on
                }
                Err(error) => {
                    self.tell_gone(EndReason::ProtocolError(error), owner);
                    continue;
                }
            };
            if let Some(shown) = self.shown.take() {
                self.wire.link.reclaim(shown);
            }
            if goes_on {
                continue;
            }
            self.wire.pump();
            if self.wire.link.closing().is_some() {
                let gone = match self.ended {
                    true => EndReason::Disconnected,
                    false => EndReason::Finished,
                };
                self.tell_gone(gone, owner);
            } else if !self.wire.link.is_pending() {
                if at_end || !self.ended {
                    return at;
                }
                at_end = true;
            }
        }
    }

    /// Tells the owner, once, that the connection is over: in each exchange, then
    /// for the connection.
    fn tell_gone(&mut self, gone: EndReason, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        if mem::replace(&mut self.wire.told, true) {
            return;
        }
        self.input = Vec::new();
        while let Some((stream, own)) = self.wire.link.take_live() {
            owner(&mut self.wire, stream, Event::Ended(own.unwrap_or(gone)));
        }
        owner(&mut self.wire, 0, Event::Ended(gone));
    }
}

impl Wire {
    fn pump(&mut self) {
        self.link.set_room(OUTPUT.saturating_sub(self.out.len()));
        self.link.pump(0, self.now, &mut self.out);
    }
}

impl Transport for Wire {
    fn allowance(&mut self) -> usize {
        if self.told {
            return 0;
        }
        if self.out.len() >= OUTPUT {
            self.link.wait(0);
            return 0;
        }
        self.link.allowance()
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        let stream = self.link.request(head, body, self.now, &mut self.out)?;
        self.link.let_owner_consume(stream);
        Ok(stream)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        if let Err(misuse) = self.link.write(stream, data, &mut self.out) {
            return Flow::Over(misuse);
        }
        self.pump();
        if self.link.queued(stream) == 0 {
            return Flow::Go;
        }
        self.link.wait(stream);
        Flow::Wait
    }

    fn finish(&mut self, stream: u32) {
        let out = &mut self.out;
        // Refused only where it is over: an event says so.
        let _ = self.link.finish(stream, Fields::EMPTY, self.now, out);
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        let (code, now, out) = (code.code(), self.now, &mut self.out);
        // Refused only where it is over.
        let _ = self.link.reset(stream, code, EndReason::Aborted, now, out);
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.link.consume(stream, bytes, &mut self.out);
    }

    fn shutdown(&mut self) {
        self.link.drain(false, [0; 4], self.now, &mut self.out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Field, Method, Target, Version};
    use crate::link::Account;

    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

    fn asked(connection: &mut Connection) -> u32 {
        let host = [Field::new("host", "a")];
        let head = RequestHead {
            method: Method::GET,
            target: Target::parse(b"/", Method::GET).unwrap(),
            version: Version::Http2,
            protocol: None,
            fields: Fields::new(&host),
        };
        connection.wire().request(&head, None).unwrap()
    }

    fn told(connection: &mut Connection, bytes: &[u8]) -> Vec<(u32, alloc::string::String)> {
        let mut all = Vec::new();
        connection.receive(&mut bytes.to_vec(), Instant::START, |_, stream, event| {
            all.push((stream, alloc::format!("{event:?}")));
        });
        all
    }

    #[test]
    fn what_its_owner_keeps_within_windows_comes_though_memory_is_full() {
        let mut connection = Connection::http2(Limits::DEFAULT, Instant::START);
        told(&mut connection, SETTINGS);
        let all = Account::new(1000);
        connection.wire.link.charge_to(all.child());
        let stream = asked(&mut connection);
        let _other = all.charge(2000);
        let response = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x02\0\0\0\0\0\x01hi";
        let events = told(&mut connection, response);
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[1], (stream, "Body([104, 105])".into()));
    }

    #[test]
    fn the_end_of_input_ends_what_waits_for_more_and_the_connection() {
        let mut connection = Connection::http2(Limits::DEFAULT, Instant::START);
        told(&mut connection, SETTINGS);
        let stream = asked(&mut connection);
        let mut ended = Vec::new();
        connection.receive_eof(Instant::START, |_, stream, event| {
            assert!(matches!(event, Event::Ended(EndReason::Disconnected)));
            ended.push(stream);
        });
        assert_eq!(ended, [stream, 0]);
        assert!(connection.is_over() && connection.deadline().is_none());
        assert_eq!(connection.wire().allowance(), 0);
        assert!(told(&mut connection, SETTINGS).is_empty());
    }
}
