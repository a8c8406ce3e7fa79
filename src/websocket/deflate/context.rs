//! The state of a connection between two messages, and while one is inflated in pieces.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::inflating::{Course, inflate_message, most_plain};
use super::window::Window;
use super::{Session, WindowBits};
use crate::websocket::{Kind, Limits, ProtocolError};
use crate::wire::Utf8;
use crate::wire::codec::{Compression, Dedicated, Deflater, Inflate, Inflater};

/// The most plain text that is given out at a time, where messages come in pieces.
const PIECE: usize = 16 << 10;

/// More than one byte can become: the end of one match, and eight others of 258 bytes.
const LAST: usize = 4 << 10;

/// The longest compressed message that is short.
const SHORT: usize = 256;

/// Bytes of a character that may lack its end.
const CHARACTER: usize = 3;

/// Is told how much memory a connection holds for its compression.
pub(crate) trait Meter: fmt::Debug + Send + Sync {
    fn set(&mut self, bytes: usize);
}

#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The end of what was received, which the next message may refer to.
    received: Window,
    sent: Vec<u8>,
    dedicated: Option<Dedicated>,
    inflating: Option<Box<dyn Inflate>>,
    /// The message that is being inflated in pieces.
    open: Option<Open>,
    meter: Option<Box<dyn Meter>>,
}

/// A message that is inflated in pieces.
#[derive(Debug)]
struct Open {
    state: Box<dyn Inflate>,
    course: Course,
    wire: u64,
    plain: u64,
    text: Utf8,
    front: [u8; CHARACTER],
    /// A fault found after what was given out last.
    fault: Option<ProtocolError>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    /// Bytes of it that are done with.
    pub(crate) read: usize,
    /// Bytes of plain text, in the inflater's buffer.
    pub(crate) plain: usize,
    pub(crate) last: bool,
}

impl Context {
    pub(crate) fn set_meter(&mut self, meter: Box<dyn Meter>) {
        self.meter = Some(meter);
        self.note();
    }

    pub(crate) const fn lacks_meter(&self) -> bool {
        self.meter.is_none()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.received.is_empty()
            && self.sent.is_empty()
            && self.dedicated.is_none()
            && self.inflating.is_none()
            && self.open.is_none()
    }

    pub(crate) fn held(&self) -> usize {
        let deflating = self.dedicated.as_ref().map_or(0, Dedicated::size);
        let open = self.open.iter().map(|it| &it.state);
        let inflating: usize = open.chain(&self.inflating).map(|it| it.size()).sum();
        self.received.capacity() + self.sent.capacity() + deflating + inflating
    }

    fn note(&mut self) {
        let held = self.held();
        if let Some(meter) = &mut self.meter {
            meter.set(held);
        }
    }

    /// Inflates a complete message into the inflater's buffer; how long it is.
    pub(crate) fn inflate(
        &mut self,
        session: &Session,
        message: (Kind, &[u8]),
        limits: &Limits,
        inflater: &mut Inflater,
    ) -> Result<usize, ProtocolError> {
        let most = session.receiving_window().bytes();
        let takeover = session.receives_with_takeover();
        let before = (self.received.capacity(), self.inflating.is_some());
        // Where a state of its own is paid for, short messages get one to inflate them with, too:
        // to copy the largest window to a lent state would take most of their time. A longer one
        // takes longer by a state that is not in the cache than by that which is lent to all.
        let owns = takeover
            && self.dedicated.is_some()
            && most == WindowBits::MAX.bytes()
            && message.1.len() <= SHORT;
        if !owns && let Some(state) = self.inflating.take() {
            inflater.give_back(state); // it has not seen this one
        }
        let own = owns.then_some(&mut self.inflating);
        let length = inflate_message(&self.received, most, message, limits, inflater, own)?;
        if takeover {
            let plain = inflater.plain().get(..length).unwrap_or_default();
            self.received.push(plain, most);
            if before != (self.received.capacity(), self.inflating.is_some()) {
                self.note();
            }
        }
        Ok(length)
    }

    /// Inflates the next piece of a message as far as there is room; `last` ends the message.
    pub(crate) fn inflate_piece(
        &mut self,
        session: &Session,
        (kind, piece, last): (Kind, &[u8], bool),
        limits: &Limits,
        inflater: &mut Inflater,
    ) -> Result<Piece, ProtocolError> {
        let most = session.receiving_window().bytes();
        self.inflating = None; // it does not see what is inflated here
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open::begin(&self.received, inflater),
        };
        let found = open.advance(
            &mut self.received,
            most,
            (kind, piece, last),
            limits,
            inflater,
        );
        if let Ok(piece) = &found {
            let read = piece.read;
            inflater.tally.add(piece.plain, read, piece.last);
        }
        match &found {
            Ok(piece) if !piece.last => self.open = Some(open),
            Ok(_) | Err(_) => {
                inflater.give_back(open.state);
                if !session.receives_with_takeover() {
                    self.received = Window::NONE;
                }
            }
        }
        self.note();
        found
    }

    /// Deflates a message; `None` if it is better sent plain. Text that may be referred to is
    /// compressed in any case.
    pub(crate) fn deflate<'d>(
        &mut self,
        session: &Session,
        compression: Compression,
        (kind, message): (Kind, &[u8]),
        deflater: &'d mut Deflater,
    ) -> Option<&'d [u8]> {
        let most = match kind {
            Kind::Text => usize::MAX,
            Kind::Binary => message.len(),
        };
        let bits = session.sending_window();
        if !compression.dedicated {
            let packed = deflater.deflate(compression.level, bits.get(), &self.sent, message);
            let packed = worthwhile(packed, most)?;
            let before = self.sent.capacity();
            keep(&mut self.sent, message, bits.bytes());
            if before != self.sent.capacity() {
                self.note();
            }
            return Some(packed);
        }
        let before = self.dedicated.as_ref().map_or(0, Dedicated::size);
        if self.dedicated.is_none() {
            self.dedicated = Some(deflater.make(compression.level, bits.get()));
        }
        let state = self.dedicated.as_mut()?;
        let packed = worthwhile(deflater.deflate_by(state, message), most);
        if packed.is_none() {
            state.begin(compression.level); // the peer does not see this message
        }
        if before != state.size() {
            self.note();
        }
        packed
    }

    pub(crate) fn forget_sent(&mut self) {
        if self.dedicated.is_some() || self.sent.capacity() > 0 {
            (self.dedicated, self.sent) = (None, Vec::new());
            self.inflating = None;
            self.note();
        }
    }

    pub(crate) fn keeps_sent(&self) -> bool {
        self.dedicated.is_some() || !self.sent.is_empty()
    }
}

/// A deflated message without its tail, if it is shorter than `most`.
pub(crate) fn worthwhile(packed: &[u8], most: usize) -> Option<&[u8]> {
    let packed = packed.strip_suffix(&super::inflating::TAIL)?;
    (packed.len() < most).then_some(packed)
}

impl Open {
    fn begin(window: &Window, inflater: &mut Inflater) -> Self {
        let mut state = inflater.take();
        state.begin(window.parts());
        Self {
            state,
            course: Course::default(),
            wire: 0,
            plain: 0,
            text: Utf8::new(),
            front: [0; CHARACTER],
            fault: None,
        }
    }

    fn advance(
        &mut self,
        window: &mut Window,
        most: usize,
        (kind, piece, last): (Kind, &[u8], bool),
        limits: &Limits,
        inflater: &mut Inflater,
    ) -> Result<Piece, ProtocolError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let held = self.text.pending();
        let room = inflater.room(CHARACTER + PIECE);
        if let (Some(place), Some(front)) = (room.get_mut(..held), self.front.get(..held)) {
            place.copy_from_slice(front);
        }
        let place = room.get_mut(held..held + PIECE).unwrap_or_default();
        let (read, written, ended) = self.fill(window, most, (piece, last), limits, place);
        let plain = room.get(..held + written).unwrap_or_default();
        let (good, whole) = self.check(kind, plain, held);
        if !good {
            // Which stands before any other fault.
            self.fault = Some(ProtocolError::InvalidText);
        }
        let front = plain.get(whole..).unwrap_or_default();
        if let Some(place) = self.front.get_mut(..front.len()) {
            place.copy_from_slice(front);
        }
        if ended && whole < plain.len() && self.fault.is_none() {
            self.fault = Some(ProtocolError::InvalidText); // it ends inside a character
        }
        if let Some(fault) = self.fault
            && whole == 0
        {
            return Err(fault);
        }
        Ok(Piece {
            // A fault is told with the next call.
            read: match self.fault {
                Some(_) => read.min(piece.len().saturating_sub(1)),
                None => read,
            },
            plain: whole,
            last: ended && self.fault.is_none(),
        })
    }

    /// Checks what lies behind `held` bytes: whether it is good, and how much can be given out.
    fn check(&mut self, kind: Kind, plain: &[u8], held: usize) -> (bool, usize) {
        if kind == Kind::Binary {
            return (true, plain.len());
        }
        let before = self.text;
        let new = plain.get(held..).unwrap_or_default();
        match self.text.push(new) {
            Ok(()) => (true, plain.len() - self.text.pending()),
            Err(fault) => {
                self.text = before;
                let good = new.get(..fault.at).unwrap_or_default();
                let is_good = self.text.push(good).is_ok();
                let whole = held + good.len() - self.text.pending();
                (false, if is_good { whole } else { 0 })
            }
        }
    }

    /// Inflates into `place`: bytes read and written, and whether the message ended. A fault is
    /// noted behind what was written; if more comes, a byte stays unread.
    fn fill(
        &mut self,
        window: &mut Window,
        most: usize,
        (piece, last): (&[u8], bool),
        limits: &Limits,
        place: &mut [u8],
    ) -> (usize, usize, bool) {
        let (mut read, mut written) = (0_usize, 0_usize);
        loop {
            let rest = piece.get(read..).unwrap_or_default();
            let free = place.len() - written;
            if free == 0 || rest.len() == 1 && free < LAST {
                return (read, written, false);
            }
            // The last byte waits until there is room for all that it can become.
            let input = rest.get(..rest.len().max(2) - 1).unwrap_or(rest);
            let (largest, too_big) = most_plain(self.wire + rest.len() as u64, limits);
            let left = usize::try_from(largest.saturating_sub(self.plain)).unwrap_or(usize::MAX);
            let end = written + free.min(left);
            let (mut one, is_full) = ([0], left == 0);
            let output = match is_full {
                true => &mut one[..], // what comes there is too much
                false => place.get_mut(written..end).unwrap_or_default(),
            };
            let available = output.len();
            let (step, fault) = self.state.inflate(input, output);
            if is_full && step.written > 0 {
                return self.failed(too_big, (read, written));
            }
            window.push(output.get(..step.written).unwrap_or_default(), most);
            (read, written) = (read + step.read, written + step.written);
            self.wire += step.read as u64;
            self.plain += step.written as u64;
            let fault = fault.map_err(|_| ProtocolError::InvalidCompression);
            if let Err(fault) = fault.and(self.course.note(&step, limits)) {
                return self.failed(fault, (read, written));
            }
            if step.ended {
                self.state.begin(window.parts());
            } else if step.written == available && !is_full {
                continue; // there may be more
            }
            if read < piece.len() {
                continue;
            }
            if last && let Err(fault) = self.course.end(&mut *self.state, false) {
                return self.failed(fault, (read, written));
            }
            return (read, written, last);
        }
    }

    const fn failed(
        &mut self,
        fault: ProtocolError,
        (read, written): (usize, usize),
    ) -> (usize, usize, bool) {
        self.fault = Some(fault);
        (read, written, false)
    }
}

/// Appends what the next message may refer to, of which the last `most` bytes are kept.
fn keep(window: &mut Vec<u8>, plain: &[u8], most: usize) {
    if let Some(from) = plain.len().checked_sub(most) {
        window.clear();
        if window.capacity() < most {
            window.reserve_exact(most);
        }
        window.extend_from_slice(plain.get(from..).unwrap_or_default());
        return;
    }
    let length = window.len() + plain.len();
    window.drain(..length.saturating_sub(most));
    if window.capacity() < length.min(most) {
        // No more than half is empty, and none once it is full.
        let size = (length * 2).min(most);
        window.reserve_exact(size - window.len());
    }
    window.extend_from_slice(plain);
}
