//! The application as a loop's handler: builder, server, handler.

pub(super) mod builder;
mod channels;
mod endings;
#[cfg(test)]
mod future_tests;
pub(super) mod handler;
mod held;
#[cfg(test)]
mod later_tests;
mod listening;
mod local;
mod proxies;
mod rendering;
pub(super) mod scrape;
pub(super) mod server;
