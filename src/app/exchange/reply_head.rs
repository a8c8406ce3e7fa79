//! The heads of replies, as middleware sees them.

use super::record::{Record, RouteNumber};
use super::refusal::Refusal;
use super::reply_end::ReplyEnd;
use super::response::Response;
use crate::coding::Coding;
use crate::coding::lent::Made;
use crate::coding::work::Purpose;
use crate::http::{FieldBuffer, Fields, InvalidField, Status};

/// An observer of every head before it leaves: all middleware together.
pub(crate) trait Watch: Send + Sync {
    fn is_some(&self) -> bool;

    fn pattern(&self, route: RouteNumber) -> Option<&str>;

    /// Whether ends are to be told: of all replies, or of those with a span alone.
    fn watches_ends(&self) -> Option<bool>;

    fn look(&self, record: &Record, head: &mut ReplyHead<'_>);

    /// Whether refusals are rendered by the app.
    fn renders(&self) -> bool;

    /// The response of a refusal, where the app makes it.
    fn render(&self, refusal: &Refusal, record: &Record) -> Option<Response>;

    /// A reply has left, or no more of it will.
    fn ended(&self, record: &Record, end: &ReplyEnd<'_>);
}

/// The head of a reply that is about to leave.
#[derive(Debug)]
pub struct ReplyHead<'a> {
    pub(super) status: Status,
    pub(crate) fields: &'a mut FieldBuffer,
    pub(super) length: Option<u64>,
    pub(crate) unix_seconds: u64,
    pub(crate) may_be_coded: bool,
    pub(super) chosen: Option<Chosen>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) coding: Coding,
    pub(crate) level: u8,
    /// A stream of events has a state of its own.
    pub(crate) is_dedicated: bool,
    pub(crate) files_kept: usize,
}

impl Chosen {
    /// The kind of state that this takes.
    pub(super) const fn made(self, purpose: Purpose) -> Made {
        Made {
            coding: self.coding,
            level: self.level,
            purpose,
        }
    }
}

impl ReplyHead<'_> {
    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The length of the body, if it is known. For HEAD, that of the body that GET would
    /// get.
    pub const fn length(&self) -> Option<u64> {
        self.length
    }

    /// The fields, without those that the protocol adds itself.
    pub fn headers(&self) -> Fields<'_> {
        self.fields.as_fields()
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub const fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }

    /// Sets a header, replacing all others of that name.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.fields.set(name, value)
    }

    /// Adds a header.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.fields.push(name, value)
    }

    /// Turns on the coding of the body, whose length is not known from here on.
    pub(crate) const fn choose(&mut self, chosen: Chosen) {
        self.chosen = Some(chosen);
        self.length = None;
    }
}
