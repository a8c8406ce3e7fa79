//! Frames of WebSockets on streams that ask for an answer, in the connection's output.
//!
//! ```text
//!   outbox of the stream    [ message | ping | message ]
//!                           └── Waits: so many bytes ──┘
//!   the connection's output ... | other streams | ping |    Sent: counted from its beginning
//!                                       ▲ the peer has taken so much
//! ```

use core::time::Duration;

use super::state::Multiplex;
use super::stream::AwaitedAnswer;
use super::stream::Stream;
use crate::wire::Instant;

/// A control frame of WebSocket inside one of HTTP/2 is no longer.
const FRAME: u64 = 9 + 8 + 125;

/// How far the peer is with the connection's output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerProgress {
    /// It has taken so many bytes; `None`: all.
    pub(crate) bytes: Option<i64>,
    /// It has taken nothing for a long time.
    pub(crate) is_still: bool,
    /// For how long what it has taken may wait in front of it to be read.
    pub(crate) held: Duration,
}

impl Multiplex {
    /// So many bytes left the outbox of a stream that has asked something: the answer's time
    /// begins with the frame's leaving.
    pub(super) fn let_out(&mut self, id: u32, bytes: usize, now: Instant) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let (Some(AwaitedAnswer::Waits(left)), Some(socket)) =
            (&mut stream.asked, &mut stream.socket)
        else {
            return;
        };
        let Some(behind) = bytes.checked_sub(*left) else {
            *left -= bytes;
            return;
        };
        let put_out = self.first_room.saturating_sub(self.room);
        stream.asked = Some(AwaitedAnswer::Left(put_out.saturating_sub(behind)));
        socket.await_from(now);
        self.has_left = true;
        self.wake_by(now); // for a first look at how far the peer is
    }

    /// Whether frames have left that ask something, since
    /// [`note_end`](Self::note_end).
    pub(crate) const fn has_left(&self) -> bool {
        self.has_left
    }

    pub(crate) fn note_end(&mut self, before: u64) {
        self.has_left = false;
        for stream in self.streams.iter_mut() {
            if let Some(AwaitedAnswer::Left(ahead)) = stream.asked {
                stream.asked = Some(AwaitedAnswer::Sent {
                    end: before + ahead as u64,
                    was_missing: false,
                });
            }
        }
    }

    pub(crate) fn has_asked(&self) -> bool {
        let asks = |stream: &Stream| stream.asked.is_some() && stream.socket.is_some();
        self.streams.iter().any(asks)
    }

    /// Says how far the peer is. Output not taken restarts the answer's time, unless it takes
    /// nothing at all.
    pub(crate) fn has_taken(&mut self, taken: PeerProgress, now: Instant) {
        for stream in self.streams.iter_mut() {
            let (Some(AwaitedAnswer::Sent { end, was_missing }), Some(socket)) =
                (&mut stream.asked, &mut stream.socket)
            else {
                continue;
            };
            let enough = match *was_missing {
                true => *end,
                // Who had all that was sent before has it, but for the time of the way.
                false => end.saturating_sub(FRAME),
            };
            if taken.bytes.is_some_and(|bytes| bytes < enough as i64) {
                *was_missing = true;
                if !taken.is_still {
                    socket.await_from(now);
                }
                continue;
            }
            if *was_missing || taken.held > Duration::ZERO {
                socket.await_from(now + taken.held);
            }
            stream.asked = Some(AwaitedAnswer::Arrived);
        }
    }
}
