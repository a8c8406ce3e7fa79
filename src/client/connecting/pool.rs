//! The connections of a client to one server: which of them takes requests, and
//! when there is to be another.
//!
//! ```text
//!   dial ──► Dialling ──Opened──► Greeting ──settings──► Ready ──going away──► Leaving
//!               │                    │                     │                     │
//!               └── fail: backoff ◄──┘                     └──────── EndReason ◄──────┘
//! ```
//!
//! Over HTTP/2 one connection takes all requests. Over HTTP/1.1 each takes one at a time,
//! none is greeted, and there are several: the first shows that the server is there, and
//! further ones are dialled for requests that find none at rest.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::backoff::Backoff;
use super::dial_error::{Cause, Loss};
use crate::http1;
use crate::http2::{ErrorCode, ProtocolError};
use crate::link::{self, EndReason};
use crate::net::Key;
use crate::wire::Instant;

/// Connections that finish their exchanges at one time. More come from a server
/// that takes leave again and again.
const LEAVING: usize = 8;
/// The bytes kept of a server's reason for its going away.
const REASON: usize = 200;

/// The number of one connection of a client. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(u32);

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberPhase {
    /// It is on its way.
    Dialling,
    /// The server's SETTINGS have not come.
    Greeting,
    /// It takes requests.
    Ready,
    /// It finishes the exchanges that it has.
    Leaving,
}

/// The connections to one server.
#[derive(Debug)]
pub(crate) struct Pool {
    members: Vec<Member>,
    next: u32,
    backoff: Backoff,
    jitter: u64,
    /// The name of the server in errors.
    pub(crate) server: String,
    /// Why the last attempt to connect has failed, if it has.
    down: Option<Loss>,
    /// How many connections there may be where each carries one exchange at a time.
    unshared: Option<usize>,
    /// The last attempt at a further connection has failed.
    is_full: bool,
}

/// One connection, and whose its streams are.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: LinkId,
    pub(crate) phase: MemberPhase,
    /// Open streams and what they are for. Numbers only grow, so they are in order.
    streams: Vec<(u32, Key)>,
    pub(crate) resets: Vec<(u32, ErrorCode)>,
    /// The server is to be told that no request follows.
    pub(crate) ends: bool,
    /// The last stream that the server has looked at, once it has said so.
    pub(crate) last_stream: u32,
    /// The server's reason for its going away.
    pub(crate) reason: String,
    /// The error that ends it, if one is known.
    pub(crate) cause: Option<Cause>,
    /// It is not read, as its exchange has more than enough to take.
    pub(crate) is_held: bool,
    /// Where its only exchange begins in its output, if that is known.
    pub(crate) begins_at: Option<u64>,
    /// How much of its output the system had taken when it ended.
    pub(crate) sent: Option<u64>,
}

impl Pool {
    /// No connections to `server` yet, and at most `backoff` between two attempts;
    /// `jitter` is any number.
    pub(crate) fn new(server: &str, backoff: Duration, jitter: u64) -> Self {
        Self {
            members: Vec::new(),
            next: 1,
            backoff: Backoff::new(backoff),
            jitter,
            server: server.into(),
            down: None,
            unshared: None,
            is_full: false,
        }
    }

    /// Has each connection carry one exchange at a time, over HTTP/1.1, and at most so many
    /// at one time.
    pub(crate) const fn set_unshared(&mut self, most: usize) {
        self.unshared = Some(most);
    }

    /// Whether several exchanges share a connection.
    pub(crate) const fn is_shared(&self) -> bool {
        self.unshared.is_none()
    }

    /// When a connection may be asked for, if so many requests wait; `None` while there are
    /// connections for them.
    pub(crate) fn next_dial(&self, wanted: usize) -> Option<Instant> {
        let serves = |it: &&Member| it.phase != MemberPhase::Leaving;
        let mut serving = self.members.iter().filter(serves);
        let Some(most) = self.unshared else {
            return serving.next().is_none().then(|| self.backoff.next());
        };
        let is_ready = |it: &Member| it.phase == MemberPhase::Ready;
        let is_reached = serving.clone().any(is_ready);
        // They come, or are at rest.
        let free = serving.filter(|it| !is_ready(it) || it.streams.is_empty());
        match (free.count(), is_reached) {
            _ if self.members.len() >= most.max(1) => None,
            (0, false) => Some(self.backoff.next()),
            (free, true) if free < wanted && self.is_full => Some(self.backoff.next()),
            (free, true) if free < wanted => Some(Instant::START),
            _ => None,
        }
    }

    /// Begins to connect, which [`next_dial`](Self::next_dial) allows.
    pub(crate) fn dial(&mut self, now: Instant) -> LinkId {
        self.jitter ^= self.jitter << 13 | 1;
        self.jitter ^= self.jitter >> 7;
        self.jitter ^= self.jitter << 17;
        self.backoff.begin(now, (self.jitter >> 20) as u32);
        let id = LinkId(self.next);
        self.next = self.next.wrapping_add(1);
        self.members.push(Member {
            id,
            phase: MemberPhase::Dialling,
            streams: Vec::new(),
            resets: Vec::new(),
            ends: false,
            last_stream: u32::MAX,
            reason: String::new(),
            cause: None,
            is_held: false,
            begins_at: None,
            sent: None,
        });
        id
    }

    /// The oldest connection, if another one would be too many.
    pub(crate) fn surplus(&mut self) -> Option<&mut Member> {
        let goes = |it: &&mut Member| !it.streams.is_empty();
        match self.is_shared() && self.members.len() >= LEAVING {
            true => self.members.iter_mut().find(goes),
            false => None,
        }
    }

    pub(crate) fn find(&mut self, link: LinkId) -> Option<&mut Member> {
        self.members.iter_mut().find(|it| it.id == link)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// Whether a connection has to be told something.
    pub(crate) fn has_output(&self) -> bool {
        self.members.iter().any(|it| !it.resets.is_empty())
    }

    /// Why nothing can be asked of the server before the next attempt to connect.
    pub(crate) fn is_down(&self, now: Instant) -> Option<&Loss> {
        self.down.as_ref().filter(|_| now < self.backoff.next())
    }

    /// The server has answered: the next connection need not wait.
    pub(crate) fn answered(&mut self) {
        if !self.is_full {
            self.backoff.reset();
        }
    }

    /// The next connection need not wait; the one after it does.
    pub(crate) const fn hurry(&mut self) {
        self.backoff.skip();
    }

    /// The server is reached.
    pub(crate) fn opened(&mut self, link: LinkId) {
        let is_shared = self.is_shared();
        if let Some(member) = self.find(link)
            && member.phase == MemberPhase::Dialling
        {
            member.phase = MemberPhase::Greeting;
            if !is_shared {
                self.greeted(link); // by nothing
            }
        }
    }

    /// Forgets a connection that is ended.
    pub(crate) fn forget(&mut self, link: LinkId) {
        self.members.retain(|it| it.id != link);
    }

    /// The server's settings have come.
    pub(crate) fn greeted(&mut self, link: LinkId) {
        if let Some(member) = self.find(link)
            && member.phase == MemberPhase::Greeting
        {
            member.phase = MemberPhase::Ready;
            self.down = None;
            self.is_full = false;
        }
    }

    /// A connection is over; what all are told that wait for one, if it has failed
    /// before it was of any use.
    pub(crate) fn lost(&mut self, link: LinkId, gone: EndReason) -> Option<&Loss> {
        let at = self.members.iter().position(|it| it.id == link)?;
        let member = self.members.remove(at); // a position just found
        if !matches!(member.phase, MemberPhase::Dialling | MemberPhase::Greeting) {
            return None;
        }
        if self.members.iter().any(|it| it.phase == MemberPhase::Ready) {
            self.is_full = true; // of connections, and there are others
            return None;
        }
        let Loss { text, cause } = member.loss(gone);
        let text = format!("cannot connect to {}: {text}", self.server);
        self.down = Some(Loss { text, cause });
        self.down.as_ref()
    }
}

impl Member {
    /// Whether it has ended, and nothing of its only exchange has ever left.
    pub(crate) fn has_sent_nothing(&self) -> bool {
        self.sent
            .is_some_and(|sent| self.begins_at.is_some_and(|begin| sent <= begin))
    }

    pub(crate) fn find(&self, stream: u32) -> Option<Key> {
        let at = self.streams.binary_search_by_key(&stream, |it| it.0).ok()?;
        self.streams.get(at).map(|it| it.1)
    }

    pub(crate) fn add(&mut self, stream: u32, whose: Key) {
        self.streams.push((stream, whose));
    }

    /// Whom a stream is for that is over.
    pub(crate) fn take(&mut self, stream: u32) -> Option<Key> {
        let at = self.streams.binary_search_by_key(&stream, |it| it.0).ok()?;
        Some(self.streams.remove(at).1) // a position just found
    }

    /// Whom the first of its streams is for: over HTTP/1.1 there is one at most.
    pub(crate) fn first(&self) -> Option<Key> {
        self.streams.first().map(|it| it.1)
    }

    /// All that still have a stream.
    pub(crate) fn whose(&self) -> Vec<Key> {
        self.streams.iter().map(|it| it.1).collect()
    }

    /// Takes all that still have a stream, with their streams.
    pub(crate) fn take_all(&mut self) -> Vec<(u32, Key)> {
        core::mem::take(&mut self.streams)
    }

    /// It takes no further request, and ends after those that it has.
    pub(crate) const fn leave(&mut self) {
        (self.phase, self.ends) = (MemberPhase::Leaving, true);
    }

    /// Notes that the server takes leave.
    pub(crate) fn going_away(&mut self, last_stream: u32, code: u32, debug: &[u8]) {
        let (code, debug) = (ErrorCode::new(code), debug.get(..REASON).unwrap_or(debug));
        self.reason = match &*String::from_utf8_lossy(debug) {
            "" => format!("server is going away: {code}"),
            debug => format!("server is going away: {code} {debug}"),
        };
        self.last_stream = self.last_stream.min(last_stream);
        self.phase = MemberPhase::Leaving;
    }

    /// The loss that is told to the exchanges that it takes with it.
    pub(crate) fn loss(&self, gone: EndReason) -> Loss {
        let why = match (gone, &self.cause) {
            (_, Some(cause)) => format!("{cause}"),
            (gone, None) => self.lost_text(gone),
        };
        Loss {
            text: self.text(&why),
            cause: self.cause.clone(),
        }
    }

    fn lost_text(&self, gone: EndReason) -> String {
        match gone {
            EndReason::Unreachable(why) => format!("{why}"),
            EndReason::ProtocolError(link::ProtocolError::Http2(violation)) => match violation {
                ProtocolError::Incomplete => self.cut_text().into(),
                ProtocolError::Tls => {
                    "server speaks TLS, and the channel does not: expected https://".into()
                }
                ProtocolError::Http1 | ProtocolError::FirstFrame => {
                    format!("server does not speak HTTP/2: {violation}")
                }
                ProtocolError::PrefaceTimeout
                | ProtocolError::HeaderTimeout
                | ProtocolError::SettingsTimeout
                | ProtocolError::PingTimeout => format!("server is silent: {violation}"),
                _ => format!("server broke the protocol: {violation}"),
            },
            EndReason::ProtocolError(link::ProtocolError::Http1(violation)) => match violation {
                http1::ProtocolError::Incomplete => self.cut_text().into(),
                _ => format!("server broke the protocol: {violation}"),
            },
            EndReason::Stalled => "server is silent: it takes nothing".into(),
            EndReason::Finished => "connection has ended".into(),
            _ => self.cut_text().into(),
        }
    }

    /// `why` an exchange is over, and what the server has said about its going away.
    pub(crate) fn text(&self, why: &str) -> String {
        match self.reason.as_str() {
            "" => why.into(),
            reason => format!("{why}; {reason}"),
        }
    }

    const fn cut_text(&self) -> &'static str {
        match self.phase {
            MemberPhase::Greeting => "connection was lost before the server's first frame",
            MemberPhase::Dialling | MemberPhase::Ready | MemberPhase::Leaving => {
                "connection was lost"
            }
        }
    }
}

#[cfg(test)]
mod tests;
