//! Replies in RESP3: where one ends, and what is in it.
//!
//! ```text
//!   bytes ──► Framer::end: how long the reply at the front is, or that more has to come
//!                 └──► Reply: its tokens one after the other, without a copy
//! ```
//!
//! Nothing is allocated, whatever a reply announces: lengths are counted and compared.

/// Bytes of a line: of a number, a simple string, or an error.
const MOST_LINE: usize = 4 << 10;

/// How deep replies may nest; those that are asked for here have two levels.
const MOST_DEPTH: usize = 8;

/// Why a connection to Redis cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A byte that begins no reply, a length that is no number, or no end of a line where
    /// one has to be.
    #[error("this is not RESP3")]
    Malformed,
    /// The reply is longer than [`Framer::new`] allows.
    #[error("the reply is longer than the limit")]
    TooLong,
    /// Arrays within arrays, more than eight levels.
    #[error("the reply nests too deeply")]
    TooDeep,
    /// A reply that nothing was asked for, or of a form that does not answer what was.
    #[error("the reply does not answer what was asked")]
    Unasked,
}

/// Finds the end of replies, and continues where it has stopped.
#[derive(Debug, Clone)]
pub struct Framer {
    most: usize,
    /// Where the next element begins.
    at: usize,
    /// How many elements are missing at each level.
    missing: [u64; MOST_DEPTH],
    depth: usize,
}

impl Framer {
    /// For replies of at most so many bytes.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            at: 0,
            missing: [0; MOST_DEPTH],
            depth: 0,
        }
    }

    /// Whether it stands in front of a reply.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.at == 0 && self.depth == 0
    }

    /// The length of the reply at the front of `input`; `None` if more has to come. It is
    /// to be called again with the same bytes and more behind them.
    ///
    /// # Errors
    /// [`ReplyError`]: nothing that follows can be understood.
    pub fn end(&mut self, input: &[u8]) -> Result<Option<usize>, ReplyError> {
        loop {
            let Some((next, children)) = self.element(input)? else {
                return match input.len() > self.most {
                    true => Err(ReplyError::TooLong),
                    false => Ok(None),
                };
            };
            if next > self.most {
                return Err(ReplyError::TooLong);
            }
            self.at = next;
            if children > 0 {
                let level = self.missing.get_mut(self.depth);
                *level.ok_or(ReplyError::TooDeep)? = children;
                self.depth += 1;
                continue;
            }
            while let Some(level) = self.depth.checked_sub(1)
                && let Some(missing) = self.missing.get_mut(level)
            {
                *missing -= 1;
                if *missing > 0 {
                    break;
                }
                self.depth = level;
            }
            if self.depth == 0 {
                self.at = 0;
                return Ok(Some(next));
            }
        }
    }

    /// Where the element at `self.at` ends, or its children begin; and how many of those
    /// there are.
    fn element(&self, input: &[u8]) -> Result<Option<(usize, u64)>, ReplyError> {
        let rest = input.get(self.at..).unwrap_or_default();
        let Some((&kind, rest)) = rest.split_first() else {
            return Ok(None);
        };
        let Some(line) = line(rest)? else {
            return Ok(None);
        };
        let after = self.at + 1 + line.len() + 2;
        let length = match kind {
            b'+' | b'-' | b':' | b',' | b'#' | b'(' | b'_' => return Ok(Some((after, 0))),
            b'$' | b'=' | b'!' | b'*' | b'~' | b'%' => number(line),
            b'>' if self.depth == 0 => number(line),
            _ => None,
        };
        let is_bulk = matches!(kind, b'$' | b'=' | b'!');
        let length = match length.ok_or(ReplyError::Malformed)? {
            -1 if kind == b'$' || kind == b'*' => return Ok(Some((after, 0))),
            length => u64::try_from(length).map_err(|_| ReplyError::Malformed)?,
        };
        // An element has three bytes at least.
        let least = if is_bulk {
            length
        } else {
            length.saturating_mul(3)
        };
        if least > self.most as u64 {
            return Err(ReplyError::TooLong);
        }
        if !is_bulk {
            let children = if kind == b'%' { 2 * length } else { length };
            return Ok(Some((after, children)));
        }
        let end = after + length as usize; // at most `most`
        match input.get(end..end + 2) {
            None => Ok(None),
            Some(b"\r\n") => Ok(Some((end + 2, 0))),
            Some(_) => Err(ReplyError::Malformed),
        }
    }
}

/// A message of a channel, if one lies complete at the front in the form in which Redis writes
/// it: its length, the channel's name, and what was published there. By far the most frequent of
/// all that comes, it is read in one pass.
pub(super) fn message(input: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    let rest = input.strip_prefix(b">3\r\n$8\r\nsmessage\r\n")?;
    let (channel, rest) = string(rest)?;
    let (published, rest) = string(rest)?;
    Some((input.len() - rest.len(), channel, published))
}

/// The string at the front, if it is complete; and what follows it.
fn string(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = input.strip_prefix(b"$")?;
    let mut length = 0_usize;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'0'..=b'9' if length < 1 << 40 => length = 10 * length + usize::from(byte - b'0'),
            b'\r' => break,
            _ => return None,
        }
    }
    let (string, rest) = rest.strip_prefix(b"\n")?.split_at_checked(length)?;
    Some((string, rest.strip_prefix(b"\r\n")?))
}

/// The line at the front, without its end; `None` if that has not come.
fn line(input: &[u8]) -> Result<Option<&[u8]>, ReplyError> {
    match input.iter().take(MOST_LINE).position(|&byte| byte == b'\r') {
        None if input.len() >= MOST_LINE => Err(ReplyError::Malformed),
        None => Ok(None),
        Some(at) => match input.get(at + 1) {
            None => Ok(None),
            Some(b'\n') => Ok(input.get(..at)),
            Some(_) => Err(ReplyError::Malformed),
        },
    }
}

/// A decimal number.
fn number(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    Some(if is_negative { -value } else { value })
}

/// One element of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// A string, whatever its form.
    Bytes(&'a [u8]),
    /// An error: its code, a space and a text.
    Error(&'a [u8]),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A number as it is written: with a fraction, or longer than 64 bits.
    Number(&'a [u8]),
    /// Nothing.
    Null,
    /// So many elements follow. A map has two for each entry.
    Array(u64),
    /// So many elements follow, which nobody has asked for now.
    Push(u64),
}

/// The tokens of one reply that a [`Framer`] has found the end of.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    rest: &'a [u8],
}

impl<'a> Reply<'a> {
    /// The tokens of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next token; `None` behind the last one, and where something is malformed.
    pub fn token(&mut self) -> Option<Token<'a>> {
        let (&kind, rest) = self.rest.split_first()?;
        let text = line(rest).ok()??;
        let rest = rest.get(text.len() + 2..)?;
        self.rest = rest;
        Some(match kind {
            b'+' => Token::Bytes(text),
            b'-' => Token::Error(text),
            b':' => Token::Integer(number(text)?),
            b'#' => Token::Boolean(text == b"t"),
            b',' | b'(' => Token::Number(text),
            b'_' => Token::Null,
            b'*' | b'~' | b'>' | b'%' | b'$' | b'=' | b'!' => {
                let Ok(length) = u64::try_from(number(text)?) else {
                    return Some(Token::Null);
                };
                match kind {
                    b'%' => Token::Array(length.checked_mul(2)?),
                    b'>' => Token::Push(length),
                    b'*' | b'~' => Token::Array(length),
                    _ => {
                        let length = usize::try_from(length).ok()?;
                        let bytes = rest.get(..length)?;
                        self.rest = rest.get(length.checked_add(2)?..)?;
                        match kind {
                            b'$' => Token::Bytes(bytes),
                            b'=' => Token::Bytes(bytes.get(4..)?), // behind `txt:`
                            _ => Token::Error(bytes),
                        }
                    }
                }
            }
            _ => return None,
        })
    }

    /// The next element if it is a string.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        match self.token()? {
            Token::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The next element if it is a whole number, or a string that is one.
    pub fn integer(&mut self) -> Option<i64> {
        match self.token()? {
            Token::Integer(number) => Some(number),
            Token::Bytes(text) => number(text),
            _ => None,
        }
    }

    /// How many elements follow, if the next one is an array.
    pub fn array(&mut self) -> Option<u64> {
        match self.token()? {
            Token::Array(length) => Some(length),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
