//! A file as it is on offer: its bytes, and what tells it from others.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

use super::root::Missing;
use crate::app::exchange::coded_files::FileState;
use crate::app::exchange::validators::Validators;
use crate::coding::Coding;
use crate::coding::accept::Accepted;
use crate::http::Fields;
use crate::net::FilePart;
use crate::wire::{Sink, ascii};

/// A tag is strong once the file has rested for so long: within it, two changes
/// may bear one time (RFC 9110 §8.8.2.2).
const RESTED: u64 = 2;

#[derive(Debug)]
pub(super) enum Opened {
    File(Representation),
    Folder,
}

/// A regular file, as it was when it was opened.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) part: FilePart,
    pub(super) validators: Validators,
    pub(super) coding: Option<Coding>,
    pub(super) state: FileState,
}

impl Opened {
    /// Examines an opened file: neither regular file nor directory is not found. `now` is in
    /// seconds since 1970.
    pub(super) fn look(file: File, coding: Option<Coding>, now: u64) -> Result<Self, Missing> {
        let metadata = file.metadata().map_err(|_| Missing::Failed)?;
        if metadata.is_dir() {
            return Ok(Self::Folder);
        }
        if !metadata.is_file() {
            return Err(Missing::NotFound);
        }
        let modified = u64::try_from(metadata.mtime()).ok();
        let is_weak = modified.is_none_or(|at| at.saturating_add(RESTED) > now);
        let validators = Validators {
            tag: tag(&metadata, coding, is_weak),
            // No later than the Date of the reply (RFC 9110 §8.8.2.1).
            modified: modified.map(|at| at.min(now)),
        };
        Ok(Self::File(Representation {
            part: FilePart::new(Arc::new(file), 0, metadata.len()),
            validators,
            coding,
            state: FileState {
                device: metadata.dev(),
                inode: metadata.ino(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
                length: metadata.len(),
                is_young: is_weak,
            },
        }))
    }
}

/// An entity tag of a file's time and length.
fn tag(metadata: &Metadata, coding: Option<Coding>, is_weak: bool) -> Vec<u8> {
    let mut tag = Vec::with_capacity(48);
    tag.put(if is_weak { b"W/\"" } else { b"\"" });
    // Times before 1970 wrap around, and differ all the same.
    ascii::put_hex(metadata.mtime() as u64, &mut tag);
    tag.put(b".");
    ascii::put_hex(metadata.mtime_nsec() as u64, &mut tag);
    tag.put(b"-");
    ascii::put_hex(metadata.len(), &mut tag);
    if let Some(coding) = coding {
        tag.put(b"-");
        tag.put(coding.name().as_bytes());
    }
    tag.put(b"\"");
    tag
}

/// Among equals the smallest goes first: these have been made with time.
const ORDER: [Coding; Coding::COUNT] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

/// The codings that the client takes at least as gladly as none, the better
/// first.
pub(super) fn wanted(fields: Fields<'_>) -> impl Iterator<Item = Coding> {
    Accepted::of(fields).in_order(&ORDER)
}

/// The suffix of a compressed file's name.
pub(super) const fn suffix(coding: Coding) -> &'static str {
    match coding {
        Coding::Brotli => ".br",
        Coding::Zstd => ".zst",
        Coding::Gzip => ".gz",
    }
}
