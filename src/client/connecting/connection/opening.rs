//! The beginning of a connection without I/O, and its end by its owner.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::super::sealed::Sealed;
use super::Connection;
use crate::client::{RequestSender as _, Wire};
use crate::link::{EndReason, Limits, Link};
use crate::net::{self, Speaks};
use crate::wire::{Instant, Role};

impl Connection {
    /// A connection that has just been opened and speaks HTTP/2, with prior
    /// knowledge (RFC 9113 §3.3). Many connections may share their limits: an
    /// `Arc<Limits>` does, too.
    pub fn http2(limits: impl Into<Arc<Limits>>, now: Instant) -> Self {
        let mut new = Self::new(limits, None, now);
        new.begin(Speaks::Http2);
        new
    }

    /// A connection that has just been opened and speaks HTTP/1.1 (RFC 9112): one
    /// exchange at a time.
    ///
    /// ```
    /// use barewire::client::{Connection, RequestSender};
    /// use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
    /// use barewire::link::{Event, Limits};
    /// use barewire::wire::Instant;
    ///
    /// let now = Instant::START;
    /// let mut connection = Connection::http1(Limits::DEFAULT, now);
    /// let fields = [Field::new("host", "a")];
    /// let head = RequestHead {
    ///     method: Method::GET,
    ///     target: Target::parse(b"/", Method::GET).unwrap(),
    ///     version: Version::Http11,
    ///     protocol: None,
    ///     fields: Fields::new(&fields),
    /// };
    /// connection.wire().request(&head, None).unwrap();
    /// assert_eq!(connection.output(), b"GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    /// connection.output().clear(); // it was written
    /// let mut response = *b"HTTP/1.1 204 No Content\r\n\r\n";
    /// connection.receive(&mut response, now, |_, _, event| {
    ///     assert!(matches!(event, Event::Response { head, .. } if head.status.code() == 204));
    /// });
    /// ```
    pub fn http1(limits: impl Into<Arc<Limits>>, now: Instant) -> Self {
        let mut new = Self::new(limits, None, now);
        new.begin(Speaks::Http1);
        new
    }

    /// A connection that has just been opened and goes over a transport: one of TLS is
    /// made by `tls::Client::session`. It speaks what that agrees on, HTTP/2 if it leaves
    /// that open.
    ///
    /// The first event is [`Opened`](crate::link::Event::Opened), when the handshake is over, which
    /// has the time that `limits` give a server for its SETTINGS. If it fails, that is
    /// [`Ended`](crate::link::Event::Ended) with [`Unreachable`](EndReason::Unreachable), and
    /// [`transport_details`](Self::transport_details) may say more. All bytes that come
    /// and go are the transport's: also at its end, when output remains to be written.
    pub fn over(
        transport: Box<dyn net::Transport + Send>,
        limits: impl Into<Arc<Limits>>,
        now: Instant,
    ) -> Self {
        let limits = limits.into();
        let until = now + limits.http2.header_timeout;
        Self::over_until(transport, Speaks::Http2, until, limits, now)
    }

    /// One over a transport whose handshake has until then, and that speaks this if the
    /// transport leaves it open.
    pub(crate) fn over_until(
        transport: Box<dyn net::Transport + Send>,
        speaks: Speaks,
        until: Instant,
        limits: impl Into<Arc<Limits>>,
        now: Instant,
    ) -> Self {
        let sealed = Box::new(Sealed::new(transport, speaks, until));
        Self::new(limits, Some(sealed), now)
    }

    /// Draws the unpredictable bytes of a WebSocket, its key and its masks, from
    /// `source`, which fills what it is given: for tests that know them. By default
    /// they are the system's.
    #[must_use]
    pub fn with_entropy(mut self, source: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        self.wire.masks.draw_from(source);
        self
    }

    fn new(limits: impl Into<Arc<Limits>>, sealed: Option<Box<Sealed>>, now: Instant) -> Self {
        Self {
            wire: Wire::new(now),
            limits: limits.into(),
            shown: None,
            input: Vec::new(),
            used: 0,
            ended: false,
            ends: false,
            received: 0,
            sealed,
        }
    }

    pub(super) fn begin(&mut self, speaks: Speaks) {
        let Wire { link, out, now, .. } = &mut self.wire;
        *link = match speaks {
            Speaks::Http2 => Link::client_http2(*now),
            Speaks::Http | Speaks::Http1 => Link::client(*now),
            Speaks::Raw => Link::raw(Role::Client),
        };
        link.begin(&self.limits, *now, out);
        if mem::take(&mut self.wire.leaves) {
            self.wire.shutdown();
        }
    }

    /// Whether there is something to say at the end.
    pub(crate) const fn takes_leave(&self) -> bool {
        self.sealed.is_some() || self.is_multiplexed()
    }

    /// Ends it from this side, and puts the last words into the output.
    pub(crate) fn leave(&mut self) {
        if self.is_multiplexed() {
            self.wire.shutdown();
        }
        self.closed(EndReason::Aborted, |_, _, _| {});
    }
}
