//! Field compression for HTTP/2: HPACK (RFC 7541).
//!
//! A header block is a run of instructions on a table that both sides keep in
//! step:
//!
//! ```text
//!   1 index (7+)                         an entry, name and value
//!   0 1 name index (6+) [name] value     a literal that enters the table
//!   0 0 1 size (5+)                      a new size of the table
//!   0 0 0 1 name index (4+) [name] value a literal that never enters a table
//!   0 0 0 0 name index (4+) [name] value a literal that does not enter it
//!
//!   string:  H length (7+)  octets       H = coded with the Huffman code
//! ```
//!
//! [`Decoder`] writes the fields of one block into the room that its caller
//! lends and judges the list's size as it goes: nothing beyond the limit is
//! written, and the table stays in step even then. [`Encoder`] appends to a
//! [`Sink`](crate::wire::Sink). Both keep their entries in a [`DynamicTable`],
//! over arrays of the caller's ([`Borrowed`]) or over memory that grows with
//! use (`Growing`, with `alloc`), at most 64 KiB of text.
//!
//! What can go wrong is a [`ProtocolError`]: the tables are out of step, and the
//! connection must end with COMPRESSION_ERROR (RFC 9113 §4.3).

mod buckets;
mod decode;
mod dynamic_table;
mod encode;
mod error;
mod huffman;
mod instruction;
mod integer;
mod list;
mod memory;
mod short;
mod static_table;

pub use decode::{Decoded, Decoder, Room};
pub use dynamic_table::{DynamicTable, Stored};
pub use encode::{Encoder, Indexing};
pub use error::ProtocolError;
pub use list::NeverIndexed;
#[cfg(any(feature = "alloc", test))]
pub use memory::Growing;
pub use memory::{Borrowed, Entry, MAX_CAPACITY, Memory};

/// What an entry or a field counts beside its name and value (RFC 7541 §4.1,
/// RFC 9113 §6.5.2).
pub const FIELD_OVERHEAD: u32 = 32;

/// The size of a table that nobody has talked about (RFC 9113 §6.5.2).
pub const DEFAULT_CAPACITY: u32 = 4096;
