//! The codings by name.

/// A content coding (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// `gzip` (RFC 1952), feature `gzip`: every client takes it.
    Gzip,
    /// `br` (RFC 7932), feature `brotli`: the smallest, and the dearest to make.
    Brotli,
    /// `zstd` (RFC 8878), feature `zstd`: as small as `gzip` for half of the time.
    Zstd,
}

impl Coding {
    pub(crate) const COUNT: usize = 3;

    /// All of them, the one that is chosen among equals first.
    pub(crate) const ALL: [Self; Self::COUNT] = [Self::Zstd, Self::Gzip, Self::Brotli];

    /// Its name in Content-Encoding.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Whether its feature is there.
    pub const fn is_available(self) -> bool {
        match self {
            Self::Gzip => cfg!(feature = "gzip"),
            Self::Brotli => cfg!(feature = "brotli"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }

    pub(crate) const fn levels(self) -> (u8, u8) {
        match self {
            Self::Gzip => (1, 9),
            Self::Brotli => (2, 11), // those below have a coder of their own, which has no parts
            Self::Zstd => (1, 19),   // those above need windows that clients refuse (RFC 9659)
        }
    }

    pub(crate) const fn level(self) -> u8 {
        match self {
            Self::Gzip | Self::Brotli => 4,
            Self::Zstd => 3,
        }
    }

    pub(crate) const fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || matches!(self, Self::Gzip) && name.eq_ignore_ascii_case(b"x-gzip") // §8.4.1.3
    }
}
