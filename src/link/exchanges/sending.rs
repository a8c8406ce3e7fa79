//! Our content, where it waits for windows and turns.

use alloc::boxed::Box;
use core::mem;

use super::outbox::Outbox;
use crate::http::BodyLength;
use crate::http2::UsageError;

/// Our content in an exchange that shares its connection with others.
#[derive(Debug)]
pub(in crate::link) struct Sending {
    /// A response is owed.
    pub(in crate::link) owes: bool,
    /// The owner has ended the content.
    pub(in crate::link) finished: bool,
    /// A write answered `Wait`.
    pub(in crate::link) write_blocked: bool,
    /// The owner is to be told that it need not wait any more.
    pub(in crate::link) relieved: bool,
    /// It stands in the queue of those that have something to send.
    pub(in crate::link) listed: bool,
    /// Bytes that it lacks of the length announced, if one was.
    lacks: Option<u64>,
    /// Bytes that were given up with the exchange.
    pub(in crate::link) unsent: u64,
    /// What waits; none while nothing does.
    pub(in crate::link) outbox: Option<Box<Outbox>>,
}

impl Sending {
    /// Nothing is owed, and nothing sent.
    pub(in crate::link) const NONE: Self = Self {
        owes: false,
        finished: false,
        write_blocked: false,
        relieved: false,
        listed: false,
        lacks: None,
        unsent: 0,
        outbox: None,
    };

    /// Content of this length is going to be written.
    pub(in crate::link) const fn begin(&mut self, length: BodyLength) {
        self.lacks = length.known();
    }

    /// Takes `n` bytes into account that are written.
    ///
    /// # Errors
    /// [`State`](UsageError::State) unless content is open,
    /// [`BodyTooLong`](UsageError::BodyTooLong).
    pub(in crate::link) fn book(&mut self, n: usize) -> Result<(), UsageError> {
        self.check_open()?;
        if let Some(lacks) = &mut self.lacks {
            let rest = lacks.checked_sub(n as u64);
            *lacks = rest.ok_or(UsageError::BodyTooLong)?;
        }
        Ok(())
    }

    /// Whether content is open that can end here.
    ///
    /// # Errors
    /// [`State`](UsageError::State) unless content is open,
    /// [`BodyTooShort`](UsageError::BodyTooShort).
    pub(in crate::link) fn check_end(&self) -> Result<(), UsageError> {
        self.check_open()?;
        match self.lacks {
            None | Some(0) => Ok(()),
            Some(_) => Err(UsageError::BodyTooShort),
        }
    }

    const fn check_open(&self) -> Result<(), UsageError> {
        match self.owes || self.finished {
            true => Err(UsageError::State),
            false => Ok(()),
        }
    }

    /// Whether it was announced to be of no bytes, and so has ended with its head.
    pub(in crate::link) fn has_ended_with_head(&self) -> bool {
        self.finished && self.lacks == Some(0)
    }

    /// Bytes that wait.
    pub(in crate::link) fn queued(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    /// Notes that the writer was asked to wait; whether that is new.
    pub(in crate::link) const fn wait(&mut self) -> bool {
        !mem::replace(&mut self.write_blocked, true)
    }

    /// Gives up what waits.
    pub(in crate::link) fn close(&mut self) -> Option<Box<Outbox>> {
        self.unsent += self.queued() as u64;
        self.outbox.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Sink;

    #[test]
    fn content_keeps_the_length_that_was_announced() {
        let mut sending = Sending::NONE;
        sending.begin(BodyLength::Known(3));
        assert_eq!(sending.book(2), Ok(()));
        assert_eq!(sending.check_end(), Err(UsageError::BodyTooShort));
        assert_eq!(sending.book(2), Err(UsageError::BodyTooLong));
        assert_eq!(sending.book(1), Ok(()));
        assert_eq!(sending.check_end(), Ok(()));
        sending.finished = true;
        assert_eq!(sending.book(0), Err(UsageError::State));
    }

    #[test]
    fn what_is_given_up_is_counted() {
        let mut sending = Sending::NONE;
        sending.outbox.insert(Box::default()).put(b"abc");
        assert_eq!(sending.queued(), 3);
        assert!(sending.close().is_some());
        assert_eq!((sending.queued(), sending.unsent), (0, 3));
    }
}
