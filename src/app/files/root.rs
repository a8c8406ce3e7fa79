//! Files below a directory, and no others.
//!
//! Nothing is checked first and opened afterwards: each path is opened
//! relative to the directory's own descriptor, and it is the system that sees
//! to it that the way never leaves it, whatever is renamed or linked meanwhile.
//! On Linux that is `openat2` with `RESOLVE_BENEATH`, by which symbolic links
//! work as long as they stay inside. Elsewhere, and where a sandbox forbids
//! that call, the way is gone segment by segment and ends at any link.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::net::report::report;

/// A FIFO must not hold the loop up, and nothing may become our terminal.
const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// A directory that is served.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

/// Why a file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is none there, or it lies elsewhere in truth.
    NotFound,
    /// It may not be read.
    Forbidden,
    /// The process has no descriptor or memory left.
    Exhausted,
    /// The system has failed otherwise.
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
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    /// A directory with files, links and a secret beside it.
    struct TestDirectory(PathBuf);

    impl TestDirectory {
        fn new(name: &str) -> Self {
            let place = std::env::temp_dir()
                .join(std::format!("barewire-root-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&place);
            fs::create_dir_all(place.join("www/sub/deep")).unwrap();
            fs::write(place.join("secret"), "secret").unwrap();
            fs::write(place.join("www/a"), "a").unwrap();
            fs::write(place.join("www/sub/b"), "b").unwrap();
            fs::write(place.join("www/sub/deep/c"), "c").unwrap();
            symlink("../secret", place.join("www/out")).unwrap();
            symlink(place.join("secret"), place.join("www/absolute")).unwrap();
            symlink("..", place.join("www/up")).unwrap();
            symlink("sub/b", place.join("www/inside")).unwrap();
            symlink("round", place.join("www/round")).unwrap();
            Self(place)
        }

        fn root(&self) -> Root {
            Root::open(&self.0.join("www")).unwrap()
        }
    }

    impl Drop for TestDirectory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn read(found: Result<OwnedFd, Errno>) -> Result<std::string::String, Missing> {
        Ok(io::read_to_string(File::from(found?)).unwrap())
    }

    #[test]
    fn files_are_found_at_any_depth() {
        let place = TestDirectory::new("depth");
        let root = place.root();
        for (path, text) in [("a", "a"), ("sub/b", "b"), ("sub/deep/c", "c")] {
            assert_eq!(io::read_to_string(root.find(path).unwrap()).unwrap(), text);
            assert_eq!(read(step_by_step(root.0.as_fd(), path)).unwrap(), text);
        }
        for path in ["none", "sub/none", "none/b", "a/b", &"x".repeat(300)] {
            assert_eq!(root.find(path).unwrap_err(), Missing::NotFound, "{path}");
            let found = read(step_by_step(root.0.as_fd(), path));
            assert_eq!(found, Err(Missing::NotFound), "{path}");
        }
    }

    #[test]
    fn no_link_leads_out() {
        let place = TestDirectory::new("links");
        let root = place.root();
        for path in ["out", "absolute", "up/secret", "up/www/a", "round"] {
            assert_eq!(root.find(path).unwrap_err(), Missing::NotFound, "{path}");
            let found = read(step_by_step(root.0.as_fd(), path));
            assert_eq!(found, Err(Missing::NotFound), "{path}");
        }
        // A walk step by step follows no link at all.
        assert!(step_by_step(root.0.as_fd(), "inside").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_that_stays_inside_is_followed() {
        let place = TestDirectory::new("inside");
        let root = place.root();
        match beneath(root.0.as_fd(), "inside") {
            Err(Errno::NOSYS | Errno::PERM) => {} // a kernel before 5.6, or a sandbox
            found => assert_eq!(read(found).unwrap(), "b"),
        }
        if !matches!(
            beneath(root.0.as_fd(), "a"),
            Err(Errno::NOSYS | Errno::PERM)
        ) {
            // What no caller asks for is refused all the same.
            for path in ["../secret", "/etc/passwd", "sub/../../secret"] {
                assert_eq!(
                    read(beneath(root.0.as_fd(), path)),
                    Err(Missing::NotFound),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_directory_is_not_opened() {
        let error = Root::open(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        assert!(Root::open(Path::new("/etc/passwd")).is_err());
    }
}
