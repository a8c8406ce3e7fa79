//! Taking up where a lost connection left off.

use alloc::collections::VecDeque;
use alloc::string::String;

use crate::client::Message;

/// A place in what a server publishes: how much of it has been seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which of its histories: offsets of another one say nothing.
    pub epoch: String,
    /// The last one that was seen.
    pub offset: u64,
}

/// The meaning of a message for a [`ResumeHook`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: it is for the listener.
    Message,
    /// It is for the listener, and stands here.
    At(Position),
    /// It answers the question to resume, and is not for the listener.
    Resumed {
        /// Whether nothing is missing: all that was published since is on its way.
        recovered: bool,
        /// From where it goes on, if the server says so.
        position: Option<Position>,
    },
}

/// How a client takes up where a lost connection left off, in the words of the protocol
/// that its application speaks.
///
/// ```
/// use barewire::client::{Message, Position, ResumeHook, Seen};
///
/// /// Messages are `offset:text`, in the epoch that the server's hello names.
/// struct Numbered;
///
/// impl ResumeHook for Numbered {
///     fn ask(&mut self, last: Option<&Position>) -> Option<Message> {
///         let last = last?; // of a first connection there is nothing to resume
///         Some(format!("resume {} {}", last.epoch, last.offset).into())
///     }
///
///     fn see(&mut self, message: &Message, last: Option<&Position>) -> Seen {
///         match message.text().unwrap_or_default() {
///             "resumed" => Seen::Resumed { recovered: true, position: None },
///             "gone" => Seen::Resumed { recovered: false, position: None },
///             text => match text.split_once(':').map(|it| it.0.parse()) {
///                 Some(Ok(offset)) => Seen::At(Position {
///                     epoch: last.map_or("e1".into(), |it| it.epoch.clone()),
///                     offset,
///                 }),
///                 _ => Seen::Message,
///             },
///         }
///     }
/// }
/// ```
pub trait ResumeHook: Send {
    /// A connection is open: what is said first, before all messages that wait. They wait
    /// until it is answered ([`Seen::Resumed`]). With `None` they do not.
    fn ask(&mut self, last: Option<&Position>) -> Option<Message>;

    /// What is said next, once that is: called again and again, until it is `None`. For
    /// protocols that resume several things, each by a question of its own. All messages
    /// that wait do so until the last answer ([`Seen::Resumed`]).
    fn ask_more(&mut self) -> Option<Message> {
        None
    }

    /// A message has arrived.
    fn see(&mut self, message: &Message, last: Option<&Position>) -> Seen;
}

pub(super) fn questions(hook: &mut dyn ResumeHook, last: Option<&Position>) -> VecDeque<Message> {
    let first = hook.ask(last);
    let more = core::iter::from_fn(|| hook.ask_more());
    match first {
        Some(first) => core::iter::once(first).chain(more).collect(),
        None => VecDeque::new(),
    }
}
