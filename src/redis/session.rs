//! One connection to Redis without I/O: what was asked, and what is answered.
//!
//! ```text
//!   Session::asked(what)        ──► output            waiting: [ what, what, ... ]
//!   input ──► Session::receive ──► Incoming::Reply(what, ..)   the oldest one that waits
//!                              └─► Incoming::Message, Push(..)  nobody waits for it
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::message::decimals;
use super::resp::{self, Framer, Reply, ReplyError};

/// A connection on which answers come in the order of what was asked. `E` says what that was.
#[derive(Debug)]
pub struct Session<E> {
    framer: Framer,
    most: usize,
    /// The front of a reply whose end has not come.
    input: Vec<u8>,
    waiting: VecDeque<E>,
}

/// What has come.
#[derive(Debug)]
pub enum Incoming<'a, E> {
    /// The answer to what was asked.
    Reply(E, Reply<'a>),
    /// What was published to a channel that is subscribed to (SSUBSCRIBE).
    Message {
        /// The name of the channel.
        channel: &'a [u8],
        /// What was published.
        message: &'a [u8],
    },
    /// Something else that nobody waits for, such as that something was subscribed to.
    Push(Reply<'a>),
}

/// Memory that an idle session keeps for input.
const SPARE: usize = 16 << 10;

impl<E> Session<E> {
    /// One on which replies are at most so many bytes long.
    pub const fn new(most: usize) -> Self {
        Self {
            framer: Framer::new(most),
            most,
            input: Vec::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Notes that `what` has been asked.
    pub fn asked(&mut self, what: E) {
        self.waiting.push_back(what);
    }

    /// The oldest of what waits for an answer.
    pub fn oldest(&mut self) -> Option<&mut E> {
        self.waiting.front_mut()
    }

    /// Takes it: something other than a reply has answered it.
    pub fn take_oldest(&mut self) -> Option<E> {
        self.waiting.pop_front()
    }

    /// What waits for an answer, the oldest first.
    pub fn into_waiting(self) -> impl Iterator<Item = E> {
        self.waiting.into_iter()
    }

    /// Whether something waits for its answer.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes what has been read, and calls `owner` with each reply that is complete.
    ///
    /// # Errors
    /// [`ReplyError`], also of `owner`: the connection is to be ended.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        mut owner: impl FnMut(&mut Self, Incoming<'_, E>) -> Result<(), ReplyError>,
    ) -> Result<(), ReplyError> {
        if self.input.is_empty() {
            let used = self.read(bytes, &mut owner)?;
            self.input
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
            return Ok(());
        }
        let mut input = core::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let used = self.read(&input, &mut owner)?;
        input.drain(..used);
        if input.is_empty() && input.capacity() > SPARE {
            input = Vec::new();
        }
        self.input = input;
        Ok(())
    }

    fn read(
        &mut self,
        input: &[u8],
        owner: &mut impl FnMut(&mut Self, Incoming<'_, E>) -> Result<(), ReplyError>,
    ) -> Result<usize, ReplyError> {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let is_push = rest.first() == Some(&b'>');
            let mut message = None;
            if is_push && self.framer.is_at_rest() {
                message = resp::message(rest).filter(|it| it.0 <= self.most);
            }
            let length = match message {
                Some((length, ..)) => length,
                None => match self.framer.end(rest)? {
                    Some(length) => length,
                    None => break,
                },
            };
            let reply = rest.get(..length).unwrap_or_default();
            used += length;
            if is_push && message.is_none() {
                message = resp::message(reply); // one that has come in pieces
            }
            let reply = Reply::new(reply);
            let incoming = match message {
                Some((_, channel, message)) => Incoming::Message { channel, message },
                None if is_push => Incoming::Push(reply),
                _ => {
                    let what = self.waiting.pop_front();
                    Incoming::Reply(what.ok_or(ReplyError::Unasked)?, reply)
                }
            };
            owner(self, incoming)?;
        }
        Ok(used)
    }

    /// Forgets all, for a connection anew.
    pub fn renew(&mut self) -> impl Iterator<Item = E> + use<E> {
        let old = core::mem::replace(self, Self::new(self.most));
        old.waiting.into_iter()
    }
}

/// Appends a command, as an array of strings.
pub fn put_command(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let mut digits = [0; 20];
    let mut put = |out: &mut Vec<u8>, kind: u8, number: usize| {
        out.push(kind);
        out.extend_from_slice(decimals(number as u64, &mut digits));
        out.extend_from_slice(b"\r\n");
    };
    put(out, b'*', parts.len());
    for part in parts {
        put(out, b'$', part.len());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
