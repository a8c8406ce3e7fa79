//! The context of a handler while it looks at an event.

use bytes::Bytes;

use super::lending::Lending;
use super::outlet::{Direct, LARGE, Outlet};
use super::turns::connection::{Connection, Reported};
use super::turns::feeding::Further;
use super::turns::state::{CANCEL, INTERNAL_ERROR, State};
use super::{Exchange, Flow, Owner, Peer, TransportDetails};
use crate::http::{Fields, RequestHead, ResponseHead, Status, date::Date};
use crate::link::{Body, EndReason, Link, Session, UsageError};
use crate::wire::codec::Compression;
use crate::wire::{Instant, Role};

/// The exchange that an event belongs to, and the loop around it.
#[derive(Debug)]
pub struct Context<'a> {
    pub(super) state: &'a mut State,
    pub(super) owner: Owner,
    pub(super) exchange: Exchange,
    /// Where large pieces are written past the cork, while the connection's
    /// input is looked at.
    pub(super) outlet: Option<&'a mut dyn Outlet>,
    /// The input after the message that the handler is being called with.
    pub(super) further: Option<&'a mut Further<'a>>,
}

impl<'a> Context<'a> {
    #[inline]
    pub(super) const fn new(state: &'a mut State, owner: Owner, exchange: Exchange) -> Self {
        Self {
            state,
            owner,
            exchange,
            outlet: None,
            further: None,
        }
    }
}

impl Context<'_> {
    /// Whether the loop is draining: what begins now has heard nothing of it.
    pub const fn is_draining(&self) -> bool {
        self.state.draining
    }

    /// The time now, as of the present turn of the loop.
    pub fn now(&self) -> Instant {
        self.state.now
    }

    /// The time at this moment, to measure what is done within a turn. Reads
    /// the clock, which [`now`](Self::now) does not.
    pub fn measure(&self) -> Instant {
        self.state.clock()
    }

    /// The wall clock, for Date fields.
    pub fn date(&self) -> &Date {
        &self.state.date
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub fn unix_seconds(&self) -> u64 {
        self.state.unix_seconds
    }

    /// Whether this turn has done so much for other connections that more should wait: see
    /// [`publish`](Self::publish).
    pub(crate) const fn is_late(&self) -> bool {
        self.state.is_late()
    }

    /// The exchange that this context is for.
    pub const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// The owner that this context is for.
    pub const fn owner(&self) -> Owner {
        self.owner
    }

    /// The owner's own number for the connection, or for the exchange where
    /// several share one (HTTP/2); 0 until it sets one.
    pub fn tag(&self) -> u32 {
        let Exchange { connection, stream } = self.exchange;
        let connection = self.state.connections.get(connection);
        connection.map_or(0, |it| it.link.tag(stream).unwrap_or(it.tag))
    }

    /// That number and [`peer`](Self::peer), both in one call.
    #[inline]
    pub(crate) fn tag_and_peer(&self) -> (u32, Option<Peer>) {
        let Exchange { connection, stream } = self.exchange;
        match self.state.connections.get(connection) {
            Some(it) => (it.link.tag(stream).unwrap_or(it.tag), Some(it.peer)),
            None => (0, None),
        }
    }

    /// Sets that number.
    pub fn set_tag(&mut self, tag: u32) {
        let Exchange { connection, stream } = self.exchange;
        if let Some(it) = self.state.connections.get_mut(connection)
            && !it.link.set_tag(stream, tag)
        {
            it.tag = tag;
        }
    }

    /// Whether the event is the last of its connection, and not of an exchange
    /// alone that shares it with others.
    pub fn is_last(&self) -> bool {
        let connection = self.state.connections.get(self.exchange.connection);
        connection.is_some_and(|it| it.reported == Reported::End)
    }

    /// Whether the exchange shares its connection with others, so that the end
    /// of one is not the end of the other: on HTTP/2.
    pub fn is_shared(&self) -> bool {
        let connection = self.state.connections.get(self.exchange.connection);
        connection.is_some_and(|it| it.link.is_multiplexed())
    }

    /// How many further exchanges the peer of a client's connection allows at
    /// the moment.
    pub fn allowance(&self) -> usize {
        let connection = self.state.connections.get(self.exchange.connection);
        connection.map_or(0, |it| it.link.allowance())
    }

    /// The peer's address.
    pub fn peer(&self) -> Option<Peer> {
        let connection = self.state.connections.get(self.exchange.connection);
        connection.map(|it| it.peer)
    }

    /// The details of the connection's transport, for example of TLS: from
    /// [`Opened`](crate::link::Event::Opened) to [`Ended`](crate::link::Event::Ended),
    /// for all exchanges of the connection. After a handshake of a dial has failed,
    /// [`Ended`](crate::link::Event::Ended) can see what the transport says of that.
    /// `None` without a transport, or if it tells nothing.
    pub fn transport_details(&self) -> Option<&TransportDetails> {
        let key = self.exchange.connection;
        let details = self.state.details.get(key)?;
        self.state.connections.get(key)?; // or the slot may be another's
        Some(details)
    }

    /// When the connection is [`Ended`](crate::link::Event::Ended) over a
    /// violation: the status that the protocol itself has answered with, if it
    /// could. No request is shown for a head that cannot be read.
    pub fn refusal(&self) -> Option<Status> {
        self.state
            .connections
            .get(self.exchange.connection)
            .and_then(|it| it.link.refusal())
    }

    /// Gives the response its fields that the loop sends should the owner
    /// panic in this call while it owes one; Content-Type is among them, for
    /// the body is JSON. For owners that catch a panic, and pass it on.
    pub fn leave_fields(&mut self, fields: Fields<'_>) {
        self.state.last_fields.clear();
        // Each was checked, or is not sent.
        let _ = self.state.last_fields.extend(fields);
    }

    /// Four unpredictable bytes.
    pub fn random_bytes(&mut self) -> [u8; 4] {
        self.state.entropy.take()
    }

    // The response.

    /// Sends an interim response.
    ///
    /// # Errors
    /// [`UsageError`] unless a response is owed.
    pub fn inform(&mut self, head: &ResponseHead<'_>) -> Result<(), UsageError> {
        self.act(|link, state| link.inform(state.stream, head, state.cork))
    }

    /// Sends the response, or its head if the body is streamed.
    ///
    /// # Errors
    /// [`UsageError`] unless a response is owed; nothing is sent then.
    #[inline(always)]
    pub fn respond(&mut self, head: &ResponseHead<'_>, body: Body<'_>) -> Result<(), UsageError> {
        if let Body::Whole(bytes) = &body
            && bytes.len() >= LARGE
        {
            return self.respond_past(&{ *head }, bytes);
        }
        let (connection, state) = self.state.connection_and_state(self.exchange)?;
        let (stream, now) = (state.stream, state.now);
        let link = &mut connection.link;
        link.respond(stream, head, body, Some(state.date), now, state.cork)
    }

    #[inline(never)]
    fn respond_past(&mut self, head: &ResponseHead<'_>, body: &[u8]) -> Result<(), UsageError> {
        let (responded, _) = self.act_past(|link, state| {
            let (stream, now) = (state.stream, state.now);
            let body = Body::Whole(body);
            link.respond(stream, head, body, Some(state.date), now, state.cork)
        });
        responded
    }

    /// Sends a request of ours, or its head if the body is streamed. From here
    /// on the context is for the exchange that this begins.
    ///
    /// # Errors
    /// [`UsageError`] unless the connection is an HTTP client's and free: on HTTP/2
    /// within its [`allowance`](Self::allowance).
    pub fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<(), UsageError> {
        self.exchange.stream =
            self.act(|link, state| link.request(head, body, state.now, state.cork))?;
        Ok(())
    }

    /// Writes a piece of a streamed body, or bytes of a raw connection.
    pub fn write(&mut self, data: &[u8]) -> Flow {
        self.write_by(|link, state| link.write(state.stream, data, state.cork))
    }

    /// Writes a piece like [`write`](Self::write); large pieces leave without being copied.
    pub fn write_shared(&mut self, data: Bytes) -> Flow {
        self.write_by(|link, state| link.write_shared(state.stream, data, state.cork))
    }

    /// Ends a streamed body; closes a raw connection once all is sent.
    ///
    /// # Errors
    /// [`UsageError`] unless one is open, or if less was sent than announced.
    pub fn finish(&mut self, trailers: Fields<'_>) -> Result<(), UsageError> {
        self.act(|link, state| link.finish(state.stream, trailers, state.now, state.cork))
    }

    /// Answers an upgrade request, or an extended CONNECT on HTTP/2: the
    /// exchange is a WebSocket from here on.
    ///
    /// # Errors
    /// [`UsageError`] if no such request waits for its answer.
    pub fn upgrade_websocket(
        &mut self,
        fields: Fields<'_>,
        streaming: bool,
    ) -> Result<(), UsageError> {
        let (connection, state, _) = self.state.lend(self.exchange)?;
        connection.rested = false; // its deadline was that of HTTP/1.1
        let (stream, date, now) = (state.stream, Some(state.date), state.now);
        let link = &mut connection.link;
        link.upgrade_websocket(stream, fields, streaming, date, now, state.cork)
    }

    /// Makes the WebSocket that the exchange has just become subject to others of
    /// the limits than those of all: by the nth of
    /// [`with_further_websocket`](crate::link::Limits::with_further_websocket).
    ///
    /// # Errors
    /// [`UsageError`] if it is not a WebSocket.
    pub fn choose_websocket_limits(&mut self, nth: u16) -> Result<(), UsageError> {
        self.act(|link, state| link.choose_websocket_limits(state.stream, nth))
    }

    /// Compresses the messages of the WebSocket that the exchange has just become, as
    /// client and server have agreed on, in this way. In builds without the feature
    /// `deflate` nothing may be agreed on.
    ///
    /// # Errors
    /// [`UsageError`] if it is not a WebSocket.
    pub fn compress(
        &mut self,
        session: Session,
        compression: Compression,
    ) -> Result<(), UsageError> {
        self.act(|link, state| {
            let number = state.deflater.map_or(0, |it| it.add(compression));
            link.compress(state.stream, session.compressing(number))
        })
    }

    /// Answers an upgrade or CONNECT request: all bytes are the owner's from
    /// here on.
    ///
    /// # Errors
    /// [`UsageError`] if no such request waits for its answer.
    pub fn upgrade_raw(&mut self, fields: Fields<'_>) -> Result<(), UsageError> {
        self.act(|link, state| link.upgrade_raw(fields, state.cork))
    }

    /// After our own upgrade request was answered with 101, or our extended
    /// CONNECT with 200: the exchange is a WebSocket from here on.
    ///
    /// # Errors
    /// [`UsageError`] unless it was an HTTP client's.
    pub fn switched_to_websocket(&mut self, streaming: bool) -> Result<(), UsageError> {
        let (connection, state, _) = self.state.lend(self.exchange)?;
        connection.rested = false; // as in `upgrade_websocket`
        let link = &mut connection.link;
        link.switched_to_websocket(state.stream, streaming, state.now)
    }

    /// Ends the exchange without a word more: by a reset of its stream, or
    /// with its connection.
    pub fn abort(&mut self) {
        let code = match self.state.role_of(self.exchange) {
            Role::Client => CANCEL,
            Role::Server => INTERNAL_ERROR,
        };
        self.reset(code);
    }

    /// Resets the exchange with an error code of HTTP/2 (RFC 9113 §7).
    pub fn reset(&mut self, code: u32) {
        let Exchange { connection, stream } = self.exchange;
        if let Some(it) = self.state.connections.get(connection)
            && it.may_respond()
            && (it.link.stream() == stream || it.link.is_multiplexed())
        {
            self.state.lose(self.exchange, code, EndReason::Aborted);
        }
    }

    /// Whether the exchange is still open.
    pub fn is_open(&self) -> bool {
        self.state.is_open(self.exchange)
    }

    /// Bytes that wait for the stream of this exchange or for the kernel.
    pub fn backlog(&self) -> usize {
        self.state.backlog_of(self.exchange)
    }

    /// Runs `act` on the link, if the exchange is still open.
    #[inline]
    pub(super) fn act<R>(
        &mut self,
        act: impl FnOnce(&mut Link, Lending<'_>) -> Result<R, UsageError>,
    ) -> Result<R, UsageError> {
        let (connection, lending, _) = self.state.lend(self.exchange)?;
        act(&mut connection.link, lending)
    }

    /// Runs `act` on the link, if the exchange is open; large pieces go past the cork. Returns
    /// what waited before, too.
    pub(super) fn act_past(
        &mut self,
        act: impl FnOnce(&mut Link, Lending<'_, Direct<'_>>) -> Result<(), UsageError>,
    ) -> (Result<(), UsageError>, usize) {
        let Exchange {
            connection: key,
            stream,
        } = self.exchange;
        let State {
            connections,
            cork,
            entropy,
            now,
            date,
            current,
            counters,
            past,
            deflater,
            ..
        } = &mut *self.state;
        let Some(it) = connections.get_mut(key).filter(|it| it.is_open(stream)) else {
            return (Err(UsageError::Over), 0);
        };
        let waited = it.backlog.held() + cork.held() + it.link.queued(stream);
        let is_next = it.is_clear() && *current == key;
        let mut direct = Direct {
            cork,
            key,
            outlet: match &mut self.outlet {
                Some(outlet) if is_next => Some(&mut **outlet),
                _ => None,
            },
            taken: 0,
            is_full: false,
        };
        let done = act(
            &mut it.link,
            Lending {
                stream,
                cork: &mut direct,
                entropy,
                now: *now,
                date,
                deflater: deflater.as_mut(),
            },
        );
        it.socket.writable &= !direct.is_full;
        it.sent += direct.taken as u64;
        counters.bytes_out += direct.taken as u64;
        *past += u64::from(direct.taken > 0);
        (done, waited)
    }

    /// Runs `act`, which writes; returns the advice to the writer.
    #[inline]
    pub(super) fn write_by(
        &mut self,
        act: impl FnOnce(&mut Link, Lending<'_>) -> Result<(), UsageError>,
    ) -> Flow {
        match self.put_by(act) {
            Ok(None) => Flow::Go,
            Ok(Some(waited)) => self.state.flow(self.exchange, waited),
            Err(misuse) => Flow::Over(misuse),
        }
    }

    /// Runs `act`, which writes. Returns what waited before, if much waits now.
    #[inline(always)]
    pub(super) fn put_by(
        &mut self,
        act: impl FnOnce(&mut Link, Lending<'_>) -> Result<(), UsageError>,
    ) -> Result<Option<usize>, UsageError> {
        let (connection, lending, high) = self.state.lend(self.exchange)?;
        let Connection { link, backlog, .. } = connection;
        let stream = self.exchange.stream;
        let waited = backlog.held() + lending.cork.held() + link.queued(stream);
        act(link, lending)?;
        let waiting = backlog.len() + link.queued(stream);
        Ok((waiting + self.state.cork.len() > high).then_some(waited))
    }
}
