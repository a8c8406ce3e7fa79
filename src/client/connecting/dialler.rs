//! The connections of a client on its loop.

use alloc::vec::Vec;

use super::{LinkId, RequestSender};
use crate::http::{Fields, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, UsageError};
use crate::net::{Context, Destination, Exchange, Flow, Profile, Speaks, TransportMaker};

/// Dials a server, and knows which connection of the loop is which.
#[derive(Debug)]
pub(crate) struct Dialler {
    destination: Destination,
    /// The maker of the transport between the sockets and the protocol: TLS, or
    /// nothing.
    over: Option<TransportMaker>,
    links: Vec<(LinkId, Exchange)>,
}

impl Dialler {
    pub(crate) const fn new(destination: Destination, over: Option<TransportMaker>) -> Self {
        Self {
            destination,
            over,
            links: Vec::new(),
        }
    }

    pub(crate) fn dial(
        &mut self,
        link: LinkId,
        speaks: Speaks,
        profile: Profile,
        context: &mut Context<'_>,
    ) {
        let destination = self.destination.clone();
        let exchange = match &self.over {
            Some(over) => context.dial_over(destination, over, speaks, profile, 0),
            None => context.dial(destination, speaks, profile, 0),
        };
        self.links.push((link, exchange));
    }

    /// Whose event one of this exchange is.
    pub(crate) fn find(&self, exchange: Exchange) -> Option<LinkId> {
        let mut links = self.links.iter();
        let found = links.find(|(_, it)| it.connection == exchange.connection);
        found.map(|(link, _)| *link)
    }

    /// A connection is over.
    pub(crate) fn forget(&mut self, link: LinkId) {
        self.links.retain(|(it, _)| *it != link);
    }

    /// Where to act on the connection of this exchange.
    pub(crate) fn transport<'a, 'c>(context: &'a mut Context<'c>) -> OnLoop<'a, 'c> {
        let exchange = Exchange {
            stream: 0,
            ..context.exchange()
        };
        OnLoop::new(context, exchange)
    }

    /// Marks all that are open as used.
    pub(crate) fn each(
        &mut self,
        context: &mut Context<'_>,
        mut act: impl FnMut(LinkId, &mut OnLoop<'_, '_>),
    ) {
        for (link, exchange) in &mut self.links {
            // One that is not open yet is passed over.
            context.with(*exchange, |context| {
                let mut sender = OnLoop::new(context, *exchange);
                act(*link, &mut sender);
                *exchange = sender.exchange;
            });
        }
    }
}

pub(crate) struct OnLoop<'a, 'c> {
    context: &'a mut Context<'c>,
    /// The connection's own: over HTTP/1.1 the present one.
    exchange: Exchange,
}

impl<'a, 'c> OnLoop<'a, 'c> {
    pub(crate) const fn new(context: &'a mut Context<'c>, exchange: Exchange) -> Self {
        Self { context, exchange }
    }

    /// Has the connection be read, or not, where it is not shared.
    pub(crate) fn set_reading(&mut self, reading: bool) {
        let own = self.exchange.stream;
        self.on(own, |context| context.set_reading(reading));
    }

    /// Acts on one stream, if that is open.
    fn on<R>(&mut self, stream: u32, act: impl FnOnce(&mut Context<'_>) -> R) -> Option<R> {
        let exchange = Exchange {
            stream,
            ..self.exchange
        };
        self.context.with(exchange, act)
    }
}

impl RequestSender for OnLoop<'_, '_> {
    fn position(&self) -> Option<u64> {
        Some(self.context.progress(self.exchange)?.written)
    }

    fn allowance(&mut self) -> usize {
        let own = self.exchange.stream;
        let allowance = self.on(own, |context| match context.flow() {
            Flow::Go => context.allowance(),
            Flow::Wait | Flow::Over(_) => 0,
        });
        allowance.unwrap_or(0)
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        let own = self.exchange.stream;
        let sent = self.on(own, |context| {
            context.request(head, body)?;
            let is_shared = context.let_owner_consume();
            Ok((context.exchange().stream, is_shared))
        });
        let (stream, is_shared) = sent.unwrap_or(Err(UsageError::Over))?;
        if !is_shared {
            self.exchange.stream = stream;
        }
        Ok(stream)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        let written = self.on(stream, |context| context.write(data));
        written.unwrap_or(Flow::Over(UsageError::Over))
    }

    fn finish(&mut self, stream: u32, trailers: Fields<'_>) -> Result<(), UsageError> {
        let finished = self.on(stream, |context| context.finish(trailers));
        finished.unwrap_or(Err(UsageError::Over))
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.on(stream, |context| context.reset(code.code()));
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.on(stream, |context| context.consume(bytes));
    }

    fn shutdown(&mut self) {
        self.on(self.exchange.stream, |context| context.shutdown());
    }
}
