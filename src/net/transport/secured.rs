//! The state of one transport, and reading through it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::opened::{Fault, Opened};
use super::record_front::RecordFront;
use super::room::Room;
use super::seam::Over;
use super::seam::{Agreed, MOST_OPENED, Transport, TransportError, TransportLimit};
use crate::link::{Account, Charge, DrainBuffer};
use crate::net::{Poller, Read, Speaks};
use crate::wire::partly_shown;
use crate::wire::{Instant, Received, Step};

/// Room to read a TLS record: content and overhead.
pub(crate) const RECORD: usize = MOST_OPENED + 2048;

/// The smallest read buffer with room for one behind unused input.
pub(crate) const LEAST_READ: usize = RECORD + 1024;

/// Bytes after the end of a transport that are read while its connection is open.
const IGNORED: usize = 64 * 1024;

/// The transport of one connection, and the front of what it cannot open yet.
pub(crate) struct Secured {
    transport: Box<dyn Transport>,
    over: Over,
    /// Sealed bytes that were read: the front of a record, usually none.
    unopened: DrainBuffer,
    /// They may hold a complete record.
    may_open: bool,
    progress: bool,
    /// The time of the one whose front is kept.
    front: RecordFront,
    /// The fault of input that could not be opened, after content that has been given.
    fault: Option<TransportError>,
    /// Nothing more is opened: the peer has closed the transport, or was cut off.
    ended: bool,
    fin: bool,
    /// Bytes that were thrown away after the end of the transport.
    ignored: usize,
    closed: bool,
    room: Room,
    /// The protocol unless the handshake says otherwise.
    speaks: Speaks,
    /// Bytes that its handshake has used.
    shaken: u32,
    charge: Charge, // for the transport
}

partly_shown!(it: Secured { unopened: it.unopened.len() });

impl Secured {
    pub(super) fn new(transport: Box<dyn Transport>, speaks: Speaks) -> Self {
        Self {
            transport,
            over: Over,
            unopened: DrainBuffer::new(),
            may_open: true, // its first message, if it speaks first
            progress: false,
            front: RecordFront::NONE,
            fault: None,
            ended: false,
            fin: false,
            ignored: 0,
            closed: false,
            room: Room::UNKNOWN,
            speaks,
            shaken: 0,
            charge: Charge::NONE,
        }
    }

    /// The parts needed to seal. A failed transport has said its last word.
    pub(super) fn sealing(&mut self) -> (&mut dyn Transport, &mut Room) {
        let transport = match self.fault {
            None => &mut *self.transport,
            Some(_) => &mut self.over,
        };
        (transport, &mut self.room)
    }

    pub(crate) const fn take_fault(&mut self) -> Option<TransportError> {
        self.fault.take()
    }

    pub(super) fn transport(&mut self) -> &mut dyn Transport {
        &mut *self.transport
    }

    pub(super) fn agreed(&self) -> Option<Speaks> {
        let Agreed { speaks } = self.transport.agreed()?;
        Some(speaks.unwrap_or(self.speaks))
    }

    /// Bytes that have been read and not opened.
    pub(super) const fn unopened(&self) -> usize {
        self.unopened.len()
    }

    /// Notes after a read whether the front of a record is kept: a new one has until `at`.
    pub(super) fn note_front(&mut self, at: Instant) {
        let is_new = core::mem::take(&mut self.progress);
        self.front.note(!self.unopened.is_empty(), is_new, at);
    }

    /// When the rest of a kept record's front must be here; if our side reads again, `at`.
    pub(super) fn record_deadline(&mut self, reads: bool, at: Instant) -> Option<Instant> {
        self.front.note_reading(reads, at);
        self.front.deadline()
    }

    /// Whether those wait for the rest of their record.
    pub(super) const fn lacks_input(&self) -> bool {
        !self.may_open
    }

    /// Puts sealed bytes in front of all that will be read.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        self.unopened.push(bytes);
        self.may_open = true;
    }

    pub(super) fn charge_to(&mut self, account: Option<&Account>) {
        self.unopened.charge_to(account);
    }

    /// Bytes that have come for the handshake.
    pub(super) const fn shaken(&self) -> usize {
        // What may be opened may stand after the handshake.
        let begun = if self.may_open {
            0
        } else {
            self.unopened.len()
        };
        self.shaken as usize + begun
    }

    /// Charges the transport itself to its peer's address, for as long as it lives.
    pub(super) fn charge_itself_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
        self.charge_itself();
    }

    pub(super) fn charge_itself(&mut self) {
        let memory = size_of::<Self>() + size_of_val(&*self.transport) + self.transport.memory();
        self.charge.set(memory);
    }

    /// Says, once, that nothing follows, and frees the transport; whether it had to.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) -> bool {
        let is_due = !self.closed;
        if is_due && self.fault.is_none() && self.transport.agreed().is_some() {
            self.transport.close(out);
        }
        self.give_up();
        is_due
    }

    /// Tells the peer, if anything can be said, at which limit the connection ends.
    pub(super) fn end_at(&mut self, limit: TransportLimit, out: &mut Vec<u8>) {
        if self.fault.is_none() && !self.closed {
            self.transport.end_at(limit, out);
        }
        self.give_up();
    }

    /// Notes that nothing more can be opened or said, and frees the transport.
    pub(super) fn give_up(&mut self) {
        self.closed = true;
        self.transport = Box::new(Over);
        self.charge_itself();
        self.unopened.clear();
        self.unopened.release(0);
    }

    /// Reads once, unless something may be open already, and opens what is complete to the
    /// front of `room` (at least a [`RECORD`]).
    pub(super) fn read<P: Poller>(
        &mut self,
        poller: &mut P,
        stream: &mut P::Stream,
        room: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Opened, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault.into());
        }
        if self.ended {
            return self.read_past_end(poller, stream, room);
        }
        // In place, where the buffer has room for a record after what is kept.
        let kept = self.unopened.len();
        let in_place = room.len() >= kept + RECORD;
        let behind = match in_place {
            true => {
                room[..kept].copy_from_slice(self.unopened.unused());
                self.unopened.advance(kept);
                self.unopened.release(0);
                kept
            }
            false => 0,
        };
        let read = match self.may_open {
            true => Read::default(),
            false => poller.read(stream, &mut room[behind..])?,
        };
        if read.end {
            self.fin = true;
            if self.transport.agreed().is_none() || !self.transport.ends_with_socket() {
                return Err(Fault::Cut);
            }
            self.end_input();
            return Ok(Opened {
                bytes: 0,
                raw: 0,
                drained: true,
                end: true,
            });
        }
        let (plain, done) = match in_place {
            true => {
                let sealed = behind + read.bytes; // within the room
                let opening = self.open_in_place(&mut room[..sealed], out)?;
                self.unopened.push(&room[opening.used..sealed]);
                (opening.plain, opening.done)
            }
            false => {
                self.unopened.push(&room[..read.bytes]);
                self.open_kept(room, out)?
            }
        };
        self.may_open = !done;
        if self.ended {
            self.end_input(); // nothing counts after the end
            self.read_past_end(poller, stream, &mut room[plain..])?; // mostly the FIN
        }
        Ok(Opened {
            bytes: plain,
            raw: read.bytes,
            drained: done && read.drained,
            end: self.ended,
        })
    }

    /// Discards what follows the transport's end (RFC 8446 §6.1), up to [`IGNORED`] bytes:
    /// unread bytes would reset the connection.
    #[cold]
    fn read_past_end<P: Poller>(
        &mut self,
        poller: &mut P,
        stream: &mut P::Stream,
        room: &mut [u8],
    ) -> Result<Opened, Fault> {
        let mut opened = Opened {
            bytes: 0,
            raw: 0,
            drained: true,
            end: true,
        };
        if !self.fin && self.ignored < IGNORED && !room.is_empty() {
            let read = poller.read(stream, room)?;
            self.fin = read.end;
            self.ignored += read.bytes;
            (opened.raw, opened.drained) = (read.bytes, read.drained);
        }
        Ok(opened)
    }

    /// Opens nothing more, and forgets what is kept.
    pub(super) fn end_input(&mut self) {
        self.ended = true;
        self.may_open = false;
        self.unopened.clear();
        self.unopened.release(0);
    }

    pub(crate) const fn may_receive(&self) -> bool {
        !self.fin
    }

    /// Opens what is complete, and slides the plain bytes together at the front.
    fn open_in_place(
        &mut self,
        all: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Opening, TransportError> {
        let mut opening = Opening::default();
        loop {
            let sealed = all.get_mut(opening.used..).unwrap_or_default();
            let opened = self.open_one(sealed, out);
            let Some((used, found, next)) = self.hold_fault(opened, opening.plain)? else {
                return Ok(opening);
            };
            if let Some(found) = found {
                let from = opening.used + found.start;
                all.copy_within(from..opening.used + found.end, opening.plain);
                opening.plain += found.len();
            }
            opening.used += used;
            if next != Next::Open {
                opening.done = next == Next::Read;
                return Ok(opening);
            }
        }
    }

    /// Opens what is complete of what is kept, into `room`.
    fn open_kept(
        &mut self,
        room: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, bool), TransportError> {
        let mut plain = 0;
        while room.len() - plain >= MOST_OPENED.min(self.unopened.len()) {
            let mut kept = core::mem::take(&mut self.unopened);
            let opened = self.open_one(kept.unused_mut(), out);
            self.unopened = kept;
            let Some((used, found, next)) = self.hold_fault(opened, plain)? else {
                return Ok((plain, false));
            };
            if let Some(found) = found {
                let bytes = self.unopened.unused().get(found).unwrap_or_default();
                room[plain..plain + bytes.len()].copy_from_slice(bytes); // as was looked
                plain += bytes.len();
            }
            self.unopened.advance(used);
            self.unopened.release(0);
            if next != Next::Open {
                return Ok((plain, next == Next::Read));
            }
        }
        Ok((plain, false))
    }

    /// Holds a fault until the `plain` bytes before it are given: what becomes of them does not
    /// depend on the read.
    fn hold_fault(
        &mut self,
        opened: Result<Record, TransportError>,
        plain: usize,
    ) -> Result<Option<Record>, TransportError> {
        match opened {
            Ok(record) => Ok(Some(record)),
            Err(fault) if plain > 0 => {
                self.fault = Some(fault);
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    fn open_one(&mut self, sealed: &mut [u8], out: &mut Vec<u8>) -> Result<Record, TransportError> {
        let had_agreed = self.transport.agreed().is_some();
        let Received { used, step } = self.transport.open(sealed, out)?;
        if used > sealed.len() {
            return Err(TransportError::new("a transport used more than there was"));
        }
        self.progress |= used > 0;
        if !had_agreed {
            self.shaken = self
                .shaken
                .saturating_add(u32::try_from(used).unwrap_or(u32::MAX));
        }
        let left = used < sealed.len();
        let (found, next) = match step {
            Step::Event(_) if !had_agreed => {
                return Err(TransportError::new(
                    "content in front of the handshake's end",
                ));
            }
            Step::Event(found) if used == 0 || found.end > used || found.len() > MOST_OPENED => {
                return Err(TransportError::new("content is not that of a record"));
            }
            Step::Event(found) => (Some(found), if left { Next::Open } else { Next::Read }),
            Step::Done => {
                self.ended = true;
                (None, Next::Read)
            }
            _ if used > 0 && left => (None, Next::Open),
            _ => (None, Next::Read),
        };
        // What stands after a handshake is the next phase's.
        let next = match (had_agreed, left && next == Next::Open) {
            (false, true) if self.transport.agreed().is_some() => Next::Pause,
            _ => next,
        };
        Ok((used, found, next))
    }
}

/// How many bytes a record took, where its content lies, and what to do next.
type Record = (usize, Option<Range<usize>>, Next);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There may be another record.
    Open,
    /// There may be, and it is not for now.
    Pause,
    Read,
}

#[derive(Debug, Default)]
struct Opening {
    used: usize,
    plain: usize,
    done: bool,
}
