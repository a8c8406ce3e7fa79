use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;

/// A directory with files, links and a secret beside it.
struct TestDirectory(PathBuf);

impl TestDirectory {
    fn new(name: &str) -> Self {
        let place =
            std::env::temp_dir().join(std::format!("barewire-root-{}-{name}", std::process::id()));
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
    let error = Root::open(FilePath::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(Root::open(FilePath::new("/etc/passwd")).is_err());
}

fn place(sent: &str) -> Option<Location> {
    let mut path = Path::default();
    path.decode(sent).unwrap();
    locate(&path, 1, false)
}

#[test]
fn a_path_names_a_file_or_a_folder() {
    assert_eq!(place("/s/a/b.txt"), Some(Location::Named("a/b.txt".into())));
    assert_eq!(place("/s/a%20b"), Some(Location::Named("a b".into())));
    assert_eq!(
        place("/s/caf%C3%A9/"),
        Some(Location::Folder("café".into()))
    );
    assert_eq!(place("/s/"), Some(Location::Folder("".into())));
    assert_eq!(place("/s"), Some(Location::Named("".into())));
    assert_eq!(place("/s/..."), None);
    assert_eq!(place("/s/a..b"), Some(Location::Named("a..b".into())));
}

#[test]
fn what_would_lead_elsewhere_leads_nowhere() {
    for sent in [
        "/s/..",
        "/s/../x",
        "/s/a/../../x",
        "/s/.",
        "/s/./a",
        "/s/%2e%2e/x",
        "/s/%2E%2E%2Fx",
        "/s/..%2fx",
        "/s/..%5cx",
        "/s/a%5Cb",
        "/s/a%2Fb",
        "/s/%2Fetc/passwd",
        "/s//etc/passwd",
        "/s/a//b",
        "/s/a%00",
        "/s/a%00.txt",
        "/s//",
        "/s/a//",
    ] {
        assert_eq!(place(sent), None, "{sent}");
    }
}

#[test]
fn hidden_files_are_served_on_request_alone() {
    let mut path = Path::default();
    for sent in ["/s/.git/config", "/s/.env", "/s/a/.hidden"] {
        assert_eq!(place(sent), None, "{sent}");
        path.decode(sent).unwrap();
        assert!(locate(&path, 1, true).is_some(), "{sent}");
    }
    assert!(place("/s/.well-known/security.txt").is_some());
    path.decode("/s/../a").unwrap();
    assert_eq!(locate(&path, 1, true), None);
}
