//! Events received for one exchange that the test has not taken yet.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::response::Head;
use crate::client::{CloseFrame, Message, RequestSender, WebSocketHandshake, Wire};
use crate::http::{Content, FieldBuffer, ResponseHead};
use crate::link::{EndReason, Event};
use crate::websocket::handshake::Refused;
use crate::websocket::{CloseCode, Kind};

#[derive(Default)]
pub(super) struct Exchange {
    pub(super) informational: Vec<Head>,
    pub(super) head: Option<Head>,
    pub(super) body: Vec<u8>,
    pub(super) trailers: FieldBuffer,
    /// The body's end is here.
    pub(super) is_complete: bool,
    /// Until the response to it is here.
    pub(super) handshake: Option<WebSocketHandshake>,
    /// The subprotocol that was agreed on, if any.
    pub(super) opened: Option<Result<Option<String>, Refused>>,
    pub(super) messages: VecDeque<Message>,
    pub(super) pongs: VecDeque<Vec<u8>>,
    pub(super) close: Option<CloseFrame>,
    pub(super) ended: Option<EndReason>,
}

impl Exchange {
    /// Bytes that were not taken.
    pub(super) fn held(&self) -> usize {
        let messages = self.messages.iter().map(|it| it.payload().len());
        self.body.len() + messages.sum::<usize>()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_complete || self.ended.is_some()
    }

    pub(super) fn event(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>) {
        match event {
            Event::Informational(head) => self.informational.push(own(&head)),
            Event::Response { head, content } => {
                let handshake = self.handshake.take();
                self.opened = handshake.map(|it| it.complete(wire, &head));
                self.head = Some(own(&head));
                match content {
                    Content::None => self.is_complete = !matches!(self.opened, Some(Ok(_))),
                    Content::Whole(bytes) => {
                        self.content(wire, stream, bytes);
                        self.is_complete = true;
                    }
                    Content::Follows { .. } => {}
                }
            }
            Event::Body(bytes) => self.content(wire, stream, bytes),
            Event::End { trailers, .. } => {
                // They were fields before.
                let _ = self.trailers.extend(trailers);
                self.is_complete = true;
            }
            Event::Message { kind, payload } => self.messages.push_back(match kind {
                Kind::Text => Message::Text(String::from_utf8_lossy(payload).into_owned()),
                Kind::Binary => Message::Binary((*payload).into()),
            }),
            Event::Pong(payload) => self.pongs.push_back(payload.into()),
            Event::Close { code, reason } => {
                self.close = Some(CloseFrame {
                    code: code.unwrap_or(CloseCode::NO_STATUS),
                    reason: reason.to_string(),
                });
            }
            Event::Ended(why) => self.ended = self.ended.or(Some(why)),
            _ => {} // nothing that comes to a client's exchange
        }
    }

    /// What was received is bounded by what the line lets the app write.
    fn content(&mut self, wire: &mut Wire, stream: u32, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
        wire.consume(stream, bytes.len());
    }
}

fn own(head: &ResponseHead<'_>) -> Head {
    let mut fields = FieldBuffer::new();
    // They were fields before.
    let _ = fields.extend(head.fields);
    Head {
        status: head.status,
        version: head.version,
        fields,
    }
}
