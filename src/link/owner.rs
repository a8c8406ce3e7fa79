//! The owner of a link, which is told what the link has received.
//!
//! [`Link::receive`] returns an event; [`pass_on`] calls its owner with it
//! instead. A request or a message is then looked at where its machine has put
//! it. An event is large, and moving it costs a tenth of a request.

use core::mem;

use super::protocol::Protocol;
use super::{CallContext, Event, Limits, Link, ProtocolError, Snapshot};
use crate::http::{Content, RequestHead};
use crate::http1;
use crate::http2::LocatedEvent;
use crate::websocket;
use crate::wire::{Instant, Received, Sink, Step, shortcut};

/// A link that is lent for one call.
pub(crate) struct Loan<'l, S, T> {
    pub(crate) link: &'l mut Link,
    pub(crate) out: &'l mut S,
    /// Where the state that [`Link::fail`] returns to is kept.
    pub(crate) unanswered: &'l mut Option<Snapshot>,
    /// The parts of the call's context.
    pub(crate) terms: T,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct EventContext {
    /// Bytes of the input that are done with.
    pub(crate) used: usize,
    pub(crate) stream: u32,
}

/// The owner of a link: lends it, and is told what it has received.
pub(crate) trait LinkOwner {
    /// Where the link's output goes.
    type Out: Sink;
    /// The facts about a connection from which the owner makes the context of a call.
    type Terms;

    /// Lends the link, unless it is not to receive `input` now.
    fn lend(&mut self, input: &[u8]) -> Option<Loan<'_, Self::Out, Self::Terms>>;

    fn refused(&mut self);

    fn request<'b>(&mut self, at: EventContext, head: &RequestHead<'b>, content: Content<'b>);

    /// [`Event::Message`]; the owner may take further messages, and then adds their bytes to
    /// [`used`](EventContext::used).
    fn message(
        &mut self,
        at: EventContext,
        kind: websocket::Kind,
        payload: &mut [u8],
        run: MessageRun<'_>,
    );

    /// Any other event; also a request or message that was kept for a while.
    fn event(&mut self, at: EventContext, event: Event<'_>);
}

/// The input after a WebSocket message, from which the owner may take more messages in the same
/// call.
#[derive(Debug)]
pub(crate) struct MessageRun<'b> {
    input: &'b mut [u8],
    limits: &'b websocket::Limits,
}

impl<'b> MessageRun<'b> {
    #[inline]
    pub(crate) const fn input(&self) -> &[u8] {
        self.input
    }

    /// Takes the next message from `link`, with the bytes of its frame. `None` if no complete
    /// one is next.
    #[inline(always)]
    pub(crate) fn next(&mut self, link: &Link) -> Option<(usize, websocket::Kind, &'b mut [u8])> {
        let Protocol::WebSocket(machine) = &link.protocol else {
            return None;
        };
        if link.over.is_some() {
            return None;
        }
        let (kind, place) = machine.find_further(self.input, self.limits)?;
        let (used, from) = (place.end, place.start);
        let (front, rest) = mem::take(&mut self.input).split_at_mut_checked(used)?;
        self.input = rest;
        Some((used, kind, front.get_mut(from..)?))
    }
}

/// The result of passing on: without an event if its owner has been given one.
pub(crate) type Passed = Result<Received<()>, ProtocolError>;

const PASSED: Passed = Ok(Received {
    used: 0, // the owner was told
    step: Step::Event(()),
});

/// Things that a call lends to machines, put together only where needed: a usual message takes
/// time and limits.
pub(crate) trait Lender<'b, T> {
    fn now(&self) -> Instant;

    fn limits(&self, terms: &T) -> &'b Limits;

    fn lend(self, terms: T) -> CallContext<'b>;
}

/// Takes at most one event from the front of `input`, or after it if `is_end`, for the owner.
/// Returns as [`Link::receive`] and [`Link::receive_eof`]; `None` if the link is not lent.
#[inline(always)]
pub(crate) fn pass_on<'b, O: LinkOwner>(
    owner: &mut O,
    input: &'b mut [u8],
    is_end: bool,
    lender: impl Lender<'b, O::Terms>,
) -> Option<Passed> {
    let Loan {
        link,
        out,
        unanswered,
        terms,
    } = owner.lend(input)?;
    let is_usual = shortcut!("hand_over") && !is_end && link.over.is_none();
    let is_http1 = is_usual
        && matches!(link.protocol, Protocol::Http1(_))
        && !link.is_preface(input)
        && !link.is_hello(input);
    let received = match &mut link.protocol {
        Protocol::Http1(machine) if is_http1 => {
            let lent = lender.lend(terms);
            let due = lent.now + lent.limits.reply;
            let (lent, shown, _) = lent.pass(|limits| &limits.http1);
            match machine.receive(input, lent, out) {
                Ok(Received {
                    used,
                    step: Step::Event(http1::Event::Request { ref head, content }),
                }) => {
                    *unanswered = Some(Snapshot::of(machine)); // a response is owed
                    link.open(due);
                    let stream = link.exchange.id;
                    owner.request(EventContext { used, stream }, head, content);
                    return Some(PASSED);
                }
                received => link.took_http1(received, due, shown),
            }
        }
        // Whose limits are those of all.
        Protocol::WebSocket(machine)
            if is_usual && link.exchange.websocket_limits == 0 && machine.has_room(out) =>
        {
            let limits = &lender.limits(&terms).websocket;
            if let Some((kind, place)) = machine.take_message(input, limits, lender.now())
                && let Some((front, input)) = input.split_at_mut_checked(place.end)
            {
                *unanswered = None;
                let (used, stream) = (place.end, link.exchange.id);
                let payload = front.get_mut(place).unwrap_or_default();
                let run = MessageRun { input, limits };
                owner.message(EventContext { used, stream }, kind, payload, run);
                return Some(PASSED);
            }
            let (mut lent, ..) = lender.lend(terms).pass(|limits| &limits.websocket);
            let found = machine.locate(input, &mut lent, out);
            link.took_websocket(found.map(|(used, found)| {
                let step = found.borrow(input, lent.scratch);
                Received { used, step }
            }))
        }
        Protocol::Http2(many) if is_usual => match many.is_caught_up() {
            true => {
                let lent = lender.lend(terms);
                let (now, due) = (lent.now, lent.now + lent.limits.reply);
                let (mut lent, shown, limits) = lent.pass(|limits| &limits.http2);
                match many.machine_mut().receive_found(input, &mut lent, out) {
                    Ok((used, LocatedEvent::Request(asked))) if many.is_full() => {
                        many.refuse_stream(asked.stream, now, out);
                        owner.refused();
                        return Some(Ok(Received::need(used, 0)));
                    }
                    Ok((used, LocatedEvent::Request(asked))) => {
                        let (head, content) = asked.borrow(input, lent.scratch)?;
                        let stream = asked.stream;
                        many.begin(stream, &head, &content, due);
                        link.exchange.id = stream;
                        *unanswered = None;
                        owner.request(EventContext { used, stream }, &head, content);
                        return Some(PASSED);
                    }
                    found => link.took_http2(found, input, lent, (shown, limits), out),
                }
            }
            false => receive(link, input, is_end, lender.lend(terms), out),
        },
        _ => receive(link, input, is_end, lender.lend(terms), out),
    };
    Some(match received {
        Ok(Received {
            used,
            step: Step::Event(event),
        }) => {
            *unanswered = link.snapshot();
            let stream = link.exchange.id;
            owner.event(EventContext { used, stream }, event);
            PASSED
        }
        Ok(received) => Ok(received.map(|_| ())),
        Err(violation) => Err(violation),
    })
}

/// Receives all but requests, messages and content as they come: apart, so that these cost no
/// more.
#[cold]
#[inline(never)]
fn receive<'b>(
    link: &mut Link,
    input: &'b mut [u8],
    is_end: bool,
    lent: CallContext<'b>,
    out: &mut impl Sink,
) -> Result<Received<Event<'b>>, ProtocolError> {
    match is_end {
        true => link.receive_eof(input, lent, out),
        false => link.receive(input, lent, out),
    }
}
