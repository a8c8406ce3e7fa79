//! From the events of the machine, and of what lies inside its streams, to
//! the one vocabulary.

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use super::buffered_event::BufferedEvent;
use super::socket::lend;
use super::state::Multiplex;
use super::stream::Stream;
use crate::grpc;
use crate::http::{self, Content, Fields, Method, RequestHead};
use crate::http2::{self, ErrorCode, LocatedEvent};
use crate::link::exchanges::Intake;
use crate::link::{BufferedRequest, EndReason, Event, Limits, ProtocolError};
use crate::wire::{Instant, Received, Role, Sink, Step};

#[derive(Debug)]
pub(crate) struct ReceiveContext<'b, 's> {
    pub(crate) shown: &'b mut Option<Box<BufferedRequest>>,
    pub(crate) limits: &'b Limits,
    /// The stream that the event is for; 0: the connection itself.
    pub(crate) stream: &'s mut u32,
}

impl Multiplex {
    /// Takes at most one event, kept or from the front of `input`. [`Step::Need`] of 0 asks for
    /// another call.
    pub(crate) fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        mut lent: http::CallContext<'b, http2::Limits>,
        around: ReceiveContext<'b, '_>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if !self.is_caught_up()
            && let Some((id, given)) = self.next_given(&mut lent, around.limits, around.shown, out)
        {
            *around.stream = id;
            return Ok(Received::event(0, given.borrow(around.shown, lent.scratch)));
        }
        let found = self.machine.receive_found(input, &mut lent, out);
        self.took(found, input, lent, around, out)
    }

    /// Forgets the streams that are over; whether nothing is given before
    /// further input is looked at.
    #[inline]
    pub(crate) fn is_caught_up(&mut self) -> bool {
        self.sweep();
        self.pending.is_empty() && !self.relieved
    }

    /// Does what a call without input would do, if that brings no event: whether
    /// nothing but further input can.
    #[inline]
    pub(crate) fn catch_up(&mut self, out: &mut impl Sink) -> bool {
        self.is_caught_up() && self.machine.catch_up(out)
    }

    pub(crate) fn took<'b>(
        &mut self,
        found: Result<(usize, LocatedEvent), http2::ProtocolError>,
        input: &'b mut [u8],
        lent: http::CallContext<'b, http2::Limits>,
        around: ReceiveContext<'b, '_>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let ReceiveContext {
            shown,
            limits,
            stream,
        } = around;
        let (used, found) = found?;
        let now = lent.now;
        let (id, step) = match found.borrow(input, lent.scratch) {
            Step::Event(event) => self.translate(event, limits, shown, now, out),
            Step::Need(more) => (0, Step::Need(more)),
            Step::Paused => (0, Step::Paused),
            Step::Full => (0, Step::Full),
            Step::Done => (0, Step::Done),
        };
        if id != 0 {
            self.retire_closed(id);
        }
        *stream = id;
        Ok(Received { used, step })
    }

    /// The peer's input has ended: exchanges complete on its side may finish, others are over.
    pub(crate) fn receive_eof<'b>(
        &mut self,
        mut lent: http::CallContext<'b, http2::Limits>,
        around: ReceiveContext<'b, '_>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let ReceiveContext {
            shown,
            limits,
            stream,
        } = around;
        let now = lent.now;
        *stream = 0;
        if !core::mem::replace(&mut self.ended, true) {
            let broken = |stream: &&Stream| !stream.receiving.complete || stream.exchange.endless;
            let broken: Vec<u32> = self
                .streams
                .iter()
                .filter(broken)
                .map(|it| it.exchange.id)
                .collect();
            for id in broken {
                if self.streams.get(id).is_some_and(|it| it.surplus) {
                    self.reset_surplus(id, now, out);
                    continue;
                }
                // Refused only where it is over already.
                let _ = self.reset(id, ErrorCode::CANCEL, EndReason::Disconnected, now, out);
            }
        }
        if let Some((id, given)) = self.next_given(&mut lent, limits, shown, out) {
            *stream = id;
            return Ok(Received::event(0, given.borrow(shown, lent.scratch)));
        }
        self.machine.receive_eof()?;
        let step = match self.machine.is_done() {
            true => Step::Done,
            false => Step::Paused, // our side is still active
        };
        Ok(Received { used: 0, step })
    }

    /// The next event that needs no input.
    fn next_given(
        &mut self,
        around: &mut http::CallContext<'_, http2::Limits>,
        limits: &Limits,
        shown: &mut Option<Box<BufferedRequest>>,
        out: &mut impl Sink,
    ) -> Option<(u32, BufferedEvent)> {
        self.sweep();
        let is_full = self.is_full();
        if core::mem::take(&mut self.relieved) {
            return Some((0, BufferedEvent::Writable));
        }
        while let Some(id) = self.pending.pop_front() {
            let Some(stream) = self.streams.get_mut(id) else {
                continue;
            };
            stream.pending = false;
            let given = match stream.gone {
                Some(_) if stream.end_reported => None,
                Some(_) if stream.surplus && stream.tag == 0 => {
                    stream.end_reported = true; // nobody is there to be told
                    None
                }
                Some(gone) => Some(self.tell(id, gone)),
                None if core::mem::take(&mut stream.sending.relieved) => {
                    self.queue(id);
                    Some(BufferedEvent::Writable)
                }
                None if !stream.is_fed() => None,
                None if is_full => {
                    self.starve(id);
                    None
                }
                None => match stream.exchange.intake {
                    Intake::Streamed => self.give_content(id, shown, out),
                    Intake::Socket => {
                        let nth = stream.exchange.websocket_limits;
                        let mut lent = lend(around.reborrow(), limits, nth);
                        self.give_message(id, &mut lent, shown, out)
                    }
                    Intake::Collected => self.give_request(id, shown),
                    Intake::Offered | Intake::Discarded => None,
                },
            };
            if let Some(given) = given {
                return Some((id, given));
            }
        }
        None
    }

    pub(super) fn tell(&mut self, id: u32, gone: EndReason) -> BufferedEvent {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.end_reported = true;
        }
        self.retire_closed(id);
        BufferedEvent::Ended(gone)
    }

    /// An event of the machine in the link's words.
    #[inline(always)]
    fn translate<'b>(
        &mut self,
        event: http2::Event<'b>,
        limits: &Limits,
        shown: &'b mut Option<Box<BufferedRequest>>,
        now: Instant,
        out: &mut impl Sink,
    ) -> (u32, Step<Event<'b>>) {
        let due = now + limits.reply;
        let (id, event) = match event {
            http2::Event::Request {
                stream,
                head,
                content,
            } => {
                if self.is_full() && self.machine.role() == Role::Server {
                    self.refuse_stream(stream, now, out);
                    return (0, Step::Need(0));
                }
                self.begin(stream, &head, &content, due);
                (stream, Some(Event::Request { head, content }))
            }
            http2::Event::Response {
                stream: id,
                head,
                content,
            } => {
                self.answered(id, &content);
                (id, Some(Event::Response { head, content }))
            }
            http2::Event::Informational { stream, head } => {
                (stream, Some(Event::Informational(head)))
            }
            http2::Event::Data { stream, data } => {
                (stream, self.data(stream, data, limits, shown, now, out))
            }
            http2::Event::End {
                stream,
                trailers,
                dropped,
            } => (stream, self.end(stream, trailers, dropped, due, shown)),
            http2::Event::Reset { stream, code } => {
                let code = code.code();
                (
                    stream,
                    self.was_reset(stream, EndReason::StreamReset { code }),
                )
            }
            http2::Event::StreamError { stream, error } => (
                stream,
                self.was_reset(stream, EndReason::StreamError(error)),
            ),
            http2::Event::GoAway {
                last_stream,
                code,
                debug,
            } => {
                let code = code.code();
                let event = Event::GoingAway {
                    last_stream,
                    code,
                    debug,
                };
                (0, Some(event))
            }
            http2::Event::Settings if self.machine.role() == Role::Client => {
                (0, Some(Event::Writable))
            }
            http2::Event::Settings | http2::Event::Ping(_) | http2::Event::Pong(_) => (0, None),
        };
        (id, event.map_or(Step::Need(0), Step::Event))
    }

    /// Notes whether the peer makes gRPC calls, whose keep-alives have rules of their own.
    fn note_calls(&mut self, head: &RequestHead<'_>) {
        if self.calls || head.method != Method::POST {
            return;
        }
        // Over HTTP/2 names are in lower case.
        let mut fields = head.fields.iter();
        let content_type = fields.find(|field| field.name == b"content-type");
        let call = content_type.and_then(|field| grpc::ContentType::parse(field.value));
        if call.is_some_and(|it| it.mode() == grpc::Mode::Native) {
            self.calls = true;
            self.machine.judge_keep_alive();
        }
    }

    /// A new exchange of the peer's, whose response is overdue from `due` on.
    #[inline]
    pub(crate) fn begin(
        &mut self,
        id: u32,
        head: &RequestHead<'_>,
        content: &Content<'_>,
        due: Instant,
    ) {
        self.note_calls(head);
        let complete = !matches!(content, Content::Follows { .. });
        let intake = match complete {
            true => Intake::Discarded,
            false => Intake::Offered,
        };
        let mut stream = Stream::new(id, intake);
        (
            stream.sending.owes,
            stream.receiving.complete,
            stream.exchange.due,
        ) = (true, complete, due);
        self.streams.insert(stream);
        self.wake_by(due);
    }

    /// The response to our request: its content needs no asking.
    fn answered(&mut self, id: u32, content: &Content<'_>) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match content {
            Content::None => stream.receiving.complete = true,
            Content::Whole(_) | Content::Follows { .. } => {
                stream.exchange.intake = Intake::Streamed
            }
        }
    }

    fn data<'b>(
        &mut self,
        id: u32,
        data: &'b mut [u8],
        limits: &Limits,
        shown: &'b mut Option<Box<BufferedRequest>>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Option<Event<'b>> {
        let Some(stream) = self.streams.get_mut(id) else {
            self.machine.consume(id, data.len(), out);
            return None;
        };
        let (is_full, is_short) = match self.charge.account() {
            // An owner that consumes itself bounds by windows what it keeps.
            Some(account) => (
                account.is_full() && !stream.receiving.owner_consumes,
                account.is_short(),
            ),
            None => (false, false),
        };
        let is_fed = stream.is_fed();
        match stream.exchange.intake {
            Intake::Discarded if limits.http2.early_reset == Duration::MAX => {
                self.pace(id, data.len(), limits, now);
            }
            Intake::Discarded => {}
            Intake::Offered | Intake::Collected | Intake::Streamed | Intake::Socket if is_full => {
                // There is no room even for what its window has let through.
                self.machine.consume(id, data.len(), out);
                self.refuse_one(id, None, [0; 4], now, out);
                return None;
            }
            Intake::Collected => {
                let due = now + limits.reply;
                if !stream.exchange.append(data, due, shown) {
                    self.wake_by(due);
                    self.machine.consume(id, data.len(), out);
                    return Some(Event::TooLarge);
                }
                self.wanted += data.len();
                self.pace(id, data.len(), limits, now);
                if is_short {
                    if let Some(stream) = self.streams.get_mut(id) {
                        stream.receiving.keep(data.len());
                    }
                    self.starve(id);
                    return None;
                }
            }
            Intake::Streamed if is_fed && stream.exchange.kept.is_none() => {
                if !stream.receiving.owner_consumes {
                    self.machine.consume(id, data.len(), out);
                }
                self.wanted += data.len();
                self.pace(id, data.len(), limits, now);
                return Some(Event::Body(data));
            }
            Intake::Offered | Intake::Streamed | Intake::Socket => {
                let kept = stream
                    .exchange
                    .kept
                    .get_or_insert_with(|| BufferedRequest::inbox(self.charge.account()));
                kept.keep(data);
                self.wanted += data.len();
                stream.receiving.keep(data.len());
                if is_fed && stream.exchange.intake != Intake::Offered {
                    self.queue(id);
                }
                self.pace(id, data.len(), limits, now);
                return None;
            }
        }
        self.machine.consume(id, data.len(), out);
        None
    }

    fn end<'b>(
        &mut self,
        id: u32,
        trailers: Fields<'b>,
        dropped: u16,
        due: Instant,
        shown: &'b mut Option<Box<BufferedRequest>>,
    ) -> Option<Event<'b>> {
        let stream = self.streams.get_mut(id)?;
        stream.receiving.complete = true;
        stream.exchange.complete(stream.sending.owes, due);
        self.wake = self.wake.min(stream.exchange.due);
        match stream.exchange.intake {
            Intake::Collected if self.charge.account().is_some_and(|it| it.is_full()) => {
                (stream.receiving.ended, stream.receiving.dropped) = (true, dropped);
                self.starve(id);
                None
            }
            Intake::Collected => {
                stream.receiving.dropped = dropped;
                stream.exchange.give(shown)
            }
            Intake::Streamed if stream.is_fed() && stream.exchange.kept.is_none() => {
                stream.exchange.intake = Intake::Discarded;
                Some(Event::End { trailers, dropped })
            }
            Intake::Offered | Intake::Streamed | Intake::Socket => {
                let account = self.charge.account();
                stream.receiving.keep_end(trailers, dropped, account);
                self.queue(id);
                None
            }
            Intake::Discarded => None,
        }
    }
}
