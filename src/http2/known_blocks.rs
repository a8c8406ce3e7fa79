//! Blocks that are sent again as the same octets.
//!
//! The responses of a server differ little: as long as the table has not changed,
//! equal fields make an equal block, and have been checked already.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::cost::{Cost, Parts};
use crate::http::{Fields, Status, date::Date};
use crate::wire::shortcut;

const KNOWN: usize = 4;
/// Lists that are remembered to have been sent once.
const SEEN: usize = 8;
/// The largest list that is remembered, in octets.
const MOST: u16 = 512;

/// The blocks of one connection that were sent more than once.
#[derive(Debug, Default)]
pub(super) struct KnownBlocks {
    memory: Option<Box<Memory>>, // allocates when a block is sent again
    /// Marks that tell lists apart most of the time; 0: none.
    seen: [u64; SEEN],
    next: u8,
}

#[derive(Debug, Default)]
struct Memory {
    blocks: [Block; KNOWN],
    next: usize,
}

#[derive(Debug, Default)]
struct Block {
    /// The table's count of changes.
    changes: u64,
    mark: u64,
    octets: Vec<u8>, // empty: there is none
    status: Option<Status>,
    length: Option<u64>,
    date: Option<Date>,
    ends: Vec<(u16, u16)>,
    lines: Vec<u8>, // the fields as lines: `name: value CRLF`
    cost: Cost,
}

impl Block {
    #[inline(always)]
    fn is(&self, changes: u64, parts: &Parts<'_>) -> bool {
        self.status == parts.status && self.changes == changes && self.has_all(parts)
    }

    #[inline(always)]
    fn has_all(&self, parts: &Parts<'_>) -> bool {
        let same = self.length == parts.length
            && self.date.as_ref().map(Date::as_bytes) == parts.date.map(Date::as_bytes);
        same && !self.octets.is_empty() && self.has(parts.fields)
    }

    #[inline(always)]
    fn has(&self, fields: Fields<'_>) -> bool {
        // Each has been checked, so that the lines are these fields alone.
        if let Some(lines) = fields.plain_lines() {
            return self.lines == lines;
        }
        self.has_each(fields)
    }

    /// Whether these are the fields, where they do not stand as lines.
    fn has_each(&self, fields: Fields<'_>) -> bool {
        let (mut ends, mut at) = (self.ends.iter(), 0);
        for field in fields.iter() {
            let Some(&(name, value)) = ends.next() else {
                return false;
            };
            let (name, value) = (usize::from(name), usize::from(value));
            if self.lines.get(at..name) != Some(field.name)
                || self.lines.get(name + 2..value) != Some(field.value)
            {
                return false;
            }
            at = value + 2;
        }
        ends.next().is_none()
    }
}

impl KnownBlocks {
    pub(super) fn find(&self, changes: u64, parts: &Parts<'_>) -> Option<(usize, Cost)> {
        if !shortcut!("known_blocks") {
            return None;
        }
        let mut blocks = self.memory.as_ref()?.blocks.iter().enumerate();
        let (at, block) = blocks.find(|(_, block)| block.is(changes, parts))?;
        Some((at, block.cost))
    }

    /// The octets of the block for these parts, if a peer takes a list of this size.
    #[inline(never)]
    pub(super) fn octets_of(
        &self,
        changes: u64,
        parts: &Parts<'_>,
        header_list: u32,
    ) -> Option<&[u8]> {
        let blocks = &self.memory.as_ref()?.blocks;
        let is = |block: &&Block| block.is(changes, parts);
        let block = blocks.iter().find(is)?;
        block.cost.fits(header_list).ok()?;
        Some(&block.octets)
    }

    pub(super) fn octets(&self, at: usize) -> &[u8] {
        let block = self
            .memory
            .as_ref()
            .and_then(|memory| memory.blocks.get(at));
        block.map_or(&[], |block| &block.octets)
    }

    /// Notes a block that has changed nothing; on the second time it is remembered.
    pub(super) fn note(&mut self, changes: u64, parts: &Parts<'_>, cost: Cost, octets: &[u8]) {
        if octets.len() + cost.list > usize::from(MOST) {
            return;
        }
        let status = parts.status.map_or(0, Status::code);
        let length = parts.length.unwrap_or(u64::MAX >> 32);
        let mark = length << 32 | (cost.list as u64) << 16 | u64::from(status);
        // A list that is sent once is worth eight octets, and no copy.
        if !self.seen.contains(&mark) {
            if let Some(seen) = self.seen.get_mut(usize::from(self.next)) {
                *seen = mark;
            }
            self.next = (self.next + 1) % SEEN as u8;
            return;
        }
        let memory = self.memory.get_or_insert_default();
        let date = parts.date.map(Date::as_bytes);
        let is_old = |block: &Block| {
            let is_past = || block.date.as_ref().map(Date::as_bytes) != date;
            block.mark == mark && (block.changes != changes || is_past())
        };
        let at = memory.blocks.iter().position(is_old);
        let Some(block) = memory.blocks.get_mut(at.unwrap_or(memory.next)) else {
            return;
        };
        if at.is_none() {
            memory.next = (memory.next + 1) % KNOWN;
        }
        (block.changes, block.cost, block.mark) = (changes, cost, mark);
        (block.status, block.length) = (parts.status, parts.length);
        block.date = parts.date.copied();
        block.octets.clear();
        block.octets.extend_from_slice(octets);
        block.ends.clear();
        block.lines.clear();
        for field in parts.fields.iter() {
            block.lines.extend_from_slice(field.name);
            let name = block.lines.len() as u16; // at most MOST
            block.lines.extend_from_slice(b": ");
            block.lines.extend_from_slice(field.value);
            block.ends.push((name, block.lines.len() as u16));
            block.lines.extend_from_slice(b"\r\n");
        }
    }

    pub(super) fn clear(&mut self) {
        self.memory = None;
    }

    pub(super) fn memory(&self) -> usize {
        let of = |block: &Block| {
            block.octets.capacity()
                + block.lines.capacity()
                + block.ends.capacity() * size_of::<(u16, u16)>()
        };
        self.memory.as_ref().map_or(0, |memory| {
            size_of::<Memory>() + memory.blocks.iter().map(of).sum::<usize>()
        })
    }
}
