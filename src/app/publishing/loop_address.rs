//! Mail from one loop of an app to another.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::any::Any;

use bytes::Bytes;

use crate::app::telemetry::activity::Activity;
use crate::net::{Exchange, Owner, Priority, Remote};

/// Where an app's part of one loop takes mail.
#[derive(Debug, Clone)]
pub(crate) struct LoopAddress {
    /// The loop.
    pub(crate) remote: Remote,
    /// The app's place in it.
    pub(crate) owner: Owner,
}

impl LoopAddress {
    /// Posts what is to be delivered on that loop; whether its mailbox took
    /// it.
    pub(crate) fn publish(&self, publication: Publication) -> bool {
        let bytes = publication.memory();
        let mail = Box::new(publication);
        self.remote
            .post_sized_to_owner(self.owner, Priority::Publish, mail, bytes)
            .is_ok()
    }

    /// Posts mail, which refers to `bytes` bytes, to one session; whether its
    /// loop's mailbox took it.
    pub(crate) fn post(&self, exchange: Exchange, mail: Box<dyn Any + Send>, bytes: usize) -> bool {
        let posted = self.remote.post_sized(self.owner, exchange, mail, bytes);
        posted.is_ok()
    }
}

/// What is to be delivered on another loop.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    /// To whom.
    pub(crate) to: Audience,
    /// What.
    pub(crate) encoded: Encoded,
    /// Who does not get it.
    pub(crate) except: Option<Exchange>,
    /// Held by those that wait for their own loop.
    pub(crate) _queued: Option<Arc<()>>,
}

impl Publication {
    /// Bytes that it refers to.
    fn memory(&self) -> usize {
        let Encoded { frame, event } = &self.encoded;
        let streams = match &self.to {
            Audience::Streams(streams) => streams.len() * size_of::<Arc<Activity>>(),
            Audience::Room(_) | Audience::Broadcaster(_) => 0,
        };
        streams + frame.as_ref().map_or(0, Bytes::len) + event.as_ref().map_or(0, Bytes::len)
    }
}

/// Who is to get a publication.
#[derive(Debug, Clone)]
pub(crate) enum Audience {
    /// The members of a room.
    Room(Arc<str>),
    /// All streams of a broadcaster.
    Broadcaster(u64),
    /// These event streams.
    Streams(Vec<Arc<Activity>>),
}

/// A post as each protocol carries it; `None` where no member speaks it, or it
/// cannot carry the post.
#[derive(Debug, Clone, Default)]
pub(crate) struct Encoded {
    /// The message encoded as a WebSocket frame.
    pub(crate) frame: Option<Bytes>,
    /// The message encoded as an event of a stream.
    pub(crate) event: Option<Bytes>,
}
