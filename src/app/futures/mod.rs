//! Futures that are polled on a loop: replies, parts of sessions, tasks.

pub(super) mod asker;
pub(super) mod jobs;
pub(super) mod kept;
pub(super) mod reply;
pub(super) mod spawner;
pub(super) mod tasks;
