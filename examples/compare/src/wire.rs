//! What the bytes on a connection are: records of TLS, and frames of HTTP/2, counted as they
//! pass, without being opened.

/// Bytes of one direction, by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub bytes: u64,
    /// Records of TLS.
    pub records: u64,
    /// Of HTTP/2 without TLS: heads of frames, header blocks, and frames that carry neither
    /// fields nor content (windows, settings, pings).
    pub frame_heads: u64,
    pub header_blocks: u64,
    pub control: u64,
}

/// What a record of TLS 1.3 adds to what it carries: its head of 5 bytes, the byte of its type,
/// and the 16 of its tag (RFC 8446 §5.2).
pub const RECORD: u64 = 22;

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// What is looked for in a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Opaque,
    Tls,
    /// HTTP/2, from the client or from the server.
    Http2 {
        has_preface: bool,
    },
}

/// Counts one direction.
#[derive(Debug)]
pub struct Counter {
    kind: Kind,
    head: Vec<u8>,
    /// Bytes of the present record or frame that are still to come.
    left: usize,
    of: Part,
    pub tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Content,
    HeaderBlock,
    Control,
}

impl Counter {
    pub const fn new(kind: Kind) -> Self {
        let left = match kind {
            Kind::Http2 { has_preface: true } => PREFACE,
            _ => 0,
        };
        Self {
            kind,
            head: Vec::new(),
            left,
            of: Part::Control,
            tally: Tally {
                bytes: 0,
                records: 0,
                frame_heads: 0,
                header_blocks: 0,
                control: 0,
            },
        }
    }

    /// Looks at what passes next.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        self.tally.bytes += bytes.len() as u64;
        let head = match self.kind {
            Kind::Opaque => return,
            Kind::Tls => 5,
            Kind::Http2 { .. } => 9,
        };
        while !bytes.is_empty() {
            if self.left > 0 {
                let some = self.left.min(bytes.len());
                self.left -= some;
                bytes = &bytes[some..];
                match self.of {
                    Part::Content => {}
                    Part::HeaderBlock => self.tally.header_blocks += some as u64,
                    Part::Control => self.tally.control += some as u64,
                }
                continue;
            }
            let some = (head - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..some]);
            bytes = &bytes[some..];
            if self.head.len() == head {
                self.begin();
            }
        }
    }

    /// A head is complete.
    fn begin(&mut self) {
        match (self.kind, &self.head[..]) {
            (Kind::Tls, &[_, _, _, high, low]) => {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.of = Part::Content;
                self.tally.records += 1;
            }
            (_, &[high, middle, low, kind, ..]) => {
                self.left = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.of = match kind {
                    0 => Part::Content,         // DATA
                    1 | 9 => Part::HeaderBlock, // HEADERS, CONTINUATION
                    _ => Part::Control,
                };
                self.tally.frame_heads += 9;
            }
            _ => {}
        }
        self.head.clear();
    }
}

impl std::ops::Sub for Tally {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            bytes: self.bytes - earlier.bytes,
            records: self.records - earlier.records,
            frame_heads: self.frame_heads - earlier.frame_heads,
            header_blocks: self.header_blocks - earlier.header_blocks,
            control: self.control - earlier.control,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart_wherever_the_bytes_are_cut() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]); // SETTINGS
        bytes.extend([0, 0, 3, 1, 4, 0, 0, 0, 1, 7, 7, 7]); // HEADERS
        bytes.extend([0, 0, 2, 0, 1, 0, 0, 0, 1, 8, 8]); // DATA
        for cut in 1..bytes.len() {
            let mut counter = Counter::new(Kind::Http2 { has_preface: true });
            bytes.chunks(cut).for_each(|it| counter.pass(it));
            let tally = counter.tally;
            assert_eq!((tally.frame_heads, tally.header_blocks), (27, 3), "{cut}");
            assert_eq!(tally.control, 24, "{cut}");
        }
    }
}
