//! The connection that a call without I/O is on.

use crate::client::connecting::{Connection, RequestSender, Told, Wire, why_no_handshake};
use crate::client::http::call::Call;
use crate::client::http::error::ErrorKind;
use crate::client::http::over_http2::{Kept, head_over_http2};
use crate::http::{Fields, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, EndReason, Event, UsageError};
use crate::net::Flow;
use crate::wire::Instant;

#[derive(Debug)]
pub(super) struct Line {
    pub(super) connection: Connection,
    is_secure: bool,
    reused: bool,
    since: Instant,
    standing: Standing,
    /// Why it has ended before the request began.
    gone: Option<EndReason>,
    /// Bytes that the system has taken of this request, and that had come before it.
    handed_over: u64,
    received_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Opening,
    /// The connection takes no request yet.
    Waiting,
    Begun,
    /// It has not begun, and cannot.
    Useless,
}

/// The side of the connection that sends, for requests to `http` or `https`.
struct Sending<'l> {
    wire: &'l mut Wire,
    is_secure: bool,
}

impl Line {
    pub(super) fn new(connection: Connection, is_secure: bool, reused: bool, now: Instant) -> Self {
        let standing = match connection.is_handshaking() {
            true => Standing::Opening,
            false => Standing::Waiting,
        };
        Self {
            connection,
            is_secure,
            reused,
            since: now,
            standing,
            gone: None,
            handed_over: 0,
            received_before: 0,
        }
    }

    pub(super) const fn is_awaited(&self) -> bool {
        matches!(self.standing, Standing::Opening | Standing::Waiting)
    }

    /// Sends the request, if the connection takes it now, and says how far that is.
    pub(super) fn settle(&mut self, call: &mut Call, now: Instant) {
        match self.standing {
            Standing::Opening if self.connection.is_over() => {
                self.standing = Standing::Useless;
                let error = why_no_handshake(&self.connection, self.gone);
                call.unreachable(error, now);
            }
            Standing::Opening | Standing::Useless => {}
            Standing::Waiting => self.begin(call, now),
            Standing::Begun => {
                let is_out = self.connection.output().is_empty();
                let received = self.connection.received() - self.received_before;
                call.moved(self.handed_over, is_out, received, now);
                if self.connection.is_over() {
                    call.connection_over();
                }
            }
        }
    }

    fn begin(&mut self, call: &mut Call, now: Instant) {
        let is_multiplexed = self.connection.is_multiplexed();
        let is_gone = self.connection.is_over() || self.connection.is_leaving();
        let wire = self.connection.wire();
        wire.set_now(now);
        let may_ask = wire.allowance() > 0;
        if is_gone || (!may_ask && !is_multiplexed) {
            self.standing = Standing::Useless;
            return call.unused(now);
        }
        if may_ask {
            self.standing = Standing::Begun;
            self.handed_over = 0; // what came before is not of this request
            self.received_before = self.connection.received();
            let reused = self.reused;
            call.begin(&mut self.sending(), reused, None, now);
        }
    }

    const fn sending(&mut self) -> Sending<'_> {
        Sending {
            is_secure: self.is_secure,
            wire: self.connection.wire(),
        }
    }

    pub(super) fn give_back(&mut self, call: &mut Call) {
        call.give_back(&mut self.sending());
    }

    pub(super) fn receive(&mut self, bytes: &mut [u8], call: &mut Call, now: Instant) {
        self.act(call, now, |connection, told| {
            connection.receive(bytes, now, told);
        });
    }

    pub(super) fn receive_eof(&mut self, call: &mut Call, now: Instant) {
        self.act(call, now, |connection, told| {
            connection.receive_eof(now, told);
        });
    }

    pub(super) fn break_off(&mut self, call: &mut Call, now: Instant) {
        self.act(call, now, |connection, told| {
            connection.closed(EndReason::Reset, told);
        });
    }

    pub(super) fn output(&mut self, call: &mut Call, now: Instant) -> &[u8] {
        self.act(call, now, |connection, told| {
            connection.flush(now, told);
        });
        self.connection.output()
    }

    pub(super) fn sent(&mut self, bytes: usize, call: &mut Call, now: Instant) {
        let output = self.connection.output();
        let bytes = bytes.min(output.len());
        output.drain(..bytes);
        self.handed_over += bytes as u64;
        self.act(call, now, |connection, told| {
            connection.flush(now, told);
        });
    }

    pub(super) fn deadline(&self, call: &Call) -> Instant {
        let own = self.connection.deadline().unwrap_or(Instant::NEVER);
        match self.standing {
            // How long a server may allow no request is its time to answer one.
            Standing::Waiting => own.min(self.since + call.limits().response_time),
            _ => own,
        }
    }

    pub(super) fn elapsed(&mut self, call: &mut Call, now: Instant) {
        self.act(call, now, |connection, told| connection.elapsed(now, told));
        call.elapsed(now);
        let is_late = now >= self.since + call.limits().response_time;
        match self.standing {
            Standing::Begun => call.pump(&mut self.sending(), now),
            Standing::Waiting if is_late => call.abandon(ErrorKind::TimedOut("response_time")),
            _ => {}
        }
    }

    /// Does something with the connection, and tells the call what comes of it.
    fn act(&mut self, call: &mut Call, now: Instant, act: impl FnOnce(&mut Connection, Told<'_>)) {
        let (is_secure, standing, gone) = (self.is_secure, &mut self.standing, &mut self.gone);
        act(
            &mut self.connection,
            &mut |wire, stream, event| match event {
                Event::Opened => *standing = Standing::Waiting,
                Event::Ended(why) if *standing != Standing::Begun => *gone = Some(why),
                event if *standing == Standing::Begun => {
                    call.event(stream, event, &mut Sending { wire, is_secure }, now);
                }
                _ => {}
            },
        );
        self.settle(call, now);
    }
}

impl RequestSender for Sending<'_> {
    fn allowance(&mut self) -> usize {
        self.wire.allowance()
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        if !self.wire.link.is_multiplexed() {
            return self.wire.request(head, body);
        }
        let mut kept = Kept::new();
        let head = head_over_http2(head, self.is_secure, &mut kept);
        self.wire.request(&head, body)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        self.wire.write(stream, data)
    }

    fn finish(&mut self, stream: u32, trailers: Fields<'_>) -> Result<(), UsageError> {
        self.wire.finish(stream, trailers)
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.wire.reset(stream, code);
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.wire.consume(stream, bytes);
    }

    fn shutdown(&mut self) {
        self.wire.shutdown();
    }
}
