//! The request as it goes out.

use core::cell::Cell;

use bytes::Bytes;

use super::{Attempt, Call, State};
use crate::client::connecting::{Phase, Proxy, RequestSender, basic};
use crate::client::http::body::Given as Next;
use crate::client::http::error::ErrorKind;
use crate::client::http::policy::Given;
use crate::client::http::redirect::{is_of_origin, is_secret};
use crate::coding::decode;
use crate::http::{FieldBuffer, InvalidField, Method, RequestHead, Target, Version};
use crate::link::Body;
use crate::net::Flow;
use crate::wire::Instant;

/// A body up to this length goes out with its head.
const WITH_HEAD: usize = 16 << 10;

std::thread_local! {
    /// The fields of a request, while it is put out.
    static FIELDS: Cell<FieldBuffer> = const { Cell::new(FieldBuffer::new()) };
}

impl Call {
    /// Sends the request; `reused` says that the connection carried others, and a forwarding
    /// proxy gets the absolute form.
    pub(crate) fn begin(
        &mut self,
        sender: &mut dyn RequestSender,
        reused: bool,
        forwarder: Option<&Proxy>,
        now: Instant,
    ) {
        self.attempt = Attempt {
            reused,
            ..Attempt::none(now)
        };
        self.informed = 0;
        self.counts.made = self.counts.made.saturating_add(1);
        self.state = State::Asked;
        let mut fields = FIELDS.take();
        fields.clear();
        let sent = match self.put_fields(forwarder, &mut fields) {
            Ok(()) => self.send_head(&fields, forwarder.is_some(), sender, now),
            Err(invalid) => Err(ErrorKind::Field(invalid)),
        };
        FIELDS.set(fields);
        match sent {
            Ok(()) => self.pump(sender, now),
            Err(kind) => self.fail_as(Phase::Request, kind, false),
        }
    }

    fn put_fields(
        &self,
        forwarder: Option<&Proxy>,
        fields: &mut FieldBuffer,
    ) -> Result<(), InvalidField> {
        let request = &self.request;
        let own = request.fields.as_fields();
        let of_client = self.policy.fields.as_fields();
        let given = self.given();
        if !given.host {
            fields.push_known("Host", request.url.authority().as_bytes())?;
        }
        if own.is_empty() && !self.counts.elsewhere {
            fields.extend_checked(of_client)?;
        } else {
            for field in of_client.iter() {
                let name = core::str::from_utf8(field.name).unwrap_or_default();
                if !own.contains(name) && !self.is_withheld(name) {
                    fields.push(name, field.value)?;
                }
            }
        }
        if let (Some(codings), true) = (decode::ACCEPTED, self.lets_code(given)) {
            fields.push_known("Accept-Encoding", codings.as_bytes())?;
        }
        if let Some(user) = request.url.username()
            && !given.authorization
        {
            let password = request.url.password().unwrap_or_default();
            fields.push("Authorization", basic(user, password))?;
        }
        if let Some(authorization) = forwarder.and_then(Proxy::authorization) {
            fields.push("Proxy-Authorization", authorization)?;
        }
        #[cfg(feature = "cookies")]
        if let Some(jar) = &self.policy.cookies
            && !given.cookie
            && let Some(cookies) = jar.get(&request.url)
        {
            fields.push("Cookie", cookies)?;
        }
        fields.extend_checked(own)?;
        if self.expects() {
            fields.push_known("Expect", b"100-continue")?;
        }
        Ok(())
    }

    /// Whether a response may be coded: not where the caller decides, or asks for a part.
    pub(super) fn accepts_codings(&self) -> bool {
        self.lets_code(self.given())
    }

    const fn lets_code(&self, given: Given) -> bool {
        self.request.decodes && !given.accept_encoding && !given.range
    }

    /// Which fields the request has, of its own or of the client's.
    fn given(&self) -> Given {
        if !self.counts.elsewhere {
            let mut given = self.policy.given;
            given.note_all(self.request.fields.as_fields());
            return given;
        }
        let mut given = Given::default();
        given.note_all(self.request.fields.as_fields());
        for field in self.policy.fields.as_fields().iter() {
            let name = core::str::from_utf8(field.name).unwrap_or_default();
            if !self.is_withheld(name) {
                given.note(field.name);
            }
        }
        given
    }

    /// Whether a field of the client's is not for the origin that a redirect has led to.
    fn is_withheld(&self, name: &str) -> bool {
        let is_of_origin = || is_secret(name) || is_of_origin(name);
        self.counts.elsewhere && is_of_origin()
    }

    fn expects(&self) -> bool {
        self.request.expects_continue && !self.request.body.is_empty() && !self.unexpecting
    }

    fn send_head(
        &mut self,
        fields: &FieldBuffer,
        is_forwarded: bool,
        sender: &mut dyn RequestSender,
        now: Instant,
    ) -> Result<(), ErrorKind> {
        let method = self.request.method.get();
        let url = &self.request.url;
        let target = match is_forwarded {
            true => Target::Absolute {
                scheme: url.scheme(),
                authority: url.authority(),
                path: url.path(),
                query: url.query(),
            },
            false => Target::parse_origin(url.target()),
        };
        let head = RequestHead {
            method,
            target,
            version: Version::Http11,
            protocol: None,
            fields: fields.as_fields(),
        };
        let expects = self.expects();
        let body = &self.request.body;
        let is_small = |it: &&Bytes| it.len() <= WITH_HEAD && !expects && !body.has_trailers();
        let small = body.bytes().filter(is_small);
        let (sent, streams) = match small {
            Some(bytes) if bytes.is_empty() && !is_usual_with_body(method) => (None, false),
            Some(bytes) => (Some(Body::Whole(bytes)), false),
            None => {
                let (length, endless) = (body.length(), false);
                (Some(Body::Streamed { length, endless }), true)
            }
        };
        let asked = sender.request(&head, sent);
        self.attempt.stream = asked.map_err(ErrorKind::Unsendable)?;
        if streams {
            self.attempt.giving = Some(self.request.body.begin());
            self.attempt.held = expects.then(|| now + self.limits().continue_time);
        }
        Ok(())
    }

    /// Sends more of the body as far as the connection takes it, also while the response comes.
    pub(crate) fn pump(&mut self, sender: &mut dyn RequestSender, now: Instant) {
        let is_wanted = matches!(
            self.state,
            State::Asked | State::Answered | State::Receiving
        );
        if !is_wanted || self.attempt.held.is_some() {
            return;
        }
        let stream = self.attempt.stream;
        while let Some(giving) = &mut self.attempt.giving {
            if self.attempt.blocked {
                return;
            }
            let mut flow = Flow::Go;
            match giving.next(|piece| flow = sender.write(stream, piece)) {
                Ok(Next::Piece) if self.attempt.lacks_pieces => {
                    // Until now it was not the server's time.
                    (self.attempt.lacks_pieces, self.attempt.since) = (false, now);
                }
                Ok(Next::Piece) => {}
                Ok(Next::Later) => {
                    self.attempt.lacks_pieces = true;
                    return;
                }
                Ok(Next::End) => {
                    let trailers = self.request.body.trailers();
                    let finished = sender.finish(stream, trailers.as_fields());
                    if let Err(misuse) = finished
                        && !trailers.as_fields().is_empty()
                    {
                        sender.reset(stream, crate::http2::ErrorCode::CANCEL);
                        return self.fail(Phase::Send, ErrorKind::Unsendable(misuse));
                    }
                    self.attempt.lacks_pieces = false;
                    self.attempt.giving = None;
                    self.attempt.is_out = false;
                    self.attempt.since = now;
                }
                Err(error) => {
                    sender.reset(stream, crate::http2::ErrorCode::CANCEL);
                    return self.fail(Phase::Send, ErrorKind::Body(error));
                }
            }
            match flow {
                Flow::Go => {}
                Flow::Wait => self.attempt.blocked = true,
                Flow::Over(_) => self.attempt.giving = None, // an event says why
            }
        }
    }
}

const fn is_usual_with_body(method: Method<'_>) -> bool {
    matches!(method, Method::POST | Method::PUT | Method::PATCH)
}
