//! The record of an exchange.

use alloc::boxed::Box;

use super::buffered_request::BufferedRequest;
use crate::link::Event;
use crate::wire::Instant;

/// The fate of the content that the peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    Offered,
    /// It is put together with its head.
    Collected,
    Streamed,
    /// It is the inside of a WebSocket.
    Socket,
    Discarded,
}

/// One exchange, from its head until both sides have ended it.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its number: that of its stream; HTTP/1.1 counts its exchanges from 1.
    pub(crate) id: u32,
    pub(crate) websocket_limits: u16,
    pub(crate) intake: Intake,
    /// Our content has no end of its own: an event stream.
    pub(crate) endless: bool,
    /// When the response is overdue, or the content too slow; `NEVER` if neither
    /// is waited for.
    pub(crate) due: Instant,
    /// The request that is being collected; else content that the owner has not
    /// seen.
    pub(crate) kept: Option<Box<BufferedRequest>>,
}

impl Exchange {
    pub(crate) const fn new(id: u32, intake: Intake) -> Self {
        Self {
            id,
            websocket_limits: 0,
            intake,
            endless: false,
            due: Instant::NEVER,
            kept: None,
        }
    }

    /// Collects the content after the head that is kept in `request`.
    pub(crate) fn collect(&mut self, request: Box<BufferedRequest>) {
        self.intake = Intake::Collected;
        self.kept = Some(request);
    }

    /// Appends a piece to the collected request. One beyond its limit is given up and shown, to
    /// be answered by `due`; `false`.
    pub(crate) fn append(
        &mut self,
        piece: &[u8],
        due: Instant,
        shown: &mut Option<Box<BufferedRequest>>,
    ) -> bool {
        if self.kept.as_mut().is_some_and(|it| it.append(piece)) {
            return true;
        }
        self.intake = Intake::Discarded;
        *shown = self.kept.take();
        self.due = due;
        false
    }

    /// The peer's message is complete; an `owed` response must come by `due`.
    pub(crate) const fn complete(&mut self, owed: bool, due: Instant) {
        self.due = if owed { due } else { Instant::NEVER };
    }

    /// Shows the collected request, which is complete.
    pub(crate) fn give<'b>(
        &mut self,
        shown: &'b mut Option<Box<BufferedRequest>>,
    ) -> Option<Event<'b>> {
        self.show(shown);
        let (head, content) = shown.as_mut()?.request();
        Some(Event::Request { head, content })
    }

    /// Puts the collected request where it is shown; whether there is one.
    pub(crate) fn show(&mut self, shown: &mut Option<Box<BufferedRequest>>) -> bool {
        self.intake = Intake::Discarded;
        *shown = self.kept.take();
        shown.is_some()
    }

    /// Our response has begun. Content not coming in events is unwanted from here on.
    /// `is_timed`: the rest must keep its pace.
    #[inline(always)]
    pub(crate) fn answered(&mut self, endless: bool, is_timed: bool) {
        self.endless = endless;
        if let Intake::Offered | Intake::Collected = self.intake {
            self.intake = Intake::Discarded;
            self.kept = None;
        }
        if !is_timed {
            self.due = Instant::NEVER;
        }
    }

    /// Nothing of it is waited for any more, and what is kept is dropped.
    pub(crate) fn close(&mut self) {
        self.intake = Intake::Discarded;
        self.due = Instant::NEVER;
        self.kept = None;
    }

    /// Whether the response is overdue; that is said once.
    pub(crate) fn elapsed(&mut self, now: Instant) -> bool {
        let is_due = self.due <= now;
        if is_due {
            self.due = Instant::NEVER;
        }
        is_due
    }
}

#[cfg(test)]
mod tests;
