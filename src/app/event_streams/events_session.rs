//! An event stream on its loop: what calls its object.

use alloc::boxed::Box;
use core::any::Any;
use core::time::Duration;

use super::event_stream::{EventStream, Pulse, Run};
use super::events::Events;
use super::own_state::OwnState;
use crate::app::channels::slow::Missed;
use crate::app::exchange::client::Client;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::futures::jobs::Jobs;
use crate::app::publishing::handle::HandleMessage;
use crate::app::publishing::inbox::Item;
use crate::app::publishing::join::{ChannelAnswer, Outcome};
use crate::app::publishing::message::Message;
use crate::app::telemetry::metrics::Kind;
use crate::http::Fields;
use crate::link::EndReason;
use crate::net::{Claim, Flow};
use crate::sse;

/// Answers HEAD with the head that GET would have (RFC 9110 §9.3.2).
pub(super) struct HeadOnly;

impl Session for HeadOnly {
    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        // Refused only if the exchange is over.
        let _ = at.context.finish(Fields::EMPTY);
        After::End
    }
}

/// An event stream on its loop.
pub(super) struct EventsSession<E> {
    pub(super) object: E,
    pub(super) client: Client,
    pub(super) pulse: Pulse,
    pub(super) own: OwnState,
    pub(super) jobs: Jobs<Run>,
    pub(super) retry: Duration,
    pub(super) _claim: Claim,
}

impl<E: Events> EventsSession<E> {
    fn call(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        call: impl FnOnce(&mut E, &mut EventStream<'_, '_>),
    ) -> After {
        let Self {
            client,
            pulse,
            own,
            jobs,
            ..
        } = self;
        let mut stream = EventStream::new(at.reborrow(), client, pulse, (own, jobs));
        call(&mut self.object, &mut stream);
        match stream.is_finished() {
            true => After::End,
            false => After::Keep,
        }
    }

    /// Gives the object what was published, as long as the client takes what it sends.
    fn take_publications(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        let membership = &self.client.membership;
        membership.catch_up(at.context);
        let is_over = membership.is_over().is_some();
        while is_over || at.context.flow() == Flow::Go {
            let after = match self.client.membership.next_publication() {
                Ok(None) => break,
                Ok(Some((channel, Item::Publication(publication)))) => {
                    self.call(at, |object, stream| {
                        object.publication(stream, &channel, &publication);
                    })
                }
                Ok(Some((channel, Item::Missed(count)))) => {
                    let missed = Missed::new(&channel, count);
                    self.call(at, |object, stream| object.missed(stream, missed))
                }
                Err(_) => self.call(at, |_, stream| stream.finish()),
            };
            if after == After::End {
                return after;
            }
        }
        After::Keep
    }
}

impl<E: Events> Session for EventsSession<E> {
    fn kind(&self) -> Kind {
        Kind::Events
    }

    fn content(&self) -> u64 {
        let activity = self.client.membership.activity();
        match activity.position() {
            Some(position) => position.written(),
            None => activity.bytes_sent() + self.pulse.comments,
        }
    }

    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| {
            stream.beat();
            object.open(stream);
        })
    }

    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        for missed in self.client.membership.keeps_up() {
            let told = Missed::new(&missed.channel, missed.publications);
            let after = self.call(at, |object, stream| object.missed(stream, told));
            if after == After::End {
                return after;
            }
            self.client.membership.give_newest(at.context, &missed);
        }
        match self.take_publications(at) {
            After::End => After::End,
            _ => self.call(at, |object, stream| {
                stream.poll_blocked();
                if !stream.is_finished() {
                    object.writable(stream);
                }
            }),
        }
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        self.call(at, |object, stream| match u32::try_from(token) {
            Ok(token) => object.timer(stream, token),
            Err(_) => stream.beat(),
        })
    }

    fn woken(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        match self.take_publications(at) {
            After::End => After::End,
            _ => self.call(at, |object, stream| object.woken(stream)),
        }
    }

    fn poll(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        self.call(at, |_, stream| stream.poll_job(token))
    }

    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        let Ok(handle_message) = mail.downcast::<HandleMessage>() else {
            return After::Keep; // nobody else knows the session's address
        };
        self.call(at, |object, stream| match *handle_message {
            HandleMessage::Send(kind, payload) => {
                if let Some(text) = Message::received(kind, &payload).as_text() {
                    stream.send(&sse::Event::new(text));
                }
            }
            HandleMessage::Close(..) => stream.finish(),
            HandleMessage::Mail(mail) => object.mail(stream, mail),
            HandleMessage::SendAway(time) => leave(object, stream, time),
            HandleMessage::Answered(channel, token, answered) => {
                match stream.answered((&channel, token), answered) {
                    Some(Outcome::Joined(result)) => {
                        object.joined(stream, ChannelAnswer::new(&channel, token, result));
                    }
                    Some(Outcome::Published(result)) => {
                        object.published(stream, ChannelAnswer::new(&channel, token, result));
                    }
                    None => {}
                }
            }
        })
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        let retry = self.retry;
        self.call(at, |object, stream| leave(object, stream, retry))
    }

    fn ended(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        self.call(at, |object, stream| object.closed(stream, why));
        After::End
    }
}

/// The stream ends, and its client is to come again after this time.
fn leave<E: Events>(object: &mut E, stream: &mut EventStream<'_, '_>, retry: Duration) {
    object.draining(stream);
    if !stream.is_finished() {
        stream.send(&sse::Event::EMPTY.retry(retry));
        stream.finish();
        object.closed(stream, EndReason::Drained);
    }
}
