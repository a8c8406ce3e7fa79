//! The faults of header blocks.

/// The peer broke RFC 7541: the tables are out of step, and the connection
/// ends with COMPRESSION_ERROR (RFC 9113 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The block ends inside an instruction.
    #[error("header block ends inside an instruction (RFC 7541 §3.2)")]
    Truncated,
    /// An integer above 2^32-1, or of more octets than one that large needs.
    #[error("integer out of range (RFC 7541 §5.1)")]
    Integer,
    /// An index of zero, or beyond both tables.
    #[error("index of no entry (RFC 7541 §2.3.3)")]
    Index,
    /// A Huffman-coded string with an EOS symbol, or padded with more than 7
    /// bits or with other bits than ones.
    #[error("string is not Huffman code (RFC 7541 §5.2)")]
    Huffman,
    /// A size update above the size that the decoder allows.
    #[error("table size update above the allowed size (RFC 7541 §6.3)")]
    SizeUpdate,
    /// A size update after the first field of a block, or more than two.
    #[error("table size update where none can take effect (RFC 7541 §4.2)")]
    SizeUpdatePlace,
    /// The allowed size went down and the next block did not follow.
    #[error("table size update is missing (RFC 7541 §4.2)")]
    SizeUpdateMissing,
    /// A field that must enter the table is larger than the room that was lent
    /// for decoding: without an allocator the tables part here.
    #[error("field is larger than the decoder's room (RFC 7541 §4.4)")]
    NoRoom,
}
