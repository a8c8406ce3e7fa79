//! Forms of several parts (`multipart/form-data`, RFC 7578), read as they come.
//!
//! ```text
//!   --boundary CRLF                                        ┐
//!   Content-Disposition: form-data; name="a"; filename="b" │ Part
//!   Content-Type: text/plain CRLF                          │
//!   CRLF                                                   ┘
//!   content                                                  Content, in pieces
//!   CRLF --boundary                                          End
//!   -- CRLF
//! ```
//!
//! The [`MultipartReader`] is told what has arrived, in whatever pieces, and gives one event
//! at a time. It keeps the head of a part, and no content: of a boundary that a piece cuts
//! it knows how much has matched. What it may keep, and how much may come, is bounded by
//! [`MultipartLimits`].
//!
//! ```
//! use barewire::http::multipart::{MultipartEvent, MultipartLimits, MultipartReader};
//! use barewire::wire::Step;
//!
//! let mut reader = MultipartReader::new("multipart/form-data; boundary=x")?;
//! let mut body = &b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhello\r\n--x--\r\n"[..];
//! let mut content = Vec::new();
//! while !body.is_empty() {
//!     let received = reader.receive(body, &MultipartLimits::DEFAULT)?;
//!     match received.step {
//!         Step::Event(MultipartEvent::Part(part)) => assert_eq!(part.name(), "a"),
//!         Step::Event(MultipartEvent::Content(piece)) => content.extend_from_slice(piece),
//!         _ => {}
//!     }
//!     body = &body[received.used..];
//! }
//! reader.finish()?;
//! assert_eq!(content, b"hello");
//! # Ok::<(), barewire::http::multipart::MultipartError>(())
//! ```

mod error;
mod limits;
mod part_head;
mod reader;

pub use error::MultipartError;
pub use limits::MultipartLimits;
pub use part_head::PartHead;
pub use reader::{MultipartEvent, MultipartReader};
