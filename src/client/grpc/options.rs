//! The options of a call.

use alloc::string::String;
use core::time::Duration;

use crate::grpc::{UsageError, metadata};
use crate::http::{Field, FieldBuffer, Fields, TraceContext};

/// The options of one call.
///
/// ```
/// use barewire::client::CallOptions;
/// use core::time::Duration;
///
/// let options = CallOptions::new()
///     .timeout(Duration::from_secs(5))
///     .metadata("x-request-id", "7f3a")
///     .binary_metadata("trace-bin", &[0xab, 0xab]);
/// assert_eq!(options.metadata_fields().get("trace-bin").unwrap(), b"q6s");
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    pub(super) timeout: Option<Duration>,
    pub(super) wait_for_ready: bool,
    pub(super) compress: bool,
    pub(super) by_get: bool,
    pub(super) metadata: FieldBuffer,
    pub(super) fault: Option<UsageError>,
}

impl CallOptions {
    /// No timeout, no metadata, nothing compressed, and an immediate error if the
    /// server cannot be reached.
    pub const fn new() -> Self {
        Self {
            timeout: None,
            wait_for_ready: false,
            compress: false,
            by_get: false,
            metadata: FieldBuffer::new(),
            fault: None,
        }
    }

    /// Ends the call with DEADLINE_EXCEEDED after `timeout`, which the server
    /// is told.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes the call wait until the server can be reached (gRPC wait for ready). Without
    /// it, a call ends with UNAVAILABLE when an attempt to connect fails.
    #[must_use]
    pub const fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Makes a unary call of Connect by GET, which caches may answer and which is sent
    /// again if its connection is lost: for methods without side effects alone. A request
    /// whose target would be longer than 8,000 bytes goes by POST, and so do all calls in
    /// other protocols.
    #[must_use]
    pub const fn http_get(mut self) -> Self {
        self.by_get = true;
        self
    }

    /// Compresses the messages of the call with gzip (gRPC compression). A
    /// server that does not read it ends the call with UNIMPLEMENTED. What a
    /// server sends compressed is read in any case.
    ///
    /// ```no_run
    /// # use barewire::client::{CallOptions, Channel};
    /// # let channel = Channel::connect("http://127.0.0.1:50051")?;
    /// let options = CallOptions::new().compression();
    /// let mut requests = channel.client_streaming::<Vec<u8>, Vec<u8>>("/log.Log/Add", options)?;
    /// requests.send(&vec![b' '; 10_000])?;
    /// requests.send_uncompressed(&b"short".to_vec())?;
    /// let added = requests.finish()?;
    /// println!("compressed: {}", added.is_compressed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "gzip")]
    #[must_use]
    pub const fn compression(mut self) -> Self {
        self.compress = true;
        self
    }

    /// Sends an entry of metadata along: printable ASCII, or base64 under a
    /// `-bin` name. What cannot be sent ends the call with INTERNAL.
    #[must_use]
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        let entry = Field::new(name, value);
        let pushed = metadata::check(entry).and_then(|()| {
            let pushed = self.metadata.push(name, value);
            pushed.map_err(|_| UsageError::MetadataValue)
        });
        self.fault = self.fault.or(pushed.err());
        self
    }

    /// Makes the call a part of a trace (W3C Trace Context): sends `traceparent` and
    /// `tracestate`.
    ///
    /// ```
    /// use barewire::client::CallOptions;
    /// use barewire::http::TraceContext;
    ///
    /// let trace = TraceContext::new([7; 16], [1; 8], true)?;
    /// let options = CallOptions::new().trace(&trace);
    /// assert!(options.metadata_fields().contains("traceparent"));
    /// # Ok::<(), barewire::http::InvalidTrace>(())
    /// ```
    #[must_use]
    pub fn trace(self, context: &TraceContext) -> Self {
        let options = self.metadata("traceparent", &alloc::format!("{context}"));
        match context.state() {
            "" => options,
            state => options.metadata("tracestate", state),
        }
    }

    /// Sends octets along, under a name that ends with `-bin`.
    #[must_use]
    pub fn binary_metadata(mut self, name: &str, octets: &[u8]) -> Self {
        if !metadata::is_binary(name.as_bytes()) {
            self.fault = self.fault.or(Some(UsageError::MetadataName));
            return self;
        }
        let value: String = metadata::binary_value(octets);
        self.metadata(name, &value)
    }

    /// The metadata so far.
    pub fn metadata_fields(&self) -> Fields<'_> {
        self.metadata.as_fields()
    }
}
