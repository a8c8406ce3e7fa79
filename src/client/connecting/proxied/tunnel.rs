//! A tunnel through an HTTP proxy (RFC 9110 §9.3.6).

use alloc::string::String;
use alloc::vec::Vec;

use super::{Hop, authority};
use crate::client::ProxyError;
use crate::http::{
    CallContext, Field, Fields, Method, OwnedScratch, RequestHead, Status, Target, Version,
};
use crate::http1::{self, Event};
use crate::wire::{Instant, Received, Role, Step};

const SPEAKS: &str = "HTTP/1.1";
const FIELDS: usize = 64;

static LIMITS: http1::Limits = http1::Limits::DEFAULT;

pub(super) struct Tunnel {
    machine: http1::Connection,
    scratch: OwnedScratch,
    /// The request, until it is sent.
    ask: Option<(String, Option<String>)>,
    is_through: bool,
}

impl Tunnel {
    pub(super) fn new(host: &str, port: u16, authorization: Option<String>) -> Self {
        Self {
            // The driver of the connection keeps the time.
            machine: http1::Connection::new(Role::Client, Instant::START),
            scratch: OwnedScratch::new(FIELDS),
            ask: Some((authority(host, port), authorization)),
            is_through: false,
        }
    }

    fn send(
        &mut self,
        server: &str,
        authorization: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), ProxyError> {
        let told = authorization.unwrap_or_default();
        let fields = [
            Field::new("Host", server),
            Field::new("Proxy-Authorization", told),
        ];
        let fields = match authorization {
            Some(_) => &fields[..],
            None => &fields[..1],
        };
        let target = Target::parse(server.as_bytes(), Method::CONNECT);
        let head = RequestHead {
            method: Method::CONNECT,
            target: target.map_err(|_| ProxyError::TooLong)?,
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(fields),
        };
        let sent = self.machine.send_request(&head, None, Instant::START, out);
        sent.map_err(|_| ProxyError::Credentials)
    }
}

impl Hop for Tunnel {
    fn ask(&mut self, input: &mut [u8], out: &mut Vec<u8>) -> Result<usize, ProxyError> {
        if let Some((server, authorization)) = self.ask.take() {
            self.send(&server, authorization.as_deref(), out)?;
        }
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &LIMITS,
            scratch: self.scratch.lend(),
        };
        let received = self.machine.receive(input, lent, out);
        let Received { used, step } = received.map_err(|_| ProxyError::Protocol(SPEAKS))?;
        match step {
            Step::Event(Event::Response { head, .. }) => match head.status {
                status if status.is_successful() => self.is_through = true,
                // Some say 401 where 407 is meant.
                Status::PROXY_AUTHENTICATION_REQUIRED | Status::UNAUTHORIZED => {
                    return Err(ProxyError::Unauthorized);
                }
                status => return Err(ProxyError::Refused(status)),
            },
            Step::Done => return Err(ProxyError::Protocol(SPEAKS)),
            _ => {}
        }
        Ok(used)
    }

    fn is_through(&self) -> bool {
        self.is_through
    }
}
