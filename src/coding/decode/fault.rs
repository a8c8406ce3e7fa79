//! The trait that takes one coding off, and its faults.

/// Why a body is not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not what its Content-Encoding says.
    Coding(&'static str),
    /// It is beyond the limit of this name.
    TooLarge(&'static str),
}

/// One coding that is being taken off. A further one implements this and is named in `by_name`
/// and `ACCEPTED`.
pub(crate) trait Decode: Send {
    /// Decodes `input` into `out`, with room for [`STEP`] bytes. If neither is used, more input
    /// is needed or the coding has ended.
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault>;

    /// Bytes of memory that its state takes, or is about to take for what it was told.
    fn memory(&self) -> usize;

    /// Whether the coding allows that the input ends here, and all of it was given out.
    fn can_end(&self) -> bool;
}

/// How far one call of [`Decode::decode`] has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoded {
    /// Bytes of the input that are no more needed.
    pub(crate) used: usize,
    pub(crate) given: usize,
}

/// How much is decoded in one call at most.
pub(crate) const STEP: usize = 32 << 10;
