//! Responses, as the owner of their calls takes them.

use super::{Calls, Ending};
use crate::grpc::{Code, Message};
use crate::http::{FieldBuffer, Fields};
use crate::net::Key;

/// The next part of a response.
#[derive(Debug)]
pub enum NextMessage<'b> {
    /// A message. It may be compressed with gzip if this build reads that
    /// ([`Encoding::ACCEPTED`](crate::grpc::Encoding::ACCEPTED)).
    Message(Message<'b>),
    /// Nothing yet: [`Calls::changed`] names the call when there is.
    Wait,
    /// The call is over: [`Calls::ending`] says how.
    Over,
}

impl<T> Calls<T> {
    /// The next call that has news for its owner: a head, a message, room to
    /// send, or its end.
    pub fn changed(&mut self) -> Option<Key> {
        loop {
            let key = self.changed.pop_front()?;
            if let Some(call) = self.calls.get_mut(key) {
                call.changed = false;
                return Some(key);
            }
        }
    }

    /// Takes the next message of a response.
    pub fn next(&mut self, call: Key) -> NextMessage<'_> {
        let Some(record) = self.calls.get_mut(call) else {
            return NextMessage::Over;
        };
        let Some((size, compressed, freed)) = record.inbox.take() else {
            return match record.ending {
                None => NextMessage::Wait,
                Some(_) => NextMessage::Over,
            };
        };
        self.release(call, freed);
        let Some(record) = self.calls.get_mut(call) else {
            return NextMessage::Over;
        };
        NextMessage::Message(Message {
            compressed,
            bytes: record.inbox.message(size),
        })
    }

    /// The fields at the head of the response, once they are here. A call that
    /// ends with its head has only the [trailers](Ending::trailers).
    pub fn head(&self, call: Key) -> Option<Fields<'_>> {
        let head = self.calls.get(call)?.head.as_ref()?;
        Some(head.as_fields())
    }

    /// How a call has ended. Messages may still be waiting to be taken.
    pub fn ending(&self, call: Key) -> Option<&Ending> {
        self.calls.get(call)?.ending.as_ref()
    }

    pub(super) fn take_head(&mut self, call: Key) -> Option<FieldBuffer> {
        self.calls.get_mut(call)?.head.take()
    }

    /// Whether there is room again for a sender that was told to wait; once.
    pub(super) fn take_relief(&mut self, call: Key) -> bool {
        let call = self.calls.get_mut(call);
        call.is_some_and(|call| core::mem::take(&mut call.relieved))
    }

    /// The owner's value for a call.
    pub fn owner_mut(&mut self, call: Key) -> Option<&mut T> {
        self.calls.get_mut(call).map(|call| &mut call.owner)
    }

    /// Forgets a call, and cancels it if it is not over.
    pub fn remove(&mut self, call: Key) -> Option<Removed<T>> {
        self.cancel(call);
        let mut call = self.calls.remove(call)?;
        if let Some(memory) = call.inbox.clear() {
            self.keep(memory);
        }
        Some(Removed {
            owner: call.owner,
            head: call.head.unwrap_or_default(),
            ending: call
                .ending
                .unwrap_or_else(|| Ending::constant(Code::Cancelled, "cancelled by the caller")),
        })
    }
}

/// The remains of a call that is forgotten.
#[derive(Debug)]
pub struct Removed<T> {
    /// The owner's value.
    pub owner: T,
    /// The fields at the head of the response; none if it had no head of its
    /// own.
    pub head: FieldBuffer,
    /// How it ended.
    pub ending: Ending,
}
