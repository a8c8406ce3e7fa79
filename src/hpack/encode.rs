//! Fields to header blocks (RFC 7541 §6, §7.1).

use super::buckets::Buckets;
use super::dynamic_table::{DynamicTable, TableMatch};
use super::memory::Memory;
use super::{DEFAULT_CAPACITY, FIELD_OVERHEAD, huffman, integer, static_table};
use crate::http::Field;
use crate::wire::Sink;

/// What an encoder does with a field.
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
    /// What this side wants to spend on its table.
    own: u32,
    /// The smallest capacity since the last block, if it has changed.
    lowest: Option<u32>,
}

impl<M: Memory> Encoder<M> {
    /// Bytes of memory that the table's entries lie in.
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }

    /// Gives back the table's memory that its entries do not take.
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
                integer::encode(lowest, 5, 0x20, out);
            }
            integer::encode(capacity, 5, 0x20, out);
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
            return integer::encode(known.index, 7, 0x80, out);
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
                return integer::encode(static_table::LEN + distance, 7, 0x80, out);
            }
            let hash = (mix(name_hash, value) >> 32) as u32;
            match self.table.find(name, value, hash, distance, index == 0) {
                TableMatch::Field(at) if indexing != Indexing::Never => {
                    return integer::encode(static_table::LEN + 1 + at, 7, 0x80, out);
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
        integer::encode(index, bits, flags, out);
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

    /// How a field is best sent for which nothing was said, by its name's index in the static table and the lengths of its two parts.
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

/// Names as a set of indices of the static table.
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
        integer::encode(coded as u32, 7, 0x80, out);
        huffman::encode(text, coded, out);
    } else {
        integer::encode(text.len() as u32, 7, 0, out);
        out.put(text);
    }
}

/// Spreads what is in the low bits over the high ones.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Stirs the length of `text` and up to 24 octets of it into `seed`: its
/// beginning, its middle and its end. What it finds is compared completely.
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

#[cfg(feature = "alloc")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpack::Growing;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// The lowest index of the field in the dynamic table.
    fn place(encoder: &Encoder<Growing>, name: &[u8], value: &[u8]) -> Option<u8> {
        (0..encoder.table.len())
            .position(|index| {
                let stored = encoder.table.get(index).unwrap();
                let mut text = std::vec![0; stored.len()];
                stored.copy(stored.len(), &mut text).unwrap();
                stored.name_len() == name.len() && text == [name, value].concat()
            })?
            .try_into()
            .ok()
    }

    fn check(encoder: &mut Encoder<Growing>, name: &[u8], value: &[u8]) {
        let expected = place(encoder, name, value);
        let mut out = Vec::new();
        encoder.encode(Field { name, value }, Indexing::Incremental, &mut out);
        match expected {
            Some(index) => assert_eq!(out, [0x80 | (62 + index)]),
            None => assert_eq!(out[0] & 0xc0, 0x40),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_in_the_table_is_found(
            steps in proptest::collection::vec((0..40u8, 0..4u8, 0..30u8), 1..200),
            capacity in 100..2000u32,
        ) {
            let mut encoder = Encoder::new(Growing::default(), capacity);
            for (name, value, step) in steps {
                if step == 0 {
                    encoder.set_ceiling(u32::from(value) * 100);
                    encoder.set_ceiling(capacity);
                }
                let name = match name {
                    0 => &b"age"[..],
                    1 => b"accept-encoding",
                    _ => &[b'x', name],
                };
                check(&mut encoder, name, &[b'v', value]);
            }
        }
    }

    #[test]
    fn entries_are_found_when_their_numbers_have_come_round() {
        let mut encoder = Encoder::new(Growing::default(), 4096);
        let mut out = Vec::new();
        for n in 0..200_000u32 {
            out.clear();
            let name = [b'n', (n % 61) as u8];
            let (name, value) = (&name[..], &n.to_be_bytes()[..]);
            encoder.encode(Field { name, value }, Indexing::Incremental, &mut out);
            if n % 1000 > 990 {
                check(&mut encoder, name, value);
                let older = n - 40;
                check(
                    &mut encoder,
                    &[b'n', (older % 61) as u8],
                    &older.to_be_bytes(),
                );
            }
        }
    }
}
