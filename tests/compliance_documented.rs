//! What the pages on compliance name is there: tests, functions, cases.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_that_the_pages_on_compliance_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = known(root);
    for page in [
        "docs/compliance.md",
        "docs/compliance-http2.md",
        "docs/compliance-grpc.md",
    ] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let names = names(&text);
        assert!(names.len() > 50, "{page} names but {}", names.len());
        let missing: Vec<_> = names.iter().filter(|name| !exists(name, &known)).collect();
        assert_eq!(missing, Vec::<&&str>::new(), "{page}");
    }
}

/// The names of a page: between backticks, of several words in lower case. The
/// names of tests are.
fn names(text: &str) -> BTreeSet<&str> {
    let spans = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let letters = |name: &&str| {
        let mut bytes = name.bytes();
        name.contains('_') && bytes.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'*'))
    };
    spans.filter(letters).collect()
}

/// Whether a name is known, or one that begins as a name with a star does.
fn exists(name: &str, known: &BTreeSet<String>) -> bool {
    match name.strip_suffix('*') {
        None => known.contains(name),
        Some(start) => {
            let mut from = known.range(start.to_owned()..);
            from.next().is_some_and(|next| next.starts_with(start))
        }
    }
}

/// Every word of the sources, of the tests and of their cases.
fn known(root: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for folder in ["src", "tests", "examples/showcase/tests"] {
        for file in files(&root.join(folder)) {
            let text = fs::read_to_string(file).unwrap();
            let split = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.extend(split.filter(|word| word.contains('_')).map(str::to_owned));
        }
    }
    words
}

/// The files with code or cases below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|it| it.to_str());
        if path.is_dir() && !path.ends_with("tests/interop") {
            found.extend(files(&path));
        } else if matches!(kind, Some("rs" | "json" | "jsonl")) {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_name_that_is_not_there_is_missed() {
    let known = ["a_test".to_owned(), "b_test_of_two".to_owned()].into();
    let page = "| `a_test` | `b_test*`, `c_test`; `Type_Name`, `module` `c_*`";
    let names = names(page);
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| !exists(name, &known))
        .collect();
    assert_eq!(missing, ["c_*", "c_test"]);
}
