//! A call that goes on after its request's head has been looked at.
//!
//! ```text
//!             body ends, the method runs
//!  Receiving ─────────────┬────────────► answered in whole
//!      │                  ├─► Owing ────► a response is posted ─► answered
//!      │ violation,       └─► Streaming ─► messages ... a status
//!      │ deadline                 │
//!      └──────► a status ◄────────┘ deadline, draining
//! ```

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use super::call::{Call, Metadata};
use super::codec::CallStatus;
use super::inbox::Inbox;
use super::later::Settled;
use super::methods::{Answer, Methods, deadline_exceeded, execute};
use super::responses::{Sending, Source, Turn};
use crate::app::exchange::client::{Client, Count};
use crate::app::publishing::handle::Letter;
use crate::app::telemetry::metrics::Kind;

use crate::app::exchange::session::{After, At, Session};
use crate::grpc::{self, Code, Ending, Status};
use crate::http::{self, FieldBuffer};
use crate::link::{Body, Event, Gone};
use crate::net::Peer;
use crate::wire::Instant;

/// The token of the timer that the deadline is set with: no `u32` of an
/// application's.
const DEADLINE: u64 = u64::MAX;

/// A call on its loop.
pub(in crate::app) struct CallSession {
    sending: Sending,
    head: FieldBuffer, // metadata ahead of the response, until that is sent
    deadline: Option<Instant>,
    state: State,
}

enum State {
    /// The body is arriving.
    Receiving(Box<Receiving>),
    /// The method has promised a response.
    Owing,
    /// Messages are being sent.
    Streaming(Box<dyn Source>),
    /// The status has been sent.
    Ended,
}

/// A request whose body is arriving: its head, copied, and what has arrived.
pub(in crate::app) struct Receiving {
    methods: Arc<Methods>,
    name: String,
    method: String,
    fields: FieldBuffer,
    peer: Option<Peer>,
    deadline: Option<Instant>,
    inbox: Inbox,
}

impl Receiving {
    pub(in crate::app) fn new(methods: Arc<Methods>, call: &Call<'_>) -> Box<Self> {
        let mut fields = FieldBuffer::new();
        // A head that a machine accepted is far below the 4 GiB where this
        // could fail.
        let _ = fields.extend(call.fields());
        Box::new(Self {
            methods,
            name: call.service().into(),
            method: call.method().into(),
            fields,
            peer: call.peer(),
            deadline: call.deadline(),
            inbox: Inbox::default(),
        })
    }

    /// Runs the method, now that the body has ended.
    fn run(
        &self,
        machine: &mut grpc::Call,
        at: &At<'_, '_>,
    ) -> (Metadata, Result<Answer, CallStatus>) {
        let request = grpc::Request {
            service: &self.name,
            method: &self.method,
            timeout: None, // the deadline counts from the head
            fields: self.fields.as_fields(),
        };
        let mut call = Call::new(request, self.peer, self.deadline, at.context);
        let message = self.inbox.end(machine);
        let run = self.methods.find(&self.name, &self.method);
        let answer = message.and_then(|message| execute(run?, message, &mut call, at));
        (call.into_metadata(), answer)
    }
}

/// Sends what a method has answered, or the beginning of it; gives back what
/// is to send the rest.
pub(in crate::app) fn begin(
    at: &mut At<'_, '_>,
    machine: grpc::Call,
    metadata: Metadata,
    answer: Result<Answer, CallStatus>,
) -> Option<CallSession> {
    let Metadata {
        head,
        trailers,
        deadline,
    } = metadata;
    let sending = Sending::new(machine, trailers);
    let mut session = CallSession {
        sending,
        head,
        deadline,
        state: State::Owing,
    };
    match answer {
        Ok(Answer::Message(message)) => session.respond(at, Ok(&message)),
        Err(status) => session.respond(at, Err(&status)),
        Ok(Answer::Later) => return Some(session),
        Ok(Answer::Stream(source)) => {
            if session.start(at, &*source) {
                session.state = State::Streaming(source);
                return Some(session);
            }
        }
    }
    None
}

impl CallSession {
    /// A call whose request's body is arriving.
    pub(in crate::app) fn receiving(machine: grpc::Call, receiving: Box<Receiving>) -> Self {
        Self {
            sending: Sending::new(machine, FieldBuffer::new()),
            head: FieldBuffer::new(),
            deadline: receiving.deadline,
            state: State::Receiving(receiving),
        }
    }

    /// Answers in whole: with one message, or with a status alone.
    fn respond(&mut self, at: &mut At<'_, '_>, answer: Result<&[u8], &CallStatus>) {
        self.state = State::Ended;
        let Sending {
            machine, trailers, ..
        } = &mut self.sending;
        let (mut fields, mut last, mut body) = (FieldBuffer::new(), FieldBuffer::new(), Vec::new());
        let framed = answer.map(|message| {
            machine.send_head(self.head.as_fields(), &mut fields)?;
            machine.send_message(message, &mut body)
        });
        let status = match framed {
            Ok(Ok(())) => &Status::OK.into(),
            // Metadata has been checked; only more than 4 GiB cannot be framed.
            Ok(Err(_)) => &Status::new(Code::Internal, "message is too long").into(),
            Err(status) => status,
        };
        if let Ok(message) = answer {
            at.site.metrics.sent_messages(1, message.len());
        }
        let trailers = trailers.as_fields();
        let ending = machine.send_status(status.as_ref(), trailers, &mut last, &mut body);
        if ending == Ok(Ending::Head) {
            core::mem::swap(&mut fields, &mut last);
        }
        put_fields(at, &fields);
        if ending == Ok(Ending::Trailers) {
            let streamed = Body::Streamed {
                length: None,
                endless: false,
            };
            if at.respond(http::Status::OK, streamed) {
                let _ = at.context.write(&body);
                let _ = at.context.finish(last.as_fields());
            }
        } else {
            at.respond(http::Status::OK, Body::Whole(&body));
        }
    }

    /// Sends the head of a stream; whether that could be sent.
    fn start(&mut self, at: &mut At<'_, '_>, source: &dyn Source) -> bool {
        let mut fields = FieldBuffer::new();
        // Metadata has been checked, and this is the first head.
        let _ = self
            .sending
            .machine
            .send_head(self.head.as_fields(), &mut fields);
        put_fields(at, &fields);
        if source.is_live() {
            self.sending.client = Some(Client::new(at, Kind::Grpc, &Count::default()));
        }
        at.respond(
            http::Status::OK,
            Body::Streamed {
                length: None,
                endless: false,
            },
        )
    }

    /// The call ends now, wherever it is.
    fn end(&mut self, at: &mut At<'_, '_>, status: &CallStatus, why: Gone) {
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Receiving(_) | State::Owing => self.respond(at, Err(status)),
            State::Streaming(mut source) => {
                self.sending.finish(at, status);
                source.turn(at, &mut self.sending, Turn::Gone(why));
            }
            State::Ended => {}
        }
    }

    /// A piece of the request's body arrived.
    fn receive(&mut self, at: &mut At<'_, '_>, piece: &[u8]) {
        let Self {
            sending,
            state: State::Receiving(receiving),
            ..
        } = self
        else {
            return;
        };
        let limits = &receiving.methods.limits;
        if let Err(status) = receiving.inbox.push(piece, &mut sending.machine, limits) {
            self.end(at, &status, Gone::Aborted);
        }
    }

    /// The request's body has ended.
    fn run(&mut self, at: &mut At<'_, '_>) {
        let State::Receiving(receiving) = &self.state else {
            return;
        };
        let (metadata, answer) = receiving.run(&mut self.sending.machine, at);
        self.head = metadata.head;
        self.sending.trailers = metadata.trailers;
        match answer {
            Ok(Answer::Message(message)) => self.respond(at, Ok(&message)),
            Err(status) => self.respond(at, Err(&status)),
            Ok(Answer::Later) => self.state = State::Owing,
            Ok(Answer::Stream(source)) => {
                let started = self.start(at, &*source);
                self.state = if started {
                    State::Streaming(source)
                } else {
                    State::Ended
                };
                self.turn(at, Turn::Open);
            }
        }
    }

    fn turn(&mut self, at: &mut At<'_, '_>, turn: Turn) {
        if let State::Streaming(source) = &mut self.state {
            source.turn(at, &mut self.sending, turn);
        }
    }

    fn letter(&mut self, at: &mut At<'_, '_>, letter: Letter) {
        match (letter, &self.state) {
            (Letter::Mail(mail), State::Owing) => {
                if let Ok(settled) = mail.downcast::<Settled>() {
                    let Settled(answer) = *settled;
                    self.respond(at, answer.as_deref());
                }
            }
            (Letter::Mail(mail), _) => self.turn(at, Turn::Mail(mail)),
            (Letter::Send(_, payload), State::Streaming(_)) => {
                self.sending.send_bytes(at, &payload);
            }
            (Letter::Close(..), State::Streaming(_)) => {
                self.end(at, &Status::OK.into(), Gone::Aborted);
            }
            (Letter::Send(..) | Letter::Close(..), _) => {}
        }
    }
}

/// Gives the reply the fields of a head.
fn put_fields(at: &mut At<'_, '_>, fields: &FieldBuffer) {
    if let Some(record) = at.record.as_deref_mut() {
        for field in fields.as_fields().iter() {
            // Checked metadata, and constant text.
            let name = core::str::from_utf8(field.name).unwrap_or_default();
            record.faulty |= record.fields.push(name, field.value).is_err();
        }
    }
}

impl Session for CallSession {
    fn kind(&self) -> Kind {
        Kind::Grpc
    }

    fn event(&mut self, at: &mut At<'_, '_>, event: Event<'_>) -> After {
        match event {
            Event::Opened => {
                if let Some(deadline) = self.deadline {
                    let left = deadline.saturating_since(at.context.now());
                    at.context.after(left, DEADLINE);
                }
                self.turn(at, Turn::Open);
            }
            Event::Body(piece) => self.receive(at, piece),
            Event::End { .. } => self.run(at),
            Event::Writable => self.turn(at, Turn::Writable),
            Event::Timer { token } => match u32::try_from(token) {
                Ok(token) => self.turn(at, Turn::Timer(token)),
                Err(_) => self.end(at, &deadline_exceeded(), Gone::Aborted),
            },
            Event::Mail(mail) => {
                // Nobody else knows the session's address.
                if let Ok(letter) = mail.downcast::<Letter>() {
                    self.letter(at, *letter);
                }
            }
            Event::Draining => {
                if matches!(&self.state, State::Streaming(source) if source.is_live()) {
                    let status = Status::new(Code::Unavailable, "the server stops").into();
                    self.end(at, &status, Gone::Drained);
                }
            }
            Event::Gone(why) => {
                self.turn(at, Turn::Gone(why));
                return After::End;
            }
            // What only other protocols can bring; for what is overdue or too
            // large, the app answers.
            Event::Request { .. }
            | Event::TooLarge
            | Event::Overdue
            | Event::Informational(_)
            | Event::Response { .. }
            | Event::Message { .. }
            | Event::Chunk { .. }
            | Event::Ping(_)
            | Event::Pong(_)
            | Event::Close { .. }
            | Event::Data(_)
            | Event::GoingAway { .. }
            | Event::HalfClosed => {}
        }
        let over = self.sending.ended || matches!(self.state, State::Ended);
        if over { After::End } else { After::Keep }
    }
}
