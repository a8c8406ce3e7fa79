//! The state of an app on one loop.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::time::Duration;

use super::coded_files::{CodedFiles, Source};
use super::record::Record;
use super::reply_head::{Chosen, Watch};
use crate::app::blocking::pool::Pool;
use crate::app::futures::tasks::Tasks;
use crate::app::publishing::directory::Directory;
use crate::app::publishing::loop_address::{CatchUp, Filled, Mailing, Sweep};
use crate::app::publishing::loop_channels::LoopChannels;
use crate::app::telemetry::metrics::Block;
use crate::coding::lent::Lent;
use crate::http::FieldBuffer;
use crate::net::Context;
use crate::wire::Instant;

/// A handler that takes longer than this holds its loop up: it is counted, and
/// named on the log.
const HELD: Duration = Duration::from_millis(100);

/// Records that are kept for the next requests.
const SPARE: usize = 64;

/// The state of the app on one loop: made there, never sent anywhere else.
pub(crate) struct LoopState {
    /// The middleware, which looks at every head.
    pub(crate) watch: Arc<dyn Watch>,
    pub(crate) is_watched: bool,
    /// Records hold more than methods: middleware or the app's renderer looks at them.
    pub(crate) remembers: bool,
    /// Some of it wants to know how replies end, if only of some.
    pub(crate) watches_ends: bool,
    watches_all_ends: bool,
    /// Records for the next requests.
    #[expect(clippy::vec_box, reason = "an entry holds a pointer, not the record")]
    pub(crate) spare: Vec<Box<Record>>,
    pub(crate) called: bool,
    /// When the clock was last read after a call.
    read: Instant,
    /// Replies of this turn whose time has not been taken.
    pub(crate) untimed: u64,
    /// This loop's counters; this loop alone writes them.
    pub(crate) metrics: Arc<Block>,
    /// The threads for blocking work.
    pub(crate) pool: Pool,
    pub(crate) channels: LoopChannels,
    pub(crate) tasks: Tasks,
    /// Room for a text that is put together and sent.
    pub(crate) text: String,
    /// Memory that calls use while they are served.
    pub(crate) scratch: Scratch,
    pub(crate) coding: Coders,
}

/// The coders of replies' bodies and of events.
#[derive(Debug, Default)]
pub(crate) struct Coders {
    /// States that are not in use now.
    pub(crate) lent: Lent,
    /// Room for what is coded, and sent before anything else is coded.
    pub(crate) room: Vec<u8>,
    pub(super) may_stream: bool,
    pub(super) begun: Option<Chosen>,
    /// The file that is its body; taken where it was coded.
    pub(super) source: Option<Source>,
    pub(super) files: CodedFiles,
}

impl Coders {
    /// Takes the room back.
    pub(crate) fn keep(&mut self, mut room: Vec<u8>) {
        room.clear();
        room.shrink_to(64 << 10);
        self.room = room;
    }
}

impl LoopState {
    /// The site of the loop with this number.
    pub(crate) fn new(
        watch: Arc<dyn Watch>,
        directory: Arc<Directory>,
        metrics: Arc<Block>,
        pool: Pool,
        (index, tasks): (usize, Tasks),
    ) -> Self {
        let coding = Coders::default();
        let lent = coding.lent.clone();
        let channels = LoopChannels::new(directory, metrics.clone(), lent, index);
        Self {
            coding,
            is_watched: watch.is_some(),
            remembers: watch.is_some() || watch.renders(),
            watches_ends: watch.watches_ends().is_some(),
            watches_all_ends: watch.watches_ends() == Some(true),
            spare: Vec::new(),
            watch,
            called: false,
            read: Instant::START,
            untimed: 0,
            metrics,
            pool,
            channels,
            tasks,
            text: String::new(),
            scratch: Scratch::default(),
        }
    }

    /// Whether the end of this request's reply is to be told.
    #[inline]
    pub(crate) fn watches(&self, record: &Record) -> bool {
        self.watches_ends && (self.watches_all_ends || record.has_span())
    }

    /// Takes the time of the replies that were given immediately: they leave now, in
    /// one batch. Returns how long it is since the loop's turn began, or since
    /// this was asked before in the same turn, if that is more than [`HELD`].
    #[inline]
    pub(crate) fn measure(&mut self, context: &Context<'_>) -> Option<Duration> {
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
        self.coding.files.shed();
        let since = core::mem::replace(&mut self.read, now).max(before);
        (now > since + HELD).then(|| now.saturating_since(since))
    }

    /// Keeps a record for the next request.
    pub(crate) fn recycle(&mut self, mut record: Box<Record>) {
        if self.spare.len() < SPARE {
            record.extensions = None;
            record.coded = None;
            record.timer = None;
            record.uncharge();
            self.spare.push(record);
        }
    }

    /// Takes what other loops have sent to the app on this one.
    pub(crate) fn deliver(&mut self, context: &mut Context<'_>, mail: Box<dyn Any + Send>) {
        match mail.downcast::<Mailing>() {
            Ok(mut mailing) => {
                mailing.arrived();
                self.channels.deliver(context, &mailing);
            }
            Err(mail) => self.attend(context, mail),
        }
    }

    /// Polls a task of this number, or takes in those that have arrived.
    pub(crate) fn poll_task(&mut self, context: &mut Context<'_>, token: u64) {
        self.called = true;
        self.tasks.poll(context, &self.metrics, token);
    }

    /// Takes what comes more rarely.
    fn attend(&self, context: &mut Context<'_>, mail: Box<dyn Any + Send>) {
        match mail.downcast::<Filled>() {
            Ok(filled) => self.channels.filled(context, *filled),
            Err(mail) if mail.is::<CatchUp>() => self.channels.catch_up(context),
            Err(mail) if mail.is::<Sweep>() => self.sweep(context),
            Err(_) => {}
        }
    }

    /// Forgets what is too old in all channels, now and again.
    pub(crate) fn sweep(&self, context: &mut Context<'_>) {
        if let Some(time) = self.channels.directory().sweep() {
            context.set_round(context.now() + time);
        }
    }
}

/// The size up to which memory that was needed once is kept, in bytes.
const KEPT: usize = 64 << 10;

/// Memory that is lent to one call at a time.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Frames of a response.
    pub(crate) frames: Vec<u8>,
    #[cfg(feature = "gzip")]
    pub(crate) message: Vec<u8>,
    /// A message that has been compressed.
    #[cfg(feature = "gzip")]
    pub(crate) packed: Vec<u8>,
    pub(crate) trailers: FieldBuffer,
    /// The codec that compresses and inflates.
    #[cfg(feature = "gzip")]
    pub(crate) gzip: crate::grpc::Gzip,
}

impl Scratch {
    /// Gives back what is beyond the usual.
    #[cfg(feature = "gzip")]
    pub(crate) fn shrink(&mut self) {
        for memory in [&mut self.message, &mut self.packed] {
            memory.clear();
            memory.shrink_to(KEPT);
        }
    }

    /// Takes back the memory of frames.
    pub(crate) fn keep_frames(&mut self, mut frames: Vec<u8>) {
        if frames.capacity() <= KEPT {
            frames.clear();
            self.frames = frames;
        }
    }
}
