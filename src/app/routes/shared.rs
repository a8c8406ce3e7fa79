//! State that all loops of an app share.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::middleware::Middleware;
use super::router::Router;
use crate::app::blocking::pool::Pool;
use crate::app::exchange::record::{Record, RouteNumber};
use crate::app::exchange::refusal::Refusal;
use crate::app::exchange::rendering::Render;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::app::exchange::reply_head::{ReplyHead, Watch};
use crate::app::exchange::response::Response;
use crate::app::publishing::directory::Directory;
use crate::app::services::interceptor::Interceptors;

/// Routes, middleware and options: made once, never changed while loops run.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) middleware: Vec<Box<dyn Middleware>>,
    /// The interceptors of calls to methods that no service has.
    pub(crate) interceptors: Arc<Interceptors>,
    pub(crate) pool: Pool,
    /// Which session and which room is where.
    pub(crate) directory: Arc<Directory>,
    /// Bytes up to which bodies are collected where a route sets no limit.
    pub(crate) collect: usize,
    /// What makes responses of refusals, if the app does.
    pub(crate) render: Option<Box<Render>>,
}

impl Watch for Shared {
    fn is_some(&self) -> bool {
        !self.middleware.is_empty()
    }

    fn pattern(&self, route: RouteNumber) -> Option<&str> {
        self.router.pattern(route)
    }

    fn watches_ends(&self) -> Option<bool> {
        let all = self.middleware.iter().any(|it| it.watches_ends());
        let some = self.middleware.iter().any(|it| it.watches_some_ends());
        (all || some).then_some(all)
    }

    fn renders(&self) -> bool {
        self.render.is_some()
    }

    fn render(&self, refusal: &Refusal, record: &Record) -> Option<Response> {
        self.render.as_ref().map(|render| render(refusal, record))
    }

    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        let end = end.of_route(self.router.pattern(record.route));
        for middleware in self.middleware.iter().rev() {
            if middleware.watches_ends() || middleware.watches_some_ends() {
                middleware.ended(record, &end);
            }
        }
    }

    /// The middleware that was added last looks first.
    fn look(&self, record: &Record, head: &mut ReplyHead<'_>) {
        for middleware in self.middleware.iter().rev() {
            middleware.after(record, head);
        }
    }
}
