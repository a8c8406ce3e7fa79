//! What all loops of an app share.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::directory::Directory;
use super::middleware::Middleware;
use super::record::Record;
use super::reply_head::{ReplyHead, Watch};
use super::router::Router;

/// Routes, middleware and options: made once, never changed while loops run.
pub(crate) struct Shared {
    pub(super) router: Router,
    pub(super) middleware: Vec<Box<dyn Middleware>>,
    /// Which session and which room is where.
    pub(super) directory: Arc<Directory>,
    /// Bytes up to which bodies are collected where a route sets no limit.
    pub(super) collect: usize,
}

impl Watch for Shared {
    /// The middleware that was added last looks first.
    fn look(&self, record: &Record, head: &mut ReplyHead<'_>) {
        for middleware in self.middleware.iter().rev() {
            middleware.after(record, head);
        }
    }
}
