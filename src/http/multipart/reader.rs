//! The machine that reads a form of several parts.
//!
//! ```text
//!   Before ──delimiter──► Delimited ──CRLF──► Head ──empty line──► Content ──delimiter─┐
//!                          ▲    └───"--"───► After                                     │
//!                          └───────────────────────────────────────────────────────────┘
//! ```
//!
//! The delimiter is CRLF, `--` and the boundary. A boundary holds no CR, so that a match that
//! fails begins again at the octet that it failed at, and what had matched is known without
//! being kept.

use alloc::vec::Vec;

use super::error::MultipartError;
use super::limits::MultipartLimits;
use super::part_head::PartHead;
use crate::http::parameters::split;
use crate::wire::{Received, Step, ascii};

/// What happens in a form.
#[derive(Debug, PartialEq, Eq)]
pub enum MultipartEvent<'b> {
    /// A part begins.
    Part(&'b PartHead),
    /// A piece of its content.
    Content(&'b [u8]),
    /// It is complete.
    End,
}

/// A reader of `multipart/form-data` without I/O.
///
/// Give what has arrived to [`receive`](Self::receive) until it is used up, and call
/// [`finish`](Self::finish) when the body has ended. After an error every call returns the
/// same error.
#[derive(Debug)]
pub struct MultipartReader {
    delimiter: Vec<u8>,
    state: State,
    head: Vec<u8>,
    part: PartHead,
    parts: usize,
    content: u64, // of this part
    total: u64,
    failed: Option<MultipartError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In front of the first part, with so much of the delimiter.
    Before(usize),
    Delimited(Behind),
    Head,
    /// In the content of a part, with so much of the delimiter.
    Content(usize),
    /// Behind the last boundary.
    After,
}

/// What has come behind a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Dash,
    Space,
    Cr,
}

/// What a step has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Nothing,
    Part,
    /// Content, from here to there in the input.
    Here(usize, usize),
    /// Content, as much of the delimiter as had matched.
    Matched(usize),
    End,
}

/// Where a delimiter was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// From here on, completely.
    Whole(usize),
    /// From here to the end, so far.
    Cut(usize),
    Nowhere,
}

impl MultipartReader {
    /// A reader for a body with this Content-Type.
    ///
    /// # Errors
    /// [`MediaType`](MultipartError::MediaType) if it is another one,
    /// [`Boundary`](MultipartError::Boundary) without a boundary.
    pub fn new(content_type: &str) -> Result<Self, MultipartError> {
        let (media_type, parameters) = split(content_type.as_bytes());
        if !ascii::eq_ignore_case(media_type, b"multipart/form-data") {
            return Err(MultipartError::MediaType);
        }
        let boundary = parameters.one("boundary").ok().flatten();
        let boundary = boundary.filter(|it| is_boundary(it));
        let boundary = boundary.ok_or(MultipartError::Boundary)?;
        Ok(Self {
            delimiter: [b"\r\n--", boundary].concat(),
            state: State::Before(2), // a body begins like a line
            head: Vec::new(),
            part: PartHead::default(),
            parts: 0,
            content: 0,
            total: 0,
            failed: None,
        })
    }

    /// The number of the part that is being read, from 1 on; 0 before the first.
    pub const fn number(&self) -> usize {
        self.parts
    }

    /// The head of the part that is being read; without a name until that is known.
    pub const fn part(&self) -> &PartHead {
        &self.part
    }

    /// Bytes of memory that it holds.
    pub(crate) const fn memory(&self) -> usize {
        self.delimiter.capacity() + 2 * self.head.capacity() // the head, and what is read of it
    }

    /// Takes at most one event from the front of `input`.
    ///
    /// # Errors
    /// The form is malformed or exceeds a limit.
    pub fn receive<'b>(
        &'b mut self,
        input: &'b [u8],
        limits: &MultipartLimits,
    ) -> Result<Received<MultipartEvent<'b>>, MultipartError> {
        let step = self.failed.map_or_else(|| self.step(input, limits), Err);
        match step {
            Ok((used, what)) => {
                self.total += used as u64;
                Ok(Received {
                    used,
                    step: match what {
                        What::Part => Step::Event(MultipartEvent::Part(&self.part)),
                        What::Here(from, to) => {
                            let piece = input.get(from..to).unwrap_or_default();
                            Step::Event(MultipartEvent::Content(piece))
                        }
                        What::Matched(len) => {
                            let piece = self.delimiter.get(..len).unwrap_or_default();
                            Step::Event(MultipartEvent::Content(piece))
                        }
                        What::End => Step::Event(MultipartEvent::End),
                        What::Nothing if self.state == State::After => Step::Done,
                        What::Nothing => Step::Need(1),
                    },
                })
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`Incomplete`](MultipartError::Incomplete) if the last boundary has not come.
    pub fn finish(&mut self) -> Result<(), MultipartError> {
        match (self.failed, self.state) {
            (Some(error), _) => Err(error),
            (None, State::After) => Ok(()),
            (None, _) => {
                self.failed = Some(MultipartError::Incomplete);
                Err(MultipartError::Incomplete)
            }
        }
    }

    fn step(
        &mut self,
        input: &[u8],
        limits: &MultipartLimits,
    ) -> Result<(usize, What), MultipartError> {
        let room = limits.total.saturating_sub(self.total);
        let input = match usize::try_from(room) {
            Ok(0) if !input.is_empty() => return Err(MultipartError::TooLarge),
            Ok(room) => input.get(..room).unwrap_or(input),
            Err(_) => input,
        };
        let mut used = 0;
        while let Some((&first, _)) = input.get(used..).and_then(<[u8]>::split_first) {
            let rest = input.get(used..).unwrap_or_default();
            let (taken, next, what) = match self.state {
                State::Before(matched) => {
                    let (taken, next) = self.pass(rest, matched);
                    (taken, next, What::Nothing)
                }
                State::Delimited(behind) => (1, self.behind(behind, first, limits)?, What::Nothing),
                State::Head => match self.gather(rest, limits)? {
                    (taken, false) => (taken, State::Head, What::Nothing),
                    (taken, true) => {
                        self.part.read(&self.head, limits)?;
                        (taken, State::Content(0), What::Part)
                    }
                },
                State::Content(0) => self.content(rest, used, limits)?,
                State::Content(matched) => self.resume(rest, matched, limits)?,
                State::After => (rest.len(), State::After, What::Nothing),
            };
            self.state = next;
            used += taken;
            if what != What::Nothing {
                return Ok((used, what));
            }
        }
        Ok((used, What::Nothing))
    }

    /// Looks for the first delimiter.
    fn pass(&self, rest: &[u8], matched: usize) -> (usize, State) {
        if matched > 0 {
            let more = self.common(rest, matched);
            return match matched + more {
                all if all == self.delimiter.len() => (more, State::Delimited(Behind::Nothing)),
                all if more == rest.len() => (more, State::Before(all)),
                _ => (more, State::Before(0)),
            };
        }
        match self.find(rest) {
            Found::Whole(at) => {
                let end = at + self.delimiter.len();
                (end, State::Delimited(Behind::Nothing))
            }
            Found::Cut(at) => (rest.len(), State::Before(rest.len() - at)),
            Found::Nowhere => (rest.len(), State::Before(0)),
        }
    }

    /// Takes one octet behind a boundary.
    fn behind(
        &mut self,
        behind: Behind,
        byte: u8,
        limits: &MultipartLimits,
    ) -> Result<State, MultipartError> {
        Ok(match (behind, byte) {
            (Behind::Nothing, b'-') => State::Delimited(Behind::Dash),
            (Behind::Dash, b'-') => State::After,
            (Behind::Nothing | Behind::Space, b' ' | b'\t') => State::Delimited(Behind::Space),
            (Behind::Nothing | Behind::Space, b'\r') => State::Delimited(Behind::Cr),
            (Behind::Cr, b'\n') => {
                if self.parts >= limits.parts {
                    return Err(MultipartError::Parts);
                }
                self.parts += 1;
                self.head.clear();
                self.part = PartHead::default();
                self.content = 0;
                State::Head
            }
            _ => return Err(MultipartError::Delimiter),
        })
    }

    /// Takes what belongs to the head of the part; whether that is all of it.
    fn gather(
        &mut self,
        rest: &[u8],
        limits: &MultipartLimits,
    ) -> Result<(usize, bool), MultipartError> {
        for (at, &byte) in rest.iter().enumerate() {
            let follows_cr = self.head.last() == Some(&b'\r');
            let fits = match byte {
                b'\n' => follows_cr,
                b'\r' => !follows_cr,
                other => !follows_cr && ascii::is_field_vchar(other),
            };
            if !fits {
                return Err(MultipartError::Head);
            }
            if self.head.len() >= limits.head {
                return Err(MultipartError::HeadTooLarge);
            }
            self.head.push(byte);
            if self.head.ends_with(b"\r\n\r\n") || self.head == b"\r\n" {
                return Ok((at + 1, true));
            }
        }
        Ok((rest.len(), false))
    }

    /// Takes content, or a delimiter that it begins with; `at` is where it stands in the input.
    fn content(
        &mut self,
        rest: &[u8],
        at: usize,
        limits: &MultipartLimits,
    ) -> Result<(usize, State, What), MultipartError> {
        let len = match self.find(rest) {
            Found::Whole(0) => {
                let len = self.delimiter.len();
                return Ok((len, State::Delimited(Behind::Nothing), What::End));
            }
            Found::Cut(0) => return Ok((rest.len(), State::Content(rest.len()), What::Nothing)),
            Found::Whole(len) | Found::Cut(len) => len,
            Found::Nowhere => rest.len(),
        };
        let len = self.admit(len, limits)?;
        Ok((len, State::Content(0), What::Here(at, at + len)))
    }

    /// Takes more of a delimiter that has begun, or gives what had matched as content.
    fn resume(
        &mut self,
        rest: &[u8],
        matched: usize,
        limits: &MultipartLimits,
    ) -> Result<(usize, State, What), MultipartError> {
        let more = self.common(rest, matched);
        let all = matched + more;
        if all == self.delimiter.len() {
            return Ok((more, State::Delimited(Behind::Nothing), What::End));
        }
        if more == rest.len() {
            return Ok((more, State::Content(all), What::Nothing));
        }
        let len = self.admit(all, limits)?;
        if len < all {
            self.failed = Some(self.too_long());
        }
        Ok((more, State::Content(0), What::Matched(len)))
    }

    /// How many octets in front of `rest` continue the delimiter behind `matched`.
    fn common(&self, rest: &[u8], matched: usize) -> usize {
        let wanted = self.delimiter.get(matched..).unwrap_or_default();
        wanted.iter().zip(rest).take_while(|(a, b)| a == b).count()
    }

    fn find(&self, rest: &[u8]) -> Found {
        let mut from = 0;
        while let Some(tail) = rest.get(from..)
            && let Some(at) = tail.iter().position(|&b| b == b'\r')
        {
            let tail = tail.get(at..).unwrap_or_default();
            let common = self.common(tail, 0);
            if common == self.delimiter.len() {
                return Found::Whole(from + at);
            }
            if common == tail.len() {
                return Found::Cut(from + at);
            }
            from += at + common; // at least 1: a CR has matched
        }
        Found::Nowhere
    }

    /// Counts content; how much of it the part may still have.
    fn admit(&mut self, len: usize, limits: &MultipartLimits) -> Result<usize, MultipartError> {
        let limit = match self.part.is_file() {
            true => limits.file,
            false => limits.field,
        };
        let room = limit.saturating_sub(self.content);
        let len = usize::try_from(room).map_or(len, |room| len.min(room));
        if len == 0 {
            return Err(self.too_long());
        }
        self.content += len as u64;
        Ok(len)
    }

    const fn too_long(&self) -> MultipartError {
        match self.part.is_file() {
            true => MultipartError::FileTooLarge,
            false => MultipartError::FieldTooLong,
        }
    }
}

/// RFC 2046 §5.1.1: 1 to 70 characters, of which the last is no space.
fn is_boundary(text: &[u8]) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(b);
    (1..=70).contains(&text.len()) && text.iter().all(fits) && !text.ends_with(b" ")
}

#[cfg(test)]
mod tests;
