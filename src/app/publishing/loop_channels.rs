//! The channels of one loop: publishing and delivering.
//!
//! A publisher with members on its own loop reads the channel's counters without
//! a lock, posts once to every other loop that has members, and hands its own
//! members a reference to the same encoded bytes. Where that has become much in
//! one turn, it posts to its own loop too: what is published in one call may then
//! be delivered in several turns, in its order, and others are served between
//! them.
//!
//! A channel with history gives each publication its offset under its lock, and every loop
//! is posted it there. So what comes to a loop is in order, and what the loop publishes
//! itself it may hand out only if nothing before it is still on its way.

use alloc::{boxed::Box, rc::Rc, sync::Arc};
use core::cell::{Cell, RefCell, RefMut};
use core::task::Poll;

use super::channel::Channel;
use super::directory::Directory;
use super::groups::{Group, Groups, Member};
use super::handle::{Answered, HandleMessage};
use super::join::Published;
use super::loop_address::{Audience, Encoded, LoopAddress, Mailing};
use super::post::Post;
use crate::app::channels::ask::Rule;
use crate::app::channels::backplane::Later;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::clock::unix_millis;
use crate::app::channels::position::Position;
use crate::app::telemetry::activity::Activity;
use crate::app::telemetry::metrics::Block;
use crate::coding::lent::Lent;
use crate::net::{Context, Exchange, Key};

#[derive(Debug, Clone)]
pub(crate) struct LoopChannels {
    pub(crate) floor: Rc<Floor>,
}

#[derive(Debug)]
pub(crate) struct Floor {
    /// Nothing of an application's is called while this is borrowed, but formats.
    pub(crate) local: RefCell<Groups>,
    pub(crate) directory: Arc<Directory>,
    pub(super) metrics: Arc<Block>,
    /// The coder of events for coded streams.
    pub(super) lent: Lent,
    pub(crate) index: usize,
    opened: Cell<u64>,
    /// Questions so far about what it was not given.
    pub(super) asked: Cell<u64>,
    /// Shared with publications that wait for this loop after a busy turn.
    queued: Arc<()>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Publisher<'a> {
    pub(crate) activity: &'a Activity,
    /// It is not to get what it publishes itself.
    pub(crate) is_excepted: bool,
    /// The channel's rule has been asked.
    pub(crate) is_allowed: bool,
}

impl Publisher<'_> {
    fn except(&self) -> Option<Exchange> {
        self.is_excepted.then_some(self.activity.exchange())
    }

    fn id(&self) -> u64 {
        self.activity.id()
    }
}

impl Floor {
    pub(super) fn parts(&self) -> (RefMut<'_, Groups>, &Directory, usize) {
        (self.local.borrow_mut(), &self.directory, self.index)
    }
}

impl LoopChannels {
    /// The channels of loop `index`.
    pub(crate) fn new(
        directory: Arc<Directory>,
        metrics: Arc<Block>,
        lent: Lent,
        index: usize,
    ) -> Self {
        let (local, opened) = (RefCell::default(), Cell::new(0));
        Self {
            floor: Rc::new(Floor {
                local,
                directory,
                metrics,
                lent,
                index,
                opened,
                asked: Cell::new(0),
                queued: Arc::default(),
            }),
        }
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.floor.directory
    }

    pub(crate) fn next_id(&self) -> u64 {
        let Floor { index, opened, .. } = &*self.floor;
        opened.set(opened.get() + 1);
        Directory::session_id(*index, opened.get())
    }

    pub(crate) fn publish(
        &self,
        context: &mut Context<'_>,
        name: &str,
        post: &Post<'_>,
        by: Publisher<'_>,
    ) -> Published {
        let Floor {
            local,
            directory,
            index,
            ..
        } = &*self.floor;
        let local = local.borrow();
        let group = local.named.get(name).and_then(|&key| local.groups.get(key));
        let Some((group, channel)) = group.and_then(|group| Some((group, group.channel()?))) else {
            drop(local);
            return self.publish_elsewhere(context, name, post, by);
        };
        if let Some(rule) = &channel.options().may_publish
            && !by.is_allowed
        {
            let rule = rule.clone();
            drop(local);
            return self.publish_if_allowed(context, (name, &rule), post, by);
        }
        if channel.line().is_some() {
            return self.publish_by_line(context, Some((&local, group)), channel, post, by);
        }
        let encoded = channel.encode(post, by.id());
        let mut members = directory.publish(channel, &encoded, Some(*index));
        members += match self.is_busy(context) {
            true => self.post_to_self(channel, group, encoded, by),
            false => self.hand_out_to(context, &local, group, &encoded, by.except()),
        };
        Published::Done {
            members,
            position: None,
        }
    }

    /// Whether what is published now is for a later turn.
    fn is_busy(&self, context: &Context<'_>) -> bool {
        context.is_late() || Arc::strong_count(&self.floor.queued) > 1
    }

    fn post_to_self(
        &self,
        channel: &Channel,
        group: &Group,
        encoded: Encoded,
        by: Publisher<'_>,
    ) -> usize {
        let Floor {
            directory,
            index,
            queued,
            ..
        } = &*self.floor;
        let to = Audience::Channel(channel.name().clone());
        let mut mailing = Mailing::new(to, encoded, by.except());
        mailing.queued = Some(queued.clone());
        match directory.post_to(*index, mailing) {
            true => group.members().len(),
            false => 0,
        }
    }

    /// Publishes if the channel's rule says that the session may.
    #[cold]
    fn publish_if_allowed(
        &self,
        context: &mut Context<'_>,
        (name, rule): (&str, &Rule),
        post: &Post<'_>,
        by: Publisher<'_>,
    ) -> Published {
        let by = Publisher {
            is_allowed: true,
            ..by
        };
        match self.may_publish(name, post, by, rule) {
            Ok(Some(())) => self.publish(context, name, post, by),
            Ok(None) => Published::Later,
            Err(error) => Published::Refused(error),
        }
    }

    /// Publishes to a channel without members on this loop.
    fn publish_elsewhere(
        &self,
        context: &mut Context<'_>,
        name: &str,
        post: &Post<'_>,
        by: Publisher<'_>,
    ) -> Published {
        let Floor {
            directory, index, ..
        } = &*self.floor;
        let options = directory.options(name).filter(|_| !by.is_allowed);
        if let Some(rule) = options.and_then(|it| it.may_publish.as_ref()) {
            return self.publish_if_allowed(context, (name, rule), post, by);
        }
        let channel = match directory.channel_for_post(name) {
            Ok(Some(channel)) => channel,
            Ok(None) => return Published::NOBODY,
            Err(error) => return Published::Refused(error),
        };
        if channel.line().is_some() {
            return self.publish_by_line(context, None, &channel, post, by);
        }
        Published::Done {
            members: directory.publish(&channel, &channel.encode(post, by.id()), Some(*index)),
            position: None,
        }
    }

    /// Publishes to a channel that remembers, or is other processes' as well.
    fn publish_by_line(
        &self,
        context: &mut Context<'_>,
        own: Option<(&Groups, &Group)>,
        channel: &Arc<Channel>,
        post: &Post<'_>,
        by: Publisher<'_>,
    ) -> Published {
        let Some(line) = channel.line() else {
            return Published::NOBODY;
        };
        let Some(publication) = post.publication(by.id(), unix_millis()) else {
            return Published::Refused(ChannelError::Unsendable);
        };
        let publication = publication.excepting(by.is_excepted);
        let Floor {
            directory, index, ..
        } = &*self.floor;
        let is_busy = self.is_busy(context);
        let (mut members, mut mine) = (0, None);
        if channel.history().is_none() {
            // Its own members do not wait for others.
            let encoded = channel.encoded(publication.clone());
            members = directory.publish(channel, &encoded, Some(*index));
            mine = Some(encoded);
        }
        let mut deliver = |placed: &_| {
            let encoded = channel.encoded(Clone::clone(placed));
            members += directory.publish(channel, &encoded, Some(*index));
            if let Some((_, group)) = own {
                match !is_busy && group.is_next(&encoded) {
                    true => mine = Some(encoded),
                    false => members += self.post_to_self(channel, group, encoded, by),
                }
            }
        };
        let of = Answered::published;
        let later = || self.answer_to(by.activity.exchange(), channel.name(), post.token, of);
        let placed = line.publish(publication, &mut deliver, &later);
        if let (Some((local, group)), Some(encoded)) = (own, mine) {
            members += match encoded.position() {
                Some(at) => self.hand_out_next(context, local, group, (&encoded, at), by.except()),
                None if is_busy => self.post_to_self(channel, group, encoded, by),
                None => self.hand_out_to(context, local, group, &encoded, by.except()),
            };
        }
        match placed {
            Poll::Ready(Ok(position)) => Published::Done { members, position },
            Poll::Ready(Err(error)) => Published::Refused(error),
            Poll::Pending => Published::Later,
        }
    }

    /// Makes an answer that comes to a session of this loop as mail.
    pub(super) fn answer_to<T: 'static>(
        &self,
        exchange: Exchange,
        channel: &Arc<str>,
        token: u32,
        of: impl FnOnce(Result<T, ChannelError>) -> Answered + Send + 'static,
    ) -> Later<T> {
        let address = self.floor.directory.loop_address(self.floor.index).cloned();
        let channel = channel.clone();
        Later::new(move |result| {
            let mail = HandleMessage::Answered(channel, token, of(result));
            let answer = |address: LoopAddress| address.answer(exchange, Box::new(mail));
            let _ = address.map(answer); // a loop without one has no sessions
        })
    }

    /// Hands out what comes next in a channel with history, as far as that is known.
    pub(super) fn hand_out_next(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        (encoded, at): (&Encoded, Position),
        except: Option<Exchange>,
    ) -> usize {
        let taken = self.hand_out_to(context, local, group, encoded, except);
        group.has_delivered(at);
        taken
    }

    fn hand_out_to(
        &self,
        context: &mut Context<'_>,
        local: &Groups,
        group: &Group,
        encoded: &Encoded,
        except: Option<Exchange>,
    ) -> usize {
        match group.is_mixed() {
            false => {
                let to = (Some(group), group.members());
                self.hand_out(context, local, to, encoded, except)
            }
            true => self.hand_out_mixed(context, local, group, encoded, except),
        }
    }

    pub(crate) fn deliver(&self, context: &mut Context<'_>, mailing: &Mailing) {
        let (to, encoded, except) = (&mailing.to, &mailing.encoded, &mailing.except);
        let local = self.floor.local.borrow();
        let key = match to {
            Audience::Channel(name) | Audience::Behind(name, _) => local.named.get(name),
            Audience::Broadcaster(id) => local.broadcasters.get(id),
            Audience::Streams(streams) => {
                let seats = Key::NONE;
                let member = |activity: &Arc<Activity>| Member {
                    activity: activity.clone(),
                    seats,
                };
                let members: alloc::vec::Vec<Member> = streams.iter().map(member).collect();
                self.hand_out(context, &local, (None, &members), encoded, *except);
                return;
            }
        };
        let Some(group) = key.and_then(|&key| local.groups.get(key)) else {
            return;
        };
        if let Audience::Behind(_, position) = to {
            return self.lose(context, &local, group, *position, None);
        }
        match encoded.position() {
            Some(at) => self.deliver_kept(context, &local, group, (encoded, at), *except),
            None => {
                self.hand_out_to(context, &local, group, encoded, *except);
            }
        }
    }
}
