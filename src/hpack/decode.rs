//! Header blocks to fields (RFC 7541 §3, §6).

use super::dynamic_table::{DynamicTable, Stored};
use super::instruction::{Instruction, Kind, Name, Text};
use super::list::{List, NeverIndexed};
use super::memory::Memory;
use super::{DEFAULT_CAPACITY, ProtocolError, instruction, short, static_table};
use crate::http::{FieldRange, Fields};
use crate::wire::Cursor;

/// Size updates that one block can need (RFC 7541 §4.2).
const MAX_SIZE_UPDATES: u8 = 2;

/// Where the fields of one block go, and how many may.
#[derive(Debug)]
pub struct Room<'b> {
    /// Names and values, one after the other. No shorter than the table's
    /// capacity, so that an entry can pass through even when the list is over
    /// its limit.
    pub text: &'b mut [u8],
    /// Their ranges; also the limit of how many fields there may be.
    pub fields: &'b mut [FieldRange],
    /// The largest size of the list: names, values and 32 a field (RFC 9113 §6.5.2).
    pub list_limit: u32,
}

/// The fields of one block.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'b> {
    /// The text that the ranges mark.
    pub text: &'b [u8],
    /// Where each field lies, in order.
    pub ranges: &'b [FieldRange],
    /// Which of them an intermediary must keep out of tables.
    pub never_indexed: NeverIndexed,
    /// Whether these are all: `false` if the list went over its limit, and
    /// then the fields end before the one that did. The table is in step
    /// either way.
    pub complete: bool,
    /// Whether there were more fields than [`Room::fields`]: the reason why the list is
    /// not complete, if its size is not.
    pub too_many: bool,
}

impl<'b> Decoded<'b> {
    /// The fields as a list.
    #[inline]
    pub const fn fields(&self) -> Fields<'b> {
        Fields::from_ranges(self.text, self.ranges)
    }
}

/// The decoder of one direction of a connection.
///
/// ```
/// use barewire::hpack::{Borrowed, Decoder, Entry, Room};
/// use barewire::http::FieldRange;
///
/// let (mut text, mut entries) = ([0; 4096], [Entry::EMPTY; 128]);
/// let memory = Borrowed { text: &mut text, entries: &mut entries };
/// let mut decoder = Decoder::new(memory);
///
/// let (mut text, mut fields) = ([0; 4096], [FieldRange::EMPTY; 16]);
/// let room = Room { text: &mut text, fields: &mut fields, list_limit: 4096 };
/// let list = decoder.decode(b"\x82\x86\x84\x41\x0fwww.example.com", room).unwrap();
/// assert_eq!(list.fields().get(":path"), Some(&b"/"[..]));
/// assert_eq!(list.fields().get(":authority"), Some(&b"www.example.com"[..]));
/// ```
#[derive(Debug)]
pub struct Decoder<M> {
    table: DynamicTable<M>,
    /// The largest size that updates may ask for.
    ceiling: u32,
    /// The ceiling went below the capacity: the next block must begin with an
    /// update.
    must_shrink: bool,
    /// Size updates at the start of the present block; `None` once a field has
    /// come.
    updates: Option<u8>,
}

impl<M: Memory> Decoder<M> {
    /// Bytes of memory that the table's entries lie in.
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }

    /// Gives back the table's memory that its entries do not take.
    pub(crate) fn trim(&mut self) {
        self.table.trim();
    }

    /// A decoder with a table of 4,096 bytes, which every connection starts
    /// with (RFC 9113 §6.5.2).
    pub fn new(memory: M) -> Self {
        let table = DynamicTable::new(memory, DEFAULT_CAPACITY);
        Self {
            ceiling: table.capacity(),
            table,
            must_shrink: false,
            updates: Some(0),
        }
    }

    /// The table as it stands.
    pub const fn table(&self) -> &DynamicTable<M> {
        &self.table
    }

    /// Allows the peer a table of `ceiling` bytes from its next block on: it
    /// has acknowledged SETTINGS_HEADER_TABLE_SIZE. At most
    /// [`MAX_CAPACITY`](super::MAX_CAPACITY).
    pub fn set_ceiling(&mut self, ceiling: u32) {
        self.ceiling = ceiling.min(self.table.ceiling());
        self.must_shrink = self.ceiling < self.table.capacity();
    }

    /// Decodes a whole block, or the last part of one that was
    /// [skimmed](Self::skim).
    ///
    /// # Errors
    /// [`ProtocolError`]; the connection is beyond repair then.
    pub fn decode<'b>(
        &mut self,
        block: &[u8],
        room: Room<'b>,
    ) -> Result<Decoded<'b>, ProtocolError> {
        let mut list = List {
            left: room.list_limit as usize,
            text: room.text,
            fields: room.fields,
            at: 0,
            count: 0,
            never: NeverIndexed::NONE,
        };
        let mut cursor = Cursor::new(block);
        let (mut complete, mut too_many) = (true, false);
        loop {
            let start = cursor;
            let Some(first) = cursor.byte() else {
                break;
            };
            if complete {
                complete = self.apply(first, &mut cursor, &mut list)?;
            }
            if !complete {
                too_many |= list.count == list.fields.len();
                // Entries still pass through what is left of the text or, if
                // that is too small, over what was written of the list.
                cursor = start;
                let instruction = Instruction::parse(&mut cursor)?;
                self.pass(instruction, list.text)?;
                list.count = 0;
            }
        }
        self.end_block()?;
        let List {
            text,
            fields,
            at,
            count,
            never,
            ..
        } = list;
        Ok(Decoded {
            text: &text[..at],        // at <= text.len()
            ranges: &fields[..count], // count <= fields.len()
            never_indexed: never,
            complete,
            too_many,
        })
    }

    /// Takes a part of a block whose fields are not wanted any more, so that
    /// the table stays in step: returns how many octets it used. An
    /// instruction that is cut at the end comes again, in front of the next
    /// part. `text` is room for one entry.
    ///
    /// # Errors
    /// [`ProtocolError`]; the connection is beyond repair then.
    pub fn skim(&mut self, part: &[u8], text: &mut [u8]) -> Result<usize, ProtocolError> {
        let mut cursor = Cursor::new(part);
        loop {
            let start = cursor.position();
            match Instruction::parse(&mut cursor) {
                Ok(instruction) => self.pass(instruction, text)?,
                Err(ProtocolError::Truncated) => return Ok(start),
                Err(violation) => return Err(violation),
            }
        }
    }

    /// Ends a block of which nothing is left to decode.
    ///
    /// # Errors
    /// [`ProtocolError::SizeUpdateMissing`].
    fn end_block(&mut self) -> Result<(), ProtocolError> {
        self.updates = Some(0);
        if self.must_shrink {
            return Err(ProtocolError::SizeUpdateMissing);
        }
        Ok(())
    }

    /// Carries out the instruction that begins with `first` and writes its
    /// field; `false`, and nothing done, if there is no room for it in the list.
    #[inline]
    fn apply(
        &mut self,
        first: u8,
        cursor: &mut Cursor<'_>,
        list: &mut List<'_>,
    ) -> Result<bool, ProtocolError> {
        if first & 0xe0 == 0x20 {
            let size = instruction::decode(first, 5, cursor)?;
            self.update_size(size)?;
            return Ok(true);
        }
        self.begin_fields()?;
        let Some(room) = list.room() else {
            return Ok(false);
        };
        let written = if first >= 0x80 {
            let index = instruction::decode(first, 7, cursor)?;
            self.copy_field(index, room)?
        } else {
            self.copy_literal(first, cursor, room)?
        };
        let Some((name, len)) = written else {
            return Ok(false);
        };
        match first {
            // The length is of text within the room.
            0x40..0x80 => self.table.insert_text(&room[..len], name),
            0x10..0x20 => list.never.insert(list.count),
            _ => {}
        }
        list.push(name, len);
        Ok(true)
    }

    /// Carries out an instruction whose field is not wanted.
    fn pass(&mut self, instruction: Instruction<'_>, text: &mut [u8]) -> Result<(), ProtocolError> {
        match instruction {
            Instruction::SizeUpdate(size) => self.update_size(size),
            Instruction::Indexed(index) => {
                self.begin_fields()?;
                self.check_index(index)
            }
            Instruction::Literal { kind, name, value } => {
                self.begin_fields()?;
                if let Name::Index(index) = name {
                    self.check_index(index)?;
                }
                if kind != Kind::Incremental {
                    return Ok(());
                }
                match self.write_literal(name, value, text)? {
                    // The length is of text within the room.
                    Some((name, len)) => self.table.insert_text(&text[..len], name),
                    None if text.len() >= self.table.capacity() as usize => self.table.clear(),
                    None => return Err(ProtocolError::NoRoom),
                }
                Ok(())
            }
        }
    }

    fn update_size(&mut self, size: u32) -> Result<(), ProtocolError> {
        match self.updates {
            Some(n) if n < MAX_SIZE_UPDATES => self.updates = Some(n + 1),
            _ => return Err(ProtocolError::SizeUpdatePlace),
        }
        if size > self.ceiling {
            return Err(ProtocolError::SizeUpdate);
        }
        self.table.set_capacity(size);
        self.must_shrink = false;
        Ok(())
    }

    #[inline]
    const fn begin_fields(&mut self) -> Result<(), ProtocolError> {
        self.updates = None;
        if self.must_shrink {
            return Err(ProtocolError::SizeUpdateMissing);
        }
        Ok(())
    }

    fn check_index(&self, index: u32) -> Result<(), ProtocolError> {
        match index.checked_sub(static_table::LEN + 1) {
            Some(index) if index >= self.table.len() => Err(ProtocolError::Index),
            None if index == 0 => Err(ProtocolError::Index),
            _ => Ok(()),
        }
    }

    /// Writes the entry at `index` to the front of `room`; returns the lengths
    /// of its name and of the whole, or `None` if that is longer.
    #[inline]
    fn copy_field(
        &self,
        index: u32,
        room: &mut [u8],
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        if let Some(known) = static_table::entry(index) {
            let copied = short::copy(known.text, room);
            return Ok(copied.map(|()| (known.name, known.text.len())));
        }
        let stored = self.stored(index)?;
        let copied = stored.copy(stored.len(), room);
        Ok(copied.map(|()| (stored.name_len(), stored.len())))
    }

    /// Copies the field of the literal that begins with `first`.
    #[inline]
    fn copy_literal(
        &self,
        first: u8,
        cursor: &mut Cursor<'_>,
        room: &mut [u8],
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let bits = if first >= 0x40 { 6 } else { 4 };
        let name = match instruction::decode(first, bits, cursor)? {
            0 => Text::parse(cursor)?.write(room)?,
            index => self.copy_name(index, room)?,
        };
        let Some(name) = name else {
            return Ok(None);
        };
        let Some(rest) = room.get_mut(name..) else {
            return Ok(None);
        };
        let value = Text::parse(cursor)?.write(rest)?;
        Ok(value.map(|value| (name, name + value)))
    }

    /// Copies a name that was parsed already.
    fn write_literal(
        &self,
        name: Name<'_>,
        value: Text<'_>,
        room: &mut [u8],
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let name = match name {
            Name::Index(index) => self.copy_name(index, room)?,
            Name::Literal(text) => text.write(room)?,
        };
        let Some(name) = name else {
            return Ok(None);
        };
        let Some(rest) = room.get_mut(name..) else {
            return Ok(None);
        };
        Ok(value.write(rest)?.map(|value| (name, name + value)))
    }

    #[inline]
    fn copy_name(&self, index: u32, room: &mut [u8]) -> Result<Option<usize>, ProtocolError> {
        if let Some((name, _)) = static_table::get(index) {
            return Ok(short::copy(name, room).map(|()| name.len()));
        }
        let stored = self.stored(index)?;
        let name = stored.name_len();
        Ok(stored.copy(name, room).map(|()| name))
    }

    /// The entry of the dynamic table at `index`.
    #[inline]
    fn stored(&self, index: u32) -> Result<Stored<'_>, ProtocolError> {
        index
            .checked_sub(static_table::LEN + 1)
            .and_then(|index| self.table.get(index))
            .ok_or(ProtocolError::Index)
    }
}
