//! A conversation about channels, ready to be mounted on a route.

use alloc::borrow::{Cow, ToOwned as _};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

use uuid::Uuid;

use super::call::EnvelopeCall;
use super::format::{Envelopes, Note};
use super::metrics::{Counts, EnvelopeSnapshot};
use super::voice::written;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::format::{Delivery, Format};
use crate::app::channels::position::Position;
use crate::app::exchange::refusal::Done;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::publishing::handle::Handle;
use crate::app::publishing::hub::Hub;
use crate::app::publishing::join::Published;
use crate::app::publishing::post::Post;
use crate::envelope::{Answer, EnvelopeLimits, ErrorCode};
use crate::wire::partly_shown;

pub(super) type Handler = dyn Fn(&mut EnvelopeCall<'_, '_, '_, '_>) + Send + Sync;

/// A conversation about channels that browsers have without a library, ready to be mounted
/// on a route: the [envelope](crate::envelope)'s server. Clones share their numbers.
///
/// Clients subscribe to channels, unsubscribe, broadcast to all others of a channel, and
/// recover what they missed where the channel keeps history; `docs/channels.md` has the
/// messages. What is published in other ways reaches them too:
///
/// | published | `message_type` | `payload` |
/// |---|---|---|
/// | a broadcast, [`publish`](Self::publish) | `text` | the data as it was written |
/// | a text by [`Hub`], another session or process | `text` | the array or the object that it is; else a string |
/// | bytes | `binary` | a string: base64 |
///
/// ```
/// use barewire::app::{App, ChannelOptions, EnvelopeHub, History};
///
/// let app = App::new().channel("*", ChannelOptions::new().history(History::DEFAULT));
/// let hub = EnvelopeHub::new(app.hub())
///     .on("time", |call| {
///         let now = call.socket().unix_seconds();
///         call.answer("time", &now);
///     });
/// let app = app
///     .websocket_route("/ws/hub", hub.route())
///     .get("/metrics/hub", hub.metrics_route());
/// ```
#[derive(Clone)]
pub struct EnvelopeHub {
    hub: Hub,
    counts: Arc<Counts>,
    format: Arc<Envelopes>,
    handlers: BTreeMap<String, Arc<Handler>>,
    binary: Option<Arc<Handler>>,
    limits: EnvelopeLimits,
}

impl EnvelopeHub {
    /// A hub of an app's channels, without handlers, with [`EnvelopeLimits::DEFAULT`].
    pub fn new(hub: Hub) -> Self {
        Self {
            hub,
            counts: Arc::new(Counts::new()),
            format: Arc::new(Envelopes {
                namespace: String::new(),
            }),
            handlers: BTreeMap::new(),
            binary: None,
            limits: EnvelopeLimits::DEFAULT,
        }
    }

    /// Puts this in front of the names of its channels, so that they are others than those
    /// of the app's own sessions. Clients do not see it. Other sessions, event streams and
    /// [`Hub`] use the [full name](Self::channel).
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        let namespace = namespace.to_owned();
        self.format = Arc::new(Envelopes { namespace });
        self
    }

    /// The full name of a channel.
    pub fn channel(&self, name: &str) -> String {
        [&self.format.namespace, name].concat()
    }

    /// Sets the limits.
    #[must_use]
    pub const fn limits(mut self, limits: EnvelopeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Handles the messages whose payload has this `type`. `subscribe`, `unsubscribe` and
    /// `broadcast` are the hub's own, and have no handler.
    ///
    /// It runs on the loop of its client, and must not block.
    #[must_use]
    pub fn on(
        mut self,
        kind: &str,
        handler: impl Fn(&mut EnvelopeCall<'_, '_, '_, '_>) + Send + Sync + 'static,
    ) -> Self {
        self.handlers.insert(kind.to_owned(), Arc::new(handler));
        self
    }

    /// Handles binary messages. Without, they are answered with `unknown_type`.
    #[must_use]
    pub fn on_binary(
        mut self,
        handler: impl Fn(&mut EnvelopeCall<'_, '_, '_, '_>) + Send + Sync + 'static,
    ) -> Self {
        self.binary = Some(Arc::new(handler));
        self
    }

    /// Publishes JSON to all members of a channel, from any thread. To them it comes from
    /// the server: its `sender_id` is null.
    ///
    /// # Errors
    /// Those of serde: the value is no JSON, and was not published.
    pub fn publish(
        &self,
        channel: &str,
        data: &(impl serde::Serialize + ?Sized),
    ) -> Result<Published, serde_json::Error> {
        let json = serde_json::to_string(data)?;
        let note = Note::new(None);
        let post = Post::new(json.as_str()).note(note.as_bytes());
        Ok(self.hub.publish(&self.channel(channel), post))
    }

    /// Publishes like [`publish`](Self::publish), and calls `then` with the place that it was
    /// given, in a channel with history: before this returns, or later on another thread.
    ///
    /// # Errors
    /// Those of serde: the value is no JSON, was not published, and `then` is not called.
    pub fn publish_then(
        &self,
        channel: &str,
        data: &(impl serde::Serialize + ?Sized),
        then: impl FnOnce(Result<Option<Position>, ChannelError>) + Send + 'static,
    ) -> Result<(), serde_json::Error> {
        let json = serde_json::to_string(data)?;
        let note = Note::new(None);
        let post = Post::new(json.as_str()).note(note.as_bytes());
        self.hub.publish_then(&self.channel(channel), post, then);
        Ok(())
    }

    /// A message with this `type` and `data`, for [`Handle::send`].
    ///
    /// # Errors
    /// Those of serde: the value is no JSON.
    pub fn message(
        kind: &str,
        data: &(impl serde::Serialize + ?Sized),
    ) -> Result<String, serde_json::Error> {
        let data = &serde_json::to_string(data)?;
        Ok(written(&Answer::Message { kind, data }, None))
    }

    /// A connection as any thread reaches it, as long as it is open. Linear in the number of
    /// connections.
    pub fn connection(&self, id: Uuid) -> Option<Handle> {
        self.hub.session(self.counts.session_of(id)?)
    }

    /// The numbers as they stand.
    pub fn snapshot(&self) -> EnvelopeSnapshot {
        self.counts.snapshot(&self.hub, &self.format.namespace)
    }

    /// A route that shows the numbers in Prometheus' text format.
    pub fn metrics_route(
        &self,
    ) -> impl Fn(&Request<'_>, Reply<'_, '_>) -> Done + Send + Sync + 'static {
        let hub = self.clone();
        move |_request, reply| {
            let text = hub.snapshot().to_prometheus();
            reply.body("text/plain; version=0.0.4; charset=utf-8", text)
        }
    }

    // For sessions.

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) const fn rules(&self) -> &EnvelopeLimits {
        &self.limits
    }

    pub(super) fn handler(&self, kind: &str) -> Option<&Handler> {
        self.handlers.get(kind).map(|it| &**it)
    }

    pub(super) fn binary_handler(&self) -> Option<&Handler> {
        self.binary.as_deref()
    }

    pub(super) fn delivery(&self) -> Delivery {
        let format: Arc<dyn Format> = self.format.clone();
        Delivery::Format(format)
    }

    pub(super) fn full<'n>(&self, name: &'n str) -> Result<Cow<'n, str>, ChannelError> {
        if name.is_empty() {
            return Err(ChannelError::InvalidName);
        }
        let full = match self.format.namespace.is_empty() {
            true => Cow::Borrowed(name),
            false => Cow::Owned(self.channel(name)),
        };
        self.hub.check_name(&full)?;
        Ok(full)
    }

    /// The name that clients have for a channel.
    pub(super) fn short<'n>(&self, full: &'n str) -> &'n str {
        full.strip_prefix(&*self.format.namespace).unwrap_or(full)
    }

    pub(super) fn refused(&self, code: ErrorCode) {
        self.counts.refused(code);
    }
}

partly_shown!(it: EnvelopeHub { handlers: it.handlers.keys(), limits });
