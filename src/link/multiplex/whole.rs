//! Content that is handed over in whole.

use bytes::Bytes;

use super::state::Multiplex;
use crate::http::Fields;
use crate::http2;
use crate::link::outbox::{Bounded, Outbox};
use crate::wire::{Instant, Sink};

impl Multiplex {
    /// Sends all of a message's content; what is not taken waits.
    pub(super) fn put_whole(&mut self, id: u32, bytes: &[u8], now: Instant, out: &mut impl Sink) {
        let taken = match bytes {
            [] => Ok(0), // the head has said so
            bytes => {
                let room = self.room;
                let mut bounded = Bounded { out, room };
                let taken = self.machine.send_data(id, bytes, true, now, &mut bounded);
                self.room = bounded.room;
                taken
            }
        };
        self.after_whole(id, taken, bytes.len(), now, out, |outbox, n| {
            outbox.put(bytes.get(n..).unwrap_or_default());
        });
    }

    pub(super) fn put_whole_shared(
        &mut self,
        id: u32,
        bytes: Bytes,
        now: Instant,
        out: &mut impl Sink,
    ) {
        let len = bytes.len();
        let mut taken = Ok(0);
        if len > 0 {
            let room = self.room;
            let mut bounded = Bounded { out, room };
            taken = self
                .machine
                .send_data_shared(id, &bytes, true, now, &mut bounded);
            self.room = bounded.room;
        }
        self.after_whole(id, taken, len, now, out, |outbox, n| {
            outbox.share(bytes.slice(n.min(len)..));
        });
    }

    /// Sends all of a message's content and the trailers behind it.
    pub(super) fn put_trailed(
        &mut self,
        id: u32,
        bytes: &[u8],
        trailers: Fields<'_>,
        now: Instant,
        out: &mut impl Sink,
    ) {
        let mut taken = Ok(0);
        if !bytes.is_empty() {
            let room = self.room;
            let mut bounded = Bounded { out, room };
            taken = self.machine.send_data(id, bytes, false, now, &mut bounded);
            self.room = bounded.room;
        }
        let rest = taken.map(|n| bytes.get(n..).unwrap_or_default());
        let sent = match rest {
            Ok([]) => self.machine.send_end(id, trailers, out),
            Ok(rest) => {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.finished = true;
                }
                if let Some(outbox) = self.outbox(id) {
                    outbox.put(rest);
                    outbox.end(trailers);
                }
                return;
            }
            Err(misuse) => Err(misuse),
        };
        match sent {
            Ok(()) => self.end_ours(id, now, out),
            Err(_) => self.give_up(id, now, out),
        }
    }

    fn after_whole(
        &mut self,
        id: u32,
        taken: Result<usize, http2::Misuse>,
        len: usize,
        now: Instant,
        out: &mut impl Sink,
        keep: impl FnOnce(&mut Outbox, usize),
    ) {
        match taken {
            Ok(n) if n == len => self.end_ours(id, now, out),
            Ok(n) => {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.finished = true;
                }
                if let Some(outbox) = self.outbox(id) {
                    keep(outbox, n);
                    outbox.end(Fields::EMPTY);
                }
            }
            Err(_) => self.give_up(id, now, out),
        }
    }
}
