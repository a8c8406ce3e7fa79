//! Replies and pushes of servers, each given to the command or channel that it is for.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::channel::{Answer, Channel, Subscribed};
use super::counts::count;
use super::link::{Expect, Stage};
use super::node::Node;
use super::pages::{Pushed, pushed};
use super::reaction::Reaction;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::position::{Epoch, Position};
use crate::app::channels::presence::Present;
use crate::redis::{Incoming, Reply, ReplyError, Session, Token, decimal, hexadecimal};

/// How long is waited before what the server cannot do now is sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// How long is waited before a subscription that was refused is asked for again.
const REFUSED: Duration = Duration::from_secs(5);

impl Node {
    /// Bytes have come on a connection.
    pub(crate) fn received(&mut self, index: usize, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        if !matches!(link.stage, Stage::Greeting | Stage::Ready) {
            return;
        }
        link.heard = self.now;
        // The session is not the node's while it calls it.
        let most = self.options.limits.reply;
        let mut session = core::mem::replace(&mut link.session, Session::new(most));
        let taken = session.receive(bytes, |session, incoming| {
            match incoming {
                Incoming::Reply(what, reply) => self.replied(index, what, reply)?,
                Incoming::Message { channel, message } => self.message(channel, message),
                Incoming::Push(reply) => match pushed(reply)? {
                    Pushed::Other => {}
                    Pushed::Subscribed(name) => match session.oldest() {
                        Some(Expect::Subscribe(asked, of)) if of == name => {
                            let asked = *asked;
                            session.take_oldest();
                            self.subscribed(asked);
                        }
                        _ => return Err(ReplyError::Unasked),
                    },
                    Pushed::Unsubscribed(name) => match session.oldest() {
                        Some(Expect::Unsubscribe(_, of)) if of == name => {
                            session.take_oldest();
                        }
                        _ => self.moved_away(name),
                    },
                },
            }
            Ok(())
        });
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        // One that was lost meanwhile has nothing under way.
        let is_lost = matches!(link.stage, Stage::Down(_));
        let asked_meanwhile = core::mem::replace(&mut link.session, session);
        for what in asked_meanwhile.into_waiting() {
            link.session.asked(what);
        }
        if is_lost {
            return self.forget(index);
        }
        if taken.is_err() {
            count(&self.shared.counts.malformed);
            self.lose(index);
        }
    }

    /// An answer.
    fn replied(&mut self, index: usize, what: Expect, reply: Reply<'_>) -> Result<(), ReplyError> {
        if let Some(Token::Error(error)) = { reply }.token() {
            let reaction = Reaction::to(error);
            self.failed(index, what, &reaction);
            return Ok(());
        }
        match what {
            Expect::Nothing | Expect::Greeting => {}
            Expect::Server => self.informed(index, false, reply),
            Expect::Role => self.informed(index, true, reply),
            Expect::Primary => self.found_primary(index, reply),
            Expect::Slots => self.slots(index, reply).ok_or(ReplyError::Unasked)?,
            // They are answered by pushes.
            Expect::Subscribe(..) | Expect::Unsubscribe(..) => return Err(ReplyError::Unasked),
            Expect::Publish {
                channel,
                seq,
                is_kept,
            } => self
                .published(index, (channel, seq, is_kept), reply)
                .ok_or(ReplyError::Unasked)?,
            Expect::Read(channel) => self
                .page(index, channel, reply)
                .ok_or(ReplyError::Unasked)?,
            Expect::Here(channel) => {
                let noted = { reply }.integer().ok_or(ReplyError::Unasked)?;
                if let Some(here) = self.here(channel) {
                    here.answered(true);
                    here.noted(noted % 2 == 1, noted >= 2);
                }
                self.touch(channel);
            }
            Expect::Present(_, query) => {
                let present = read_present(reply).ok_or(ReplyError::Unasked)?;
                query.later.give(Ok(present));
            }
        }
        Ok(())
    }

    /// The server has published.
    fn published(
        &mut self,
        index: usize,
        (id, seq, is_kept): (u64, u64, bool),
        mut reply: Reply<'_>,
    ) -> Option<()> {
        let place = match is_kept {
            false => {
                reply.integer()?;
                None
            }
            true => {
                (reply.array()? == 4).then_some(())?;
                let epoch = Epoch::new(hexadecimal(reply.bytes()?)?);
                let place = Position::new(epoch, decimal(reply.bytes()?)?);
                let server = reply.bytes()?;
                if matches!(reply.token()?, Token::Bytes(_)) {
                    count(&self.shared.counts.errors); // kept, and not told to others
                }
                self.learn_server(index, server);
                Some(place)
            }
        };
        let channel = self.channels.get_mut(&id);
        let Some(channel) = channel else {
            return Some(());
        };
        let at = channel.queue.position(seq);
        // One that has waited for too long was given up.
        let Some(outgoing) = at.and_then(|at| channel.queue.take(at)) else {
            return Some(());
        };
        count(&self.shared.counts.published);
        let Some(place) = place else {
            outgoing.later.give(Ok(None));
            return Some(());
        };
        channel.answers.push(Answer {
            place,
            later: outgoing.later,
            until: outgoing.until,
            _claimed: outgoing._claimed,
        });
        self.arrived(id, outgoing.publication.at(place));
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.confirm(false);
        }
        Some(())
    }

    /// What a script has found out about the server that it ran on.
    pub(super) fn learn_server(&mut self, index: usize, server: &[u8]) {
        if let Some(link) = self.links.get_mut(index)
            && link.server.as_bytes() != server
            && !self.options.is_durable
        {
            link.server = String::from_utf8_lossy(server).into_owned();
        }
    }

    fn subscribed(&mut self, id: u64) {
        if let Some(channel) = self.channels.get_mut(&id)
            && channel.subscribed == Subscribed::Asked
        {
            channel.subscribed = Subscribed::Yes;
        }
        self.touch(id);
    }

    /// A server has unsubscribed a channel, as its slot is elsewhere now.
    fn moved_away(&mut self, name: &[u8]) {
        self.topology.suspect();
        if let Some(&id) = self.by_name.get(name) {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.suspect();
            }
            self.touch(id);
        }
        self.ask_for_slots();
    }

    /// The slots of a cluster.
    fn slots(&mut self, index: usize, mut reply: Reply<'_>) -> Option<()> {
        let count = reply.array()?;
        for _ in 0..count {
            let fields = reply.array()?;
            let (from, to) = (reply.integer()?, reply.integer()?);
            let (from, to) = (u16::try_from(from).ok()?, u16::try_from(to).ok()?);
            for nth in 2..fields {
                let more = reply.array()?.checked_sub(3)?;
                let host = match reply.token()? {
                    Token::Bytes(host) => core::str::from_utf8(host).ok()?,
                    _ => "",
                };
                let port = reply.integer()?;
                reply.token()?;
                for _ in 0..more {
                    skip(&mut reply)?;
                }
                if nth == 2
                    && let Some(link) = self.link_to(index, &address(host, port))
                {
                    self.topology.set(from, to, link);
                }
            }
        }
        for link in 0..self.links.len() {
            self.touch_all(link);
        }
        let topology = &self.topology;
        let has_none = |it: &Channel| topology.route(it.names.slot()).is_none();
        if self.channels.values().any(has_none) {
            self.topology.suspect(); // with the next tick it is asked again
        }
        Some(())
    }

    /// An error.
    fn failed(&mut self, index: usize, what: Expect, reaction: &Reaction) {
        let counts = &self.shared.counts;
        match reaction {
            Reaction::Refused => count(&counts.errors),
            _ => count(&counts.retried),
        }
        match reaction {
            Reaction::Moved(address) => self.moved(index, address, &what),
            Reaction::Ask(address) => self.detour(index, address, &what),
            Reaction::Script => {
                if let Some(link) = self.links.get_mut(index) {
                    link.forget_scripts();
                }
            }
            Reaction::Again => {
                let until = self.now + AGAIN;
                if let Some(link) = self.links.get_mut(index) {
                    link.hold_until = link.hold_until.max(until);
                }
            }
            Reaction::Reconnect => {
                self.again(what);
                return self.lose(index);
            }
            Reaction::Refused => return self.refused(index, what),
        }
        self.again(what);
    }

    /// What was asked is asked again.
    pub(super) fn again(&mut self, what: Expect) {
        let Some(id) = what.channel() else { return };
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match what {
            Expect::Subscribe(..) => channel.subscribed = Subscribed::No,
            Expect::Publish { seq, .. } => {
                channel.queue.unsend(seq);
            }
            Expect::Read(_) => {
                if let Some(reading) = &mut channel.reading {
                    reading.is_sent = false;
                }
            }
            Expect::Here(_) => {
                if let Some(here) = &mut channel.here {
                    here.answered(false);
                }
            }
            Expect::Present(_, query) => channel.queries.push(query),
            _ => {}
        }
        self.touch(id);
    }

    /// What was asked is refused for good.
    fn refused(&mut self, index: usize, what: Expect) {
        let until = self.now + REFUSED;
        let Some(id) = what.channel() else {
            return match what {
                Expect::Slots => self.topology.suspect(),
                Expect::Nothing => {}
                _ => self.lose(index), // it cannot be greeted
            };
        };
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        match what {
            Expect::Subscribe(..) => channel.subscribed = Subscribed::Refused(until),
            Expect::Publish { seq, .. } => {
                let at = channel.queue.position(seq);
                if let Some(outgoing) = at.and_then(|at| channel.queue.take(at)) {
                    count(&self.shared.counts.refused);
                    outgoing.later.give(Err(ChannelError::Unavailable));
                }
            }
            Expect::Read(_) => {
                let reading = channel.reading.take();
                for ask in reading.into_iter().flat_map(|it| it.asks) {
                    ask.later.give(Err(ChannelError::Unavailable));
                }
                channel.check_at = until;
                channel.tracker.rest();
            }
            Expect::Here(_) => {
                if let Some(here) = &mut channel.here {
                    here.answered(true); // it is said again when it is renewed
                }
            }
            Expect::Present(_, query) => query.later.give(Err(ChannelError::Unavailable)),
            _ => {}
        }
        self.touch(id);
    }

    /// All that is under way on a connection which is gone waits again.
    pub(super) fn forget(&mut self, index: usize) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        let waiting: Vec<Expect> = link.renew().collect();
        for what in waiting {
            if let Expect::Publish {
                channel,
                seq,
                is_kept,
            } = what
            {
                self.doubt(channel, seq, is_kept);
            }
            self.again(what);
        }
        let topology = &self.topology;
        for channel in self.channels.values_mut() {
            if topology.route(channel.names.slot()) == Some(index) {
                channel.suspect();
            }
        }
    }

    /// A publication may have been published, or not.
    fn doubt(&mut self, id: u64, seq: u64, is_kept: bool) {
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let Some(at) = channel.queue.position(seq) else {
            return;
        };
        match channel.queue.get_mut(at).filter(|_| is_kept) {
            Some(outgoing) => outgoing.is_doubtful = true,
            None => {
                if let Some(outgoing) = channel.queue.take(at) {
                    outgoing.give_up(&self.shared.counts);
                }
            }
        }
    }

    fn here(&mut self, id: u64) -> Option<&mut super::channel::Here> {
        self.channels.get_mut(&id)?.here.as_deref_mut()
    }

    /// A slot is elsewhere now.
    fn moved(&mut self, index: usize, address: &str, what: &Expect) {
        let slot = what.channel().and_then(|id| self.channels.get(&id));
        let slot = slot.map(|it| it.names.slot());
        if let (Some(link), Some(slot)) = (self.link_to(index, address), slot) {
            self.topology.set(slot, slot, link);
        }
        self.topology.suspect();
        self.ask_for_slots();
    }

    /// This once a channel's commands go elsewhere.
    fn detour(&mut self, index: usize, address: &str, what: &Expect) {
        let link = self.link_to(index, address);
        if let Some(channel) = what.channel().and_then(|id| self.channels.get_mut(&id)) {
            channel.detour = link;
        }
    }
}

/// Members of other processes.
fn read_present(mut reply: Reply<'_>) -> Option<Vec<Present>> {
    let mut present = Vec::new();
    for _ in 0..reply.array()? / 2 {
        let (field, value) = (reply.bytes()?, reply.bytes()?);
        present.extend(member(field, value)); // one that others wrote may not be readable
    }
    Some(present)
}

fn member(field: &[u8], value: &[u8]) -> Option<Present> {
    let session = decimal(field.get(17..)?)?;
    let end = value.iter().position(|&it| it == b'\n')?;
    let (line, text) = value.split_at_checked(end)?;
    let space = line.iter().position(|&it| it == b' ')?;
    let since = decimal(line.get(..space)?)?;
    let user = usize::try_from(decimal(line.get(space + 1..)?)?).ok()?;
    let text = core::str::from_utf8(text.get(1..)?).ok()?;
    let (user, data) = text.split_at_checked(user)?;
    Some(Present::new(session, user, data, since))
}

/// Passes over one element, and what is in it.
fn skip(reply: &mut Reply<'_>) -> Option<()> {
    let mut left = 1_u64;
    while left > 0 {
        left -= 1;
        if let Token::Array(more) = reply.token()? {
            left = left.checked_add(more)?;
        }
    }
    Some(())
}

fn address(host: &str, port: i64) -> String {
    match host.contains(':') {
        true => alloc::format!("[{host}]:{port}"),
        false => alloc::format!("{host}:{port}"),
    }
}
