//! One connection of a client without I/O.

mod opening;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::sealed::{Opened, Sealed};
use super::{Wire, spare};
use crate::http::OwnedScratch;
use crate::link::{BufferedRequest, CallContext, EndReason, Event, Limits};
use crate::net::TransportDetails;
use crate::wire::{Instant, Received, Step};

/// One connection of a client without I/O: a [`Link`](crate::link::Link), and what waits in front of
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
    limits: Arc<Limits>,
    shown: Option<Box<BufferedRequest>>,
    /// What the link has not used.
    input: Vec<u8>,
    /// Bytes of the protocol that have come.
    received: u64,
    /// The server's last byte has come.
    ended: bool,
    /// What it goes over, if it is not bare.
    sealed: Option<Box<Sealed>>,
}

impl Connection {
    /// What the transport tells about itself, as
    /// [`Context::transport_details`](crate::net::Context::transport_details) does.
    pub fn transport_details(&self) -> Option<TransportDetails> {
        self.sealed.as_ref()?.details()
    }

    /// Whether many exchanges share it: it speaks HTTP/2.
    pub(in crate::client) const fn is_multiplexed(&self) -> bool {
        self.wire.link.is_multiplexed()
    }

    /// Bytes of the protocol that have come, without those of a transport in front of it.
    pub(in crate::client) const fn received(&self) -> u64 {
        self.received
    }

    /// Whether it can carry another request: nothing is under way on it, and nothing that
    /// nobody has asked for has come.
    pub(in crate::client) fn is_at_rest(&mut self) -> bool {
        !self.wire.told
            && self.wire.link.is_idle()
            && !self.has_unused()
            && self.output().is_empty()
    }

    /// Whether [`elapsed`](Self::elapsed) has something to do.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|at| at <= now)
    }

    /// Whether the server has sent what nobody has a use for yet.
    pub(super) fn has_unused(&self) -> bool {
        !self.input.is_empty() || self.sealed.as_ref().is_some_and(|it| !it.kept.is_empty())
    }

    /// Whether the handshake is still to be done.
    pub(super) fn is_handshaking(&self) -> bool {
        let sealed = self.sealed.as_ref();
        sealed.is_some_and(|it| it.deadline().is_some())
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
        let Some(sealed) = &mut self.sealed else {
            return self.receive_plain(bytes, &mut owner);
        };
        let mut kept = mem::take(&mut sealed.kept);
        let kept = match kept.is_empty() {
            true => {
                let used = self.open(bytes, &mut owner);
                bytes.get(used..).unwrap_or_default().to_vec()
            }
            false => {
                kept.extend_from_slice(bytes);
                let used = self.open(&mut kept, &mut owner);
                kept.drain(..used.min(kept.len()));
                kept
            }
        };
        if let Some(sealed) = &mut self.sealed {
            sealed.kept = kept;
        }
    }

    /// Opens what the transport can open, and gives it to the link; returns how much was
    /// used.
    fn open(
        &mut self,
        bytes: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        let mut at = 0;
        while !self.wire.told && at < bytes.len() {
            let Some(sealed) = &mut self.sealed else {
                return at;
            };
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let opened = sealed.open(rest);
            self.wire.behind = sealed.out.len();
            let (used, opened) = match opened {
                Ok(opened) => opened,
                Err(gone) => {
                    self.tell_gone(gone, owner);
                    break;
                }
            };
            at += used;
            match opened {
                Opened::Content(found) => {
                    let content = rest.get_mut(found).unwrap_or_default();
                    self.receive_plain(content, owner);
                }
                Opened::Agreed(speaks) => {
                    self.begin(speaks);
                    owner(&mut self.wire, 0, Event::Opened);
                }
                Opened::End => {
                    self.end_input(owner);
                    break; // nothing counts behind the end
                }
                Opened::Own if used == 0 => return at,
                Opened::Own => {}
            }
        }
        bytes.len()
    }

    fn receive_plain(
        &mut self,
        bytes: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) {
        self.received += bytes.len() as u64;
        let mut kept = mem::take(&mut self.input);
        if kept.is_empty() {
            let used = self.feed(bytes, owner);
            kept.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            kept.extend_from_slice(bytes);
            let used = self.feed(&mut kept, owner);
            kept.drain(..used.min(kept.len()));
            if kept.is_empty() {
                kept = Vec::new(); // it may be at rest for long
            }
        }
        self.input = kept;
    }

    /// Takes the end of what arrives: the server has sent its last byte. A transport
    /// whose end the server has not announced was cut off ([`EndReason::Reset`]).
    pub fn receive_eof(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        match self.sealed.as_mut().and_then(|it| it.cut_off()) {
            Some(gone) => self.tell_gone(gone, &mut owner),
            None => self.end_input(&mut owner),
        }
    }

    fn end_input(&mut self, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.ended = true;
        let mut rest = mem::take(&mut self.input);
        self.feed(&mut rest, owner);
    }

    /// The connection has ended, and nothing can be sent either.
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
        self.see_to_transport(&mut owner);
        if !self.is_handshaking() {
            self.feed(&mut [], &mut owner);
            if let Some(stream) = self.wire.take_relieved() {
                owner(&mut self.wire, stream, Event::Writable);
            }
        }
        !self.output().is_empty()
    }

    /// Ends the connection if its transport cannot go on.
    fn see_to_transport(&mut self, owner: &mut impl FnMut(&mut Wire, u32, Event<'_>)) {
        let now = self.wire.now;
        if let Some(gone) = self.sealed.as_mut().and_then(|it| it.fault(now)) {
            self.tell_gone(gone, owner);
        }
    }

    /// What is to be written. The owner takes it from the front, as much as the
    /// transport has room for.
    pub fn output(&mut self) -> &mut Vec<u8> {
        let Some(sealed) = &mut self.sealed else {
            return &mut self.wire.out;
        };
        sealed.seal(&mut self.wire.out, self.wire.told);
        &mut sealed.out
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
            false => match self.sealed.as_ref().and_then(|it| it.deadline()) {
                Some(until) => Some(until),
                None => self.wire.link.deadline(&self.limits),
            },
        }
    }

    /// Does what time has made due: pings, and the end of a connection that is
    /// idle or whose server is silent.
    pub fn elapsed(&mut self, now: Instant, mut owner: impl FnMut(&mut Wire, u32, Event<'_>)) {
        self.wire.now = now;
        self.see_to_transport(&mut owner);
        if self.is_handshaking() {
            return;
        }
        let mut scratch = self.take_scratch();
        while self.deadline().is_some_and(|at| at <= now) {
            let context = CallContext {
                now,
                date: None,
                mask_key: self.wire.mask_key(),
                limits: &self.limits,
                scratch: scratch.lend(),
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
        spare::give_scratch(scratch);
        self.feed(&mut [], &mut owner);
    }

    /// Memory for one call, which the thread has at hand.
    fn take_scratch(&self) -> OwnedScratch {
        let limits = &self.limits;
        let fields = limits.http2.fields.max(limits.http1.fields);
        spare::take_scratch(usize::from(fields) + 8)
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
        let mut scratch = self.take_scratch();
        let used = self.feed_with(&mut scratch, input, owner);
        spare::give_scratch(scratch);
        used
    }

    fn feed_with(
        &mut self,
        scratch: &mut OwnedScratch,
        input: &mut [u8],
        owner: &mut impl FnMut(&mut Wire, u32, Event<'_>),
    ) -> usize {
        let (mut at, mut at_end) = (0, false);
        self.wire.behind = self.sealed.as_ref().map_or(0, |it| it.out.len());
        loop {
            if self.wire.told {
                return input.len();
            }
            let rest = input.get_mut(at..).unwrap_or_default();
            let context = CallContext {
                now: self.wire.now,
                date: None,
                mask_key: self.wire.mask_key(),
                limits: &self.limits,
                scratch: scratch.lend(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Transport as _;
    use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
    use crate::link::{Account, Body};
    use crate::net::Flow;

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
    fn a_body_over_http1_waits_for_room_in_the_output() {
        let mut connection = Connection::http1(Limits::DEFAULT, Instant::START);
        let fields = [Field::new("host", "a")];
        let head = RequestHead {
            method: Method::PUT,
            target: Target::parse(b"/", Method::PUT).unwrap(),
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&fields),
        };
        let body = Body::Streamed {
            length: None,
            endless: false,
        };
        let wire = connection.wire();
        let stream = wire.request(&head, Some(body)).unwrap();
        assert_eq!(wire.write(stream, &[0; 1000]), Flow::Go);
        assert_eq!(wire.write(stream, &[0; 70_000]), Flow::Wait);
        for (left, relieved) in [(70_000, 0), (40_000, 0), (1000, 1), (0, 0)] {
            let output = connection.output();
            output.drain(..output.len() - left);
            let mut events = 0;
            connection.flush(Instant::START, |_, of, event| {
                assert!(of == stream && matches!(event, Event::Writable));
                events += 1;
            });
            assert_eq!(events, relieved, "{left}");
        }
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
