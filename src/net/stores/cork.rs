//! The output of one connection while it is served.

use alloc::vec::Vec;
use bytes::Bytes;
use std::io::{self, IoSlice};

use super::gathered::Gathered;
use crate::link::{Account, Charge, Reference, SHARED_FROM, clamp};
use crate::net::FilePart;
use crate::net::system::poller::MAX_PARTS;
use crate::wire::Sink;

/// A copied buffer beyond this is freed when unneeded for a while.
const KEEP: usize = 256 * 1024;

/// One that has grown beyond this is freed immediately.
const MOST: usize = 4 << 20;

/// How many small uses that is: an echo of large messages would otherwise map its buffer again
/// each time.
const QUIET: u16 = 1000;

/// A loop's output: what is written while a connection is served leaves in one write.
///
/// Small pieces lie in one buffer; large shared ones and files are references between them. A
/// [`Mark`] is a place to go back to.
#[derive(Debug, Default)]
pub(crate) struct Cork {
    copied: Gathered,
    shared: Vec<Shared>, // by place
    shared_len: usize,   // bytes of all of them that are in memory
    files: u64,          // bytes of all of them that are not
    cap: usize,
    charge: Charge, // for `shared_len`
    quiet: u16,     // how often little was in a buffer beyond KEEP, one time after another
}

/// The bytes in front of `copied[at..]`, after what was shared earlier.
#[derive(Debug)]
struct Shared {
    at: usize, // <= copied.len()
    what: Reference<FilePart>,
}

/// A place in a [`Cork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    copied: usize,
    shared: usize,
}

impl Cork {
    /// An empty cork whose [`room`](Sink::room) is `cap` bytes.
    pub(crate) const fn new(cap: usize) -> Self {
        Self {
            copied: Gathered::new(),
            shared: Vec::new(),
            shared_len: 0,
            files: 0,
            cap,
            charge: Charge::NONE,
            quiet: 0,
        }
    }

    pub(crate) fn charge_to(&mut self, account: &Account) {
        self.copied.charge_to(account);
        self.charge.move_to(Some(account));
    }

    /// Frees the memory that is beyond what every turn may need.
    pub(crate) fn age(&mut self) {
        if self.is_empty() && self.copied.capacity() > KEEP {
            self.copied.shrink_to(KEEP);
        }
    }

    #[cfg(test)]
    pub(crate) const fn set_cap(&mut self, cap: usize) {
        self.cap = cap;
    }

    /// Bytes written since it was cleared; those of files count up to a
    /// quarter of the address space.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.held() + clamp(self.files)
    }

    /// Bytes written since it was cleared that are in memory.
    #[inline]
    pub(crate) const fn held(&self) -> usize {
        self.copied.len() + self.shared_len
    }

    #[inline]
    pub(crate) const fn has_file(&self) -> bool {
        self.files > 0
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all and keeps the memory: up to 256 KiB for good, up to 4 MiB while needed now
    /// and then.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        let len = self.copied.len();
        self.copied.truncate(0);
        if self.copied.capacity() > KEEP {
            self.shrink(len);
        }
        if !self.shared.is_empty() {
            self.shared.clear();
            self.shared_len = 0;
            self.charge.set(0);
            self.files = 0;
        }
    }

    /// Gives back too much memory, or memory that many uses like `len` have not needed.
    #[cold]
    fn shrink(&mut self, len: usize) {
        self.quiet = if len > KEEP { 0 } else { self.quiet + 1 };
        if self.quiet == QUIET || self.copied.capacity() > MOST {
            self.quiet = 0;
            self.copied.shrink_to(KEEP);
        }
    }

    /// The place after the last byte.
    #[inline]
    pub(crate) const fn mark(&self) -> Mark {
        Mark {
            copied: self.copied.len(),
            shared: self.shared.len(),
        }
    }

    /// All that was written, if it lies in one piece.
    #[inline]
    pub(crate) fn plain(&self) -> Option<&[u8]> {
        self.shared.is_empty().then(|| self.copied.as_slice())
    }

    /// Drops the first `taken` bytes of what is held, in one piece, and of `bytes`; keeps the
    /// rest.
    pub(crate) fn advance(&mut self, taken: usize, bytes: &[u8]) {
        let of_bytes = taken.saturating_sub(self.copied.len());
        self.copied.advance(taken);
        self.copied.put(bytes.get(of_bytes..).unwrap_or_default());
    }

    /// Takes back what was written since `mark`; nothing, or less, if that is from before
    /// [`clear`](Self::clear).
    pub(crate) fn truncate(&mut self, mark: Mark) {
        self.copied.truncate(mark.copied);
        for shared in self.shared.drain(mark.shared.min(self.shared.len())..) {
            let (len, stored) = shared.what.lens();
            self.shared_len -= len;
            self.files = self.files.saturating_sub(stored);
            self.charge.shrink(shared.what.held());
        }
        // Only a mark of another filling could leave one behind its place.
        for shared in &mut self.shared {
            shared.at = shared.at.min(self.copied.len());
        }
    }

    /// Appends published bytes, charged elsewhere: by reference from 16 KiB on.
    pub(crate) fn put_published(&mut self, bytes: Bytes) {
        if bytes.len() < SHARED_FROM {
            return self.put(&bytes);
        }
        self.refer(Reference::Published(bytes));
    }

    pub(crate) fn put_file(&mut self, part: FilePart) {
        if part.is_empty() {
            return;
        }
        self.refer(Reference::Stored(part));
    }

    fn refer(&mut self, what: Reference<FilePart>) {
        let (len, stored) = what.lens();
        self.shared_len += len;
        self.files = self.files.saturating_add(stored);
        self.charge.grow(what.held());
        let at = self.copied.len();
        self.shared.push(Shared { at, what });
    }

    /// Calls `f` with the pieces in order, less the first `from` bytes.
    pub(super) fn pieces<'a>(&'a self, from: usize, mut f: impl FnMut(Piece<'a>)) {
        let mut skip = from;
        let mut emit = |piece: Piece<'a>| {
            let len = piece.len();
            if skip >= len {
                skip -= len;
            } else {
                f(piece.skip(core::mem::take(&mut skip)));
            }
        };
        let (copied, mut at) = (self.copied.as_slice(), 0);
        for shared in &self.shared {
            // In range and in order: `at` of each is a length that `copied`
            // had when it came, and `truncate` keeps it so.
            emit(Piece::Copied(&copied[at..shared.at]));
            emit(Piece::Reference(&shared.what, 0));
            at = shared.at;
        }
        emit(Piece::Copied(&copied[at..]));
    }

    /// Calls `f` with the parts of a vectored write: at most [`MAX_PARTS`], less the first
    /// `from` bytes, none behind a file. Further parts hold less than [`len`](Self::len)` -
    /// from`.
    #[inline]
    pub(crate) fn parts<R>(&self, from: usize, f: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        if self.shared.is_empty() {
            let rest = self.copied.as_slice().get(from..).unwrap_or_default();
            return f(&[IoSlice::new(rest)]);
        }
        // A head and a body, mostly: fewer places to prepare.
        if self.shared.len() <= 3 {
            self.gather::<8, R>(from, f)
        } else {
            self.gather::<MAX_PARTS, R>(from, f)
        }
    }

    fn gather<const N: usize, R>(&self, from: usize, f: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let mut parts = [IoSlice::new(&[]); N];
        let (mut n, mut is_over) = (0, false);
        self.pieces(from, |piece| match (piece.as_slice(), parts.get_mut(n)) {
            (Some(slice), Some(part)) if !is_over => {
                *part = IoSlice::new(slice);
                n += 1;
            }
            _ => is_over = true,
        });
        f(&parts[..n]) // n counts the parts that were there
    }

    /// Writes everything in as few calls of `write` as possible; returns how many bytes were
    /// taken. Fewer than [`len`](Self::len): the kernel is full or a file follows, and the rest
    /// goes into the [`Backlog`](crate::net::Backlog).
    #[inline(always)]
    pub(crate) fn write(
        &self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.shared.is_empty() && !self.copied.is_empty() {
            return write(&[IoSlice::new(self.copied.as_slice())]);
        }
        self.write_parts(write)
    }

    fn write_parts(
        &self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut taken = 0;
        while taken < self.len() {
            let (offered, n) = self.parts(taken, |parts| {
                let offered: usize = parts.iter().map(|part| part.len()).sum();
                (offered, write(parts))
            });
            let n = n?;
            taken += n;
            if n < offered || offered == 0 {
                break;
            }
        }
        Ok(taken)
    }
}

pub(super) enum Piece<'a> {
    Copied(&'a [u8]),
    /// By reference, less the first bytes.
    Reference(&'a Reference<FilePart>, u64),
}

impl<'a> Piece<'a> {
    #[inline]
    fn as_slice(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Copied(bytes) => Some(bytes),
            // `skip` stays within.
            Self::Reference(reference, from) => Some(&reference.as_slice()?[from as usize..]),
        }
    }

    #[inline]
    fn len(&self) -> usize {
        match *self {
            Self::Copied(bytes) => bytes.len(),
            Self::Reference(reference, from) => {
                let (len, stored) = reference.lens();
                clamp(len as u64 + stored - from)
            }
        }
    }

    /// The piece without its first `n` bytes, of which it has more.
    #[inline]
    fn skip(self, n: usize) -> Self {
        match self {
            Self::Copied(bytes) => Self::Copied(&bytes[n..]),
            Self::Reference(reference, from) => Self::Reference(reference, from + n as u64),
        }
    }
}

impl Sink for Cork {
    #[inline]
    fn room(&self) -> usize {
        match self.cap {
            usize::MAX => usize::MAX, // no cap
            cap => cap.saturating_sub(self.len()),
        }
    }

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        self.copied.put(bytes);
    }

    #[inline(always)]
    fn put_front<const N: usize>(&mut self, bytes: &[u8; N], n: usize) {
        self.copied.put_front(bytes, n);
    }

    #[inline(always)]
    fn put_all<const N: usize>(&mut self, pieces: [&[u8]; N]) {
        self.copied.put_all(pieces);
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        self.copied.space(n)
    }

    /// By reference from 16 KiB on.
    #[inline]
    fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SHARED_FROM {
            return self.put(&bytes);
        }
        self.refer(Reference::Shared(bytes));
    }
}

#[derive(Debug)]
pub(crate) struct Published<'c>(pub(crate) &'c mut Cork);

impl Sink for Published<'_> {
    fn room(&self) -> usize {
        self.0.room()
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.put(bytes);
    }

    fn space(&mut self, n: usize) -> &mut [u8] {
        self.0.space(n)
    }

    fn put_shared(&mut self, bytes: Bytes) {
        self.0.put_published(bytes);
    }
}

#[cfg(test)]
mod tests;
