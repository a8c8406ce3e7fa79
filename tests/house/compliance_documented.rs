//! What the pages on compliance and on the architecture name is there: tests, cases,
//! files, functions.

use std::collections::{BTreeMap, BTreeSet};
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

/// For each page, and for a part of it by its heading, the folders below `src/` whose files
/// its column `where` names.
const PLACES: &[(&str, &str, &[&str])] = &[
    ("compliance-grpc.md", "", &[""]),
    (
        "compliance-http2.md",
        "",
        &[
            "http2",
            "http2/connection",
            "http2/connection/receive",
            "hpack",
            "",
        ],
    ),
    (
        "compliance.md",
        "RFC 9112",
        &["http1", "http1/connection", ""],
    ),
    (
        "compliance.md",
        "RFC 9110: HTTP",
        &["http", "http1", "http1/connection", "http2", ""],
    ),
    (
        "compliance.md",
        "RFC 6455",
        &["websocket", "websocket/connection", ""],
    ),
    (
        "compliance.md",
        "RFC 7692",
        &["websocket/deflate", "websocket", "websocket/connection", ""],
    ),
    ("compliance.md", "Server-Sent", &["sse", ""]),
    ("compliance.md", "Forwarded", &["http", "app/routes", ""]),
    ("compliance.md", "RFC 9110 §13", &["app/files", "app", ""]),
    ("compliance.md", "TLS", &["tls", ""]),
    ("compliance.md", "GraphQL", &["graphql"]),
];

#[test]
fn every_place_that_the_pages_on_compliance_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = Sources::read(root);
    let (mut faults, mut count) = (Vec::new(), 0);
    for page in ["compliance.md", "compliance-http2.md", "compliance-grpc.md"] {
        let text = fs::read_to_string(root.join("docs").join(page)).unwrap();
        let mut heading = "";
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                heading = title;
            }
            let Some(cell) = cell_of_places(line) else {
                continue;
            };
            let of_part = |it: &&(&str, &str, &[&str])| it.0 == page && heading.contains(it.1);
            let (_, _, folders) = PLACES.iter().find(of_part).expect(heading);
            for place in cell.split(';') {
                count += 1;
                if let Some(fault) = sources.fault(place, folders) {
                    faults.push(format!("{page}: {fault}"));
                }
            }
        }
    }
    assert!(count > 250, "{count} places");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The fourth of the five cells of a row.
fn cell_of_places(line: &str) -> Option<&str> {
    let line = line.strip_prefix('|')?.strip_suffix('|')?;
    // A bar in a cell is written with a backslash; none is in one of places.
    let mut cells = line.rsplit(" | ");
    let place = cells.nth(1)?.trim();
    (!matches!(place, "" | "where" | "---") && !place.starts_with("---")).then_some(place)
}

/// What stands between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The files below `src/` and `tests/`, named from the root: `src/wire/sink.rs`.
struct Sources(BTreeMap<String, String>);

impl Sources {
    fn read(root: &Path) -> Self {
        let all = ["src", "tests", "examples/showcase/tests"].iter();
        let all = all.flat_map(|folder| files(&root.join(folder)));
        let named = all.map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            (name.replace('\\', "/"), text)
        });
        Self(named.collect())
    }

    /// What is wrong with a place: a file, and words in it. One that does not begin with a
    /// file says something else.
    fn fault(&self, place: &str, folders: &[&str]) -> Option<String> {
        let mut spans = spans(place.trim().strip_prefix('`').map(|_| place)?);
        let path = |span: &str| span.trim_end_matches(".rs").replace("::", "/");
        let file = path(spans.next()?);
        let files: Vec<&str> = folders
            .iter()
            .flat_map(|folder| self.module(&join(folder, &file)))
            .collect();
        if files.is_empty() {
            return Some(format!("there is no file for {}", place.trim()));
        }
        for word in spans {
            let last = word.rsplit("::").next().unwrap_or(word);
            let is_file = folders
                .iter()
                .any(|it| !self.module(&join(it, &path(word))).is_empty());
            if !is_file && !files.iter().any(|text| has_word(text, last)) {
                return Some(format!("{file} has no {word}"));
            }
        }
        None
    }

    /// The texts of a module: its file, or all files of its folder.
    fn module(&self, path: &str) -> Vec<&str> {
        let (file, folder) = (format!("src/{path}.rs"), format!("src/{path}/"));
        let is_of = |name: &str| name == file || name.starts_with(&folder);
        let all = self.0.iter().filter(|(name, _)| is_of(name));
        all.map(|(_, text)| text.as_str()).collect()
    }
}

fn join(folder: &str, file: &str) -> String {
    match folder {
        "" => file.to_owned(),
        folder => format!("{folder}/{file}"),
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_letter =
        |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    text.match_indices(word).any(|(at, _)| {
        let bytes = text.as_bytes();
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        !is_letter(before) && !is_letter(bytes.get(at + word.len()))
    })
}

#[test]
fn every_file_and_function_of_the_page_on_architecture_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = Sources::read(root);
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let faults = sources.faults_of_page(&page, root);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

impl Sources {
    /// What a page names that is not there. A function with its file behind it (`` `A::b`
    /// (`c.rs`) ``, `` `A::b` in `c.rs` ``) or in front of it (``1. `c.rs`, `A::b` ``) is to
    /// be found in that file.
    fn faults_of_page(&self, page: &str, root: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let mut is_code = false;
        let prose: Vec<&str> = page
            .lines()
            .filter(|line| {
                is_code ^= line.starts_with("```");
                !is_code
            })
            .map(str::trim)
            .collect();
        let text = prose.join(" ");
        let parts: Vec<&str> = text.split('`').collect();
        for at in (1..parts.len()).step_by(2) {
            let (span, next) = (parts[at], parts.get(at + 2).copied().unwrap_or_default());
            let after = parts.get(at + 1).copied().unwrap_or_default();
            if span.ends_with(".rs") {
                if !self.has_file(span) {
                    faults.push(format!("there is no file {span}"));
                }
                let begins = parts[at - 1].ends_with(". ") && after == ", ";
                if begins && !next.contains(".rs") && !self.has_function(next, Some(span)) {
                    faults.push(format!("{span} has no {next}"));
                }
            } else if let Some((_, name)) = span.rsplit_once("::")
                && name.starts_with(|first: char| first.is_ascii_lowercase())
            {
                let file =
                    (next.ends_with(".rs") && matches!(after, " (" | " in ")).then_some(next);
                if !self.has_function(span, file) {
                    faults.push(format!(
                        "there is no {span} in {}",
                        file.unwrap_or("any file")
                    ));
                }
            } else if span.contains('/') && !span.contains(' ') {
                let path = root.join("src").join(span);
                if !path.exists() && self.module(span).is_empty() && !root.join(span).exists() {
                    faults.push(format!("there is no folder {span}"));
                }
            }
        }
        faults
    }

    /// Whether a file is there: below `src/`, or of this name anywhere there if it is a
    /// name alone.
    fn has_file(&self, name: &str) -> bool {
        let full = format!("src/{name}");
        let anywhere = format!("/{name}");
        let is_it = |file: &String| match name.contains('/') {
            true => *file == full || *file == name,
            false => file.ends_with(&anywhere),
        };
        self.0.keys().any(is_it)
    }

    /// Whether there is a function or a field `Type::name`, of this file or of any that
    /// names the type.
    fn has_function(&self, path: &str, file: Option<&str>) -> bool {
        let mut parts = path.rsplit("::");
        let (name, owner) = (parts.next().unwrap_or_default(), parts.next());
        let (function, field) = (format!("fn {name}"), format!("{name}:"));
        let is_of = |name: &String| file.is_none_or(|it| *name == format!("src/{it}"));
        self.0
            .iter()
            .filter(|(name, _)| is_of(name))
            .any(|(_, text)| {
                let has_owner = owner.is_none_or(|it| has_word(text, it));
                has_owner
                    && (has_word(text, &function)
                        || text.contains(&field)
                        || has_word(text, &format!("struct {name}")))
            })
    }
}

#[test]
fn a_place_that_is_not_there_is_missed() {
    let sources = Sources(BTreeMap::from([
        ("src/a/b.rs".to_owned(), "impl B { fn run() {} }".to_owned()),
        ("src/a/c.rs".to_owned(), "struct C { size: u8 }".to_owned()),
    ]));
    let root = Path::new("nowhere");
    for right in [
        "1. `a/b.rs`, `B::run`: runs.",
        "`B::run` (`a/b.rs`), `C::size` in `a/c.rs`, `b.rs`, `a/b`",
    ] {
        assert_eq!(sources.faults_of_page(right, root), [""; 0], "{right}");
    }
    for wrong in [
        "1. `a/c.rs`, `B::run`: runs.",
        "`B::run` (`a/c.rs`)",
        "`B::walk`",
        "`b/a.rs`",
        "`d.rs`",
        "`a/d`",
    ] {
        assert_eq!(sources.faults_of_page(wrong, root).len(), 1, "{wrong}");
    }
    assert_eq!(sources.fault(" `b`, `run`", &["a"]), None);
    assert!(sources.fault("`b`, `walk`", &["a"]).is_some());
    assert!(sources.fault("`d`", &["a", ""]).is_some());
    assert_eq!(cell_of_places("| 1 | MUST | a | `b` | c |"), Some("`b`"));
}
