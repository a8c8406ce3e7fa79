//! The events of a call's exchange.

use alloc::boxed::Box;
use core::any::Any;

use super::{CallSession, State, stop};
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::exchange::timer_token;
use crate::app::publishing::handle::HandleMessage;
use crate::app::services::guard::deadline_exceeded;
use crate::app::services::inbox::broken;
use crate::app::services::later::Posted;
use crate::app::services::responses::Turn;
use crate::app::telemetry::metrics::Kind;
use crate::grpc::{Code, ProtocolError, Status};
use crate::http::Fields;
use crate::link::EndReason;

impl CallSession {
    /// Done after each event: whether the call lives on.
    fn after(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.settle(at);
        if !self.is_over() {
            return After::Keep;
        }
        stop(&mut self.timer, at);
        stop(&mut self.message_timer, at);
        After::End
    }
}

impl Session for CallSession {
    fn kind(&self) -> Kind {
        Kind::Grpc
    }

    fn content(&self) -> u64 {
        self.sending.written
    }

    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.open(at);
        self.after(at)
    }

    fn body(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) -> After {
        self.receive(at, piece);
        self.after(at)
    }

    fn end(&mut self, at: &mut SessionContext<'_, '_>, _: Fields<'_>, dropped: u16) -> After {
        self.half_close(at, dropped);
        self.after(at)
    }

    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.sending.waiting = false;
        self.turn(at, Turn::Writable);
        self.take_publications(at);
        self.after(at)
    }

    fn woken(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.take_publications(at);
        self.after(at)
    }

    fn poll(&mut self, at: &mut SessionContext<'_, '_>, _token: u64) -> After {
        self.turn(at, Turn::Poll);
        self.after(at)
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        match u32::try_from(token) {
            Ok(token) => self.turn(at, Turn::Timer(token)),
            Err(_) if token == timer_token::MESSAGE => {
                self.message_timer = None; // the next one is set after this
                if !at.context.is_excused() {
                    self.end_with(
                        at,
                        broken(ProtocolError::MessageTooSlow),
                        EndReason::Aborted,
                    );
                }
            }
            Err(_) => {
                self.timer = None;
                self.time_out(at, deadline_exceeded());
            }
        }
        self.after(at)
    }

    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        match mail.downcast::<Posted>() {
            Ok(posted) => self.posted(at, *posted),
            Err(mail) => {
                // Nobody else knows the session's address.
                if let Ok(handle_message) = mail.downcast::<HandleMessage>() {
                    self.handle_message(at, *handle_message);
                }
            }
        }
        self.after(at)
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        if matches!(&self.state, State::Streaming(source) if source.is_live()) {
            let status = Status::new(Code::Unavailable, "the server stops");
            self.end_with(at, status.into(), EndReason::Drained);
        }
        self.after(at)
    }

    fn overdue(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.no_reply(at);
        self.after(at)
    }

    fn ended(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        self.sending.lose(at);
        self.tell(at, why);
        self.after(at)
    }
}
