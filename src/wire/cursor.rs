//! A reader over a slice that never runs past its end.

/// Reads big-endian numbers and runs of bytes from the front of a slice.
///
/// Every method answers `None`, and moves nothing, when the slice is too
/// short.
///
/// ```
/// use barewire::wire::Cursor;
///
/// let mut cursor = Cursor::new(&[0x81, 0x01, 0x02, b'h', b'i']);
/// assert_eq!(cursor.byte(), Some(0x81));
/// assert_eq!(cursor.u16(), Some(0x0102));
/// assert_eq!(cursor.take(3), None);
/// assert_eq!(cursor.take(2), Some(&b"hi"[..]));
/// assert_eq!(cursor.position(), 5);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'b> {
    rest: &'b [u8],
    len: usize, // of the whole slice, >= rest.len()
}

impl<'b> Cursor<'b> {
    /// A cursor at the front of `bytes`.
    #[inline]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            len: bytes.len(),
        }
    }

    /// Bytes read so far.
    #[inline]
    pub const fn position(&self) -> usize {
        self.len - self.rest.len()
    }

    /// The bytes that have not been read.
    #[inline]
    pub const fn rest(&self) -> &'b [u8] {
        self.rest
    }

    /// The next `n` bytes.
    #[inline]
    pub const fn take(&mut self, n: usize) -> Option<&'b [u8]> {
        match self.rest.split_at_checked(n) {
            Some((taken, rest)) => {
                self.rest = rest;
                Some(taken)
            }
            None => None,
        }
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub const fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Some(*taken)
            }
            None => None,
        }
    }

    /// The next byte.
    #[inline]
    pub const fn byte(&mut self) -> Option<u8> {
        match self.array::<1>() {
            Some([b]) => Some(b),
            None => None,
        }
    }

    /// The next 2 bytes as a big-endian number.
    #[inline]
    pub const fn u16(&mut self) -> Option<u16> {
        match self.array() {
            Some(bytes) => Some(u16::from_be_bytes(bytes)),
            None => None,
        }
    }

    /// The next 4 bytes as a big-endian number.
    #[inline]
    pub const fn u32(&mut self) -> Option<u32> {
        match self.array() {
            Some(bytes) => Some(u32::from_be_bytes(bytes)),
            None => None,
        }
    }

    /// The next 8 bytes as a big-endian number.
    #[inline]
    pub const fn u64(&mut self) -> Option<u64> {
        match self.array() {
            Some(bytes) => Some(u64::from_be_bytes(bytes)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests;
