//! A span for every exchange (crate `tracing`).

use core::fmt;

use tracing::field::Empty;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::record::Record;
use crate::app::exchange::reply::Reply;
use crate::app::exchange::reply_end::ReplyEnd;
use crate::app::exchange::request_id::RequestId;
use crate::app::exchange::request_span::RequestSpan;
use crate::http::TraceContext;

/// Opens a span for every exchange: from its head until its reply has left, at the level
/// INFO and with the target `barewire`. Any subscriber of
/// [`tracing`](https://docs.rs/tracing) shows it.
///
/// ```
/// use barewire::app::{App, RequestIds, Spans};
///
/// App::new()
///     .with(RequestIds::new()) // in front: the span shows the id
///     .with(Spans::new())
///     .get("/users/{id}", |_request, reply| {
///         tracing::info!("inside the span");
///         reply.text("Ann")
///     });
/// ```
///
/// Its fields are named as OpenTelemetry names them where it has a name:
///
/// | field | when | value |
/// |---|---|---|
/// | `otel.kind` | begin | `server` |
/// | `http.request.method`, `url.path`, `url.scheme` | begin | of the request; never its query or its fields |
/// | `client.address` | begin | the client's address |
/// | `request.id`, `trace.id` | begin | of [`RequestIds`](crate::app::RequestIds) and [`Traces`](crate::app::Traces), if they come before |
/// | `otel.name`, `http.route` | end | method and pattern of the route; its pattern |
/// | `http.response.status_code`, `http.response.body.size` | end | the status; the bytes of content that have left |
/// | `otel.status_code` | end | `ERROR` from status 500 on |
/// | `duration_ms` | end | milliseconds from the head to the end |
///
/// The route's closure is called inside the span. What goes on later, in a session, a future
/// or a thread, enters it by [`Request::span`](crate::app::Request::span). The span of a
/// WebSocket or an event stream lasts as long as that.
///
/// Where no subscriber wants the span, the request is not watched further.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spans(());

impl Spans {
    /// Spans as they are described above.
    pub const fn new() -> Self {
        Self(())
    }
}

impl Middleware for Spans {
    fn before(&self, request: &mut Incoming<'_, '_>, _: Reply<'_, '_>) -> Next {
        // What stands behind `=` is worked out for a span that somebody wants.
        let span = tracing::info_span!(
            target: "barewire",
            "request",
            otel.kind = "server",
            otel.name = Empty,
            otel.status_code = Empty,
            http.request.method = request.method().as_str(),
            url.path = request.path(),
            url.scheme = request.scheme(),
            client.address = request.peer().and_then(|it| it.ip()).map(tracing::field::display),
            request.id = request.extensions().get().map(RequestId::as_str),
            trace.id = request.extensions().get().map(|it| tracing::field::display(TraceId(it))),
            http.route = Empty,
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            duration_ms = Empty,
        );
        if !span.is_disabled() {
            request.insert(RequestSpan(span));
        }
        Next::Continue
    }

    fn watches_some_ends(&self) -> bool {
        true
    }

    fn ended(&self, record: &Record, end: &ReplyEnd<'_>) {
        let Some(RequestSpan(span)) = record.extensions().get() else {
            return;
        };
        if let Some(route) = end.route() {
            span.record("http.route", route);
            let name = alloc::format!("{} {route}", record.method().as_str());
            span.record("otel.name", name.as_str());
        }
        let status = end.status().code();
        span.record("http.response.status_code", status);
        span.record("http.response.body.size", end.bytes());
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        span.record("duration_ms", end.elapsed().as_secs_f64() * 1e3);
    }
}

/// The id of a trace in hexadecimal digits.
struct TraceId<'a>(&'a TraceContext);

impl fmt::Display for TraceId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0.trace_id()))
    }
}
