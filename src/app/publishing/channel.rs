//! A channel as all loops share it.

use alloc::string::{String, ToString};
use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::forms::Forms;
use super::loop_address::Encoded;
use super::parts::Parts;
use super::post::Post;
use crate::app::channels::backplane::Line;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::clock::unix_millis;
use crate::app::channels::format::Delivery;
use crate::app::channels::options::ChannelOptions;
use crate::app::channels::presence::{PresenceTable, Present};
use crate::app::channels::publication::{self, Notice, Publication};
use crate::app::exchange::json::put_json_string;
use crate::app::telemetry::activity::Activity;
use crate::link::Account;
use crate::websocket::Kind;
use crate::wire::partly_shown;

/// What a member counts as beside its loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A WebSocket that gets messages as they are published.
    Socket,
    /// An event stream that gets events as they are published.
    Stream,
    /// A session with a format, or an object that sees them.
    Other,
}

impl Activity {
    /// What the session counts as.
    pub(crate) fn reader(&self) -> Reader {
        match (self.delivery(), self.is_stream()) {
            (Delivery::Object, _) | (Delivery::Format(_), false) => Reader::Other,
            (Delivery::Direct | Delivery::Format(_), true) => Reader::Stream,
            (Delivery::Direct, false) => Reader::Socket,
        }
    }
}

/// A channel, and its members counted by loop.
pub(crate) struct Channel {
    name: Arc<str>,
    options: Arc<ChannelOptions>,
    /// Written by its loop alone, from 0 and to 0 under the directory's lock.
    loops: Box<[AtomicU32]>,
    /// Members on all loops that read events, and that read neither events nor messages.
    streams: AtomicU32,
    others: AtomicU32,
    /// What gives offsets and remembers; none where that is nobody's business.
    line: OnceLock<Box<dyn Line>>,
    present: Option<Mutex<PresenceTable>>,
    /// Its line tells who comes and goes.
    is_announced: AtomicBool,
}

partly_shown!(it: Channel { name });

impl Channel {
    pub(super) fn new(
        name: Arc<str>,
        options: Arc<ChannelOptions>,
        loops: usize,
        account: Option<&Account>,
    ) -> Self {
        let has_presence = options.presence;
        Self {
            name,
            options,
            loops: (0..loops).map(|_| AtomicU32::new(0)).collect(),
            streams: AtomicU32::new(0),
            others: AtomicU32::new(0),
            line: OnceLock::new(),
            present: has_presence.then(|| Mutex::new(PresenceTable::new(account))),
            is_announced: AtomicBool::new(false),
        }
    }

    /// Who is there, if the channel knows that.
    pub(crate) fn present(&self) -> Option<MutexGuard<'_, PresenceTable>> {
        let present = self.present.as_ref()?;
        // Every change leaves it whole.
        Some(present.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A session is there from now on; what the others are told of it.
    pub(crate) fn enter(&self, who: &Present) -> Result<Option<Publication>, ChannelError> {
        let Some(mut present) = self.present() else {
            return Ok(None);
        };
        let is_first = present.enter(who);
        drop(present);
        let is_first = is_first.map_err(|_| ChannelError::TooManyMembers)?;
        if let Some(line) = self.line() {
            line.enter(who);
        }
        Ok(self.notice(Notice::Joined, who).filter(|_| is_first))
    }

    /// A session is there no more; what the others are told of it.
    pub(crate) fn leave(&self, session: u64) -> Option<Publication> {
        let (who, is_last) = self.present()?.leave(session)?;
        if let Some(line) = self.line() {
            line.leave(session);
        }
        self.notice(Notice::Left, &who).filter(|_| is_last)
    }

    fn notice(&self, notice: Notice, who: &Present) -> Option<Publication> {
        if !self.options.notices || self.is_announced.load(Ordering::Relaxed) {
            return None;
        }
        let event = match notice {
            Notice::Joined => "joined",
            Notice::Left => "left",
        };
        let mut text = String::new();
        let mut put = |name: &str, value: &str| {
            text.push_str(name);
            put_json_string(value, &mut text);
        };
        put("{\"event\":", event);
        put(",\"channel\":", &self.name);
        text.push_str(",\"session\":");
        text.push_str(&who.session.to_string());
        let mut put = |name: &str, value: &str| {
            text.push_str(name);
            put_json_string(value, &mut text);
        };
        put(",\"user\":", &who.user);
        put(",\"data\":", &who.data);
        text.push('}');
        let made = Publication::new(&publication::Parts {
            kind: Kind::Text,
            payload: text.as_bytes(),
            note: b"",
            event,
            publisher: who.session,
            unix_millis: unix_millis(),
        })?;
        Some(made.noticing(notice))
    }

    /// The line that it is published through from now on.
    pub(super) fn set_line(&self, line: Box<dyn Line>) {
        let is_announced = self.options.notices && line.announce();
        self.is_announced.store(is_announced, Ordering::Relaxed);
        // It is set once, before anybody else knows of the channel.
        let _ = self.line.set(line);
    }

    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the app says of it.
    pub(crate) fn options(&self) -> &ChannelOptions {
        &self.options
    }

    /// What it is published through, if it is not this process's alone and remembers
    /// nothing.
    #[inline]
    pub(crate) fn line(&self) -> Option<&dyn Line> {
        self.line.get().map(|line| &**line)
    }

    /// What gives it its offsets, if it has any.
    pub(crate) fn history(&self) -> Option<&dyn Line> {
        self.options.history.and(self.line())
    }

    /// Members on all loops.
    pub(crate) fn total(&self) -> usize {
        let counts = self.loops.iter();
        counts
            .map(|count| count.load(Ordering::Relaxed) as usize)
            .sum()
    }

    pub(super) fn loops(&self) -> impl Iterator<Item = (usize, usize)> {
        let counts = self.loops.iter().enumerate();
        counts
            .map(|(index, count)| (index, count.load(Ordering::Relaxed) as usize))
            .filter(|&(_, count)| count > 0)
    }

    fn readers(&self, reader: Reader) -> Option<&AtomicU32> {
        match reader {
            Reader::Socket => None,
            Reader::Stream => Some(&self.streams),
            Reader::Other => Some(&self.others),
        }
    }

    /// A member more on a loop that has some.
    pub(crate) fn add(&self, index: usize, reader: Reader) {
        if let Some(count) = self.loops.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(count) = self.readers(reader) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A member less on a loop that keeps others.
    pub(crate) fn subtract(&self, index: usize, reader: Reader) {
        if let Some(count) = self.loops.get(index) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(count) = self.readers(reader) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A post without a place in a history, in every form that a member reads.
    pub(crate) fn encode(&self, post: &Post<'_>, publisher: u64) -> Encoded {
        let streams = self.streams.load(Ordering::Relaxed) as usize;
        let others = self.others.load(Ordering::Relaxed) as usize;
        let sockets = self.total() > streams + others;
        if others > 0 {
            return self.encode_for_others(post, publisher);
        }
        let frame = sockets.then(|| post.frame()).flatten();
        Encoded {
            packed: match &frame {
                Some(_) if cfg!(feature = "deflate") => Some(Arc::default()),
                _ => None,
            },
            frame,
            event: (streams > 0).then(|| post.event()).flatten(),
            parts: (streams > 0).then(Parts::if_wanted).flatten(),
            publication: None,
            forms: None,
        }
    }

    #[cold]
    fn encode_for_others(&self, post: &Post<'_>, publisher: u64) -> Encoded {
        let event = post.event();
        match post.publication(publisher, unix_millis()) {
            Some(publication) => Encoded {
                event,
                ..self.encoded(publication)
            },
            None => Encoded {
                event,
                parts: Parts::if_wanted(),
                ..Encoded::default()
            },
        }
    }

    /// A publication in every form that a member reads.
    pub(crate) fn encoded(&self, publication: Publication) -> Encoded {
        let streams = self.streams.load(Ordering::Relaxed) > 0;
        let others = self.others.load(Ordering::Relaxed) > 0;
        Encoded {
            packed: cfg!(feature = "deflate").then(Arc::default),
            frame: Some(publication.frame()),
            event: None,
            parts: streams.then(Parts::if_wanted).flatten(),
            forms: (streams || others).then(|| Arc::new(Forms::new(self.name.clone()))),
            publication: Some(publication),
        }
    }
}
