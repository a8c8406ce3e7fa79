//! The connections of a client to one server: which of them takes requests, and
//! when there is to be another.
//!
//! ```text
//!   dial ──► Dialling ──Opened──► Greeting ──settings──► Ready ──going away──► Leaving
//!               │                    │                     │                     │
//!               └── fail: backoff ◄──┘                     └──────── EndReason ◄──────┘
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::backoff::Backoff;
use super::loss::{Cause, Loss};
use crate::http2::{ErrorCode, ProtocolError};
use crate::link::{self, EndReason};
use crate::net::Key;
use crate::wire::Instant;

/// Connections that finish their exchanges at one time. More come from a server
/// that takes leave again and again.
const LEAVING: usize = 8;
/// What is kept of what a server says about its going away.
const REASON: usize = 200;

/// The number of one connection of a client. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(u32);

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum MemberPhase {
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
pub(in crate::client) struct Pool {
    /// The newest last.
    members: Vec<Member>,
    next: u32,
    backoff: Backoff,
    jitter: u64,
    /// What errors call the server.
    pub(in crate::client) server: String,
    /// Why the last attempt to connect has failed, if it has.
    down: Option<Loss>,
}

/// One connection, and whose its streams are.
#[derive(Debug)]
pub(in crate::client) struct Member {
    pub(in crate::client) id: LinkId,
    pub(in crate::client) phase: MemberPhase,
    /// Open streams and what they are for. Numbers only grow, so they are in order.
    streams: Vec<(u32, Key)>,
    /// Streams that are to be reset.
    pub(in crate::client) resets: Vec<(u32, ErrorCode)>,
    /// The server is to be told that no request follows.
    pub(in crate::client) ends: bool,
    /// The last stream that the server has looked at, once it has said so.
    pub(in crate::client) last_stream: u32,
    /// What the server had to say about its going away.
    pub(in crate::client) reason: String,
    /// The error that ends it, if one is known.
    pub(in crate::client) cause: Option<Cause>,
}

impl Pool {
    /// No connections to `server` yet, and at most `backoff` between two attempts;
    /// `jitter` is any number.
    pub(in crate::client) fn new(server: &str, backoff: Duration, jitter: u64) -> Self {
        Self {
            members: Vec::new(),
            next: 1,
            backoff: Backoff::new(backoff),
            jitter,
            server: server.into(),
            down: None,
        }
    }

    /// When a connection may be asked for; `None` while there is one for requests.
    pub(in crate::client) fn next_dial(&self) -> Option<Instant> {
        let serves = |it: &Member| it.phase != MemberPhase::Leaving;
        (!self.members.iter().any(serves)).then(|| self.backoff.next())
    }

    /// Begins to connect, which [`next_dial`](Self::next_dial) allows.
    pub(in crate::client) fn dial(&mut self, now: Instant) -> LinkId {
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
        });
        id
    }

    /// The oldest connection, if another one would be too many.
    pub(in crate::client) fn surplus(&mut self) -> Option<&mut Member> {
        let goes = |it: &&mut Member| !it.streams.is_empty();
        match self.members.len() >= LEAVING {
            true => self.members.iter_mut().find(goes),
            false => None,
        }
    }

    pub(in crate::client) fn find(&mut self, link: LinkId) -> Option<&mut Member> {
        self.members.iter_mut().find(|it| it.id == link)
    }

    pub(in crate::client) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    /// Whether a connection has to be told something.
    pub(in crate::client) fn has_output(&self) -> bool {
        self.members.iter().any(|it| !it.resets.is_empty())
    }

    /// Why nothing can be asked of the server before the next attempt to connect.
    pub(in crate::client) fn is_down(&self, now: Instant) -> Option<&Loss> {
        self.down.as_ref().filter(|_| now < self.backoff.next())
    }

    /// The server has answered: the next connection need not wait.
    pub(in crate::client) fn answered(&mut self) {
        self.backoff.reset();
    }

    /// The next connection need not wait; the one after it does.
    pub(in crate::client) const fn hurry(&mut self) {
        self.backoff.skip();
    }

    /// The server's settings have come.
    pub(in crate::client) fn greeted(&mut self, link: LinkId) {
        if let Some(member) = self.find(link)
            && member.phase == MemberPhase::Greeting
        {
            member.phase = MemberPhase::Ready;
            self.down = None;
        }
    }

    /// A connection is over; what all are told that wait for one, if it has failed
    /// before it was of any use.
    pub(in crate::client) fn lost(&mut self, link: LinkId, gone: EndReason) -> Option<&Loss> {
        let at = self.members.iter().position(|it| it.id == link)?;
        let member = self.members.remove(at); // a position just found
        if !matches!(member.phase, MemberPhase::Dialling | MemberPhase::Greeting) {
            return None;
        }
        let Loss { text, cause } = member.loss(gone);
        let text = format!("cannot connect to {}: {text}", self.server);
        self.down = Some(Loss { text, cause });
        self.down.as_ref()
    }
}

impl Member {
    /// Whom a stream is for.
    pub(in crate::client) fn find(&self, stream: u32) -> Option<Key> {
        let at = self.streams.binary_search_by_key(&stream, |it| it.0).ok()?;
        self.streams.get(at).map(|it| it.1)
    }

    pub(in crate::client) fn add(&mut self, stream: u32, whose: Key) {
        self.streams.push((stream, whose));
    }

    /// Whom a stream is for that is over.
    pub(in crate::client) fn take(&mut self, stream: u32) -> Option<Key> {
        let at = self.streams.binary_search_by_key(&stream, |it| it.0).ok()?;
        Some(self.streams.remove(at).1) // a position just found
    }

    /// All that still have a stream.
    pub(in crate::client) fn whose(&self) -> Vec<Key> {
        self.streams.iter().map(|it| it.1).collect()
    }

    /// The server is reached.
    pub(in crate::client) fn opened(&mut self) {
        if self.phase == MemberPhase::Dialling {
            self.phase = MemberPhase::Greeting;
        }
    }

    /// It takes no further request, and ends behind those that it has.
    pub(in crate::client) const fn leave(&mut self) {
        (self.phase, self.ends) = (MemberPhase::Leaving, true);
    }

    /// Notes that the server takes leave.
    pub(in crate::client) fn going_away(&mut self, last_stream: u32, code: u32, debug: &[u8]) {
        let (code, debug) = (ErrorCode::new(code), debug.get(..REASON).unwrap_or(debug));
        self.reason = match &*String::from_utf8_lossy(debug) {
            "" => format!("server is going away: {code}"),
            debug => format!("server is going away: {code} {debug}"),
        };
        self.last_stream = self.last_stream.min(last_stream);
        self.phase = MemberPhase::Leaving;
    }

    /// What those are told whose exchanges it takes with it.
    pub(in crate::client) fn loss(&self, gone: EndReason) -> Loss {
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
            EndReason::Stalled => "server is silent: it takes nothing".into(),
            EndReason::Finished => "connection has ended".into(),
            _ => self.cut_text().into(),
        }
    }

    /// `why` an exchange is over, and what the server has said about its going away.
    pub(in crate::client) fn text(&self, why: &str) -> String {
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
