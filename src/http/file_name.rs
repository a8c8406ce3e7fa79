//! Names of files that others choose.

use alloc::string::String;

/// Bytes that a file's name may have on the systems that there are.
const LONGEST: usize = 255;

/// Names that Windows keeps for devices, whatever extension is behind them.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name of a file without any path, as it can be shown and stored: what stands behind
/// the last `/` or `\`, without control characters, those that turn the direction of
/// text around, and those that Windows forbids; without dots and spaces at its ends; cut to
/// 255 bytes, its extension kept. `None` if nothing is left.
///
/// It may be the name of a file that exists, or that another client chooses, too: store
/// files under names of your own.
///
/// ```
/// use barewire::http::safe_file_name;
///
/// assert_eq!(safe_file_name("../../etc/passwd").as_deref(), Some("passwd"));
/// assert_eq!(safe_file_name(r"C:\photos\a?.png").as_deref(), Some("a.png"));
/// assert_eq!(safe_file_name("aux.txt").as_deref(), Some("_aux.txt"));
/// assert_eq!(safe_file_name(".."), None);
/// ```
pub fn safe_file_name(sent: &str) -> Option<String> {
    let name = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_kept = |c: &char| {
        !c.is_control()
            && !matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
            && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            && !matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String = name.chars().filter(is_kept).collect();
    let mut name = String::from(kept.trim_matches(['.', ' ']));
    if name.is_empty() {
        return None;
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    shorten(&mut name);
    Some(name)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let numbered = |prefix: &str| {
        let (first, last) = stem.split_at_checked(3).unwrap_or_default();
        first.eq_ignore_ascii_case(prefix)
            && matches!(last, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9")
    };
    DEVICES
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
        || numbered("com")
        || numbered("lpt")
}

/// Cuts the middle of a name that is too long.
fn shorten(name: &mut String) {
    if name.len() <= LONGEST {
        return;
    }
    let dot = name.rfind('.').filter(|at| name.len() - at <= 16);
    let extension = dot.and_then(|at| name.get(at..)).map(String::from);
    let mut end = LONGEST - extension.as_ref().map_or(0, String::len);
    while !name.is_char_boundary(end) {
        end -= 1; // 0 is one
    }
    name.truncate(end);
    name.truncate(name.trim_end_matches(['.', ' ']).len());
    name.push_str(extension.as_deref().unwrap_or_default());
}
