//! The compression of messages.
//!
//! ```text
//!  grpc-encoding: gzip                  what messages with the flag 1 are
//!  grpc-accept-encoding: identity,gzip  what the other side may use
//! ```

use crate::http::Fields;

/// A way to compress messages (gRPC over HTTP2, Message-Encoding).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// None.
    #[default]
    Identity,
    /// RFC 1952. Read and written with the feature `gzip`.
    Gzip,
}

impl Encoding {
    /// The encodings that this build reads, as the value of `grpc-accept-encoding`.
    pub const ACCEPTED: &'static str = if cfg!(feature = "gzip") {
        "identity,gzip"
    } else {
        "identity"
    };

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
        }
    }

    /// Reads a `grpc-encoding`; `None` for what this build does not read.
    ///
    /// ```
    /// use barewire::grpc::Encoding;
    ///
    /// assert_eq!(Encoding::parse(b"identity"), Some(Encoding::Identity));
    /// assert_eq!(Encoding::parse(b"br"), None);
    /// ```
    pub fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"identity") {
            Some(Self::Identity)
        } else if cfg!(feature = "gzip") && name.eq_ignore_ascii_case(b"gzip") {
            Some(Self::Gzip)
        } else {
            None
        }
    }

    /// Whether `fields` say that their sender reads this encoding. Everybody
    /// reads what is not compressed.
    pub fn is_accepted(self, fields: Fields<'_>) -> bool {
        self == Self::Identity || fields.list_contains("grpc-accept-encoding", self.name())
    }
}
