//! Layer 2: what is said to Redis, without I/O.
//!
//! [`Session`] is one connection: commands go out, and [`Reply`]s are answers to them or
//! pushes. [`Message`] is the form in which publications travel and are kept, [`Names`] says
//! under which names, and [`Script`]s do in one step what belongs together.
//! [`app::RedisBackplane`](crate::app::RedisBackplane) is what most programs want.

mod message;
mod names;
mod resp;
mod script;
mod session;

pub use message::Message;
pub(crate) use message::{decimal, decimals, hex, hexadecimal};
pub(crate) use names::SLOTS;
pub use names::{Names, Purpose};
pub use resp::{Framer, Reply, ReplyError, Token};
pub use script::Script;
pub use session::{Incoming, Session, put_command};
