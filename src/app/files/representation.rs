//! A file as it is on offer: its bytes, and what tells it from others.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;
use std::fs::File;
use std::os::unix::fs::MetadataExt;

use super::coding::Coding;
use super::conditions::Validators;
use super::root::Missing;
use crate::net::FilePart;

/// A tag is strong once the file has rested for so long: within it, two changes
/// may bear one time (RFC 9110 §8.8.2.2).
const RESTED: u64 = 2;

/// A file that was opened.
#[derive(Debug)]
pub(super) enum Opened {
    /// A regular file.
    File(Representation),
    /// A directory.
    Folder,
}

/// A regular file, as it was when it was opened.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) part: FilePart,
    pub(super) validators: Validators,
    pub(super) coding: Option<Coding>,
}

impl Opened {
    /// Looks at a file that was opened. What is neither a regular file nor a
    /// directory is not there for us. `now` is the time in seconds since 1970.
    pub(super) fn look(file: File, coding: Option<Coding>, now: u64) -> Result<Self, Missing> {
        let metadata = file.metadata().map_err(|_| Missing::Failed)?;
        if metadata.is_dir() {
            return Ok(Self::Folder);
        }
        if !metadata.is_file() {
            return Err(Missing::NotFound);
        }
        let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
        let mut tag = String::new();
        // Writing into a String cannot fail.
        let _ = write!(tag, "{seconds:x}.{nanos:x}-{:x}", metadata.len());
        if let Some(coding) = coding {
            let _ = write!(tag, "-{}", coding.name);
        }
        let modified = u64::try_from(seconds).ok();
        let validators = Validators {
            tag,
            is_weak: modified.is_none_or(|at| at.saturating_add(RESTED) > now),
            // No later than the Date of the reply (RFC 9110 §8.8.2.1).
            modified: modified.map(|at| at.min(now)),
        };
        Ok(Self::File(Representation {
            part: FilePart::new(Arc::new(file), 0, metadata.len()),
            validators,
            coding,
        }))
    }
}
