//! The channels of an app as they stand.

use alloc::boxed::Box;
use alloc::string::String;
use std::sync::OnceLock;

use crate::net::exposition::single;
use crate::wire::partly_shown;

/// The channels of an app as they stand. Reading them takes time linear in their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ChannelTotals {
    /// Channels that have members, or remember something.
    pub channels: u64,
    /// Channels that were made since the start.
    pub created: u64,
    /// Members of all channels: a session counts once in each.
    pub members: u64,
    /// Publications that histories in this process hold.
    pub kept_publications: u64,
    /// Bytes of these.
    pub kept_bytes: u64,
    /// Bytes that histories and the tables of who is there take, of
    /// [`ChannelLimits::memory`](crate::app::ChannelLimits::memory).
    pub memory: u64,
}

impl ChannelTotals {
    /// Writes them in Prometheus' text format.
    pub(super) fn put(&self, out: &mut String) {
        let rows = [
            (
                "channels",
                "Channels with members or a history.",
                self.channels,
            ),
            (
                "channels_created_total",
                "Channels that were made.",
                self.created,
            ),
            ("channel_members", "Members of all channels.", self.members),
            (
                "channel_history_publications",
                "Publications that histories hold.",
                self.kept_publications,
            ),
            (
                "channel_history_bytes",
                "Bytes of the publications that histories hold.",
                self.kept_bytes,
            ),
            (
                "channel_memory_bytes",
                "Memory of histories and of who is there.",
                self.memory,
            ),
        ];
        for (name, help, value) in rows {
            single(name, help, value, out);
        }
    }
}

#[derive(Default)]
pub(super) struct ChannelReader(OnceLock<Box<dyn Fn() -> ChannelTotals + Send + Sync>>);

impl ChannelReader {
    /// Counts them so from now on. Of several calls the first counts.
    pub(super) fn set(&self, read: impl Fn() -> ChannelTotals + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(read));
    }

    pub(super) fn read(&self) -> ChannelTotals {
        self.0
            .get()
            .map_or_else(ChannelTotals::default, |read| read())
    }
}

partly_shown!(ChannelReader);
