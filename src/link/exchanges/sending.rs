//! Our content, where it waits for windows and turns.

use alloc::boxed::Box;
use core::mem;

use super::outbox::Outbox;
use crate::http::BodyLength;
use crate::http2::UsageError;

/// Our content in an exchange that shares its connection with others.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) owes: bool,
    /// The owner has ended the content.
    pub(crate) finished: bool,
    pub(crate) write_blocked: bool,
    /// The owner is to be told that it need not wait any more.
    pub(crate) relieved: bool,
    pub(crate) listed: bool,
    lacks: Option<u64>,
    /// Bytes that were given up with the exchange.
    pub(crate) unsent: u64,
    /// The waiting output; none while nothing waits.
    pub(crate) outbox: Option<Box<Outbox>>,
}

impl Sending {
    /// Nothing is owed, and nothing sent.
    pub(crate) const NONE: Self = Self {
        owes: false,
        finished: false,
        write_blocked: false,
        relieved: false,
        listed: false,
        lacks: None,
        unsent: 0,
        outbox: None,
    };

    pub(crate) const fn begin(&mut self, length: BodyLength) {
        self.lacks = length.known();
    }

    /// Takes `n` bytes into account that are written.
    ///
    /// # Errors
    /// [`State`](UsageError::State) unless content is open,
    /// [`BodyTooLong`](UsageError::BodyTooLong).
    pub(crate) fn book(&mut self, n: usize) -> Result<(), UsageError> {
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
    pub(crate) fn check_end(&self) -> Result<(), UsageError> {
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

    pub(crate) fn has_ended_with_head(&self) -> bool {
        self.finished && self.lacks == Some(0)
    }

    pub(crate) fn queued(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    /// Notes that the writer was told to wait; whether that is new.
    pub(crate) const fn wait(&mut self) -> bool {
        !mem::replace(&mut self.write_blocked, true)
    }

    pub(crate) fn close(&mut self) -> Option<Box<Outbox>> {
        self.unsent += self.queued() as u64;
        self.outbox.take()
    }
}

#[cfg(test)]
mod tests;
