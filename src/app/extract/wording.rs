//! An error of serde, taken apart: the field, and what is wrong with it.

use alloc::string::{String, ToString};

use serde_path_to_error::{Path, Segment};

use super::extract_error::{SHOWN, shown};

/// What is wrong with a field that may come once.
pub(super) const REPEATED: &str = "given more than once";

/// Takes apart what a deserializer said at `path`. Where it repeats a value of the client,
/// that is left out: it may be a secret, and there is no end to it.
pub(super) fn take_apart(path: &Path, message: &str) -> (String, String) {
    let mut field = match path.iter().next() {
        Some(_) => path.to_string(),
        None => String::new(),
    };
    let named = |start: &str| message.strip_prefix(start)?.split('`').next();
    let of_name = [
        ("missing field `", "missing"),
        ("duplicate field `", REPEATED),
        ("unknown field `", "unknown"),
    ];
    let found = of_name
        .into_iter()
        .find_map(|(start, problem)| Some((named(start)?, problem)));
    let problem = match (found, message.rfind(", expected ")) {
        (Some((name, problem)), _) => {
            let is_last = |it: &Segment| matches!(it, Segment::Map { key } if key == name);
            if !path.iter().next_back().is_some_and(is_last) {
                if !field.is_empty() {
                    field.push('.');
                }
                field.push_str(name);
            }
            problem
        }
        (None, Some(at)) => message.get(at + 2..).unwrap_or_default(),
        (None, None) => message,
    };
    if field.len() > SHOWN {
        field = shown(&field);
    }
    (field, shown(problem))
}
