//! Counters and measurements, and how they are shown.

pub(super) mod activity;
pub(super) mod channel_totals;
pub(super) mod codings;
pub(super) mod exposition;
pub(super) mod histogram;
mod kind;
pub(super) mod metrics;
