//! One connection: from the dial through the handshake to its end.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};

use crate::client::connecting::{DialOptions, LoopDial};
use crate::client::websocket::handshake::Agreed;
use crate::client::websocket::inbox::message;
use crate::client::websocket::opening::{
    INFORMATIONAL, begins_with_http2, request, retry_after, route,
};
use crate::client::websocket::{CloseFrame, WebSocketHandshake, WebSocketOptions};
use crate::client::{DialError, Message, Phase, Url, WebSocketError};
use crate::http::{RequestHead, ResponseHead};
use crate::link::{Body, EndReason, Event, UsageError};
use crate::net::{Context, Exchange, Profile};
use crate::websocket::CloseCode;
use crate::websocket::handshake::Refused;
use crate::wire::Instant;

pub(crate) struct Attempt {
    pub(crate) url: Url,
    pub(crate) options: WebSocketOptions,
    /// When the handshake has to be over.
    pub(crate) until: Instant,
}

pub(crate) enum News<'b> {
    Opened(Option<String>),
    Message(Message),
    Pong(&'b [u8]),
    Writable,
    Over(Result<CloseFrame, WebSocketError>),
}

pub(super) enum Heard<'b> {
    Nothing,
    News(News<'b>),
    /// An HTTP/2 server without WebSockets: another connection may do.
    NotOverHttp2,
}

pub(super) struct Link {
    pub(super) exchange: Exchange,
    pub(super) attempt: Attempt,
    state: State,
    closed: Option<CloseFrame>,
}

enum State {
    Dialling(LoopDial),
    /// Over HTTP/2: until the server's SETTINGS have come.
    Settings,
    Asking {
        handshake: Box<WebSocketHandshake>,
        informational: usize,
    },
    Open,
}

impl Attempt {
    pub(super) fn begins_with_http2(&self) -> bool {
        begins_with_http2(&self.url, &self.options)
    }

    fn fail(&self, error: DialError) -> WebSocketError {
        WebSocketError::Dial {
            url: self.url.shown().to_string(),
            error,
        }
    }
}

impl Link {
    pub(super) fn dial(
        attempt: Attempt,
        http2: bool,
        profile: Profile,
        tag: u32,
        context: &mut Context<'_>,
    ) -> Result<Self, WebSocketError> {
        let route = route(&attempt.url, &attempt.options, http2)?;
        let how = DialOptions::new(attempt.options.names.clone());
        match LoopDial::begin(&route, &how, profile, tag, context) {
            Ok((exchange, dial)) => Ok(Self {
                exchange,
                attempt,
                state: State::Dialling(dial),
                closed: None,
            }),
            Err(error) => Err(attempt.fail(error)),
        }
    }

    pub(super) fn open(&self) -> Option<Exchange> {
        matches!(self.state, State::Open).then_some(self.exchange)
    }

    /// When the handshake has to be over, while it is not.
    pub(super) const fn until(&self) -> Instant {
        match self.state {
            State::Open => Instant::NEVER,
            State::Dialling(_) | State::Settings | State::Asking { .. } => self.attempt.until,
        }
    }

    /// Why it is over when that time has come.
    pub(super) fn timed_out(&self) -> WebSocketError {
        match self.state {
            State::Dialling(_) => self.attempt.fail(DialError::timed_out(Phase::Connect)),
            State::Settings | State::Asking { .. } | State::Open => WebSocketError::TimedOut,
        }
    }

    pub(super) fn hear<'b>(&mut self, context: &mut Context<'_>, event: Event<'b>) -> Heard<'b> {
        let stream = context.exchange().stream;
        let is_last = context.is_last();
        let is_own = stream == self.exchange.stream;
        match event {
            Event::Opened => {
                // What is written is bounded by the seat, and messages come though some wait
                // to be sent: both sides could wait for ever.
                context.read_while_waiting();
                if context.is_shared() {
                    self.state = State::Settings;
                    return Heard::Nothing;
                }
                self.ask(context)
            }
            Event::Writable if stream == 0 && matches!(self.state, State::Settings) => {
                self.ask(context)
            }
            Event::Ended(why) if is_last || is_own => self.ended(why, is_last, context),
            Event::Informational(_) if is_own => match &mut self.state {
                State::Asking { informational, .. } if *informational >= INFORMATIONAL => {
                    self.fail(WebSocketError::Informational)
                }
                State::Asking { informational, .. } => {
                    *informational += 1;
                    Heard::Nothing
                }
                _ => Heard::Nothing,
            },
            Event::Response { head, .. } if is_own => self.answered(context, &head),
            Event::Message { kind, payload } if is_own => {
                Heard::News(News::Message(message(kind, payload)))
            }
            Event::Pong(payload) if is_own => Heard::News(News::Pong(payload)),
            Event::Writable if is_own => Heard::News(News::Writable),
            Event::Close { code, reason } if is_own => {
                self.closed = Some(CloseFrame {
                    code: code.unwrap_or(CloseCode::NO_STATUS),
                    reason: reason.into(),
                });
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }

    fn fail<'b>(&self, error: WebSocketError) -> Heard<'b> {
        Heard::News(News::Over(Err(error)))
    }

    fn ask<'b>(&mut self, context: &mut Context<'_>) -> Heard<'b> {
        let request = match request(&self.attempt.url, &self.attempt.options) {
            Ok(request) => request,
            Err(error) => return self.fail(error.into()),
        };
        let is_shared = context.is_shared();
        let mut key = [0; 16];
        for part in key.chunks_mut(4) {
            part.copy_from_slice(&context.random_bytes());
        }
        let own = self.exchange;
        let send = |head: &RequestHead<'_>| {
            let body = is_shared.then_some(Body::Streamed {
                length: None,
                endless: true,
            });
            let sent = context.with(own, |context| {
                let tag = context.tag();
                context.request(head, body)?;
                context.set_tag(tag); // a stream has one of its own
                Ok(context.exchange())
            });
            let exchange = sent.unwrap_or(Err(UsageError::Over))?;
            self.exchange = exchange;
            Ok(exchange.stream)
        };
        match WebSocketHandshake::ask(&request, key, is_shared, send) {
            Ok(handshake) => {
                self.state = State::Asking {
                    handshake: Box::new(handshake),
                    informational: 0,
                };
                Heard::Nothing
            }
            Err(error) if error.is_unknown_over_http2() => Heard::NotOverHttp2,
            Err(error) => self.fail(error.into()),
        }
    }

    fn answered<'b>(&mut self, context: &mut Context<'_>, head: &ResponseHead<'_>) -> Heard<'b> {
        let State::Asking { handshake, .. } = &self.state else {
            return Heard::Nothing;
        };
        let Attempt { url, options, .. } = &self.attempt;
        options.keep_cookies(url, head.fields);
        let compression = options.compression;
        let agreed = handshake.check(head).and_then(|agreed| {
            let Agreed { protocol, session } = agreed;
            context.let_owner_consume();
            // Refused only where a connection has no such exchange.
            let switched = context.switched_to_websocket(false);
            switched.map_err(|_| Refused::Status(head.status))?;
            if let Some(session) = session {
                let compressed = context.compress(session, compression);
                compressed.map_err(|_| Refused::Status(head.status))?;
            }
            Ok(protocol)
        });
        match agreed {
            Ok(protocol) => {
                self.state = State::Open;
                Heard::News(News::Opened(protocol))
            }
            Err(reason) => self.fail(WebSocketError::Refused {
                url: self.attempt.url.shown().to_string(),
                reason,
                retry_after: retry_after(head.fields),
            }),
        }
    }

    /// The WebSocket is over, or its connection.
    fn ended<'b>(&mut self, why: EndReason, is_last: bool, context: &mut Context<'_>) -> Heard<'b> {
        if let State::Dialling(dial) = &self.state {
            let error = dial.explain(why, context.transport_details());
            return self.fail(self.attempt.fail(error));
        }
        if !is_last {
            // Nothing else is on this connection.
            let own = Exchange {
                stream: 0,
                ..self.exchange
            };
            context.with(own, |context| context.shutdown());
        }
        Heard::News(News::Over(match self.closed.take() {
            Some(frame) => Ok(frame),
            None => Err(WebSocketError::ended(why)),
        }))
    }
}
