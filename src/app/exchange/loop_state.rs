//! The state of an app on one loop.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::time::Duration;

use super::record::Record;
use super::reply_head::Watch;
use super::scratch::Scratch;
use crate::app::blocking::pool::Pool;
use crate::app::publishing::directory::Directory;
use crate::app::publishing::loop_address::Publication;
use crate::app::publishing::rooms::Rooms;
use crate::app::telemetry::metrics::Block;
use crate::net::Context;
use crate::wire::Instant;

/// A handler that takes longer than this holds its loop up: it is counted, and
/// named on the log.
const HELD: Duration = Duration::from_millis(100);

/// Records that are kept for the next requests.
const SPARE: usize = 64;

/// What the app has on one loop: made there, never sent anywhere else.
pub(crate) struct LoopState {
    /// The middleware, which looks at every head.
    pub(crate) watch: Arc<dyn Watch>,
    /// There is some.
    pub(crate) is_watched: bool,
    /// Some of it wants to know how replies end.
    pub(crate) watches_ends: bool,
    /// Records for the next requests.
    #[expect(clippy::vec_box, reason = "an entry holds a pointer, not the record")]
    pub(in crate::app) spare: Vec<Box<Record>>,
    /// A session has been called since the clock was read.
    pub(in crate::app) called: bool,
    /// When the clock was last read behind a call.
    read: Instant,
    /// Replies of this turn whose time has not been taken.
    pub(crate) untimed: u64,
    /// This loop's counters; this loop alone writes them.
    pub(crate) metrics: Arc<Block>,
    /// The threads for blocking work.
    pub(in crate::app) pool: Pool,
    /// The rooms of this loop.
    pub(crate) rooms: Rooms,
    /// Room for a text that is put together and sent.
    pub(crate) text: String,
    /// Memory that calls use while they are served.
    pub(in crate::app) scratch: Scratch,
}

impl LoopState {
    /// The site of the loop with this number.
    pub(crate) fn new(
        watch: Arc<dyn Watch>,
        directory: Arc<Directory>,
        metrics: Arc<Block>,
        pool: Pool,
        index: usize,
    ) -> Self {
        let rooms = Rooms::new(directory, metrics.clone(), index);
        Self {
            is_watched: watch.is_some(),
            watches_ends: watch.watches_ends(),
            spare: Vec::new(),
            watch,
            called: false,
            read: Instant::START,
            untimed: 0,
            metrics,
            pool,
            rooms,
            text: String::new(),
            scratch: Scratch::default(),
        }
    }

    /// Takes the time of the replies that were given immediately: they leave now, in
    /// one batch. Returns how long it is since the loop's turn began, or since
    /// this was asked before in the same turn, if that is more than [`HELD`].
    #[inline]
    pub(in crate::app) fn measure(&mut self, context: &Context<'_>) -> Option<Duration> {
        if self.untimed == 0 && !self.called && !self.is_watched {
            return None;
        }
        let (now, before) = (context.measure(), context.now());
        if self.untimed > 0 {
            let nanos = now.as_nanos().saturating_sub(before.as_nanos());
            let replies = core::mem::take(&mut self.untimed);
            self.metrics.took_nanos(nanos, replies);
        }
        self.called = false;
        let since = core::mem::replace(&mut self.read, now).max(before);
        (now > since + HELD).then(|| now.saturating_since(since))
    }

    /// Keeps a record for the next request.
    pub(in crate::app) fn recycle(&mut self, mut record: Box<Record>) {
        if self.spare.len() < SPARE {
            record.extensions = None;
            record.uncharge();
            self.spare.push(record);
        }
    }

    /// Takes what other loops have sent to the app on this one.
    pub(in crate::app) fn deliver(&mut self, context: &mut Context<'_>, mail: Box<dyn Any + Send>) {
        if let Ok(publication) = mail.downcast::<Publication>() {
            self.rooms.deliver(context, &publication);
        }
    }
}
