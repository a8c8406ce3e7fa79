//! Bytes before and after each content coding.

use alloc::vec::Vec;

use super::histogram::Counter;
use super::kind::Kind;

/// The codings, with one that is received alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Brotli,
    Zstd,
    Deflate,
}

impl Codec {
    const ALL: [Self; 4] = [Self::Gzip, Self::Brotli, Self::Zstd, Self::Deflate];

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }
}

impl From<crate::coding::Coding> for Codec {
    fn from(coding: crate::coding::Coding) -> Self {
        use crate::coding::Coding;
        match coding {
            Coding::Gzip => Self::Gzip,
            Coding::Brotli => Self::Brotli,
            Coding::Zstd => Self::Zstd,
        }
    }
}

/// Which way something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From clients.
    Received,
    /// To clients.
    Sent,
}

impl Direction {
    const ALL: [Self; 2] = [Self::Received, Self::Sent];

    /// The direction as a label of metrics has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Sent => "sent",
        }
    }
}

/// The bytes of what was coded in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodingCount {
    /// [`Kind::Exchange`] for bodies of requests and replies, [`Kind::Events`], or
    /// [`Kind::Grpc`] for messages of calls.
    pub kind: Kind,
    /// By its name: `gzip`, `br`, `zstd`, `deflate`.
    pub coding: &'static str,
    /// Which way it went.
    pub direction: Direction,
    /// Bytes of the plain text.
    pub plain: u64,
    /// Bytes that it was compressed to. What is compressed once and sent to many counts for
    /// each of them.
    pub coded: u64,
}

impl CodingCount {
    /// How much is left of a plain byte: 0.25 where a quarter is.
    pub fn ratio(&self) -> f64 {
        self.coded as f64 / self.plain.max(1) as f64
    }
}

#[derive(Debug, Default)]
struct Pair {
    plain: Counter,
    coded: Counter,
}

#[derive(Debug, Default)]
pub(super) struct Codings([[[Pair; Direction::ALL.len()]; Codec::ALL.len()]; Kind::ALL.len()]);

impl Codings {
    pub(super) fn add(
        &self,
        (kind, codec, direction): (Kind, Codec, Direction),
        plain: usize,
        coded: usize,
    ) {
        let codecs = self.0.get(kind.index());
        let directions = codecs.and_then(|it| it.get(codec as usize));
        if let Some(pair) = directions.and_then(|it| it.get(direction as usize)) {
            pair.plain.add(plain as u64);
            pair.coded.add(coded as u64);
        }
    }

    /// Adds these to sums, which lie in the order of [`ways`].
    pub(super) fn read(&self, sums: &mut [CodingCount]) {
        let pairs = self.0.iter().flatten().flatten();
        for (sum, pair) in sums.iter_mut().zip(pairs) {
            sum.plain += pair.plain.get();
            sum.coded += pair.coded.get();
        }
    }
}

pub(super) fn ways() -> Vec<CodingCount> {
    let mut ways = Vec::new();
    for kind in Kind::ALL {
        for codec in Codec::ALL {
            ways.extend(Direction::ALL.map(|direction| CodingCount {
                kind,
                coding: codec.name(),
                direction,
                plain: 0,
                coded: 0,
            }));
        }
    }
    ways
}

#[cfg(test)]
mod tests;
