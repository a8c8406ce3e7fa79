//! Mail from one loop of an app to another.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::any::Any;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::OnceLock;

use bytes::Bytes;

use super::forms::Forms;
use super::parts::Parts;
use crate::app::channels::backplane::Past;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;
use crate::app::telemetry::activity::{Activity, Registry};
use crate::net::{Exchange, Owner, PackedFrames, Priority, Remote};

/// Where an app's part of one loop takes mail.
#[derive(Debug, Clone)]
pub(crate) struct LoopAddress {
    pub(crate) remote: Remote,
    pub(crate) owner: Owner,
}

impl LoopAddress {
    /// Posts what is to be delivered on that loop; whether its mailbox took
    /// it.
    pub(crate) fn publish(&self, mailing: Mailing) -> bool {
        let bytes = mailing.memory();
        let mail = Box::new(mailing);
        self.remote
            .post_sized_to_owner(self.owner, Priority::Publish, mail, bytes)
            .is_ok()
    }

    /// Has the loop look after the histories of all channels; whether its mailbox took that.
    pub(crate) fn begin_sweeping(&self) -> bool {
        let posted = self
            .remote
            .post_to_owner(self.owner, Priority::Reply, Box::new(Sweep));
        posted.is_ok()
    }

    fn catch_up(&self) {
        self.remote.remind(self.owner, Box::new(CatchUp));
    }

    pub(super) fn answer(&self, exchange: Exchange, mail: Box<dyn Any + Send>) {
        self.remote.answer(self.owner, exchange, mail);
    }

    /// Gives the loop's channels the answer that they wait for.
    pub(super) fn fill(&self, filled: Filled) {
        self.remote.remind(self.owner, Box::new(filled));
    }

    /// Has all sessions of the loop sent away; whether its mailbox took that.
    pub(crate) fn send_away(&self, spread: Duration) -> bool {
        let mail = Box::new(SendAway(spread));
        let posted = self.remote.post_to_owner(self.owner, Priority::Reply, mail);
        posted.is_ok()
    }

    /// Posts mail, which refers to `bytes` bytes, to one session; whether its
    /// loop's mailbox took it.
    pub(crate) fn post(&self, exchange: Exchange, mail: Box<dyn Any + Send>, bytes: usize) -> bool {
        let posted = self.remote.post_sized(self.owner, exchange, mail, bytes);
        posted.is_ok()
    }
}

#[derive(Debug)]
pub(crate) struct Sweep;

#[derive(Debug)]
pub(crate) struct SendAway(pub(crate) Duration);

#[derive(Debug)]
pub(crate) struct CatchUp;

/// Publications that a channel has missed on this loop.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) channel: Arc<str>,
    pub(crate) number: u64,
    pub(crate) past: Result<Past, ChannelError>,
}

/// One loop of an app, as all others know it.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) address: OnceLock<LoopAddress>,
    pub(super) sessions: Registry,
    /// Something that has a place in a history did not reach it, and it has not looked yet.
    has_lost: AtomicBool,
}

impl Place {
    /// Posts a mailing, which says so itself if it is lost; whether the mailbox took it.
    pub(super) fn post(self: &Arc<Self>, mut mailing: Mailing) -> bool {
        let Some(address) = self.address.get() else {
            return false; // it has no members yet
        };
        // What can be looked up, or has to be heard.
        if mailing.encoded.is_kept() || matches!(mailing.to, Audience::Behind(..)) {
            mailing.way = Some(self.clone());
        }
        address.publish(mailing)
    }

    /// The loop looks now: what is lost from now on is for the next look.
    pub(super) fn looks(&self) {
        self.has_lost.store(false, Ordering::Release);
    }
}

/// A publication for another loop. One with a place in a history that is dropped before it has
/// [arrived](Self::arrived) has its loop look into the history.
#[derive(Debug)]
pub(crate) struct Mailing {
    pub(crate) to: Audience,
    pub(crate) encoded: Encoded,
    /// The exchange that does not get it.
    pub(crate) except: Option<Exchange>,
    /// Held by those that wait for their own loop.
    pub(super) queued: Option<Arc<()>>,
    /// The loop that it is on the way to, if that can look it up.
    way: Option<Arc<Place>>,
}

impl Drop for Mailing {
    fn drop(&mut self) {
        if let Some(place) = self.way.take()
            && !place.has_lost.swap(true, Ordering::AcqRel)
            && let Some(address) = place.address.get()
        {
            address.catch_up();
        }
    }
}

impl Mailing {
    pub(crate) const fn new(to: Audience, encoded: Encoded, except: Option<Exchange>) -> Self {
        Self {
            to,
            encoded,
            except,
            queued: None,
            way: None,
        }
    }

    pub(crate) fn arrived(&mut self) {
        self.way = None;
    }

    fn memory(&self) -> usize {
        let Encoded { frame, event, .. } = &self.encoded;
        let streams = match &self.to {
            Audience::Streams(streams) => streams.len() * size_of::<Arc<Activity>>(),
            Audience::Channel(_) | Audience::Broadcaster(_) | Audience::Behind(..) => 0,
        };
        streams + frame.as_ref().map_or(0, Bytes::len) + event.as_ref().map_or(0, Bytes::len)
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Audience {
    Channel(Arc<str>),
    /// All streams of a broadcaster.
    Broadcaster(u64),
    /// These event streams.
    Streams(Vec<Arc<Activity>>),
    /// The members of a channel that have not got as far as this, and will not.
    Behind(Arc<str>, Position),
}

/// A post as each protocol carries it; `None` where no member speaks it or it cannot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    /// The message encoded as a WebSocket frame.
    pub(crate) frame: Option<Bytes>,
    /// The message encoded as an event of a stream.
    pub(crate) event: Option<Bytes>,
    /// The coded forms of that event, where streams are coded.
    pub(crate) parts: Option<Arc<Parts>>,
    /// The frame compressed, for members that have agreed to it.
    pub(crate) packed: Option<Arc<PackedFrames>>,
    /// The post itself, where it is kept or somebody reads it otherwise.
    pub(crate) publication: Option<Publication>,
    pub(crate) forms: Option<Arc<Forms>>,
}

impl Encoded {
    /// An event for streams alone.
    pub(crate) fn event(event: Bytes) -> Self {
        Self {
            frame: None,
            event: Some(event),
            parts: Parts::if_wanted(),
            packed: None,
            publication: None,
            forms: None,
        }
    }

    /// Its place in the history of its channel.
    #[inline]
    pub(crate) fn position(&self) -> Option<Position> {
        self.publication.as_ref().and_then(Publication::position)
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.position().is_some()
    }
}
