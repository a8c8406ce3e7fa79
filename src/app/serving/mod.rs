//! The application as a loop's handler: builder, server, handler.

pub(super) mod builder;
pub(super) mod handler;
pub(super) mod scrape;
pub(super) mod server;
