//! Events that come from what was kept.

use alloc::boxed::Box;

use super::state::Multiplex;
use crate::http::{Fields, Scratch};
use crate::link::exchanges::Intake;
use crate::link::{BufferedRequest, EndReason, Event};
use crate::websocket;
use crate::wire::{Sink, Step};

/// An event that comes from what was kept, before it is borrowed.
#[derive(Debug)]
pub(super) enum BufferedEvent {
    Ended(EndReason),
    Writable,
    Request,
    Body,
    /// With the fields that are shown, and the number of those left out.
    End(u16),
    Socket(websocket::LocatedEvent),
}

impl BufferedEvent {
    pub(super) fn borrow<'b>(
        self,
        shown: &'b mut Option<Box<BufferedRequest>>,
        scratch: Scratch<'b>,
    ) -> Event<'b> {
        match self {
            Self::Ended(gone) => Event::Ended(gone),
            Self::Writable => Event::Writable,
            Self::Request => match shown.as_mut() {
                Some(buffered_request) => {
                    let (head, content) = buffered_request.request();
                    Event::Request { head, content }
                }
                None => Event::Writable, // a request is shown before it is announced
            },
            Self::Body => Event::Body(shown.as_mut().map_or(&mut [], |it| it.unused())),
            Self::End(dropped) => Event::End {
                trailers: shown.as_ref().map_or(Fields::EMPTY, |it| it.fields()),
                dropped,
            },
            Self::Socket(found) => {
                let shown = shown.as_mut().map_or(&mut [][..], |it| it.unused());
                match found.borrow(shown, scratch) {
                    Step::Event(event) => event.into(),
                    // It was found to be an event.
                    Step::Need(_) | Step::Paused | Step::Full | Step::Done => Event::Writable,
                }
            }
        }
    }
}

impl Multiplex {
    /// Gives out the contents of a streamed body's inbox, or its end.
    pub(super) fn give_content(
        &mut self,
        id: u32,
        shown: &mut Option<Box<BufferedRequest>>,
        out: &mut impl Sink,
    ) -> Option<BufferedEvent> {
        let stream = self.streams.get_mut(id)?;
        if let Some(kept) = stream.exchange.kept.take() {
            let unread = stream.receiving.take_unread();
            *shown = Some(kept);
            if !stream.receiving.owner_consumes {
                self.machine.consume(id, unread as usize, out);
            }
            self.queue(id); // the end may stand after it
            return Some(BufferedEvent::Body);
        }
        if !stream.receiving.take_end() {
            return None;
        }
        stream.exchange.intake = Intake::Discarded;
        *shown = stream.receiving.trailers.take();
        let dropped = stream.receiving.dropped;
        self.retire_closed(id);
        Some(BufferedEvent::End(dropped))
    }

    /// How many trailers of a stream were left out.
    pub(crate) fn dropped_trailers(&self, id: u32) -> u16 {
        self.streams
            .get(id)
            .map_or(0, |stream| stream.receiving.dropped)
    }
}
