//! The counters of a backplane.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident $metric:literal,)*) => {
        /// A snapshot of what a [`RedisBackplane`](crate::app::RedisBackplane) has done so far.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct RedisMetrics {
            $($(#[$doc])* pub $name: u64,)*
            /// Publications, joins and questions that wait for the server now.
            pub waiting: usize,
            /// Whether a server is connected.
            pub is_connected: bool,
        }

        /// The counters.
        #[derive(Debug, Default)]
        pub(crate) struct Counts {
            $(pub(crate) $name: AtomicU64,)*
            pub(crate) waiting: AtomicUsize,
            pub(crate) waiting_bytes: AtomicUsize,
            pub(crate) is_connected: AtomicBool,
        }

        impl Counts {
            pub(crate) fn snapshot(&self) -> RedisMetrics {
                RedisMetrics {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    waiting: self.waiting.load(Ordering::Relaxed),
                    is_connected: self.is_connected.load(Ordering::Relaxed),
                }
            }
        }

        impl fmt::Display for RedisMetrics {
            /// In Prometheus' text format.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "# TYPE barewire_redis_{0} counter\nbarewire_redis_{0} {1}", $metric, self.$name)?;)*
                writeln!(f, "# TYPE barewire_redis_waiting gauge\nbarewire_redis_waiting {}", self.waiting)?;
                let connected = u8::from(self.is_connected);
                writeln!(f, "# TYPE barewire_redis_connected gauge\nbarewire_redis_connected {connected}")
            }
        }
    };
}

counts! {
    /// Messages that came from other processes.
    received "received_total",
    /// Messages that had not the documented form, or were too long: dropped.
    dropped "dropped_total",
    /// Publications that the server has taken.
    published "published_total",
    /// Publications that were sent again, as no answer came.
    resent "resent_total",
    /// Publications of unknown outcome.
    unknown "unknown_total",
    /// Publications that were refused.
    refused "refused_total",
    /// Histories that were read.
    reads "reads_total",
    /// Times that members were sent away: something was lost or a new epoch began.
    lost "lost_total",
    /// Connections that were made.
    connected "connections_total",
    /// Connections that failed, or could not be made.
    failed "failures_total",
    /// Replies that broke the protocol, or did not answer what was asked.
    malformed "malformed_total",
    /// Errors by which the server refused a command for good, such as NOPERM and OOM.
    errors "errors_total",
    /// Errors after which a command was sent again, such as MOVED and LOADING.
    retried "retried_total",
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
