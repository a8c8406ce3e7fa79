//! Routes that bound the bodies of their requests and the time that they take.
//!
//! Only their own closures are wrapped, and only what stays open after a closure has
//! returned: other routes know nothing of it.

use alloc::boxed::Box;

use super::endpoint::{Call, Endpoint};
use crate::app::exchange::loop_state::LoopState;
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::reply::{Reply, no_place};
use crate::app::exchange::request::Request;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::exchange::timer_token;
use crate::app::telemetry::metrics::Kind;
use crate::http::Status;
use crate::link::{EndReason, Event};
use crate::net::{Exchange, TimerId};
use crate::websocket::Kind as MessageKind;

impl Endpoint {
    /// The endpoint, bounded as it says.
    pub(crate) fn bounded(mut self) -> Self {
        if let Some(most) = self.most {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            self.collect = Some(self.collect.map_or(most, |limit| limit.min(most)));
        }
        if self.most.is_some() || self.time.is_some() {
            let bounds = (self.most, self.time);
            self.whole = self.whole.map(|call| bounded(call, bounds));
            self.streamed = self.streamed.map(|call| bounded(call, bounds));
        }
        self
    }

    /// Has the time run in which the body has to come, while nobody has it.
    #[inline(never)]
    pub(super) fn time_body(&self, at: &mut SessionContext<'_, '_>) -> Result<(), Refusal> {
        let (Some(time), Some(record)) = (self.time, at.record.as_deref_mut()) else {
            return Ok(());
        };
        let timer = at.context.set_timer(time, timer_token::ROUTE);
        record.timer = Some(timer.map_err(|_| no_place())?);
        Ok(())
    }
}

fn bounded(
    call: Box<Call>,
    (most, time): (Option<u64>, Option<core::time::Duration>),
) -> Box<Call> {
    Box::new(move |request: &Request<'_>, mut reply: Reply<'_, '_>| {
        let at = reply.at();
        // Set while the body was collected.
        let running = at.record.as_deref_mut().and_then(|it| it.timer.take());
        let announced = request.content_length();
        let done = match most {
            Some(most) if announced.is_some_and(|length| length > most) => {
                Err(Status::CONTENT_TOO_LARGE.into())
            }
            _ => call(request, reply.reborrow()),
        };
        if let Some((at, session)) = reply.opened_session() {
            let is_owed = at.record.as_ref().is_some_and(|record| !record.answered);
            let timer = match (running, time) {
                (None, Some(time)) if is_owed => {
                    match at.context.set_timer(time, timer_token::ROUTE) {
                        Ok(timer) => Some(timer),
                        Err(_) => return Err(no_place()), // the session is dropped
                    }
                }
                (running, _) => running,
            };
            let left = most.unwrap_or(u64::MAX);
            let bounded = move |session| -> Box<dyn Session> {
                Box::new(Bounded {
                    session,
                    left,
                    timer,
                })
            };
            *session = session.take().map(bounded);
        } else if let Some(timer) = running {
            reply.at().context.cancel_timer(timer);
        }
        done
    })
}

/// A session whose request may have only so long a body, and whose reply only so much time.
struct Bounded {
    session: Box<dyn Session>,
    /// Bytes of the body that may still come.
    left: u64,
    /// What ends it if its reply is still owed.
    timer: Option<TimerId>,
}

impl Bounded {
    fn take(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) -> After {
        match self.left.checked_sub(piece.len() as u64) {
            Some(left) => {
                self.left = left;
                self.session.event(at, Event::Body(piece))
            }
            None => {
                self.session.event(at, Event::Ended(EndReason::Aborted));
                let is_owed = at.record.as_ref().is_some_and(|record| !record.answered);
                match is_owed {
                    true => drop(at.refuse(&Status::CONTENT_TOO_LARGE.into())),
                    false => at.context.abort(),
                }
                After::End
            }
        }
    }
}

impl Session for Bounded {
    fn event(&mut self, at: &mut SessionContext<'_, '_>, event: Event<'_>) -> After {
        let after = match event {
            Event::Body(piece) => self.take(at, piece),
            event => self.session.event(at, event),
        };
        let is_answered = at.record.as_ref().is_none_or(|record| record.answered);
        if (is_answered || after == After::End)
            && let Some(timer) = self.timer.take()
        {
            at.context.cancel_timer(timer);
        }
        after
    }

    // What a session around this one calls directly.

    fn body(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) -> After {
        self.event(at, Event::Body(piece))
    }

    fn messages(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        kind: MessageKind,
        payload: &mut [u8],
    ) -> After {
        self.session.messages(at, kind, payload)
    }

    fn end(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        trailers: crate::http::Fields<'_>,
        dropped: u16,
    ) -> After {
        self.event(at, Event::End { trailers, dropped })
    }

    fn mail(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        mail: Box<dyn core::any::Any + Send>,
    ) -> After {
        self.event(at, Event::Mail(mail))
    }

    fn ended(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        self.event(at, Event::Ended(why))
    }

    fn is_receiving(&self) -> bool {
        self.session.is_receiving()
    }

    fn content(&self) -> u64 {
        self.session.content()
    }

    fn kind(&self) -> Kind {
        self.session.kind()
    }

    fn lost(&mut self, exchange: Exchange, loop_state: &mut LoopState) {
        self.session.lost(exchange, loop_state);
    }
}
