//! Room that rustls writes its records into.

use alloc::vec::Vec;

use rustls::Error;
use rustls::unbuffered::{EncodeError, EncryptError, InsufficientSizeError};

/// Appends what `write` puts into room of `guess` bytes, or of as many as it asks for.
pub(super) fn append(
    out: &mut Vec<u8>,
    guess: usize,
    write: impl FnMut(&mut [u8]) -> Result<usize, Lack>,
) -> Result<(), Error> {
    Output::behind(out, |out| out.put(guess, write))
}

/// The first `len` bytes are written; the rest is room that need not be zeroed again.
pub(super) struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    len: usize,
}

impl<'a> Output<'a> {
    /// Over the front of `room`, which grows where it is too small.
    pub(super) const fn over(room: &'a mut Vec<u8>) -> Self {
        Self {
            bytes: room,
            len: 0,
        }
    }

    /// Bytes that were written, and those that stood in front of them.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Has `write` write after the bytes of `out`.
    pub(super) fn behind<T>(
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Output<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let len = out.len();
        let mut output = Output { bytes: out, len };
        let written = write(&mut output);
        let len = output.len;
        out.truncate(len);
        written
    }

    /// Puts there what `write` writes into room of `guess` bytes, or of as many as it
    /// asks for.
    pub(super) fn put(
        &mut self,
        guess: usize,
        mut write: impl FnMut(&mut [u8]) -> Result<usize, Lack>,
    ) -> Result<(), Error> {
        let mut room = guess;
        loop {
            let end = self.len + room;
            if self.bytes.len() < end {
                self.bytes.resize(end, 0);
            }
            match write(&mut self.bytes[self.len..end]) {
                Ok(written) => {
                    self.len += written;
                    return Ok(());
                }
                Err(Lack::Room(more)) if more > room => room = more,
                Err(Lack::Else(error)) => return Err(error),
                Err(Lack::Room(_)) => return Err(unexpected()),
            }
        }
    }
}

pub(super) enum Lack {
    /// So many bytes of room are needed.
    Room(usize),
    Else(Error),
}

impl From<EncryptError> for Lack {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(size) => Self::Room(size.required_size),
            EncryptError::EncryptExhausted => Self::Else(Error::EncryptError),
        }
    }
}

pub(super) fn lacking(error: EncodeError) -> Lack {
    match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
            Lack::Room(required_size)
        }
        EncodeError::AlreadyEncoded => Lack::Else(unexpected()),
    }
}

/// rustls is not as the seam knows it.
pub(super) fn unexpected() -> Error {
    Error::General("rustls is in a state that is not known here".into())
}
