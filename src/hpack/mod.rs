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
//! For each block in the order of the wire a sender calls [`Encoder::begin`], then
//! [`Encoder::encode`] with each field, and a receiver [`Decoder::decode`], or
//! [`Decoder::skim`] where the fields are not wanted. Each of these may change the
//! table. So a block that was encoded must be sent, and one that was received must be
//! decoded, even if its stream is refused: otherwise every later block would mean
//! something else to the two sides. `set_ceiling` belongs between blocks: of the
//! encoder as the peer's SETTINGS are received, of the decoder as the peer
//! acknowledges ours.
//!
//! ```
//! use barewire::hpack::{Borrowed, Decoder, Encoder, Entry, Indexing, Room};
//! use barewire::http::{Field, FieldRange};
//!
//! let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
//! let memory = Borrowed { text: &mut text, entries: &mut entries };
//! let mut encoder = Encoder::new(memory, 4096);
//! let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
//! let memory = Borrowed { text: &mut text, entries: &mut entries };
//! let mut decoder = Decoder::new(memory);
//!
//! let (mut text, mut fields) = ([0; 4096], [FieldRange::EMPTY; 16]);
//! for octets in [6, 1] {
//!     let mut block = Vec::new();
//!     encoder.begin(&mut block);
//!     encoder.encode(Field::new("x-tier", "one"), Indexing::Incremental, &mut block);
//!     // The first block enters the field into both tables, the second names it.
//!     assert!(block.len() >= octets && (octets > 1 || block == [0xbe]));
//!
//!     let room = Room { text: &mut text, fields: &mut fields, list_limit: 4096 };
//!     let list = decoder.decode(&block, room)?;
//!     assert_eq!(list.fields().get("x-tier"), Some(&b"one"[..]));
//! }
//! # Ok::<(), barewire::hpack::ProtocolError>(())
//! ```
//!
//! A fault of the peer is a [`ProtocolError`]: the tables are out of step, and the
//! connection must end with COMPRESSION_ERROR (RFC 9113 §4.3).

mod decode;
mod dynamic_table;
mod encode;
mod error;
mod huffman;
mod instruction;
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

/// The size that an entry or a field counts beside its name and value (RFC 7541 §4.1,
/// RFC 9113 §6.5.2).
pub const FIELD_OVERHEAD: u32 = 32;

/// The size of a table for which none was announced (RFC 9113 §6.5.2).
pub const DEFAULT_CAPACITY: u32 = 4096;
