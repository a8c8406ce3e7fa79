//! Choices made of bytes.

/// Takes choices from the front of an input; when it has run out, all are 0.
pub struct Input<'d> {
    rest: &'d [u8],
}

impl<'d> Input<'d> {
    pub const fn new(data: &'d [u8]) -> Self {
        Self { rest: data }
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    /// The next `n` bytes, or as many as there are.
    pub fn bytes(&mut self, n: usize) -> &'d [u8] {
        let (taken, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A run of bytes behind its length.
    pub fn run(&mut self) -> &'d [u8] {
        let n = self.byte();
        self.bytes(n.into())
    }

    /// A run of bytes that is made UTF-8.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.run()).into_owned()
    }

    pub fn rest(&mut self) -> &'d [u8] {
        core::mem::take(&mut self.rest)
    }
}

/// The input in pieces: of one byte each, or, for every other `manner`, of 1 to
/// `manner` bytes.
pub fn pieces(input: &[u8], manner: u8) -> Vec<&[u8]> {
    let (mut rest, mut all, mut state) = (input, Vec::new(), u32::from(manner));
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = 1 + (state >> 16) as usize % usize::from(manner).max(1);
        let (piece, later) = rest.split_at(size.min(rest.len()));
        all.push(piece);
        rest = later;
    }
    all
}
