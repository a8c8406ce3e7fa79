//! The rooms of one loop: publishing and delivering.
//!
//! A publisher with members on its own loop reads the room's counters without
//! a lock, posts once to every other loop that has members, and hands its own
//! members a reference to the same encoded bytes. Where that has become much in
//! one turn, it posts to its own loop too: what is published in one call may then
//! be delivered in several turns, in its order, and others are served between
//! them.

use alloc::{rc::Rc, sync::Arc};
use core::cell::{Cell, RefCell, RefMut};

use bytes::Bytes;

use super::directory::Directory;
use super::groups::{Group, Groups, What};
use super::loop_address::{Audience, Encoded, Publication};
use super::message::{RoomMessage, payload_len};
use crate::app::telemetry::activity::Activity;
use crate::app::telemetry::metrics::Block;
use crate::net::{Context, Exchange};

/// The rooms of one loop. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    pub(crate) floor: Rc<Floor>,
}

#[derive(Debug)]
pub(crate) struct Floor {
    /// Nothing of an application's is called while this is borrowed.
    pub(crate) local: RefCell<Groups>,
    pub(crate) directory: Arc<Directory>,
    /// The loop's counters.
    metrics: Arc<Block>,
    /// The loop's number.
    pub(crate) index: usize,
    /// Sessions so far.
    opened: Cell<u64>,
    /// Shared with the publications that wait for this loop because it has had
    /// much to deliver in one turn.
    queued: Arc<()>,
}

impl Floor {
    /// The loop's groups, the directory of all loops, and the loop's number there.
    pub(super) fn parts(&self) -> (RefMut<'_, Groups>, &Directory, usize) {
        (self.local.borrow_mut(), &self.directory, self.index)
    }
}

impl Rooms {
    /// The rooms of loop `index`.
    pub(crate) fn new(directory: Arc<Directory>, metrics: Arc<Block>, index: usize) -> Self {
        let (local, opened) = (RefCell::default(), Cell::new(0));
        Self {
            floor: Rc::new(Floor {
                local,
                directory,
                metrics,
                index,
                opened,
                queued: Arc::default(),
            }),
        }
    }

    /// The directory of all loops.
    pub(crate) fn directory(&self) -> &Directory {
        &self.floor.directory
    }

    /// The number of the next session of this loop.
    pub(crate) fn next_id(&self) -> u64 {
        let Floor { index, opened, .. } = &*self.floor;
        opened.set(opened.get() + 1);
        Directory::session_id(*index, opened.get())
    }

    /// Publishes to a room, on this loop and all others; not to `except`.
    /// Returns how many members that is for.
    pub(crate) fn publish(
        &self,
        context: &mut Context<'_>,
        room: &str,
        post: &RoomMessage<'_>,
        except: Option<Exchange>,
    ) -> usize {
        let Floor {
            local,
            directory,
            index,
            queued,
            ..
        } = &*self.floor;
        let local = local.borrow();
        let group = local.named.get(room).and_then(|&key| local.groups.get(key));
        let Some(
            group @ Group {
                what: What::Room(presence),
                ..
            },
        ) = group
        else {
            let Some(presence) = directory.presence(room) else {
                return 0;
            };
            return directory.publish(&presence, &presence.encode(post), Some(*index));
        };
        let encoded = presence.encode(post);
        let elsewhere = directory.publish(presence, &encoded, Some(*index));
        // What waits already goes before.
        if context.is_late() || Arc::strong_count(queued) > 1 {
            let publication = Publication {
                to: Audience::Room(presence.name().clone()),
                encoded,
                except,
                _queued: Some(queued.clone()),
            };
            let loop_address = directory.loop_address(*index);
            let is_posted =
                loop_address.is_some_and(|loop_address| loop_address.publish(publication));
            return elsewhere
                + if is_posted {
                    group.sessions().count()
                } else {
                    0
                };
        }
        elsewhere + self.hand_out(context, group.sessions(), &encoded, except)
    }

    /// Delivers what another loop or thread has published.
    pub(crate) fn deliver(&self, context: &mut Context<'_>, publication: &Publication) -> usize {
        let Publication {
            to,
            encoded,
            except,
            ..
        } = publication;
        let except = *except;
        let local = self.floor.local.borrow();
        let key = match to {
            Audience::Room(name) => local.named.get(name),
            Audience::Broadcaster(id) => local.broadcasters.get(id),
            Audience::Streams(streams) => return self.hand_out(context, streams, encoded, except),
        };
        match key.and_then(|&key| local.groups.get(key)) {
            Some(group) => self.hand_out(context, group.sessions(), encoded, except),
            None => 0,
        }
    }

    /// Sends to sessions of this loop; returns how many took it.
    fn hand_out<'s>(
        &self,
        context: &mut Context<'_>,
        sessions: impl IntoIterator<Item = &'s Arc<Activity>>,
        encoded: &Encoded,
        except: Option<Exchange>,
    ) -> usize {
        let now = context.unix_seconds();
        let (mut taken, mut total) = (0, 0);
        let shared = |it: &Bytes| context.shared(it.clone());
        let frame = encoded.frame.as_ref().map(shared);
        let event = encoded.event.as_ref().map(shared);
        for activity in sessions {
            let exchange = activity.exchange();
            let stream = activity.is_stream();
            let encoded = if stream { &event } else { &frame };
            let encoded = encoded.as_ref().filter(|_| Some(exchange) != except);
            let Some(bytes) = encoded else { continue };
            let took = match stream {
                true => write(context, exchange, bytes),
                false => context.deliver(exchange, bytes),
            };
            if took {
                let length = match stream {
                    true => bytes.len(),
                    false => payload_len(bytes),
                };
                activity.sent(length, now);
                (taken, total) = (taken + 1, total + length);
            }
        }
        self.floor.metrics.sent_messages(taken, total);
        taken
    }
}

/// Writes to one event stream; whether it took it.
fn write(context: &mut Context<'_>, exchange: Exchange, event: &Bytes) -> bool {
    let written = context.with(exchange, |context| context.write_published(event.clone()));
    written.is_some_and(|flow| flow.is_taken())
}
