//! The peer's content, where it lies until its owner takes it.

use alloc::boxed::Box;
use core::mem;

use super::buffered_request::BufferedRequest;
use crate::http::Fields;
use crate::link::Account;

/// The peer's content in an exchange that shares its connection with others: how
/// far it has come, and what holds it up.
#[derive(Debug)]
pub(in crate::link) struct Receiving {
    /// The owner has stopped the reading.
    pub(in crate::link) held: bool,
    /// It waits for memory.
    pub(in crate::link) starved: bool,
    /// The owner gives content back to the peer's window itself.
    pub(in crate::link) owner_consumes: bool,
    /// Content that comes in events keeps a pace.
    pub(in crate::link) paced: bool,
    /// Time has passed that does not count against the peer: it has a grace more.
    pub(in crate::link) excused: bool,
    /// The peer's message is complete.
    pub(in crate::link) complete: bool,
    /// Its content has ended, and the owner has not been told.
    pub(in crate::link) ended: bool,
    /// Trailers that were left out.
    pub(in crate::link) dropped: u16,
    /// Bytes in the inbox that have not been given back to the peer's window.
    pub(in crate::link) unread: u32,
    /// Trailers that wait behind the inbox.
    pub(in crate::link) trailers: Option<Box<BufferedRequest>>,
}

impl Receiving {
    /// Nothing has come.
    pub(in crate::link) const NONE: Self = Self {
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

    /// Notes `n` bytes that were put into the inbox. They are within the stream's
    /// window.
    pub(in crate::link) const fn keep(&mut self, n: usize) {
        self.unread += n as u32;
    }

    /// The bytes in the inbox, which are taken now.
    pub(in crate::link) const fn take_unread(&mut self) -> u32 {
        mem::replace(&mut self.unread, 0)
    }

    /// Keeps the end until the owner is told.
    pub(in crate::link) fn keep_end(
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

    /// Whether the owner is to be told of the end, which it is then.
    pub(in crate::link) const fn take_end(&mut self) -> bool {
        mem::replace(&mut self.ended, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;

    #[test]
    fn what_lies_in_the_inbox_is_taken_once() {
        let mut receiving = Receiving::NONE;
        receiving.keep(2);
        receiving.keep(3);
        assert_eq!((receiving.take_unread(), receiving.take_unread()), (5, 0));
    }

    #[test]
    fn an_end_is_told_once_and_keeps_its_trailers() {
        let mut receiving = Receiving::NONE;
        let trailers = [Field::new("a", "b")];
        receiving.keep_end(Fields::new(&trailers), 1, None);
        assert!(receiving.take_end() && !receiving.take_end());
        assert_eq!(receiving.dropped, 1);
        assert_eq!(receiving.trailers.unwrap().fields().get_str("a"), Some("b"));
    }
}
