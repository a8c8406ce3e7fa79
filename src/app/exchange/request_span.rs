//! The span of a request (crate `tracing`).

/// The span that [`Spans`](crate::app::Spans) have opened for a request: kept with its
/// extensions, so that a request without one carries nothing for it.
pub(crate) struct RequestSpan(pub(crate) tracing::Span);
