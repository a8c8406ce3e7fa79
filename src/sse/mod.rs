//! Server-Sent Events (WHATWG HTML §9.2), both ways.
//!
//! A stream is UTF-8 text in lines that end with LF, CR or CRLF. Lines make
//! blocks, and a blank line ends a block and dispatches it:
//!
//! ```text
//!  : a comment                          ← ignored: heartbeats are made of it
//!  event: notification                  ← the type, "message" if there is none
//!  id: 7                                ← sent back as Last-Event-ID on reconnection
//!  retry: 2500                          ← milliseconds to wait before that
//!  data: {"title":"one",                ┐ joined by LF
//!  data:  "message":"two lines"}        ┘
//!                                       ← blank: dispatch
//! ```
//!
//! [`Event`] writes blocks, and no text of its caller's can forge a line of
//! one. [`Decoder`] reads them from any cut of the stream; what it gives out
//! borrows the caller's buffer.
//!
//! Calls come in this order: [`Decoder::receive`] when bytes have arrived, and again
//! until it gives no event; [`Reconnection::observe`] with each event, to keep what
//! the next connection starts from; [`Decoder::receive_end`] once, if a cut event is
//! wanted, too. Each may change the decoder and, in place, the open block in the
//! input. A new connection takes a new decoder: nothing of a stream that was cut
//! belongs to the next one, except what `Reconnection` keeps. There is no deadline:
//! how long a stream may be silent depends on the application.
//!
//! ```
//! use barewire::sse::{Decoded, Decoder, Event, Limits};
//! use barewire::wire::{Slice, Step};
//!
//! let mut memory = [0; 64];
//! let mut out = Slice::new(&mut memory);
//! Event::new("one\ntwo").event("note").id("7").encode(&mut out).unwrap();
//! assert_eq!(out.written(), b"event: note\nid: 7\ndata: one\ndata: two\n\n");
//!
//! let mut input = out.written().to_vec();
//! let received = Decoder::new().receive(&mut input, &Limits::DEFAULT).unwrap();
//! let Step::Event(Decoded::Message(message)) = received.step else { panic!() };
//! assert_eq!(message.event, "note");
//! assert_eq!(message.data, "one\ntwo");
//! assert_eq!(message.id.unwrap(), "7");
//! ```

mod block;
mod decode;
mod encode;
mod error;
mod event;
mod limits;
mod line;
#[cfg(feature = "alloc")]
mod reconnection;
mod text;

pub use decode::{Decoded, Decoder, Message};
pub use encode::encode_comment;
pub use error::{ProtocolError, UsageError};
pub use event::Event;
pub use limits::Limits;
#[cfg(feature = "alloc")]
pub use reconnection::Reconnection;
pub use text::Text;

/// The media type of a stream (WHATWG HTML §9.2.2).
pub const CONTENT_TYPE: &str = "text/event-stream";
