//! Files below a directory, and no others.
//!
//! Nothing is checked first and opened afterwards: each path is opened
//! relative to the directory's own descriptor, and it is the system that sees
//! to it that the way never leaves it, whatever is renamed or linked meanwhile.
//! On Linux that is `openat2` with `RESOLVE_BENEATH`, by which symbolic links
//! work as long as they stay inside. Elsewhere, and where a sandbox forbids
//! that call, the way is gone segment by segment and ends at any link.

use alloc::string::String;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path as FilePath;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::app::exchange::path::Path;
use crate::net::report::report;

/// A FIFO must not hold the loop up, and nothing may become our terminal.
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

#[derive(Debug)]
pub(super) struct Root(OwnedFd);

/// Why a file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    NotFound,
    Forbidden,
    /// The process has no descriptor or memory left.
    Exhausted,
    Failed,
}

impl From<Errno> for Missing {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::ISDIR
            | Errno::NAMETOOLONG
            | Errno::LOOP
            | Errno::MLINK
            | Errno::XDEV
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL
            | Errno::AGAIN => Self::NotFound,
            Errno::ACCESS | Errno::PERM => Self::Forbidden,
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                report!(Error, "503, as a served file cannot be opened: {error}");
                Self::Exhausted
            }
            _ => {
                report!(Error, "500, as a served file cannot be opened: {error}");
                Self::Failed
            }
        }
    }
}

impl Root {
    /// Opens the directory itself, through links where there are some.
    pub(super) fn open(directory: &FilePath) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let opened = rustix::fs::open(directory, flags, Mode::empty());
        Ok(Self(opened?))
    }

    /// Opens what lies at `path`, for reading: segments with slashes between,
    /// none of which may be empty, `.` or `..`.
    pub(super) fn find(&self, path: &str) -> Result<File, Missing> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        match beneath(self.0.as_fd(), path) {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            found => return Ok(found?.into()),
        }
        Ok(step_by_step(self.0.as_fd(), path)?.into())
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn beneath(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};

    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    // The system gives up where something was renamed on the way.
    for _ in 0..4 {
        match openat2(root, path, OPEN, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    Err(Errno::NOENT)
}

fn step_by_step(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut folder: Option<OwnedFd> = None;
    for segment in folders.split('/').filter(|it| !it.is_empty()) {
        let here = folder.as_ref().map_or(root, AsFd::as_fd);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        folder = Some(openat(here, segment, flags, Mode::empty())?);
    }
    let here = folder.as_ref().map_or(root, AsFd::as_fd);
    openat(here, name, OPEN | OFlags::NOFOLLOW, Mode::empty())
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// To this path: segments with slashes between. Empty for the directory
    /// itself.
    Named(String),
    /// Into the directory at this path: a slash stands at its end.
    Folder(String),
}

/// The place that the segments from `from` on name. `None` if one cannot be a file name, leads
/// elsewhere, or is `hidden`.
///
/// Each segment was decoded by itself, so an encoded slash is part of a name that no file has.
pub(super) fn locate(path: &Path, from: usize, hidden: bool) -> Option<Location> {
    let mut place = String::new();
    for index in from.. {
        let Some(segment) = path.segment(index) else {
            break;
        };
        if segment.is_empty() {
            // Only the last may be: `/folder/`.
            let is_last = path.segment(index + 1).is_none();
            return is_last.then_some(Location::Folder(place));
        }
        if !may_be_named(segment, hidden) {
            return None;
        }
        if !place.is_empty() {
            place.push('/');
        }
        place.push_str(segment);
    }
    Some(Location::Named(place))
}

/// Whether `segment` is a name that is served. Dot files are hidden, except `.well-known` (RFC
/// 8615).
fn may_be_named(segment: &str, hidden: bool) -> bool {
    let leads_elsewhere = matches!(segment, "." | "..") || segment.contains(['/', '\\', '\0']);
    let is_hidden = segment.starts_with('.') && segment != ".well-known";
    !leads_elsewhere && (hidden || !is_hidden)
}

#[cfg(test)]
mod tests;
