//! Compression of messages by the extension permessage-deflate (RFC 7692).
//!
//! ```text
//!   client                                                                server
//!     | -- Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits --> |
//!     | <------------- permessage-deflate; server_max_window_bits=12; ... --------- |
//!     | == messages whose first frame has RSV1 set are compressed ================= |
//! ```
//! - [`Offer`] and [`Agreement`] are the two forms of its parameters on the wire, and
//!   [`Policy`] is what a server agrees to. All of that is text, and compresses nothing.
//! - A *window* is the plain text before a byte that compressed data may refer to. Each
//!   direction has one, of 2⁸ to 2¹⁵ bytes ([`WindowBits`]). With *context takeover* it
//!   reaches into earlier messages, so that both sides have to keep them; without, it
//!   begins anew with each message.

mod agreement;
#[cfg(feature = "alloc")]
mod context;
#[cfg(feature = "alloc")]
mod inflating;
mod offer;
#[cfg(feature = "alloc")]
mod packing;
mod parameters;
mod policy;
mod session;
mod text;
#[cfg(feature = "alloc")]
mod window;

pub use agreement::Agreement;
#[cfg(feature = "alloc")]
pub(crate) use context::Meter;
#[cfg(feature = "alloc")]
pub(super) use context::{Context, worthwhile};
#[cfg(feature = "alloc")]
pub(super) use inflating::inflate_message;
pub use offer::{ClientWindow, Offer, Offers};
#[cfg(feature = "alloc")]
pub(crate) use packing::pack;
pub use parameters::{InvalidParameters, WindowBits};
pub use policy::{Policy, Unhinted};
pub use session::Session;
pub(super) use text::Text;
#[cfg(feature = "alloc")]
pub(super) use window::Window;

/// The name of the extension (RFC 7692 §7).
pub const NAME: &str = "permessage-deflate";
