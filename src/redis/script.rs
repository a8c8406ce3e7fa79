//! The scripts that run in Redis, so that what belongs together is done in one step.

use alloc::string::String;

use sha1::{Digest, Sha1};

/// A script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Gives a publication its offset, keeps it and publishes it, unless its id is known.
    Publish,
    /// Says where a channel is, and what came behind an offset.
    Read,
    /// Says who is there in other processes.
    Present,
    /// Notes who is there in this process.
    Here,
}

impl Script {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Publish, Self::Read, Self::Present, Self::Here];

    /// Its text, in Lua.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Publish => include_str!("publish.lua"),
            Self::Read => include_str!("read.lua"),
            Self::Present => include_str!("present.lua"),
            Self::Here => include_str!("here.lua"),
        }
    }

    /// The name that Redis knows it by: 40 hexadecimal digits.
    pub fn sha(self) -> String {
        let digest = Sha1::digest(self.text().as_bytes());
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        let digits = digest
            .iter()
            .flat_map(|&it| [digit(it >> 4), digit(it & 15)]);
        digits.collect()
    }
}
