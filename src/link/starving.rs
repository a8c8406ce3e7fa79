//! A link when there is no memory for its peer.

use super::protocol::Protocol;
use super::{Closing, Link};
use crate::http::date::Date;
use crate::websocket::CloseCode;
use crate::wire::{Instant, Sink};

impl Link {
    /// Whether something waits for the owner of an exchange, and nothing for the
    /// peer.
    pub(crate) fn awaits_owner(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(machine) => machine.awaits_owner(),
            Protocol::Http2(many) => many.awaits_owner(),
            Protocol::WebSocket(_) | Protocol::Raw { .. } => false,
        }
    }

    /// How much of `read` bytes is progress: on HTTP/2 wanted content alone, so that discarded
    /// bytes keep no pace.
    pub(crate) fn progress(&mut self, read: usize) -> usize {
        match &mut self.protocol {
            Protocol::Http2(many) => many.take_wanted(),
            _ => read,
        }
    }

    /// Whether exchanges of this link wait for memory, which is not said by
    /// withholding its input: it is read on, and their windows stay as they
    /// are.
    #[inline]
    pub const fn is_starved(&self) -> bool {
        match &self.protocol {
            Protocol::Http2(many) => many.is_starved(),
            _ => false,
        }
    }

    /// There is memory again for what has waited. The link is to be fed afterwards,
    /// with or without input.
    pub fn replenish(&mut self, out: &mut impl Sink) {
        if let Protocol::Http2(many) = &mut self.protocol {
            many.replenish(out);
        }
    }

    /// There was no memory in time: refuses what has waited for it. A WebSocket
    /// closes with 1013 (IANA: try again later), a stream is answered 503 or
    /// reset. `false` where the protocol has no word for it, and the connection
    /// is to end.
    pub fn refuse(
        &mut self,
        date: Option<&Date>,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) -> bool {
        match &mut self.protocol {
            Protocol::WebSocket(machine) => {
                // Refused only where a close frame has been sent already.
                let _ = machine.send_close(CloseCode::TRY_AGAIN_LATER, "", mask_key, now, out);
                self.over = Some(Closing::Linger);
                true
            }
            Protocol::Http2(many) => {
                many.refuse_starved(date, mask_key, now, out);
                true
            }
            Protocol::Http1(_) | Protocol::Raw { .. } => false,
        }
    }
}
