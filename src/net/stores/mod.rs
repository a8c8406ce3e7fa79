//! The stores of a loop: connections by key, output that waits, deadlines, messages of other threads.

pub(super) mod backlog;
pub(super) mod caps;
pub(super) mod cork;
pub(super) mod deadlines;
pub(super) mod departures;
mod gathered;
pub(super) mod mailbox;
pub(super) mod memory_use;
pub(super) mod packed;
pub(super) mod placed;
pub(super) mod pool;
pub(super) mod resource;
pub(super) mod resource_counts;
pub(super) mod share;
pub(super) mod slab;
pub(super) mod table;
pub(super) mod timers;
