//! Header blocks that are received: HPACK's table, and the heads that are known
//! to come again.

use alloc::vec::Vec;

use super::block::{Block, Decoded};
use super::head::Judged;
use super::known_heads::KnownHeads;
use super::settings::Own;
use super::{Limits, ProtocolError};
use crate::hpack::{Decoder, Growing, Room};
use crate::http::Scratch;

/// Beyond the limit of the list, what one cut field may take.
const CUT_FIELD: u32 = 16 << 10;

/// Decodes header blocks into the scratch.
#[derive(Debug)]
pub(super) struct Decoding {
    decoder: Decoder<Growing>,
    known: KnownHeads,
}

impl Decoding {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::new(Growing::default()),
            known: KnownHeads::default(),
        }
    }

    /// How often the table has changed: an equal block means an equal list while it does not.
    pub(super) fn changes(&self) -> u64 {
        self.decoder.table().changes()
    }

    /// The head of a request that these octets are known to be, put into the
    /// scratch.
    #[inline]
    pub(super) fn recall(
        &self,
        octets: &[u8],
        limits: &Limits,
        scratch: &mut Scratch<'_>,
    ) -> Option<(Decoded, Judged)> {
        let fields = usize::from(limits.fields);
        self.known.find(self.changes(), octets, fields, scratch)
    }

    /// Notes the head of a request in the scratch, if its block has changed nothing
    /// since there were `changes`.
    pub(super) fn note(
        &mut self,
        changes: u64,
        octets: &[u8],
        list: &Decoded,
        judged: Judged,
        scratch: &Scratch<'_>,
    ) {
        if self.changes() == changes {
            self.known.note(changes, octets, list, judged, scratch);
        }
    }

    /// Decodes the end of a block, `octets`, into the scratch.
    pub(super) fn decode(
        &mut self,
        block: &Block,
        octets: &[u8],
        own: &Own,
        limits: &Limits,
        scratch: &mut Scratch<'_>,
    ) -> Result<Decoded, ProtocolError> {
        make_scratch(own, scratch)?;
        let most = scratch.fields.len().min(usize::from(limits.fields));
        let list_limit = if block.skimmed { 0 } else { own.header_list };
        let (fields, Some(text)) = scratch.parts() else {
            return Err(ProtocolError::FieldTooLarge);
        };
        let room = Room {
            text,
            fields: &mut fields[..most], // most <= fields.len()
            list_limit,
        };
        let decoded = self.decoder.decode(octets, room)?;
        Ok(Decoded {
            text: decoded.text.len(),
            fields: decoded.ranges.len(),
            complete: decoded.complete && !block.skimmed,
            too_many: decoded.too_many && !block.skimmed,
        })
    }

    /// Takes what it can of a block that is too large, from the `assembled`
    /// octets at the front of the input; returns how many.
    pub(super) fn skim(
        &mut self,
        block: &mut Block,
        octets: &[u8],
        own: &Own,
        scratch: &mut Scratch<'_>,
    ) -> Result<usize, ProtocolError> {
        if block.assembled <= own.header_list && !block.skimmed {
            return Ok(0);
        }
        let text = make_scratch(own, scratch)?;
        let used = self.decoder.skim(octets, text)?;
        block.skimmed = true;
        block.assembled -= used as u32; // used <= octets.len() == assembled
        if block.assembled > own.header_list.saturating_add(CUT_FIELD) {
            return Err(ProtocolError::FieldTooLarge);
        }
        Ok(used)
    }

    /// Follows our own setting, which the peer has acknowledged.
    pub(super) fn set_ceiling(&mut self, header_table: u32) {
        self.decoder.set_ceiling(header_table);
        self.known.clear(); // the next block may have to shrink the table
    }

    pub(super) fn memory(&self) -> usize {
        self.decoder.memory() + self.known.memory()
    }

    pub(super) fn release(&mut self) {
        self.known.clear();
    }

    /// Gives back what the table keeps for its growth.
    pub(super) fn trim(&mut self) {
        self.decoder.trim();
    }
}

/// Room for a list and for every entry of the table. A scratch that was made
/// without text has none: no field fits then.
pub(super) fn make_scratch<'t>(
    own: &Own,
    scratch: &'t mut Scratch<'_>,
) -> Result<&'t mut Vec<u8>, ProtocolError> {
    let room = own.header_list.max(own.header_table).max(4096) as usize;
    let text = scratch.parts().1.ok_or(ProtocolError::FieldTooLarge)?;
    if text.len() < room {
        text.resize(room, 0);
    }
    Ok(text)
}
