//! Hands a request on to an upstream, and the response back.
//!
//! ```text
//!   client ──chunk──► Relay ──write──► LoopCall ──► upstream
//!                      │ ▲                             │
//!   client ◄──write────┘ └──woken── Joint ◄──told── Back ◄┘
//! ```
//!
//! The two sides are called in different places of the loop: what comes back lies in the
//! joint until the reply is called. When enough lies there the upstream is held back, and
//! when the upstream takes no more the client is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use barewire::app::{Charge, Done, Flow, Reply, Request, Response, Route, Stream, Streaming};
use barewire::client::{Body, Error, LoopCall, LoopClient, ResponseListener, ResponseView};
use barewire::http::{FieldBuffer, Fields, Status};
use barewire::link::EndReason;
use barewire::net::LocalWaker;
use bytes::Bytes;

/// Bytes that may lie in the joint before the upstream is held back.
const HIGH: usize = 64 << 10;

/// A route for every method, which needs a [`LoopClient`] on each loop whose base URL is the
/// upstream's.
pub(crate) fn route(pattern: &str) -> Route {
    Route::any(pattern).stream(relay)
}

fn relay(request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    let Some(client) = request.local::<LoopClient>() else {
        return reply.refuse(Status::INTERNAL_SERVER_ERROR);
    };
    let mut target = request.path().to_owned();
    if let Some(query) = request.query() {
        target = format!("{target}?{query}");
    }
    let mut asked = client.request(request.method().as_str(), target.as_str());
    asked = asked.without_decoding().header("Via", "1.1 upstream");
    for field in kept(request.headers()) {
        asked = asked.header(&field.0, field.1);
    }
    let length = request.content_length();
    if length != Some(0) {
        let pieces = Body::pieces();
        asked = asked.body(match length {
            Some(length) => pieces.with_length(length),
            None => pieces,
        });
    }
    let joint = Rc::new(RefCell::new(Joint::new(reply.waker())));
    match client.open(asked, Back(joint.clone())) {
        Ok(call) => reply.receive(Relay {
            joint,
            call,
            waits: false,
        }),
        Err(error) => reply.status(status_of(&error)).text(error.to_string()),
    }
}

/// The fields of a head that go on to the next hop (RFC 9110 §7.6.1).
fn kept(fields: Fields<'_>) -> Vec<(String, Vec<u8>)> {
    const OF_THIS_HOP: [&str; 10] = [
        "connection",
        "content-length", // said by the body
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let named: Vec<_> = fields.list("connection").map(<[u8]>::to_vec).collect();
    let mut kept = Vec::new();
    for field in fields.iter() {
        let name = String::from_utf8_lossy(field.name).into_owned();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let is_named = |other: &Vec<u8>| field.name.eq_ignore_ascii_case(other);
        if !OF_THIS_HOP.iter().any(|it| is(it)) && !named.iter().any(is_named) {
            kept.push((name, field.value.to_vec()));
        }
    }
    kept
}

/// What an upstream's failure is to the client (RFC 9110 §15.6.3 and §15.6.5).
fn status_of(error: &Error) -> Status {
    match error.is_timeout() {
        true => Status::GATEWAY_TIMEOUT,
        false => Status::BAD_GATEWAY,
    }
}

/// What has come from the upstream, and the reply has not seen.
struct Joint {
    waker: LocalWaker,
    head: Option<(Status, FieldBuffer, Option<u64>)>,
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// For those bytes, which are the client's memory.
    charge: Charge,
    /// The trailers, once all has come.
    end: Option<FieldBuffer>,
    failure: Option<Error>,
    /// The upstream takes more of the request's body again.
    takes_more: bool,
}

impl Joint {
    fn new(waker: LocalWaker) -> Self {
        Self {
            waker,
            head: None,
            pieces: VecDeque::new(),
            bytes: 0,
            charge: Charge::NONE,
            end: None,
            failure: None,
            takes_more: false,
        }
    }
}

/// The side of the upstream.
struct Back(Rc<RefCell<Joint>>);

impl ResponseListener for Back {
    fn head(&mut self, head: &ResponseView<'_>, _: &LoopCall) {
        let mut fields = FieldBuffer::new();
        for (name, value) in kept(head.headers()) {
            // It came in a head.
            let _ = fields.push(&name, value);
        }
        let mut joint = self.0.borrow_mut();
        joint.head = Some((head.status(), fields, head.content_length()));
        joint.waker.wake();
    }

    fn chunk(&mut self, chunk: &[u8], call: &LoopCall) {
        let mut joint = self.0.borrow_mut();
        joint.pieces.push_back(Bytes::copy_from_slice(chunk));
        joint.bytes += chunk.len();
        joint.charge.grow(chunk.len());
        if joint.bytes >= HIGH {
            call.pause();
        }
        joint.waker.wake();
    }

    fn writable(&mut self, _: &LoopCall) {
        let mut joint = self.0.borrow_mut();
        joint.takes_more = true;
        joint.waker.wake();
    }

    fn end(self, trailers: Fields<'_>) {
        let mut end = FieldBuffer::new();
        // They came as trailers.
        let _ = end.extend(trailers);
        let mut joint = self.0.borrow_mut();
        joint.end = Some(end);
        joint.waker.wake();
    }

    fn failed(self, error: Error) {
        let mut joint = self.0.borrow_mut();
        joint.failure = Some(error);
        joint.waker.wake();
    }
}

/// The side of the client.
struct Relay {
    joint: Rc<RefCell<Joint>>,
    call: LoopCall,
    /// The client takes no more for now.
    waits: bool,
}

impl Relay {
    /// Hands on what lies in the joint, as far as the client takes it.
    fn hand_on(&mut self, stream: &mut Stream<'_, '_>) {
        let mut joint = self.joint.borrow_mut();
        if joint.charge.account().is_none() {
            let mut charge = stream.charge();
            charge.grow(joint.bytes);
            joint.charge = charge;
        }
        if std::mem::take(&mut joint.takes_more) {
            stream.set_reading(true);
        }
        if let Some((status, fields, length)) = joint.head.take() {
            stream.start(status, &fields, length);
        }
        while !self.waits
            && let Some(piece) = joint.pieces.pop_front()
        {
            joint.bytes -= piece.len();
            joint.charge.shrink(piece.len());
            self.waits = stream.write_shared(piece) != Flow::Go;
        }
        if joint.bytes < HIGH / 2 {
            self.call.resume();
        }
        if !joint.pieces.is_empty() {
            return;
        }
        if let Some(trailers) = joint.end.take() {
            stream.finish_with(trailers.as_fields());
        } else if let Some(error) = joint.failure.take() {
            let text = Response::text(error.to_string()).status(status_of(&error));
            stream.respond(text); // unless it has begun: then it is cut off
            if !stream.is_finished() {
                stream.abort();
            }
        }
    }
}

impl Streaming for Relay {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        // What the upstream does not want any more is thrown away.
        if self.call.write(data) == Flow::Wait {
            stream.set_reading(false);
        }
    }

    fn end(&mut self, _: &mut Stream<'_, '_>, _: Fields<'_>) {
        self.call.finish();
    }

    fn woken(&mut self, stream: &mut Stream<'_, '_>) {
        self.hand_on(stream);
    }

    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        self.waits = false;
        self.hand_on(stream);
    }

    fn closed(&mut self, _: EndReason) {
        self.call.cancel();
    }
}
