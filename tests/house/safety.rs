//! What docs/safety.md says of the source: it is read, not believed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every source file of the library, without its tests and comments, by lines.
fn code() -> Vec<(PathBuf, usize, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut lines = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.to_str().unwrap().ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            let code = (1..).zip(text.lines());
            let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
            lines.extend(code.map(|(number, line)| (path.clone(), number, line.to_owned())));
        }
    }
    assert!(lines.len() > 10_000, "the source was not found");
    lines
}

#[test]
fn nothing_panics_on_purpose() {
    let calls = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
        " assert!(",
        " assert_eq!(",
        " assert_ne!(",
        "unwrap_unchecked",
    ];
    // The caps of a loop keep its slab below this size.
    let proven = "assert!(self.entries.len() < Self::MAX, \"the slab is full\");";
    for (path, number, line) in code() {
        let panics = calls.iter().any(|call| line.contains(call));
        assert!(
            !panics || line.trim() == proven,
            "{}:{number}: {line}",
            path.display()
        );
    }
}

#[test]
fn unsafe_code_stays_in_its_room() {
    for (path, number, line) in code() {
        let is_unsafe = line.contains("unsafe ") || line.contains("allow(unsafe_code");
        let place = path.components().any(|part| part.as_os_str() == "simd")
            || path.ends_with("net/system/under_way.rs");
        let opens_it = line.contains("unsafe_code")
            && (path.ends_with("wire/mod.rs") || path.ends_with("net/system/mod.rs"));
        assert!(
            !is_unsafe || place || opens_it,
            "{}:{number}: {line}",
            path.display()
        );
    }
}

#[test]
fn every_unsafe_block_is_described() {
    let mut found = BTreeSet::new();
    let mut nearest = String::new();
    for (path, _, line) in code() {
        let name = line.split_once("fn ").map(|(_, rest)| rest);
        let name = name.and_then(|rest| rest.split(['(', '<']).next());
        if let Some(name) =
            name.filter(|name| name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()))
        {
            nearest = name.to_owned();
        }
        if line.contains("unsafe ") {
            let file = path.file_name().unwrap().to_str().unwrap();
            found.insert((file.to_owned(), nearest.clone()));
        }
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/safety.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.split("| functions with a block |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut described = BTreeSet::new();
    for row in rows {
        let cell = row.split('|').nth(1).unwrap();
        let cell = cell.split_once('(').map_or(cell, |(names, _)| names);
        let mut names = cell.split('`').skip(1).step_by(2).map(str::to_owned);
        let file = names.next().unwrap();
        described.extend(names.map(|name| (file.clone(), name)));
    }
    assert!(found.len() > 10, "{found:?}");
    assert_eq!(found, described);
}
