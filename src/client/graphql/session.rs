//! One WebSocket with its operations, on a thread or on a loop.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::talk::{News, Over, Talk};
use super::{GraphQlError, GraphQlOperation, GraphQlResponse};
use crate::client::{
    Closed, LoopReconnecting, Message, Position, Receipt, ReconnectError, ReconnectListener,
    ReconnectSender, ResumeHook, Seen,
};
use crate::graphql::Limits;
use crate::graphql::socket::Closing;
use crate::websocket::CloseCode;

/// What is told of one operation.
pub(super) trait Receiver: 'static {
    /// False if it takes no more.
    fn next(&mut self, response: GraphQlResponse) -> bool;
    fn resubscribed(&mut self);
    fn ended(self, end: Result<(), GraphQlError>);
}

/// A WebSocket that reconnects.
pub(super) trait Socket: Clone + 'static {
    fn put(&self, text: String) -> Result<Receipt, ReconnectError>;
    fn withdraw(&self, receipt: &Receipt);
    fn leave(&self, closing: &Closing);
}

macro_rules! socket {
    ($socket:ty) => {
        impl Socket for $socket {
            fn put(&self, text: String) -> Result<Receipt, ReconnectError> {
                self.send(text)
            }

            fn withdraw(&self, receipt: &Receipt) {
                self.confirm(receipt);
            }

            fn leave(&self, closing: &Closing) {
                let code = CloseCode::new(closing.code.code());
                self.close_with(code, &closing.reason);
            }
        }
    };
}

socket!(ReconnectSender);
socket!(LoopReconnecting);

/// The conversation, shared with the hook. No code of the application runs under it.
#[derive(Debug)]
pub(super) struct TalkCell(Mutex<Talk>);

impl TalkCell {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Talk::new(limits))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Talk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of each connection.
pub(super) struct Introduction(pub(super) Arc<TalkCell>);

impl ResumeHook for Introduction {
    fn ask(&mut self, _: Option<&Position>) -> Option<Message> {
        Some(Message::Text(self.0.lock().begin()))
    }

    fn see(&mut self, message: &Message, _: Option<&Position>) -> Seen {
        match message.text() {
            Some(text) => self.0.lock().see(text),
            None => Seen::Message,
        }
    }
}

/// The operations' receivers. One that runs is taken out meanwhile.
type Receivers<R> = BTreeMap<u64, Option<R>>;

/// What the handles, the listener and the client of a WebSocket share.
pub(super) struct Operations<R> {
    pub(super) talk: Arc<TalkCell>,
    receivers: Mutex<Receivers<R>>,
}

impl<R: Receiver> Operations<R> {
    pub(super) fn new(talk: Arc<TalkCell>) -> Arc<Self> {
        Arc::new(Self {
            talk,
            receivers: Mutex::default(),
        })
    }

    fn receivers(&self) -> MutexGuard<'_, Receivers<R>> {
        self.receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for an operation, now or with the next connection. Its id.
    pub(super) fn subscribe(
        &self,
        socket: &impl Socket,
        operation: GraphQlOperation,
        receiver: R,
    ) -> Result<u64, GraphQlError> {
        let mut talk = self.talk.lock();
        if let Some(over) = talk.over.clone() {
            drop(talk);
            receiver.ended(over.end());
            return Ok(0); // names none
        }
        let (id, text) = talk.subscribe(operation.request);
        self.receivers().insert(id, Some(receiver));
        if let Some(text) = text
            && !say(&mut talk, socket, text)
        {
            talk.stop(id);
            self.receivers().remove(&id);
            return Err(GraphQlError::Full);
        }
        Ok(id)
    }

    /// Stops an operation, whose receiver is told so.
    pub(super) fn stop(&self, socket: &impl Socket, id: u64) {
        let mut talk = self.talk.lock();
        if let Some(text) = talk.stop(id) {
            // Where there is no room its results are ignored until the connection ends.
            let _ = say(&mut talk, socket, text);
        }
        drop(talk);
        self.end(id, Ok(()));
    }

    fn end(&self, id: u64, end: Result<(), GraphQlError>) {
        let receiver = self.receivers().remove(&id);
        if let Some(receiver) = receiver.flatten() {
            receiver.ended(end);
        }
    }

    fn end_all(&self, over: Over) {
        self.talk.lock().finish(over.clone());
        let receivers = mem::take(&mut *self.receivers());
        for receiver in receivers.into_values().flatten() {
            receiver.ended(over.end());
        }
    }

    fn tell(&self, socket: &impl Socket, id: u64, news: News) {
        if let News::Ended(end) = news {
            return self.end(id, end);
        }
        let taken = self.receivers().get_mut(&id).and_then(Option::take);
        let Some(mut receiver) = taken else { return };
        let goes_on = match news {
            News::Next(response) => receiver.next(response),
            News::Resubscribed => {
                receiver.resubscribed();
                true
            }
            News::Ended(_) => true,
        };
        match self.receivers().get_mut(&id) {
            Some(place) => *place = Some(receiver),
            // It has stopped itself.
            None => return receiver.ended(Ok(())),
        }
        if !goes_on {
            self.stop(socket, id);
        }
    }
}

/// Says something on this connection; false if there is no room.
fn say(talk: &mut Talk, socket: &impl Socket, text: String) -> bool {
    let Ok(receipt) = socket.put(text) else {
        return false;
    };
    talk.control.retain(|it| !it.state().is_final());
    talk.control.push(receipt);
    true
}

/// Tells the operations what the WebSocket is told.
pub(super) struct Translate<R>(pub(super) Arc<Operations<R>>);

impl<S: Socket, R: Receiver> ReconnectListener<S> for Translate<R> {
    fn opened(&mut self, _socket: &S, protocol: Option<&str>) {
        self.0.talk.lock().opened(protocol);
    }

    fn resumed(&mut self, socket: &S, _recovered: bool) {
        let mut again = Vec::new();
        {
            let mut talk = self.0.talk.lock();
            while let Some((id, text, was_asked)) = talk.resume() {
                match say(&mut talk, socket, text) {
                    true if was_asked => again.push((id, News::Resubscribed)),
                    true => {}
                    false => {
                        talk.stop(id);
                        again.push((id, News::Ended(Err(GraphQlError::Full))));
                    }
                }
            }
        }
        for (id, news) in again {
            self.0.tell(socket, id, news);
        }
    }

    fn message(&mut self, socket: &S, message: Message) {
        let mut out = String::new();
        let taken = {
            let mut talk = self.0.talk.lock();
            let taken = talk.take(message.text().unwrap_or_default(), &mut out);
            if !out.is_empty() {
                // A pong that finds no room is lost, and the server asks again.
                let _ = say(&mut talk, socket, out);
            }
            taken
        };
        match taken {
            Ok(Some((id, news))) => self.0.tell(socket, id, news),
            Ok(None) => {}
            Err(closing) => {
                self.0.end_all(Over::Broken(closing.clone()));
                socket.leave(&closing);
            }
        }
    }

    fn closed(&mut self, socket: &S, _closed: &Closed, _unknown: &[Receipt]) {
        let control = self.0.talk.lock().end();
        for receipt in &control {
            // It was for that connection alone.
            socket.withdraw(receipt);
        }
    }

    fn gave_up(&mut self, _socket: &S, closed: &Closed, _unsent: &[Receipt]) {
        self.0.end_all(Over::Lost(closed.clone()));
    }

    fn finished(&mut self, _socket: &S, _unsent: &[Receipt]) {
        self.0.end_all(Over::Left);
    }
}
