//! The limits of GraphQL's transports.

use core::time::Duration;

use crate::wire::setters;

/// Limits on what one peer sends. Depth, aliases and cost of a document are bounded by its
/// executor.
///
/// ```
/// use barewire::graphql::Limits;
///
/// let limits = Limits::DEFAULT.with_batch(10);
/// assert_eq!(limits.nesting, 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request: a body, the query of a URL, or a WebSocket message. Stops: bodies
    /// that fill memory. The client sees 413, or the close code 4400.
    pub message: usize,
    /// Bytes of a document. Stops: documents that take long to parse. The client sees 413, or
    /// an `error` for that operation.
    pub document: usize,
    /// How deep arrays and objects of the JSON may be nested. Stops: variables at which a
    /// parser overflows its stack. The client sees 400, or the close code 4400.
    pub nesting: usize,
    /// Requests of a batch; with none a batch is refused. Stops: one request that asks for
    /// the work of a thousand. The client sees 400.
    pub batch: usize,
    /// Places where files of a multipart request stand; with none it is refused. Stops: forms
    /// of many parts. The client sees 415 if there may be none, otherwise 413.
    pub uploads: usize,
    /// Bytes of an operation's id. Stops: ids that fill memory. The client sees the close
    /// code 4400, or 400.
    pub id: usize,
    /// Operations of a connection at one time. Stops: one client that has all the work. The
    /// client sees an `error` for that operation, or 429.
    pub operations: usize,
    /// Subscriptions among them. Stops: one client that listens to everything. Likewise.
    pub subscriptions: usize,
    /// From the opening of a WebSocket to its `connection_init`, and to the application's
    /// answer; an event stream's token is
    /// kept at least so long for its stream, and at most twice. Stops: clients that hold a
    /// connection without a word. The client sees the close code 4408, or 404.
    pub init_time: Duration,
    /// From the client's `connection_init` to the server's answer. Stops: servers that never
    /// answer. The server sees the close code 4504.
    pub ack_time: Duration,
    /// Documents that are kept by their hashes, as clients have sent them; with none they are
    /// not kept. Stops: clients that fill the store. The oldest one gives way.
    pub kept_documents: usize,
    /// Bytes of those documents. Likewise.
    pub kept_bytes: usize,
}

impl Limits {
    /// Good for browsers that are not trusted.
    pub const DEFAULT: Self = Self {
        message: 1024 * 1024,
        document: 64 << 10,
        nesting: 64,
        batch: 0,
        uploads: 0,
        id: 128,
        operations: 100,
        subscriptions: 50,
        init_time: Duration::from_secs(10),
        ack_time: Duration::from_secs(10),
        kept_documents: 1_000,
        kept_bytes: 1024 * 1024,
    };

    setters! {
        with_message message: usize,
        with_document document: usize,
        with_nesting nesting: usize,
        with_batch batch: usize,
        with_uploads uploads: usize,
        with_id id: usize,
        with_operations operations: usize,
        with_subscriptions subscriptions: usize,
        with_init_time init_time: Duration,
        with_ack_time ack_time: Duration,
        with_kept_documents kept_documents: usize,
        with_kept_bytes kept_bytes: usize,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
