//! The places of messages in the output of a connection.

use super::{Reconnector, ToWrite};
use crate::client::connecting::{Duplex, DuplexState, clock};
use crate::client::websocket::inbox::Inbox;
use crate::wire::Instant;

/// Output from which on the system is to take some before more is put to it.
const OUTPUT: u64 = 64 << 10;

/// The output of a connection, counted from its first byte.
pub(super) trait Output {
    fn end(&mut self) -> u64;

    fn taken(&mut self) -> u64;

    fn waiting(&mut self) -> usize;

    /// Those that waited when the WebSocket was over; `None` while it is not.
    fn unsent(&mut self) -> Option<usize>;

    fn await_window(&mut self);

    /// Puts something out; whether it was taken.
    fn put(&mut self, next: ToWrite<'_>, now: Instant) -> bool;
}

impl Output for DuplexState<Inbox> {
    fn end(&mut self) -> u64 {
        self.position()
    }

    fn taken(&mut self) -> u64 {
        self.handed_over()
    }

    fn waiting(&mut self) -> usize {
        let stream = self.owner().stream;
        self.queued(stream)
    }

    fn unsent(&mut self) -> Option<usize> {
        let inbox = self.owner();
        inbox.ended.is_some().then_some(inbox.unsent)
    }

    fn await_window(&mut self) {
        let stream = self.owner().stream;
        self.wire_at(clock::now()).link.wait(stream);
    }

    fn put(&mut self, next: ToWrite<'_>, now: Instant) -> bool {
        let stream = self.owner().stream;
        let wire = self.wire_at(now);
        match next {
            ToWrite::Message(message) => {
                let flow = wire.send_message(stream, message.kind(), message.payload());
                flow.is_taken()
            }
            ToWrite::Ping(payload) => wire.ping(stream, &payload).is_ok(),
            ToWrite::Close { code, reason } => wire.close(stream, code, reason).is_ok(),
        }
    }
}

/// Where messages lie in the output; over HTTP/2 one may first wait for its window.
#[derive(Debug, Default)]
pub(super) struct Placing {
    held: Option<HeldBack>,
}

/// A message that waits for the window of its stream.
#[derive(Debug)]
struct HeldBack {
    /// Where the output ended when nothing of it was there.
    from: u64,
    /// How much waited then.
    queued: usize,
    has_begun: bool,
}

impl Placing {
    /// Looks how much of the message that waits lies in the output by now.
    pub(super) fn look(&mut self, core: &mut Reconnector, output: &mut impl Output, now: Instant) {
        let Some(held) = &mut self.held else {
            return;
        };
        let unsent = output.unsent();
        let is_over = unsent.is_some();
        let waits = unsent.unwrap_or_else(|| output.waiting());
        let end = output.end();
        if !held.has_begun && waits == held.queued {
            held.from = end;
            return;
        }
        if !held.has_begun {
            held.has_begun = true;
            core.begun(held.from);
        }
        if waits == 0 && !is_over {
            self.held = None;
            core.left(end, now);
        }
    }

    /// Writes what there is, as far as the system takes it; whether more could be put out
    /// before.
    pub(super) fn write(
        &mut self,
        core: &mut Reconnector,
        duplex: &Duplex<Inbox>,
        now: Instant,
    ) -> bool {
        loop {
            let mut state = duplex.lock();
            state.owner().has_room = false;
            self.look(core, &mut *state, now);
            let (is_full, takes_more) = self.put(core, &mut *state, now);
            drop(state);
            let is_written = duplex.push();
            let mut state = duplex.lock();
            self.look(core, &mut *state, now);
            core.handed_over(state.handed_over(), now);
            if is_full || !is_written {
                return takes_more;
            }
        }
    }

    /// Writes what there is to a loop's `output`; whether more could be put there.
    pub(super) fn write_on_loop(
        &mut self,
        core: &mut Reconnector,
        output: &mut impl Output,
        now: Instant,
    ) -> bool {
        self.look(core, output, now);
        core.handed_over(output.taken(), now);
        self.put(core, output, now).1
    }

    /// Puts out what there is; whether that is all for now, and whether more could be put
    /// there.
    fn put(
        &mut self,
        core: &mut Reconnector,
        output: &mut impl Output,
        now: Instant,
    ) -> (bool, bool) {
        loop {
            let from = output.end();
            if output.waiting() > 0 {
                output.await_window(); // it is told of room
                return (true, false);
            }
            if from.saturating_sub(output.taken()) >= OUTPUT {
                return (false, false);
            }
            let Some(next) = core.next(now) else {
                return (true, true);
            };
            let is_message = matches!(next, ToWrite::Message(_));
            if !output.put(next, now) {
                return (true, false); // it is closing: the end comes with what is read
            }
            let (queued, to) = (output.waiting(), output.end());
            match is_message && queued > 0 {
                false => core.placed(from, to, now),
                true => {
                    core.held_back(now);
                    let has_begun = to > from;
                    if has_begun {
                        core.begun(from);
                    }
                    self.held = Some(HeldBack {
                        from,
                        queued,
                        has_begun,
                    });
                }
            }
        }
    }
}
