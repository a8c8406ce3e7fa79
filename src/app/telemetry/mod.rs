//! Counters and measurements, and how they are shown.

pub(super) mod activity;
pub(super) mod counter;
pub(super) mod exposition;
pub(super) mod histogram;
pub(super) mod metrics;
