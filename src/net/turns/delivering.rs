//! One message to many connections.

use bytes::Bytes;

use super::memory::Memory;
use super::state::State;
use crate::link::{self, Packing};
use crate::net::stores::packed::PackedFrames;
use crate::net::{Exchange, Flow, Owner};
use crate::wire::Role;
use crate::wire::codec::Deflater;

/// The fate of something put behind a peer's waiting output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The exchange does not take it.
    Refused,
    Taken,
    /// Taken, but more than [`Limits::backlog_high`](crate::net::Limits::backlog_high) waits;
    /// so much waited before. The owner is told once the peer keeps up.
    Behind(usize),
}

/// How far the peer of an exchange is with what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uptake {
    pub(crate) sent: u64,
    /// Bytes that wait for its stream.
    pub(crate) queued: usize,
    /// The connection has other streams.
    pub(crate) is_shared: bool,
}

impl Uptake {
    const NONE: Self = Self {
        sent: 0,
        queued: 0,
        is_shared: false,
    };

    /// Whether something has left since `before`, after which so many bytes were put behind.
    pub(crate) const fn is_after(&self, before: &Self, length: usize) -> bool {
        match self.is_shared && self.queued > 0 {
            true => self.queued < before.queued + length,
            false => self.sent != before.sent,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Packed<'f> {
    frames: &'f PackedFrames,
    /// Those that this loop has used, charged to it.
    shared: [Option<Bytes>; PackedFrames::SIZES],
}

impl<'f> Packed<'f> {
    pub(crate) const fn new(frames: &'f PackedFrames) -> Self {
        Self {
            frames,
            shared: [const { None }; PackedFrames::SIZES],
        }
    }

    /// The form for a member, deflated on first use; `None` if the message goes plain.
    fn form(
        &mut self,
        frame: &[u8],
        packing: Packing,
        deflater: Option<&mut Deflater>,
        memory: &Memory,
    ) -> Option<&Bytes> {
        let deflater = deflater?;
        if !link::is_worth_packing(frame, packing, deflater) {
            return None;
        }
        let at = PackedFrames::place(packing.window_bits);
        let place = self.shared.get_mut(at)?;
        if place.is_none() {
            let pack = || link::pack_message(frame, packing, deflater);
            let packed = self.frames.get_or_pack(at, pack)?;
            *place = Some(memory.shared(packed.clone()));
        }
        place.as_ref()
    }
}

impl State {
    /// Puts an encoded WebSocket message behind what a member has waiting, compressed from
    /// `packed` if agreed.
    pub(crate) fn deliver(
        &mut self,
        owner: Owner,
        member: Exchange,
        frame: &Bytes,
        packed: Option<&mut Packed<'_>>,
    ) -> Delivered {
        let Exchange { connection, stream } = member;
        self.visits += 1; // a turn has no 2^32 of them
        if !self.is_open(member) {
            return Delivered::Refused;
        }
        let waited = self.held_of(member);
        let now = self.now;
        let Some(it) = self.connections.get_mut(connection) else {
            return Delivered::Refused;
        };
        // A client's frames are masked.
        if it.owner != owner || it.link.role() != Role::Server {
            return Delivered::Refused;
        }
        let form = match (it.link.packing(stream), packed) {
            (Some(packing), Some(packed)) => {
                packed.form(frame, packing, self.deflater.as_mut(), &self.memory)
            }
            _ => None,
        };
        let delivered = it.link.deliver(stream, form.unwrap_or(frame), now);
        if form.is_some() && delivered.is_ok() {
            // The peer's window has a message now that ours has not.
            it.link.forget_sent(stream);
        }
        match delivered {
            Ok(true) => self.put_behind(connection, form.unwrap_or(frame)),
            Ok(false) => self.touch(connection),
            Err(_) => return Delivered::Refused,
        }
        self.delivered(member, waited)
    }

    pub(crate) fn uptake(&self, exchange: Exchange) -> Uptake {
        let it = self.connections.get(exchange.connection);
        it.map_or(Uptake::NONE, |it| Uptake {
            sent: it.sent,
            queued: it.link.queued(exchange.stream),
            is_shared: it.link.is_multiplexed(),
        })
    }

    /// Ends an exchange for which more than the cap waited before that; whether it was taken.
    pub(crate) fn see_to(&mut self, exchange: Exchange, delivered: Delivered) -> bool {
        if let Delivered::Behind(waited) = delivered {
            self.cap(exchange, waited);
        }
        delivered != Delivered::Refused
    }

    /// The fate of something put behind `waited` bytes.
    pub(crate) fn delivered(&mut self, exchange: Exchange, waited: usize) -> Delivered {
        match self.advise(exchange) {
            Flow::Wait => Delivered::Behind(waited),
            Flow::Go | Flow::Over(_) => Delivered::Taken,
        }
    }
}
