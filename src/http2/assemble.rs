//! Decoding header blocks into the scratch.

use alloc::vec::Vec;

use super::block::{Block, Decoded};
use super::{Connection, Limits, ProtocolError};
use crate::hpack::Room;
use crate::http::Scratch;

/// Beyond the limit of the list, what one cut field may take.
const CUT_FIELD: u32 = 16 << 10;

impl Connection {
    /// Decodes the end of a block, `octets`, into the scratch.
    pub(super) fn decode_block(
        &mut self,
        block: &Block,
        octets: &[u8],
        limits: &Limits,
        scratch: &mut Scratch<'_>,
    ) -> Result<Decoded, ProtocolError> {
        self.make_scratch(scratch)?;
        let most = scratch.fields.len().min(usize::from(limits.fields));
        let list_limit = if block.skimmed {
            0
        } else {
            self.own.header_list
        };
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
        })
    }

    /// Takes what it can of a block that is too large, from the `assembled`
    /// octets at the front of the input; returns how many.
    pub(super) fn skim_block(
        &mut self,
        block: &mut Block,
        octets: &[u8],
        scratch: &mut Scratch<'_>,
    ) -> Result<usize, ProtocolError> {
        if block.assembled <= self.own.header_list && !block.skimmed {
            return Ok(0);
        }
        let text = self.make_scratch(scratch)?;
        let used = self.decoder.skim(octets, text)?;
        block.skimmed = true;
        block.assembled -= used as u32; // used <= octets.len() == assembled
        if block.assembled > self.own.header_list.saturating_add(CUT_FIELD) {
            return Err(ProtocolError::FieldTooLarge);
        }
        Ok(used)
    }

    /// Room for a list and for every entry of the table. None is lent by a caller
    /// who made the scratch without text: no field fits then.
    pub(super) fn make_scratch<'t>(
        &self,
        scratch: &'t mut Scratch<'_>,
    ) -> Result<&'t mut Vec<u8>, ProtocolError> {
        let room = self.own.header_list.max(self.own.header_table).max(4096) as usize;
        let text = scratch.parts().1.ok_or(ProtocolError::FieldTooLarge)?;
        if text.len() < room {
            text.resize(room, 0);
        }
        Ok(text)
    }
}
