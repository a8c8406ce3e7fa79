//! Fields to header blocks (RFC 7541 §6, §7.1).
//!
//! How an encoder finds the entries of its table.
//!
//! ```text
//!   bucket of the name  ->  the newest entry of that bucket
//!   each entry          ->  the one before it in its bucket
//! ```
//!
//! All are told as distances: the newest entry of the table is at 1. What went
//! out of the table is further away than the table is long, and so is what is
//! after it, so that nothing has to be taken out of a chain. A number that has
//! come round may lead into another bucket's chain; what is found there is
//! compared like any other entry.

use super::dynamic_table::{DynamicTable, TableMatch};
use super::memory::Memory;
use super::{DEFAULT_CAPACITY, FIELD_OVERHEAD, huffman, instruction, static_table};
use crate::http::Field;
use crate::wire::Sink;

/// How an encoder writes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Indexing {
    /// It decides by the name: credentials and short cookies are never
    /// indexed, values that seldom come again stay out of the table, all else
    /// enters it.
    #[default]
    ByName,
    /// The field enters the table.
    Incremental,
    /// The field does not enter the table.
    Without,
    /// The field does not enter the table here or at any intermediary
    /// (RFC 7541 §7.1.3).
    Never,
}

/// The encoder of one direction of a connection.
///
/// ```
/// use barewire::hpack::{Borrowed, Encoder, Entry, Indexing};
/// use barewire::http::Field;
/// use barewire::wire::Slice;
///
/// let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
/// let memory = Borrowed { text: &mut text, entries: &mut entries };
/// let mut encoder = Encoder::new(memory, 4096);
///
/// let mut block = [0; 64];
/// let mut block = Slice::new(&mut block);
/// encoder.begin(&mut block);
/// encoder.encode(Field::new(":method", "GET"), Indexing::ByName, &mut block);
/// encoder.encode(Field::new("custom-key", "custom-value"), Indexing::ByName, &mut block);
/// encoder.encode(Field::new("custom-key", "custom-value"), Indexing::ByName, &mut block);
/// assert_eq!(block.written(), b"\x82\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\
///     \x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf\xbe");
/// ```
#[derive(Debug)]
pub struct Encoder<M> {
    table: DynamicTable<M>,
    buckets: Buckets,
    /// The size that this side wants to spend on its table.
    own: u32,
    /// The smallest capacity since the last block, if it has changed.
    lowest: Option<u32>,
}

impl<M: Memory> Encoder<M> {
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }

    pub(crate) fn trim(&mut self) {
        self.table.trim();
    }

    /// An encoder whose table takes at most `own` bytes, whatever the peer
    /// allows.
    pub fn new(memory: M, own: u32) -> Self {
        let mut encoder = Self {
            table: DynamicTable::new(memory, DEFAULT_CAPACITY),
            buckets: Buckets::EMPTY,
            own,
            lowest: None,
        };
        encoder.set_ceiling(DEFAULT_CAPACITY);
        encoder
    }

    /// The table as it stands.
    pub const fn table(&self) -> &DynamicTable<M> {
        &self.table
    }

    /// Follows the peer's SETTINGS_HEADER_TABLE_SIZE. The next block tells the
    /// peer what became of it.
    pub fn set_ceiling(&mut self, ceiling: u32) {
        let capacity = ceiling.min(self.own).min(self.table.ceiling());
        if capacity != self.table.capacity() {
            let lowest = self.lowest.map_or(capacity, |lowest| lowest.min(capacity));
            self.lowest = Some(lowest);
            self.table.set_capacity(capacity);
        }
    }

    /// Begins a block: appends the size updates that are due, at most two of 6
    /// octets.
    #[inline]
    pub fn begin(&mut self, out: &mut impl Sink) {
        if let Some(lowest) = self.lowest.take() {
            let capacity = self.table.capacity();
            if lowest < capacity {
                instruction::encode(lowest, 5, 0x20, out);
            }
            instruction::encode(capacity, 5, 0x20, out);
        }
    }

    /// Octets that [`encode`](Self::encode) can at most append for a field.
    #[inline]
    pub const fn bound(field: Field<'_>) -> usize {
        field.name.len() + field.value.len() + 13
    }

    /// Appends a field, whose name is in lower case (RFC 9113 §8.2).
    pub fn encode(&mut self, field: Field<'_>, indexing: Indexing, out: &mut impl Sink) {
        let Field { name, value } = field;
        let known = static_table::find(name, value);
        if known.whole && indexing != Indexing::Never {
            return instruction::encode(known.index, 7, 0x80, out);
        }
        let indexing = match indexing {
            Indexing::ByName => self.judge(known.index, name.len(), value.len()),
            asked => asked,
        };
        let (mut index, mut entry) = (known.index, None);
        if index == 0 || indexing == Indexing::Incremental {
            // A name of the static table is its index.
            let name_hash = match index {
                0 => mix(0, name),
                index => u64::from(index).wrapping_mul(SPREAD),
            };
            let distance = self.buckets.distance(name_hash);
            // What came last under a name comes again more often than not.
            if indexing != Indexing::Never && self.table.is_at(distance, name, value) {
                return instruction::encode(static_table::LEN + distance, 7, 0x80, out);
            }
            let hash = (mix(name_hash, value) >> 32) as u32;
            match self.table.find(name, value, hash, distance, index == 0) {
                TableMatch::Field(at) if indexing != Indexing::Never => {
                    return instruction::encode(static_table::LEN + 1 + at, 7, 0x80, out);
                }
                TableMatch::Field(at) | TableMatch::Name(at) if index == 0 => {
                    index = static_table::LEN + 1 + at;
                }
                TableMatch::Field(_) | TableMatch::Name(_) | TableMatch::Nothing => {}
            }
            entry = Some((name_hash, hash, distance));
        }
        let (flags, bits) = match indexing {
            Indexing::Incremental | Indexing::ByName => (0x40, 6),
            Indexing::Without => (0x00, 4),
            Indexing::Never => (0x10, 4),
        };
        instruction::encode(index, bits, flags, out);
        if index == 0 {
            put_text(name, out);
        }
        put_text(value, out);
        if indexing == Indexing::Incremental
            && let Some((name_hash, hash, distance)) = entry
            && self.table.insert_hashed(name, value, hash, distance)
        {
            self.buckets.insert(name_hash);
        }
    }

    /// How a field is best sent, by its name's static index and the lengths of its parts.
    #[inline]
    fn judge(&self, index: u32, name: usize, value: usize) -> Indexing {
        let is_one_of = |names: u64| names >> index & 1 != 0; // at most 61
        if is_one_of(CREDENTIALS) || is_one_of(COOKIE) && value < SHORT {
            return Indexing::Never;
        }
        let charge = name + value + FIELD_OVERHEAD as usize;
        if is_one_of(FLEETING) || charge > self.table.capacity() as usize / 4 * 3 {
            return Indexing::Without;
        }
        Indexing::Incremental
    }
}

const fn names(indices: &[u32]) -> u64 {
    match indices {
        [] => 0,
        [index, rest @ ..] => 1 << *index | names(rest),
    }
}

/// `authorization`, `proxy-authorization`.
const CREDENTIALS: u64 = names(&[23, 49]);
/// `cookie`. Guessing a short secret is feasible (RFC 7541 §7.1.3).
const COOKIE: u64 = names(&[32]);
const SHORT: usize = 20;
/// Whose values seldom come again: `:path`, `age`, `content-length`, `etag`,
/// `if-modified-since`, `if-none-match`, `location`, `set-cookie`.
const FLEETING: u64 = names(&[4, 21, 28, 34, 40, 41, 46, 55]);

/// Appends a string in the shorter of its two forms (RFC 7541 §5.2).
#[inline]
fn put_text(text: &[u8], out: &mut impl Sink) {
    if let Some(coded) = huffman::Short::encode(text) {
        return out.put(coded.string());
    }
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        instruction::encode(coded as u32, 7, 0x80, out);
        huffman::encode(text, coded, out);
    } else {
        instruction::encode(text.len() as u32, 7, 0, out);
        out.put(text);
    }
}

/// Spreads what is in the low bits over the high ones.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes the length and up to 24 octets of `text` into `seed`: beginning, middle and end.
/// Matches are compared completely.
#[inline]
fn mix(seed: u64, text: &[u8]) -> u64 {
    let mut state = (seed ^ text.len() as u64).wrapping_mul(SPREAD);
    let mut stir = |word: u64| state = (state.rotate_left(23) ^ word).wrapping_mul(SPREAD);
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        stir(u64::from_le_bytes(*first));
        stir(u64::from_le_bytes(*last));
        let middle = text.get((text.len() / 2).saturating_sub(4)..);
        if let Some(middle) = middle.and_then(|rest| rest.first_chunk())
            && text.len() > 16
        {
            stir(u64::from_le_bytes(*middle));
        }
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let first = u64::from(u32::from_le_bytes(*first));
        stir(first << 32 | u64::from(u32::from_le_bytes(*last)));
    } else {
        stir(text.iter().fold(0, |word, &b| word << 8 | u64::from(b)));
    }
    state ^ state >> 29
}

const BUCKETS: usize = 32;

/// The newest entry of each bucket.
#[derive(Debug)]
pub(super) struct Buckets {
    newest: [u16; BUCKETS], // as counted by `inserted`
    inserted: u16,          // comes round
}

impl Buckets {
    pub(super) const EMPTY: Self = Self {
        newest: [0; BUCKETS],
        inserted: 0,
    };

    /// How far away the newest entry is whose name is stirred to `name`: 1 to
    /// 65,536.
    #[inline]
    pub(super) fn distance(&self, name: u64) -> u32 {
        let newest = self.newest[Self::bucket(name)];
        u32::from(self.inserted.wrapping_sub(newest)) + 1
    }

    /// Notes that an entry of this name has become the newest one.
    #[inline]
    pub(super) fn insert(&mut self, name: u64) {
        self.inserted = self.inserted.wrapping_add(1);
        self.newest[Self::bucket(name)] = self.inserted;
    }

    #[inline]
    const fn bucket(name: u64) -> usize {
        (name >> (64 - BUCKETS.trailing_zeros())) as usize
    }
}

#[cfg(feature = "alloc")]
#[cfg(test)]
mod tests;
