//! From a request's path to a path below the directory.

use alloc::string::String;

use crate::app::exchange::path::Path;

/// Where a request leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// To this path: segments with slashes between. Empty for the directory
    /// itself.
    Named(String),
    /// Into the directory at this path: a slash stands at its end.
    Folder(String),
}

/// The place that the segments of `path` from the index `from` on name. `None`
/// where a segment can be no file's name, would lead elsewhere, or is `hidden`
/// and those are not served.
///
/// Each segment was percent-decoded for itself, so that an encoded slash is
/// seen here as what it is: a part of a name that no file has.
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

/// Whether `segment` is one name, and one that is served. What begins with a
/// dot is hidden (`.git`, `.env`), but for `.well-known` (RFC 8615).
fn may_be_named(segment: &str, hidden: bool) -> bool {
    let leads_elsewhere = matches!(segment, "." | "..") || segment.contains(['/', '\\', '\0']);
    let is_hidden = segment.starts_with('.') && segment != ".well-known";
    !leads_elsewhere && (hidden || !is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
