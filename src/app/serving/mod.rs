//! The application as a loop's handler: builder, server, handler.

pub(super) mod builder;
mod endings;
pub(super) mod handler;
mod held;
mod listening;
pub(super) mod scrape;
pub(super) mod server;
