//! The gRPC services' descriptors, for reflection: an encoded
//! `FileDescriptorSet` of all files in `protos/`, with what they import.
//!
//! A test compiles the files and compares. After a change of one of them,
//! `WRITE=1 cargo test -p showcase --test descriptors` writes it again.

/// All of them, encoded.
pub(crate) const ENCODED: &[u8] = include_bytes!("../protos/descriptors.binpb");
