//! The application as a loop's handler: builder, server, handler.

pub(super) mod builder;
mod channels;
mod endings;
mod environment;
#[cfg(test)]
mod future_tests;
#[cfg(unix)]
mod hand_over;
pub(super) mod handler;
mod health;
mod held;
#[cfg(test)]
mod later_tests;
pub(super) mod life;
mod listening;
mod local;
mod proxies;
mod rendering;
pub(super) mod scrape;
pub(super) mod server;
#[cfg(all(unix, feature = "signals"))]
mod signals;
#[cfg(all(unix, feature = "systemd"))]
mod systemd;
