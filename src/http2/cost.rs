//! The parts of a block that is to be sent, and their cost.

use super::UsageError;
use crate::hpack::FIELD_OVERHEAD;
use crate::http::{Fields, ResponseHead, Status, date::Date};

#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) status: Option<Status>,
    pub(super) fields: Fields<'a>,
    pub(super) length: Option<u64>,
    /// The Date to be added, unless the fields have one.
    pub(super) date: Option<&'a Date>,
}

impl<'a> Parts<'a> {
    /// Fields after a status, or those of trailers; no field is added.
    pub(super) const fn new(status: Option<Status>, fields: Fields<'a>) -> Self {
        Self {
            status,
            fields,
            length: None,
            date: None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) head: ResponseHead<'a>,
    pub(crate) date: Option<&'a Date>,
    pub(crate) content: &'a [u8],
    /// The fields after the content, whose length is not announced then.
    pub(crate) trailers: Option<Fields<'a>>,
}

/// The largest size of a list: in the block, and as the peer counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) octets: usize,
    pub(super) list: usize,
    /// The application sends a Date of its own.
    pub(super) date: bool,
}

impl Cost {
    pub(super) fn add(&mut self, name: usize, value: usize) {
        let len = name.saturating_add(value);
        // HPACK's bound for a literal: two strings with their lengths.
        self.octets = self.octets.saturating_add(len).saturating_add(16);
        self.list = self.list.saturating_add(len);
        self.list = self.list.saturating_add(FIELD_OVERHEAD as usize);
    }

    pub(super) const fn fits(&self, header_list: u32) -> Result<(), UsageError> {
        if self.list > header_list as usize {
            return Err(UsageError::ListTooLarge);
        }
        Ok(())
    }
}
