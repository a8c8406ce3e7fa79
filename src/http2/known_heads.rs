//! Heads that come again as the same octets.
//!
//! A client's requests differ little, and compressed often not at all. As
//! long as the table has not changed, an equal block is an equal list, which has
//! been checked already.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::block::Decoded;
use super::head::Judged;
use crate::http::{FieldRange, Scratch};
use crate::wire::shortcut;

const KNOWN: usize = 4;
const SEEN: usize = 8;
/// The largest head that is remembered: octets of its block, and of its text.
const MOST: usize = 1024;

/// The heads of one connection that were received more than once.
#[derive(Debug, Default)]
pub(super) struct KnownHeads {
    memory: Option<Box<Memory>>, // allocates when a head comes again
    seen: [u32; SEEN],
    next: u8,
}

#[derive(Debug, Default)]
struct Memory {
    heads: [Head; KNOWN],
    next: usize,
}

/// A head whose block has changed nothing.
#[derive(Debug, Default)]
struct Head {
    changes: u64,
    block: Vec<u8>, // empty: there is none
    text: Vec<u8>,
    ranges: Vec<FieldRange>,
    judged: Option<Judged>,
}

impl KnownHeads {
    /// Puts the head that a block is known to be into the scratch, if it has at most `fields`
    /// fields.
    pub(super) fn find(
        &self,
        changes: u64,
        block: &[u8],
        fields: usize,
        scratch: &mut Scratch<'_>,
    ) -> Option<(Decoded, Judged)> {
        if !shortcut!("known_heads") {
            return None;
        }
        let heads = &self.memory.as_ref()?.heads;
        let known = heads
            .iter()
            .find(|head| head.changes == changes && head.block == block)?;
        let (text, ranges) = (known.text.len(), known.ranges.len());
        if ranges > fields {
            return None;
        }
        let (places, room) = scratch.parts();
        room?.get_mut(..text)?.copy_from_slice(&known.text);
        let places = places.get_mut(..ranges)?;
        places.copy_from_slice(&known.ranges);
        let list = Decoded {
            text,
            fields: ranges,
            complete: true,
            too_many: false,
        };
        Some((list, known.judged?))
    }

    /// Notes a head in the scratch whose block has changed nothing; on the second time it is
    /// remembered.
    pub(super) fn note(
        &mut self,
        changes: u64,
        block: &[u8],
        list: &Decoded,
        judged: Judged,
        scratch: &Scratch<'_>,
    ) {
        if block.is_empty() || block.len() > MOST || list.text > MOST {
            return;
        }
        let hash = hash(block) | 1;
        // A block that is received once is worth a hash, and no copy.
        if !self.seen.contains(&hash) {
            if let Some(seen) = self.seen.get_mut(usize::from(self.next)) {
                *seen = hash;
            }
            self.next = (self.next + 1) % SEEN as u8;
            return;
        }
        let memory = self.memory.get_or_insert_default();
        let Some(head) = memory.heads.get_mut(memory.next) else {
            return;
        };
        memory.next = (memory.next + 1) % KNOWN;
        let list = list.list(scratch);
        (head.changes, head.judged) = (changes, Some(judged));
        fill(&mut head.block, block);
        fill(&mut head.text, list.text);
        fill(&mut head.ranges, list.ranges);
    }

    pub(super) fn clear(&mut self) {
        self.memory = None;
    }

    pub(super) fn memory(&self) -> usize {
        let of = |head: &Head| {
            head.block.capacity()
                + head.text.capacity()
                + head.ranges.capacity() * size_of::<FieldRange>()
        };
        self.memory.as_ref().map_or(0, |memory| {
            size_of::<Memory>() + memory.heads.iter().map(of).sum::<usize>()
        })
    }
}

fn fill<T: Copy>(into: &mut Vec<T>, from: &[T]) {
    into.clear();
    into.extend_from_slice(from);
}

fn hash(octets: &[u8]) -> u32 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, tail) = octets.as_chunks::<8>();
    let stir = |state: u64, word: u64| (state.rotate_left(23) ^ word).wrapping_mul(K);
    let state = words.iter().fold(octets.len() as u64, |state, word| {
        stir(state, u64::from_le_bytes(*word))
    });
    let last = tail.iter().fold(0, |last, &b| last << 8 | u64::from(b));
    (stir(state, last) >> 32) as u32 // the better half
}
