//! Header blocks that are sent: HPACK's table, the blocks that are known to be
//! sent again, and the block that is put together.

use alloc::vec::Vec;

use super::cost::{Cost, Parts};
use super::fields::{self, Pseudo, Section};
use super::frame;
use super::frame::{Head, Kind};
use super::head::is_lower_token;
use super::known_blocks::KnownBlocks;
use super::{BodyLength, UsageError};
use crate::hpack::{Encoder, Growing, Indexing};
use crate::http::{Field, Fields};
use crate::wire::{Sink, ascii};

/// Names up to this length are turned to lower case on the stack.
const SHORT_NAME: usize = 64;

/// Room that is kept for blocks: a rare long one is not kept room for.
const KEPT: usize = 1024;

/// Encodes header blocks, one at a time.
#[derive(Debug)]
pub(super) struct Encoding {
    encoder: Encoder<Growing>,
    known: KnownBlocks,
    block: Vec<u8>, // empty between calls
}

/// Parts that may be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    known: Option<usize>,
    pub(super) cost: Cost,
}

impl Weighed {
    pub(super) const HEAVY: Self = Self {
        known: None,
        cost: Cost {
            octets: 0,
            list: u32::MAX as usize,
            date: false,
        },
    };
}

impl Encoding {
    /// Encodes with a table of at most `table` octets, if the peer allows it.
    pub(super) fn new(table: u32) -> Self {
        Self {
            encoder: Encoder::new(Growing::default(), table),
            known: KnownBlocks::default(),
            block: Vec::new(),
        }
    }

    /// Follows the peer's setting.
    pub(super) fn set_ceiling(&mut self, header_table: u32) {
        self.encoder.set_ceiling(header_table);
    }

    /// Judges the parts of a response or of trailers: what they cost, and
    /// which block they are known as. The peer takes lists up to `header_list`.
    pub(super) fn weigh(&self, parts: &Parts<'_>, header_list: u32) -> Result<Weighed, UsageError> {
        let changes = self.encoder.table().changes();
        let (known, cost) = match self.known.find(changes, parts) {
            Some((at, cost)) => (Some(at), cost),
            None if parts.status.is_none() => {
                (None, fields::check(parts.fields, Section::Trailers)?)
            }
            None => {
                let mut cost = fields::check(parts.fields, Section::Response)?;
                cost.add(7, 3);
                (None, cost)
            }
        };
        cost.fits(header_list)?;
        Ok(Weighed { known, cost })
    }

    /// The octets of the blocks that these parts are, if they are known and the peer
    /// takes lists of their sizes.
    #[inline]
    pub(super) fn known(&self, parts: &Parts<'_>, header_list: u32) -> Option<&[u8]> {
        let changes = self.encoder.table().changes();
        self.known.octets_of(changes, parts, header_list)
    }

    pub(super) fn encode_request(
        &mut self,
        pseudo: &Pseudo<'_>,
        fields: Fields<'_>,
        length: Option<BodyLength>,
    ) {
        let Self { encoder, block, .. } = self;
        encoder.begin(block);
        pseudo.each(|name, value| encoder.encode(Field::new(name, value), Indexing::ByName, block));
        for field in fields.iter().filter(|field| !field.is("host")) {
            put_field(field, encoder, block);
        }
        let length = length.and_then(BodyLength::known);
        put_length(length, encoder, block);
    }

    /// Encodes a response or trailers into the block.
    pub(super) fn encode(&mut self, parts: &Parts<'_>, weighed: Weighed) {
        let Self {
            encoder,
            block,
            known,
        } = self;
        if let Some(at) = weighed.known {
            return block.extend_from_slice(known.octets(at));
        }
        encoder.begin(block);
        let (plain, changes) = (block.is_empty(), encoder.table().changes());
        if let Some(status) = parts.status {
            let digits = status.digits();
            let field = Field {
                name: b":status",
                value: &digits,
            };
            encoder.encode(field, Indexing::ByName, block);
        }
        for field in parts.fields.iter() {
            put_field(field, encoder, block);
        }
        if let Some(date) = parts.date.filter(|_| !weighed.cost.date) {
            let field = Field {
                name: b"date",
                value: date.as_bytes(),
            };
            encoder.encode(field, Indexing::ByName, block);
        }
        put_length(parts.length, encoder, block);
        if plain && encoder.table().changes() == changes {
            known.note(changes, parts, weighed.cost, block);
        }
    }

    /// Sends the block in HEADERS and, if it is longer than a frame of `most` octets,
    /// CONTINUATION.
    pub(super) fn put_block(&mut self, stream: u32, end: bool, most: u32, out: &mut impl Sink) {
        let mut kind = Kind::Headers;
        let mut flags = if end { frame::END_STREAM } else { 0 };
        let mut rest = &self.block[..];
        loop {
            let (fragment, more) = rest.split_at(rest.len().min(most as usize));
            if more.is_empty() {
                flags |= frame::END_HEADERS;
            }
            out.put(&Head::new(kind, flags, stream, fragment.len()).encode());
            out.put(fragment);
            if more.is_empty() {
                break;
            }
            (kind, flags, rest) = (Kind::Continuation, 0, more);
        }
        self.block.clear();
        self.block.shrink_to(KEPT);
    }

    pub(super) fn memory(&self) -> usize {
        self.encoder.memory() + self.known.memory() + self.block.capacity()
    }

    pub(super) fn release(&mut self) {
        self.known.clear();
    }

    /// Gives back the block, and what the table keeps for its growth.
    pub(super) fn trim(&mut self) {
        self.block = Vec::new();
        self.encoder.trim();
    }
}

fn put_length(length: Option<u64>, encoder: &mut Encoder<Growing>, block: &mut Vec<u8>) {
    if let Some(length) = length {
        let digits = ascii::Decimal::new(length);
        let field = Field {
            name: b"content-length",
            value: digits.as_bytes(),
        };
        encoder.encode(field, Indexing::ByName, block);
    }
}

/// Encodes a field with its name in lower case (RFC 9113 §8.2).
fn put_field(field: Field<'_>, encoder: &mut Encoder<Growing>, block: &mut Vec<u8>) {
    // The name is a token: it was checked.
    if is_lower_token(field.name) {
        return encoder.encode(field, Indexing::ByName, block);
    }
    let mut short = [0; SHORT_NAME];
    let long;
    let name = match short.get_mut(..field.name.len()) {
        Some(name) => {
            name.copy_from_slice(field.name);
            name.make_ascii_lowercase();
            &*name
        }
        None => {
            long = field.name.to_ascii_lowercase();
            &long
        }
    };
    let value = field.value;
    encoder.encode(Field { name, value }, Indexing::ByName, block);
}
