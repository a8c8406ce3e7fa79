//! Fields to header blocks (RFC 7541 §6, §7.1).

use super::dynamic_table::{DynamicTable, Found, Hashes};
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
    /// What this side wants to spend on its table.
    own: u32,
    /// The smallest capacity since the last block, if it has changed.
    lowest: Option<u32>,
}

impl<M: Memory> Encoder<M> {
    /// Bytes of memory that the table's entries lie in.
    #[cfg(feature = "http2")]
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }

    /// An encoder whose table takes at most `own` bytes, whatever the peer
    /// allows.
    pub fn new(memory: M, own: u32) -> Self {
        let mut encoder = Self {
            table: DynamicTable::new(memory, DEFAULT_CAPACITY),
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
        let (known, in_static) = match static_table::find(name, value) {
            static_table::Found::Field(index) => (index, true),
            static_table::Found::Name(index) => (index, false),
            static_table::Found::Nothing => (0, false),
        };
        if in_static && indexing != Indexing::Never {
            return integer::encode(known, 7, 0x80, out);
        }
        let indexing = match indexing {
            Indexing::ByName => self.judge(name, value),
            asked => asked,
        };
        let (mut index, mut hashes) = (known, Hashes::default());
        if index == 0 || indexing == Indexing::Incremental {
            hashes = hash(name, value);
            match self.table.find(name, value, hashes) {
                Found::Field(at) if indexing != Indexing::Never => {
                    return integer::encode(static_table::LEN + 1 + at, 7, 0x80, out);
                }
                Found::Field(at) | Found::Name(at) if index == 0 => {
                    index = static_table::LEN + 1 + at;
                }
                Found::Field(_) | Found::Name(_) | Found::Nothing => {}
            }
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
        if indexing == Indexing::Incremental {
            self.table.insert_hashed(name, value, hashes);
        }
    }

    /// How a field that nobody has said anything about is best sent.
    fn judge(&self, name: &[u8], value: &[u8]) -> Indexing {
        match name {
            b"authorization" | b"proxy-authorization" => Indexing::Never,
            // Guessing a short secret is feasible (RFC 7541 §7.1.3).
            b"cookie" if value.len() < 20 => Indexing::Never,
            b":path" | b"age" | b"content-length" | b"etag" | b"if-modified-since"
            | b"if-none-match" | b"location" | b"set-cookie" => Indexing::Without,
            _ => {
                let charge = name.len() + value.len() + FIELD_OVERHEAD as usize;
                if charge > self.table.capacity() as usize / 4 * 3 {
                    return Indexing::Without;
                }
                Indexing::Incremental
            }
        }
    }
}

/// Appends a string in the shorter of its two forms (RFC 7541 §5.2).
#[inline]
fn put_text(text: &[u8], out: &mut impl Sink) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::encode(coded as u32, 7, 0x80, out);
        huffman::encode(text, coded, out);
    } else {
        integer::encode(text.len() as u32, 7, 0, out);
        out.put(text);
    }
}

#[inline]
fn hash(name: &[u8], value: &[u8]) -> Hashes {
    let of_name = mix(0, name);
    let of_field = mix(of_name, value);
    Hashes {
        name: (of_name >> 48) as u16,
        field: (of_field >> 32) as u32,
    }
}

/// Stirs `text` into `seed`, 8 octets at a time.
#[inline]
fn mix(seed: u64, text: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (seed ^ text.len() as u64).wrapping_mul(K);
    let (words, tail) = text.as_chunks::<8>();
    for word in words {
        state = (state.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(K);
    }
    let mut last = 0;
    for &b in tail {
        last = last << 8 | u64::from(b);
    }
    state = (state.rotate_left(23) ^ last).wrapping_mul(K);
    state ^ state >> 29
}
