//! A message that goes to many, compressed once.

use alloc::vec::Vec;

use bytes::Bytes;

use super::inflating::TAIL;
use crate::websocket::extension::Reserved;
use crate::websocket::frame::{Decoded, Head};
use crate::wire::codec::Deflater;
use crate::wire::{Role, Sink};

/// A server's frame, compressed for a window of 2^`window_bits` bytes without reference to
/// others. `None` if no shorter.
pub(crate) fn pack(
    frame: &[u8],
    window_bits: u8,
    number: u8,
    deflater: &mut Deflater,
) -> Option<Bytes> {
    let decoded = Head::decode(frame, Role::Server, Reserved::NONE).ok()?;
    let Decoded::Head { head, size } = decoded else {
        return None;
    };
    let payload = frame.get(size..)?;
    let level = deflater.compression(number).level;
    let packed = deflater.deflate(level, window_bits, &[], payload);
    let packed = packed.strip_suffix(&TAIL)?;
    let (plain, size) = (payload.len(), packed.len());
    if size >= plain {
        deflater.tally.left_plain += 1;
        return None;
    }
    let head = Head {
        reserved: Reserved::RSV1,
        length: packed.len() as u64,
        ..head
    };
    let mut out = Vec::with_capacity(packed.len() + 10);
    out.put(head.encode().as_bytes());
    out.put(packed);
    deflater.tally.add(plain, size, true);
    deflater.trim();
    Some(out.into())
}
