//! The heads of replies, as middleware sees them.

use super::record::{Record, RouteNumber};
use super::reply_end::ReplyEnd;
use crate::http::{FieldBuffer, Fields, InvalidField, Status};

/// What looks at every head before it leaves: all middleware together.
pub(crate) trait Watch: Send + Sync {
    /// Whether there is any.
    fn is_some(&self) -> bool;

    /// The pattern of a route.
    fn pattern(&self, route: RouteNumber) -> Option<&str>;

    /// Whether any of it wants to know how replies end.
    fn watches_ends(&self) -> bool;

    /// A head is about to leave.
    fn look(&self, record: &Record, head: &mut ReplyHead<'_>);

    /// A reply has left, or no more of it will.
    fn ended(&self, record: &Record, end: &ReplyEnd);
}

/// The head of a reply that is about to leave.
#[derive(Debug)]
pub struct ReplyHead<'a> {
    pub(super) status: Status,
    pub(super) fields: &'a mut FieldBuffer,
    pub(super) length: Option<u64>,
    pub(in crate::app) unix_seconds: u64,
}

impl ReplyHead<'_> {
    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The length of the body, where it is known. To HEAD: of the body that
    /// GET would have.
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

    /// Puts one field in place of all of its name.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.fields.set(name, value)
    }

    /// Adds a field.
    ///
    /// # Errors
    /// [`InvalidField`] if it cannot stand on the wire.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), InvalidField> {
        self.fields.push(name, value)
    }
}
