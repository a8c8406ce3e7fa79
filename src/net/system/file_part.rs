//! Bytes that are sent from a file.

use alloc::sync::Arc;
use std::fs::File;
use std::io::{self, ErrorKind};

use crate::link::Stored;
use crate::net::Claim;
use crate::wire::partly_shown;

/// A part of a file that is to be sent: the file, where the part begins, and
/// how long it is. The file's own position is neither used nor moved.
///
/// The length is fixed here, and is what a head announces. A file that grows
/// meanwhile changes nothing; one that has become too short ends the
/// connection, so that the peer sees a broken body and no complete one. What
/// is written into the part meanwhile may be sent or not.
///
/// ```
/// use barewire::net::FilePart;
/// # let path = std::env::temp_dir().join(format!("barewire-part-{}", std::process::id()));
/// # std::fs::write(&path, "one, two, three")?;
///
/// let whole = FilePart::whole(std::fs::File::open(&path)?)?;
/// let mut two = whole.slice(5, 3);
/// let mut bytes = [0; 8];
/// assert_eq!(two.read(&mut bytes)?, 3);
/// assert_eq!(&bytes[..3], b"two");
/// assert!(two.is_empty());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct FilePart {
    file: Arc<File>,
    offset: u64,
    len: u64, // offset + len <= i64::MAX
    claim: Option<Arc<Claim>>,
}

/// The largest offset that a file may have.
const END: u64 = i64::MAX as u64;

partly_shown!(it: FilePart { offset, len });

impl FilePart {
    /// `len` bytes of `file` from `offset` on; less where no file can be so
    /// long.
    pub fn new(file: Arc<File>, offset: u64, len: u64) -> Self {
        let offset = offset.min(END);
        let len = len.min(END - offset);
        Self {
            file,
            offset,
            len,
            claim: None,
        }
    }

    /// Makes the part, and what is cut from it, keep a claim, which is given back with
    /// the last of them: when the file has been sent, or the connection has ended.
    /// [`Context::claim`](crate::net::Context::claim) gives one of
    /// [`Resource::Files`](crate::net::Resource::Files).
    #[must_use]
    pub fn with_claim(mut self, claim: Arc<Claim>) -> Self {
        self.claim = Some(claim);
        self
    }

    /// All that a file holds now.
    ///
    /// # Errors
    /// The system's error when it is asked for the length.
    pub fn whole(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self::new(Arc::new(file), 0, len))
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where in the file the part begins.
    #[inline]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the part.
    #[inline]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether the part has no bytes.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// At most `len` bytes of the part, from its byte `from` on.
    #[must_use]
    pub fn slice(&self, from: u64, len: u64) -> Self {
        let from = from.min(self.len);
        Self {
            file: self.file.clone(),
            offset: self.offset + from,
            len: len.min(self.len - from),
            claim: self.claim.clone(),
        }
    }

    /// Drops the first `n` bytes, at most all.
    pub fn advance(&mut self, n: u64) {
        let n = n.min(self.len);
        self.offset += n;
        self.len -= n;
    }

    /// Reads the first bytes into `into`, until that is full or the part is at
    /// its end, and drops them from the part. Answers how many they were.
    ///
    /// # Errors
    /// The system's error; [`ErrorKind::UnexpectedEof`] if the file is
    /// shorter than the part. Then nothing is dropped.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.len).map_or(into.len(), |len| len.min(into.len()));
        let into = &mut into[..most]; // at most all of it
        let mut done = 0;
        while done < into.len() {
            match read_at(&self.file, &mut into[done..], self.offset + done as u64) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => done += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.advance(done as u64);
        Ok(done)
    }
}

impl Stored for FilePart {
    fn len(&self) -> u64 {
        self.len
    }

    fn advance(&mut self, n: u64) {
        self.advance(n); // the inherent one
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read(into)
}

#[cfg(test)]
mod tests;
