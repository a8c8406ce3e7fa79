//! Layer 2: the envelope, a conversation about channels that a browser has without a
//! library.
//!
//! Both sides send texts of JSON:
//!
//! ```text
//! {"message_id": "7", "message_type": "text", "payload": {"type": "subscribe", "channel": "tea"}}
//! {"message_id": "9d…", "message_type": "text", "payload": {"type": "subscribed", "channel": "tea",
//!     "in_reply_to": "7", …}, "timestamp": 1764470000.5, "sender_id": null}
//! ```
//!
//! - [`Request`] is what a client says, [`Answer`] what it is answered, and [`Published`]
//!   what it gets of a channel.
//! - [`Ask`] is what a client writes, and [`Received`] what it reads.
//!
//! Nothing here does I/O, reads a clock or draws a number. The payload of a broadcast passes
//! as it was written: no number loses a digit. `app::EnvelopeHub` is the server on top of
//! it, and `client::EnvelopeClient` the client; `docs/channels.md` has all messages in a
//! table.

mod answer;
mod ask;
mod code;
mod envelope_limits;
mod message_type;
mod published;
mod received;
mod request;
mod writer;

pub use answer::Answer;
pub use ask::Ask;
pub use code::{ErrorCode, Fault};
pub use envelope_limits::EnvelopeLimits;
pub use message_type::MessageType;
pub use published::Published;
pub use received::{Received, ReceivedAnswer};
pub use request::{Request, Since, Want};
pub use writer::Head;
