//! The code of a route.

use alloc::boxed::Box;
use core::time::Duration;

use crate::app::exchange::record::RouteNumber;
use crate::app::exchange::refusal::{Answer, Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::http::Content;

/// A route's closure, its kind of answer forgotten.
pub(crate) type Call = dyn Fn(&Request<'_>, Reply<'_, '_>) -> Result<Done, Refusal> + Send + Sync;

/// The code of one method of one path.
pub(crate) struct Endpoint {
    pub(crate) whole: Option<Box<Call>>,
    pub(crate) streamed: Option<Box<Call>>,
    /// Bytes up to which a body is collected; the app's own limit if `None`.
    pub(crate) collect: Option<usize>,
    /// It opens WebSockets: what follows the head is no body.
    pub(crate) upgrades: bool,
    /// The most bytes of a body, however it comes.
    pub(crate) most: Option<u64>,
    /// From a request to the head of its reply.
    pub(crate) time: Option<Duration>,
    pub(crate) number: RouteNumber,
}

impl Endpoint {
    /// Without code, and without bounds.
    pub(crate) const EMPTY: Self = Self {
        whole: None,
        streamed: None,
        collect: None,
        upgrades: false,
        most: None,
        time: None,
        number: RouteNumber::NONE,
    };

    pub(crate) fn new<A: Answer>(
        call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
    ) -> Self {
        Self {
            whole: Some(erase(call)),
            ..Self::EMPTY
        }
    }

    pub(crate) fn upgrading(mut self) -> Self {
        self.upgrades = true;
        self
    }

    pub(crate) fn collecting(mut self, limit: usize) -> Self {
        self.collect = Some(limit);
        self
    }
}

/// The handling of a request's body by an endpoint.
pub(super) enum Plan<'e> {
    Whole(&'e Call),
    /// Call this; the body comes in pieces.
    Pieces(&'e Call),
    /// Collect the body, up to so many bytes.
    Collect(usize),
    TooLarge,
}

impl Endpoint {
    /// Decides by the length of the body. Without a length, an endpoint that can stream
    /// streams. `default` is the limit where the endpoint has none; a body not `fresh` was
    /// collected within it.
    pub(super) fn plan(&self, content: &Content<'_>, default: usize, fresh: bool) -> Plan<'_> {
        let limit = if fresh {
            self.collect.unwrap_or(default)
        } else {
            usize::MAX
        };
        let fits = |length: u64| usize::try_from(length).is_ok_and(|length| length <= limit);
        let is_here = !matches!(content, Content::Follows { .. });
        let collectable = match content {
            Content::None => true,
            Content::Whole(data) => data.len() <= limit,
            Content::Follows {
                length: Some(length),
            } => fits(*length),
            Content::Follows { length: None } => self.streamed.is_none(),
        };
        match (&self.whole, &self.streamed) {
            (Some(call), _) if collectable && is_here => Plan::Whole(call),
            (Some(_), _) if collectable => Plan::Collect(limit),
            (_, Some(call)) => Plan::Pieces(call),
            (_, None) => Plan::TooLarge,
        }
    }
}

pub(crate) fn erase<A: Answer>(
    call: impl Fn(&Request<'_>, Reply<'_, '_>) -> A + Send + Sync + 'static,
) -> Box<Call> {
    Box::new(move |request, reply| call(request, reply).into_result())
}
