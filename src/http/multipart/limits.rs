//! The limits of a form of several parts.

use crate::wire::setters;

/// What a form may hold. What exceeds it is refused with 413.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultipartLimits {
    /// Parts. Default 100.
    pub parts: usize,
    /// Bytes of a part's head. Default 4 KiB.
    pub head: usize,
    /// Header fields of a part. Default 16.
    pub headers: usize,
    /// Bytes of a part's name. Default 256.
    pub name: usize,
    /// Bytes of a file's name as it was sent. Default 1 KiB.
    pub file_name: usize,
    /// Bytes of a part that is no file. Default 64 KiB.
    pub field: u64,
    /// Bytes of a part that is a file. Default 16 MiB.
    pub file: u64,
    /// Bytes of all parts with what stands around them. Default 64 MiB.
    pub total: u64,
}

impl MultipartLimits {
    /// Enough for photographs and their captions.
    pub const DEFAULT: Self = Self {
        parts: 100,
        head: 4 * 1024,
        headers: 16,
        name: 256,
        file_name: 1024,
        field: 64 * 1024,
        file: 16 * 1024 * 1024,
        total: 64 * 1024 * 1024,
    };

    setters! {
        with_parts parts: usize,
        with_head head: usize,
        with_headers headers: usize,
        with_name name: usize,
        with_file_name file_name: usize,
        with_field field: u64,
        with_file file: u64,
        with_total total: u64,
    }
}

impl Default for MultipartLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
