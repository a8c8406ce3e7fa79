//! The peer's content until its owner takes it.

use alloc::boxed::Box;
use core::mem;

use super::buffered_request::BufferedRequest;
use crate::http::Fields;
use crate::link::Account;

/// The peer's content in an exchange that shares its connection: how far it is, and what holds
/// it up.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) held: bool,
    pub(crate) starved: bool,
    /// The owner gives content back to the peer's window itself.
    pub(crate) owner_consumes: bool,
    /// Content that comes in events keeps a pace.
    pub(crate) paced: bool,
    /// Time has passed that does not count against the peer: it has a grace more.
    pub(crate) excused: bool,
    pub(crate) complete: bool,
    /// Its content has ended, and the owner has not been told.
    pub(crate) ended: bool,
    pub(crate) dropped: u16,
    pub(crate) unread: u32,
    /// Trailers that wait after the inbox.
    pub(crate) trailers: Option<Box<BufferedRequest>>,
}

impl Receiving {
    pub(crate) const NONE: Self = Self {
        held: false,
        starved: false,
        owner_consumes: false,
        paced: false,
        excused: false,
        complete: false,
        ended: false,
        dropped: 0,
        unread: 0,
        trailers: None,
    };

    pub(crate) const fn keep(&mut self, n: usize) {
        self.unread += n as u32;
    }

    pub(crate) const fn take_unread(&mut self) -> u32 {
        mem::replace(&mut self.unread, 0)
    }

    /// Keeps the end until the owner is told.
    pub(crate) fn keep_end(
        &mut self,
        trailers: Fields<'_>,
        dropped: u16,
        account: Option<&Account>,
    ) {
        (self.ended, self.dropped) = (true, dropped);
        if !trailers.is_empty() {
            let kept = self.trailers.insert(BufferedRequest::inbox(account));
            kept.keep_fields(trailers);
        }
    }

    pub(crate) const fn take_end(&mut self) -> bool {
        mem::replace(&mut self.ended, false)
    }
}

#[cfg(test)]
mod tests;
