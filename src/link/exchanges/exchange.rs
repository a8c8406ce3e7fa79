//! The record of an exchange.

use alloc::boxed::Box;

use super::buffered_request::BufferedRequest;
use crate::link::Event;
use crate::wire::Instant;

/// What becomes of the content that the peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) enum Intake {
    /// It is on offer, and waits until the owner decides.
    Offered,
    /// It is put together with its head.
    Collected,
    /// It comes in events.
    Streamed,
    /// It is the inside of a WebSocket.
    Socket,
    /// The owner does not want it, or it has ended.
    Discarded,
}

/// One exchange, from its head until both sides have ended it.
#[derive(Debug)]
pub(in crate::link) struct Exchange {
    /// Its number: that of its stream; HTTP/1.1 counts its exchanges from 1.
    pub(in crate::link) id: u32,
    /// Which of the limits of WebSockets holds.
    pub(in crate::link) websocket_limits: u16,
    pub(in crate::link) intake: Intake,
    /// Our content has no end of its own: an event stream.
    pub(in crate::link) endless: bool,
    /// When the response is overdue, or the content too slow; `NEVER` if neither
    /// is waited for.
    pub(in crate::link) due: Instant,
    /// The request that is being collected; else content that the owner has not
    /// seen.
    pub(in crate::link) kept: Option<Box<BufferedRequest>>,
}

impl Exchange {
    pub(in crate::link) const fn new(id: u32, intake: Intake) -> Self {
        Self {
            id,
            websocket_limits: 0,
            intake,
            endless: false,
            due: Instant::NEVER,
            kept: None,
        }
    }

    /// Collects the content behind the head that is kept in `request`.
    pub(in crate::link) fn collect(&mut self, request: Box<BufferedRequest>) {
        self.intake = Intake::Collected;
        self.kept = Some(request);
    }

    /// Appends a piece to the request that is being collected. One that would
    /// exceed its limit is given up and shown, its answer being due then; `false`.
    pub(in crate::link) fn append(
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

    /// The peer's message is complete: the response, if it is `owed`, has to come
    /// by `due`.
    pub(in crate::link) const fn complete(&mut self, owed: bool, due: Instant) {
        self.due = if owed { due } else { Instant::NEVER };
    }

    /// Shows the collected request, which is complete.
    pub(in crate::link) fn give<'b>(
        &mut self,
        shown: &'b mut Option<Box<BufferedRequest>>,
    ) -> Option<Event<'b>> {
        self.show(shown);
        let (head, content) = shown.as_mut()?.request();
        Some(Event::Request { head, content })
    }

    /// Puts the collected request where it is shown; whether there is one.
    pub(in crate::link) fn show(&mut self, shown: &mut Option<Box<BufferedRequest>>) -> bool {
        self.intake = Intake::Discarded;
        *shown = self.kept.take();
        shown.is_some()
    }

    /// Our response has begun, and is not owed any more. Content that was not to
    /// come in events is not wanted any more. `is_timed`: what still comes has to
    /// keep its pace.
    pub(in crate::link) fn answered(&mut self, endless: bool, is_timed: bool) {
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
    pub(in crate::link) fn close(&mut self) {
        self.intake = Intake::Discarded;
        self.due = Instant::NEVER;
        self.kept = None;
    }

    /// Whether the response is overdue; that is said once.
    pub(in crate::link) fn elapsed(&mut self, now: Instant) -> bool {
        let is_due = self.due <= now;
        if is_due {
            self.due = Instant::NEVER;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Content, Fields, Method, RequestHead, Target, Version};
    use crate::link::RequestPool;

    fn collecting(limit: usize) -> Exchange {
        let head = RequestHead {
            method: Method::POST,
            target: Target::parse(b"/", Method::POST).unwrap(),
            version: Version::Http11,
            protocol: None,
            fields: Fields::EMPTY,
        };
        let mut exchange = Exchange::new(1, Intake::Offered);
        exchange.collect(RequestPool::new().park(&head, limit, None));
        exchange
    }

    #[test]
    fn a_collected_request_is_given_once() {
        let (mut exchange, mut shown) = (collecting(2), None);
        assert!(exchange.append(b"ab", Instant::START, &mut shown));
        assert_eq!(exchange.due, Instant::NEVER);
        let Some(Event::Request { content, .. }) = exchange.give(&mut shown) else {
            unreachable!("it is complete");
        };
        assert_eq!(content, Content::Whole(&mut b"ab".to_vec()));
        assert!(exchange.give(&mut shown).is_none());
    }

    #[test]
    fn a_request_over_its_limit_is_shown_and_its_answer_due() {
        let (mut exchange, mut shown) = (collecting(2), None);
        assert!(!exchange.append(b"abc", Instant::START, &mut shown));
        assert!(shown.is_some() && exchange.intake == Intake::Discarded);
        assert!(exchange.elapsed(Instant::START));
        assert!(!exchange.elapsed(Instant::START), "it is said once");
    }

    #[test]
    fn an_answer_leaves_the_time_of_content_that_still_comes() {
        let mut exchange = Exchange::new(1, Intake::Streamed);
        exchange.due = Instant::START;
        exchange.answered(false, true);
        assert_eq!(exchange.due, Instant::START);
        exchange.answered(true, false);
        assert_eq!((exchange.due, exchange.endless), (Instant::NEVER, true));
    }
}
