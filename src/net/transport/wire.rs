//! Writing to a socket, through its transport or without one.

use alloc::vec::Vec;
use core::mem;
use std::io::{self, IoSlice};

use super::room::{LEAST, Room};
use super::seam::Transport;
use super::secured::Secured;
use crate::net::{FilePart, Poller};

/// Parts that are sealed together.
const FEW: usize = 8;

/// The target of a flush. Counts are of plain bytes.
pub(crate) trait Wire {
    const SEALS: bool;

    fn begin(&mut self);

    /// Writes parts, as [`Poller::write`]; returns how many of their bytes are on their way.
    /// Fewer mean that the socket is full.
    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    fn send_file(&mut self, parts: &[IoSlice<'_>], file: FilePart) -> io::Result<usize>;

    /// Writes bytes that are sealed; they are not counted.
    fn write_sealed(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Sealed bytes that the socket has not taken.
    fn pending(&self) -> &[u8];

    /// The sealed bytes that the socket has taken, and how many of all those were added.
    fn counts(&self) -> (usize, usize);
}

/// A socket without a transport.
pub(crate) struct Plain<'a, P: Poller> {
    pub(crate) poller: &'a mut P,
    pub(crate) stream: &'a mut P::Stream,
}

impl<P: Poller> Wire for Plain<'_, P> {
    const SEALS: bool = false;

    fn begin(&mut self) {}

    #[inline(always)]
    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.poller.write(self.stream, parts)
    }

    #[inline(always)]
    fn send_file(&mut self, parts: &[IoSlice<'_>], file: FilePart) -> io::Result<usize> {
        self.poller.send_file(self.stream, parts, file)
    }

    fn write_sealed(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poller.write(self.stream, &[IoSlice::new(bytes)])
    }

    fn pending(&self) -> &[u8] {
        &[]
    }

    fn counts(&self) -> (usize, usize) {
        (0, 0) // the writer counts
    }
}

/// A socket under its transport. What the socket does not take is `pending`, and nothing more
/// is sealed.
pub(crate) struct Sealing<'a, P: Poller> {
    poller: &'a mut P,
    stream: &'a mut P::Stream,
    transport: &'a mut dyn Transport,
    room: &'a mut Room,
    /// A buffer with the records sealed last at its front.
    records: &'a mut Vec<u8>,
    sealed: usize,
    piece: &'a mut [u8],
    sent: usize, // of `sealed`
    taken: usize,
    added: usize,
}

impl<'a, P: Poller> Sealing<'a, P> {
    /// `records` is memory for sealed bytes, `piece` for a part of a file.
    pub(crate) fn new(
        poller: &'a mut P,
        stream: &'a mut P::Stream,
        secured: &'a mut Secured,
        records: &'a mut Vec<u8>,
        piece: &'a mut [u8],
    ) -> Self {
        let (transport, room) = secured.sealing();
        Self {
            poller,
            stream,
            transport,
            room,
            records,
            sealed: 0,
            piece,
            sent: 0,
            taken: 0,
            added: 0,
        }
    }

    const fn is_full(&self) -> bool {
        self.sent < self.sealed
    }

    fn seal(&mut self, plain: &[IoSlice<'_>]) -> io::Result<()> {
        (self.sealed, self.sent) = (0, 0);
        let sealed = self.transport.seal_over(plain, self.records);
        let sealed = sealed.map_err(io::Error::other)?;
        self.sealed = sealed.min(self.records.len());
        let len: usize = plain.iter().map(|part| part.len()).sum();
        self.added += self.sealed.saturating_sub(len);
        if self.sealed > 0 {
            let parts = [IoSlice::new(&self.records[..self.sealed])]; // at most its length
            self.sent = self.poller.write(self.stream, &parts)?;
            self.taken += self.sent;
            self.room.note(self.sealed, self.sent);
        }
        Ok(())
    }
}

impl<P: Poller> Sealing<'_, P> {
    /// Writes parts, and a file piece by piece, the first one after them.
    fn send_pieces(
        &mut self,
        parts: &[IoSlice<'_>],
        file: &mut FilePart,
        room: &mut [u8],
    ) -> io::Result<usize> {
        let (mut front, mut done) = (parts, 0);
        while !self.is_full() && !file.is_empty() {
            let before: usize = front.iter().map(|part| part.len()).sum();
            let most = self.room.batch().saturating_sub(before).max(LEAST);
            let most = most.min(room.len());
            let read = file.read(&mut room[..most])?; // in range
            let piece = IoSlice::new(&room[..read]);
            let mut all = [piece; FEW];
            let taken = match all[..FEW - 1].get_mut(..front.len()) {
                Some(places) => {
                    places.copy_from_slice(front);
                    self.write(&all[..=front.len()])? // there is a place after them
                }
                None => {
                    let taken = self.write(front)?;
                    taken
                        + if taken < before {
                            0
                        } else {
                            self.write(&[piece])?
                        }
                }
            };
            done += taken;
            front = &[];
        }
        Ok(done)
    }
}

impl<P: Poller> Wire for Sealing<'_, P> {
    const SEALS: bool = true;

    fn begin(&mut self) {
        self.room.begin();
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let (mut done, mut skip, mut at) = (0, 0, 0);
        while !self.is_full() && at < parts.len() {
            // The next parts, no more than a batch.
            let most = self.room.batch();
            let mut batch = [IoSlice::new(&[]); FEW];
            let (mut n, mut len) = (0, 0);
            while n < batch.len() && len < most && at < parts.len() {
                let part = &parts[at][skip..]; // skip is less than its length, or 0
                let piece = &part[..part.len().min(most - len)];
                batch[n] = IoSlice::new(piece);
                n += 1;
                len += piece.len();
                (at, skip) = match piece.len() == part.len() {
                    true => (at + 1, 0),
                    false => (at, skip + piece.len()),
                };
            }
            if len > 0 {
                self.seal(&batch[..n])?; // n counts those that were filled
                done += len;
            }
        }
        Ok(done)
    }

    fn send_file(&mut self, parts: &[IoSlice<'_>], mut file: FilePart) -> io::Result<usize> {
        let room = mem::take(&mut self.piece);
        let done = self.send_pieces(parts, &mut file, room);
        self.piece = room;
        done
    }

    fn write_sealed(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.poller.write(self.stream, &[IoSlice::new(bytes)])?;
        self.room.note(bytes.len(), n);
        Ok(n)
    }

    fn pending(&self) -> &[u8] {
        self.records.get(self.sent..self.sealed).unwrap_or_default()
    }

    fn counts(&self) -> (usize, usize) {
        (self.taken, self.added)
    }
}
