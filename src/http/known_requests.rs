//! Heads of requests that have been read before.
//!
//! Clients that ask again and again send the same bytes again and again. A few heads
//! are kept with what was read in them: one that is equal to the last byte need not be
//! read again.
//!
//! ```text
//!  GET /some/path HTTP/1.1 CRLF Host: a CRLF ... CRLF CRLF
//!      |--------------|
//!      chooses the place of the one head that all of it is compared with
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use super::{FieldRange, Fields, Method, RequestHead, Target, Version};

const PLACES: usize = 8;
/// The longest head that is kept, in bytes.
const LONGEST: usize = 1024;
/// The most fields of one.
const FIELDS: usize = 32;
/// The end of a request line, of which the version says little: ` HTTP/1.1`, and eight
/// bytes before it.
const LINE_END: usize = 17;
/// So often another head has to come again before it takes the place of one that is used.
const WORTH: u8 = 16;
/// So many unknown heads one after the other show that looking is of no use ...
const UNKNOWN: u8 = 32;
/// ... and so many are then not looked for.
const PAUSE: u8 = 63;

/// Heads of recent requests of the usual form: GET or POST of a path, without content, keeping
/// the connection.
///
/// A head replaces another if it comes twice in a row. Heads with secrets such as cookies are
/// not kept: timing must reveal nothing.
#[derive(Debug, Default)]
pub(crate) struct KnownRequests {
    places: [Known; PLACES],
    /// Unknown heads since the last that was known, at most [`UNKNOWN`].
    unknown: u8,
    /// So many of the next are not looked for.
    pause: u8,
    /// Where one was looked for in vain last, and could be kept.
    missed: Place,
    has_missed: bool,
}

/// A head, and what was read in it.
#[derive(Debug)]
struct Known {
    text: Vec<u8>,
    /// The print that chose its place; compared before all of the text is.
    spread: u64,
    ranges: Vec<FieldRange>,
    is_post: bool,
    path: String,
    query: Option<String>,
    version: Version,
    persists: bool,
    /// So often it is not replaced.
    worth: u8,
    /// Of the head that would replace it.
    next: Print,
}

/// A print of a head: its length and a few bytes around the end of its request line and its own
/// end.
type Print = u64;

impl Default for Known {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            spread: 0,
            ranges: Vec::new(),
            is_post: false,
            path: String::new(),
            query: None,
            version: Version::Http11,
            persists: false,
            worth: 0,
            next: 0,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) head: u32,
    pub(crate) target: u32,
    pub(crate) fields: usize,
}

/// Where a head is found, or could be kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    at: usize,
    spread: u64,
}

impl Place {
    /// The place of the head at the front of `input`, chosen by what stands around the
    /// end of a short path.
    #[inline(always)]
    fn of(input: &[u8]) -> Option<Self> {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let front: &[u8; 16] = input.get(4..20)?.first_chunk()?;
        let one = u64::from_le_bytes(*front.first_chunk()?);
        let two = u64::from_le_bytes(*front.last_chunk()?);
        let spread = (one ^ two.rotate_left(29)).wrapping_mul(SPREAD);
        let at = (spread >> 61) as usize % PLACES;
        Some(Self { at, spread })
    }
}

impl KnownRequests {
    /// Whether a head is to be looked for: seldom while none is known.
    #[inline(always)]
    pub(crate) const fn is_worth_a_look(&mut self) -> bool {
        let pauses = self.pause > 0;
        self.has_missed = false;
        self.pause -= pauses as u8;
        !pauses
    }

    /// The place of the head that stands at the front of `input`, if it is known.
    #[inline(always)]
    pub(crate) fn find(&mut self, input: &[u8], bounds: Bounds) -> Option<Place> {
        let place = Place::of(input)?;
        match self.places.get_mut(place.at) {
            Some(known) if known.spread == place.spread && known.is_front(input, bounds) => {
                known.worth = WORTH;
                self.unknown = 0;
                Some(place)
            }
            _ => {
                self.missed = place;
                self.has_missed = true;
                match self.unknown {
                    UNKNOWN => self.pause = PAUSE,
                    _ => self.unknown += 1,
                }
                None
            }
        }
    }

    /// Whether a head was [looked for](Self::find) in vain and not [noted](Self::note).
    #[inline(always)]
    pub(crate) const fn has_missed(&self) -> bool {
        self.has_missed
    }

    /// The head in this place, and whether the connection outlives its exchange. `text`
    /// begins with that head.
    #[inline]
    pub(crate) fn head<'b>(&'b self, place: Place, text: &'b [u8]) -> Option<Found<'b>> {
        let known = self.places.get(place.at)?;
        let text = text.get(..known.text.len())?;
        let head = RequestHead {
            method: match known.is_post {
                true => Method::POST,
                false => Method::GET,
            },
            target: Target::Origin {
                path: &known.path,
                query: known.query.as_deref(),
            },
            version: known.version,
            protocol: None,
            fields: Fields::from_ranges(text, &known.ranges),
        };
        Some(Found {
            head,
            persists: known.persists,
            used: text.len(),
        })
    }

    /// Notes a head of the usual form that was not found: kept if it comes again before another
    /// of its place. `line` is the end of its first line.
    #[inline(never)]
    pub(crate) fn note(
        &mut self,
        (text, line): (&[u8], usize),
        ranges: &[FieldRange],
        persists: bool,
    ) {
        self.has_missed = false;
        let place = self.missed;
        let (Some(known), Some(last)) = (self.places.get_mut(place.at), text.last_chunk()) else {
            return;
        };
        let of_line = text
            .get(..line)
            .and_then(|line| line.last_chunk::<LINE_END>());
        // A shorter line is what chose the place.
        let of_line = of_line.and_then(|end| end.first_chunk());
        let print = of_line.map_or(place.spread, |end| u64::from_le_bytes(*end).rotate_left(7))
            ^ u64::from_le_bytes(*last)
            ^ (text.len() as u64) << 48;
        if known.next != print {
            known.next = print;
        } else if known.worth > 0 {
            known.worth -= 1;
        } else {
            known.keep(place, (text, line), ranges, persists);
        }
    }
}

/// A head that was found among those that are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'b> {
    pub(crate) head: RequestHead<'b>,
    /// The connection outlives the exchange.
    pub(crate) persists: bool,
    pub(crate) used: usize,
}

impl Known {
    /// Whether it stands at the front of `input`, and within this connection's limits.
    #[inline]
    fn is_front(&self, input: &[u8], bounds: Bounds) -> bool {
        let query = self.query.as_ref().map_or(0, |query| query.len() + 1);
        !self.text.is_empty() // else every input would begin so
            && input.starts_with(&self.text)
            && self.text.len() <= bounds.head as usize
            && self.path.len() + query <= bounds.target as usize
            && self.ranges.len() <= bounds.fields
    }

    #[cold]
    #[inline(never)]
    fn keep(
        &mut self,
        place: Place,
        (text, line): (&[u8], usize),
        ranges: &[FieldRange],
        persists: bool,
    ) {
        let is_open = Fields::from_ranges(text, ranges)
            .iter()
            .all(|it| !it.is_secret());
        let read = self::read(text.get(..line).unwrap_or_default());
        let (Some((method, path, query, version)), true) = (read, is_open) else {
            return;
        };
        if text.len() > LONGEST || ranges.len() > FIELDS {
            return;
        }
        *self = Self {
            text: text.into(),
            spread: place.spread,
            ranges: ranges.into(),
            is_post: method == Method::POST,
            path: path.into(),
            query: query.map(String::from),
            version,
            persists,
            worth: WORTH,
            next: self.next,
        };
    }
}

fn read(line: &[u8]) -> Option<(Method<'_>, &str, Option<&str>, Version)> {
    let mut words = line.split(|&b| b == b' ');
    let method = match words.next()? {
        b"GET" => Method::GET,
        b"POST" => Method::POST,
        _ => return None,
    };
    let target = words.next()?;
    let version = match words.next()? {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return None,
    };
    match Target::parse(target, method).ok()? {
        Target::Origin { path, query } => Some((method, path, query, version)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
