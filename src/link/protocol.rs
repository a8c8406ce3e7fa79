//! The link itself: which machine runs, and how it changes.

use alloc::boxed::Box;

use super::exchanges::{Exchange, Intake};
use super::multiplex::Multiplex;
use super::spent::Spent;
use super::{Account, BufferedRequest, Limits, UsageError};
use crate::http::{self, Fields, Scratch, Status, date::Date};
use crate::wire::{Instant, Role, Sink};
use crate::{http1, websocket};

/// Everything that a link may use during one call and must not keep.
#[derive(Debug)]
pub struct CallContext<'b> {
    /// The time now.
    pub now: Instant,
    /// The wall clock, for the Date field.
    pub date: Option<&'b Date>,
    /// Four unpredictable bytes for a client's frame; zeros for a server.
    pub mask_key: [u8; 4],
    /// The listener's limits.
    pub limits: &'b Limits,
    /// Room for heads and decoded text.
    pub scratch: Scratch<'b>,
    /// Where a collected request is put that is complete or given up. The
    /// event may borrow it; afterwards the caller takes it and gives it back
    /// to its [`RequestPool`](super::RequestPool).
    pub shown: &'b mut Option<Box<BufferedRequest>>,
}

impl<'b> CallContext<'b> {
    #[inline]
    pub(crate) fn pass<L>(
        self,
        choose: fn(&Limits) -> &L,
    ) -> (
        http::CallContext<'b, L>,
        &'b mut Option<Box<BufferedRequest>>,
        &'b Limits,
    ) {
        let Self {
            now,
            date,
            mask_key,
            limits,
            scratch,
            shown,
        } = self;
        (
            http::CallContext {
                now,
                date,
                mask_key,
                limits: choose(limits),
                scratch,
            },
            shown,
            limits,
        )
    }
}

/// How a connection whose link is done goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// At once, after what is owed has been sent.
    Now,
    /// After sending: half-close, then read and discard for a while, so that
    /// the peer reads our last words and not a reset (RFC 9112 §9.6).
    Linger,
    /// By a reset, and what is owed is dropped: the peer must not take what it
    /// has for the whole.
    Reset,
}

/// The present machine, tagged in a byte of its own: each request asks some five times, and
/// would else decode a shared one.
#[derive(Debug)]
#[repr(u8)]
pub(super) enum Protocol {
    Http1(http1::Connection),
    Http2(Box<Multiplex>),
    WebSocket(websocket::Connection),
    /// No protocol of ours: every byte is the owner's.
    Raw {
        /// The owner knows that the peer has sent its last one.
        half_closed: bool,
    },
}

pub(super) const RAW: Protocol = Protocol::Raw { half_closed: false };

/// One connection without I/O: the machine of the protocol that it speaks.
#[derive(Debug)]
pub struct Link {
    pub(super) protocol: Protocol,
    pub(super) role: Role,
    /// The protocol was agreed on, and is not found out from the first bytes.
    pub(super) is_settled: bool,
    /// The present exchange, the last or what became of it. With HTTP/2 only its number counts:
    /// the last event's stream.
    pub(super) exchange: Exchange,
    /// The link ended by a call of the owner.
    pub(super) over: Option<Closing>,
    /// Trailers left out after the body that was collected last over HTTP/1.1.
    pub(super) dropped: u16,
    /// By when our own side had last withheld input over HTTP/1.1, in seconds,
    /// rounded up.
    pub(super) resumed: u32,
    pub(super) before: Option<Box<Spent>>,
    /// The account that memory held for the peer is charged to.
    pub(super) account: Option<Account>,
}

impl Link {
    /// The server's side of a connection that has just been accepted.
    pub fn server(now: Instant) -> Self {
        Self::with(
            Role::Server,
            Protocol::Http1(http1::Connection::new(Role::Server, now)),
        )
    }

    /// The server's side of a connection that speaks HTTP/1.1 and never HTTP/2, as
    /// was agreed on before.
    pub fn server_http1(now: Instant) -> Self {
        Self {
            is_settled: true,
            ..Self::server(now)
        }
    }

    /// The server's side of a connection that speaks HTTP/2, as was agreed on before
    /// (RFC 9113 §3.2). Whatever does not begin with its preface is refused.
    pub fn server_http2(now: Instant) -> Self {
        Self::with(
            Role::Server,
            Protocol::Http2(Box::new(Multiplex::new(Role::Server, now))),
        )
    }

    /// The client's side of an HTTP/1.1 connection.
    pub fn client(now: Instant) -> Self {
        Self::with(
            Role::Client,
            Protocol::Http1(http1::Connection::new(Role::Client, now)),
        )
    }

    /// The client's side of an HTTP/2 connection, with prior knowledge
    /// (RFC 9113 §3.3). [`begin`](Self::begin) sends what comes first.
    pub fn client_http2(now: Instant) -> Self {
        Self::with(
            Role::Client,
            Protocol::Http2(Box::new(Multiplex::new(Role::Client, now))),
        )
    }

    /// Sends what comes first where that is known to be HTTP/2: the settings, after a
    /// client's preface. Nothing otherwise.
    pub fn begin(&mut self, limits: &Limits, now: Instant, out: &mut impl Sink) {
        match &mut self.protocol {
            Protocol::Http2(many) if self.role == Role::Server => {
                many.open(&limits.http2, now, out);
            }
            Protocol::Http2(many) => {
                // Refused only after the end of a connection.
                let _ = many.machine_mut().open(&limits.http2, now, out);
            }
            Protocol::Http1(_) | Protocol::WebSocket(_) | Protocol::Raw { .. } => {}
        }
    }

    /// A connection whose bytes all go to the owner.
    pub const fn raw(role: Role) -> Self {
        Self::with(role, RAW)
    }

    pub(super) const fn with(role: Role, protocol: Protocol) -> Self {
        Self {
            protocol,
            role,
            is_settled: false,
            exchange: Exchange::new(0, Intake::Discarded),
            over: None,
            dropped: 0,
            resumed: 0,
            before: None,
            account: None,
        }
    }

    /// Whether an HTTP/1.1 client was told `100 Continue` and has sent nothing of
    /// its body since.
    pub(crate) const fn is_continued(&self) -> bool {
        matches!(&self.protocol, Protocol::Http1(machine) if machine.is_continued())
    }

    /// The number of the exchange that the last event was for. On HTTP/2 it is
    /// that of its stream, and 0 for what concerns the connection. HTTP/1.1
    /// counts its exchanges from 1, so that an answer for an earlier request is
    /// never taken for one to a later; an upgraded connection keeps the number
    /// of the request that upgraded it.
    #[inline]
    pub const fn stream(&self) -> u32 {
        self.exchange.id
    }

    /// Whether the exchange of this number is still active: on a server's connection
    /// until its response is complete, and its request too.
    #[inline(always)]
    pub fn is_open(&self, stream: u32) -> bool {
        match (&self.protocol, self.role) {
            (Protocol::Http2(many), _) => many.is_open(stream),
            // Before the first request the number is the connection's own.
            (Protocol::Http1(machine), Role::Server) if stream != 0 => {
                self.exchange.id == stream
                    && (machine.awaits_response() || machine.response_started())
            }
            _ => self.exchange.id == stream,
        }
    }

    /// Whether a call may write masked frames: a client's WebSocket, or one in a stream.
    #[inline]
    pub(crate) fn may_mask(&self) -> bool {
        self.role == Role::Client
            && match &self.protocol {
                Protocol::Http2(many) => many.has_sockets(),
                Protocol::WebSocket(_) => true,
                Protocol::Http1(_) | Protocol::Raw { .. } => false,
            }
    }

    /// Whether its peer may end its input anywhere: it asks, in messages of announced length.
    #[cfg(feature = "net")]
    pub(crate) const fn is_asked(&self) -> bool {
        matches!(self.role, Role::Server) && !matches!(self.protocol, Protocol::Raw { .. })
    }

    /// Whether exchanges share the connection: it speaks HTTP/2.
    #[inline]
    pub const fn is_multiplexed(&self) -> bool {
        if let Protocol::Http2(_) = self.protocol {
            return true;
        }
        false
    }

    /// Whether a response without an end of its own is being sent, after
    /// which nothing else can be.
    pub const fn is_endless(&self) -> bool {
        self.exchange.endless
    }

    /// Answers an upgrade request with 101 and `fields`; from the next byte on
    /// the connection speaks WebSocket (RFC 6455 §4.2.2). On HTTP/2 the answer
    /// to an extended CONNECT is 200, and it is the stream that does (RFC 8441
    /// §5). With `streaming`, messages come in chunks.
    ///
    /// # Errors
    /// [`UsageError`] if no such request is waiting for its answer.
    pub fn upgrade_websocket(
        &mut self,
        stream: u32,
        fields: Fields<'_>,
        streaming: bool,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.upgrade_websocket(stream, fields, streaming, date, now, out);
        }
        self.switch(fields, out)?;
        let machine = websocket::Connection::new(Role::Server, now).streaming(streaming);
        self.protocol = Protocol::WebSocket(machine);
        if self.before.is_some() {
            self.hand_on();
        }
        Ok(())
    }

    /// Makes a WebSocket subject to others of the limits than those of all: by the
    /// nth of [`Limits::with_further_websocket`]. To be called as soon as it is
    /// one.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] if the exchange is not a WebSocket.
    pub fn choose_websocket_limits(&mut self, stream: u32, nth: u16) -> Result<(), UsageError> {
        match &mut self.protocol {
            Protocol::WebSocket(_) => self.exchange.websocket_limits = nth,
            Protocol::Http2(many) => return many.choose_websocket_limits(stream, nth),
            Protocol::Http1(_) | Protocol::Raw { .. } => return Err(UsageError::OtherProtocol),
        }
        Ok(())
    }

    /// Answers an upgrade or CONNECT request with 101 or 200 and `fields`;
    /// from the next byte on, all bytes are the owner's (RFC 9110 §7.8).
    ///
    /// # Errors
    /// [`UsageError`] if no such request is waiting for its answer.
    pub fn upgrade_raw(
        &mut self,
        fields: Fields<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.switch(fields, out)?;
        self.protocol = RAW;
        Ok(())
    }

    /// After our own upgrade request was answered with 101, or our extended
    /// CONNECT with 200: the client's side of a WebSocket.
    ///
    /// # Errors
    /// [`UsageError::OtherProtocol`] unless the connection was an HTTP client's.
    pub fn switched_to_websocket(
        &mut self,
        stream: u32,
        streaming: bool,
        now: Instant,
    ) -> Result<(), UsageError> {
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.become_socket(stream, streaming, now);
        }
        let Protocol::Http1(_) = &self.protocol else {
            return Err(UsageError::OtherProtocol);
        };
        let machine = websocket::Connection::new(Role::Client, now).streaming(streaming);
        self.protocol = Protocol::WebSocket(machine);
        Ok(())
    }

    fn switch(&mut self, fields: Fields<'_>, out: &mut impl Sink) -> Result<(), UsageError> {
        let Protocol::Http1(machine) = &mut self.protocol else {
            return Err(UsageError::OtherProtocol);
        };
        machine.send_switching(fields, out)?;
        self.exchange.due = Instant::NEVER;
        Ok(())
    }

    /// How the connection goes down, once the link is done with it.
    #[inline]
    pub fn closing(&self) -> Option<Closing> {
        if self.over.is_some() {
            return self.over;
        }
        match &self.protocol {
            Protocol::Http1(machine) => machine.closing().map(|closing| match closing {
                http1::Closing::Now => Closing::Now,
                http1::Closing::Linger => Closing::Linger,
            }),
            Protocol::Http2(many) => many.machine().is_done().then_some(Closing::Linger),
            Protocol::WebSocket(machine) => machine.is_done().then_some(Closing::Linger),
            Protocol::Raw { .. } => None,
        }
    }

    /// The status that the protocol itself has answered a
    /// [`ProtocolError`](super::ProtocolError) with, if it could.
    pub fn refusal(&self) -> Option<Status> {
        match &self.protocol {
            Protocol::Http1(machine) => machine.refusal(),
            Protocol::Http2(_) => None,
            Protocol::WebSocket(_) | Protocol::Raw { .. } => None,
        }
    }

    /// How many trailers were left out after the body of an exchange that has been
    /// collected.
    pub fn dropped_trailers(&self, stream: u32) -> u16 {
        match &self.protocol {
            Protocol::Http2(many) => many.dropped_trailers(stream),
            _ => self.dropped,
        }
    }

    /// The side that we play.
    #[inline]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Whether nothing is under way: no head begun, no response owed.
    #[inline]
    pub fn is_idle(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(machine) => machine.is_idle(),
            Protocol::Http2(many) => many.is_idle(),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => false,
        }
    }

    /// Whether our side has said its last word and only the peer's is missing: a
    /// WebSocket whose close frame is sent.
    pub(crate) fn has_closed(&self) -> bool {
        match &self.protocol {
            Protocol::WebSocket(machine) => machine.is_closing(),
            Protocol::Http1(_) | Protocol::Http2(_) | Protocol::Raw { .. } => false,
        }
    }

    /// The account to which memory is charged that is held for the peer.
    #[inline]
    pub const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Charges all memory to an account that is held for the peer from here
    /// on; to be called before anything is. Without one nothing is counted.
    pub fn charge_to(&mut self, account: Account) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.charge_to(&account);
        }
        self.account = Some(account);
    }

    /// How much more memory `n` further bytes of input would take for what is
    /// being put together of them; 0 where flow control bounds that.
    pub fn growth(&self, n: usize) -> usize {
        let kept = self.exchange.kept.as_ref();
        kept.map_or(0, |it| it.growth(n))
    }
}

#[cfg(test)]
mod tests;
