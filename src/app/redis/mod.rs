//! The backplane of Redis: channels of several processes.
//!
//! ```text
//!   RedisBackplane ─Command─► Shared ──► Driver, on a loop of its own
//!        (any thread)                       └─ Node, without I/O: channels, links, topology
//! ```

mod backplane;
mod channel;
mod connecting;
mod counts;
mod driver;
mod link;
mod node;
mod options;
mod pages;
mod reaction;
mod redis_limits;
mod replies;
mod shared;
mod topology;
mod tracker;
mod writing;

pub use backplane::RedisBackplane;
pub use counts::RedisMetrics;
pub use options::{RedisOptions, WhileRedisAway};
pub use redis_limits::RedisLimits;
