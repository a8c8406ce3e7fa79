//! The house rules of `src/`, read from its text.
//!
//! 1. A module imports only from the layers above its own line; modules on one
//!    line never import each other, except `http2` from `hpack`.
//! 2. The files of a module import each other without a circle.
//! 3. Below `net` there is no system: no `std`, no clock, no mio.
//! 4. `unsafe` stands in `wire/simd` and in one file of `net/system` alone.
//! 5. A file has at most 450 lines before its tests, and tests in it have at most 40:
//!    longer ones stand in a `tests.rs`, which the package leaves out.
//! 6. Of the protocols `net` knows limits and codes alone: `link` speaks them.
//!
//! The checker is itself checked against snippets that break each rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Every module of the crate and its layer, also those that are still to come.
const LAYERS: &[(&str, u8)] = &[
    ("wire", 0),
    ("http", 1),
    ("coding", 2),
    ("envelope", 2),
    ("graphql", 2),
    ("http1", 2),
    ("hpack", 2),
    ("websocket", 2),
    ("redis", 2),
    ("sse", 2),
    ("grpc", 2),
    ("http2", 2),
    ("link", 3),
    ("net", 4),
    ("tls", 5),
    ("app", 6),
    ("client", 6),
    ("codegen", 6),
    ("test", 7),
];

/// Imports between modules of one layer that are meant to be.
const EXCEPTIONS: &[(&str, &str)] = &[("http2", "hpack")];

/// The layer of the protocols.
const PROTOCOLS: u8 = 2;

/// What `net` may import from there.
const KNOWN_TO_NET: &[(&str, &str)] = &[
    ("http2", "ErrorCode"),
    ("websocket", "CloseCode"),
    ("websocket", "Kind"),
];

/// The last layer that runs without a system.
const LAST_WITHOUT_SYSTEM: u8 = 3;

/// The files beside `wire/simd` that may be unsafe: system calls that no safe
/// crate offers.
const UNSAFE_FILES: &[&str] = &["wire/simd.rs", "net/system/under_way.rs"];

/// Lines of a file before its tests.
const MOST_LINES: usize = 450;

/// Lines of tests that stand in the file that they test.
const MOST_TEST_LINES: usize = 40;

/// A file below `src/`, named from there: `wire/sink.rs`.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The path of the module that the file holds: empty for the root.
    fn module(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if matches!(
            module.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            module.pop();
        }
        module
    }

    /// Built for tests alone.
    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs")
    }

    fn is_folder(&self) -> bool {
        self.path.ends_with("mod.rs") || self.path == "lib.rs"
    }
}

fn read_sources(folder: &Path, below: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{below}{name}");
        if entry.file_type().unwrap().is_dir() {
            read_sources(&entry.path(), &format!("{path}/"), sources);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).unwrap();
            sources.push(Source::new(&path, &text));
        }
    }
}

#[test]
fn the_source_keeps_the_rules_of_the_house() {
    let mut sources = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read_sources(&folder, "", &mut sources);
    assert!(sources.len() > 20, "src/ was not found");
    let faults = faults(&sources);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Everything in `sources` that breaks a rule.
fn faults(sources: &[Source]) -> Vec<String> {
    let tree = Tree::new(sources);
    let mut faults = Vec::new();
    for source in sources {
        let code = tokens(&source.text);
        check_unsafe(source, &code, &mut faults);
        if source.is_test() {
            continue;
        }
        let shipped = without_tests(&code);
        check_length(source, &mut faults);
        check_system(source, &shipped, &mut faults);
        check_layers(source, &shipped, &mut faults);
        check_protocols(source, &shipped, &mut faults);
    }
    tree.check_circles(&mut faults);
    faults
}

// ---- the rules ----

fn check_length(source: &Source, faults: &mut Vec<String>) {
    let lines: Vec<&str> = source.text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod ")
    });
    let count = tests.unwrap_or(lines.len());
    if count > MOST_LINES {
        faults.push(format!("{}: {count} lines before its tests", source.path));
    }
    // A block of tests ends with the brace that stands as far to the right as it begins.
    let begins = |line: &&&str| line.trim_start().starts_with("mod ") && line.ends_with('{');
    if let Some(first) = tests.and_then(|at| lines.get(at + 1)).filter(begins) {
        let indent = first.len() - first.trim_start().len();
        let end = format!("{:indent$}}}", "");
        let block = lines.iter().skip(count + 1);
        let block = block.take_while(|line| **line != end).count() - 1;
        if block > MOST_TEST_LINES {
            faults.push(format!("{}: {block} lines of tests in it", source.path));
        }
    }
}

fn check_unsafe(source: &Source, code: &[String], faults: &mut Vec<String>) {
    let home = source.path.starts_with("wire/simd/") || UNSAFE_FILES.contains(&&*source.path);
    if !home && code.iter().any(|token| token == "unsafe") {
        faults.push(format!("{}: unsafe outside of its rooms", source.path));
    }
}

fn check_system(source: &Source, shipped: &[String], faults: &mut Vec<String>) {
    let module = source.module();
    let layer = module.first().and_then(|top| layer_of(top));
    if layer.is_some_and(|layer| layer > LAST_WITHOUT_SYSTEM) {
        return;
    }
    // What the processor can do is asked through a macro of std, which reads no
    // file and no clock.
    let asks_processor = |path: &[String]| {
        source.path.starts_with("wire/simd/")
            && path.len() == 2
            && path[1] == "is_x86_feature_detected"
    };
    for path in paths(shipped) {
        let of_system = matches!(path[0].as_str(), "std" | "mio" | "socket2" | "rustix");
        if of_system && !asks_processor(&path) {
            let path = path.join("::");
            faults.push(format!("{}: {path} below net", source.path));
        }
    }
    let is_clock = |name: &str| name == "Instant" || name == "SystemTime";
    let reads = |w: &[String]| is_clock(&w[0]) && w[1] == "::" && w[2] == "now";
    if shipped.windows(3).any(reads) {
        faults.push(format!("{}: reads a clock below net", source.path));
    }
}

fn check_layers(source: &Source, shipped: &[String], faults: &mut Vec<String>) {
    let module = source.module();
    let Some(from) = module.first() else { return };
    let Some(layer) = layer_of(from) else {
        faults.push(format!("{}: {from} is in no layer", source.path));
        return;
    };
    for to in references(&module, shipped) {
        let Some(to) = to.first() else { continue };
        if to == from || EXCEPTIONS.contains(&(from, to)) {
            continue;
        }
        match layer_of(to) {
            Some(other) if other < layer => {}
            Some(_) => faults.push(format!("{}: {from} imports {to}", source.path)),
            None => faults.push(format!("{}: {to} is in no layer", source.path)),
        }
    }
}

fn check_protocols(source: &Source, shipped: &[String], faults: &mut Vec<String>) {
    let module = source.module();
    if module.first().is_none_or(|top| top != "net") {
        return;
    }
    for to in references(&module, shipped) {
        let is_known = |&(protocol, name): &(&str, &str)| to.len() == 2 && to == [protocol, name];
        let is_protocol = layer_of(&to[0]) == Some(PROTOCOLS);
        let is_limits = to.len() == 2 && to[1] == "Limits";
        if is_protocol && !is_limits && !KNOWN_TO_NET.iter().any(is_known) {
            let to = to.join("::");
            faults.push(format!("{}: net speaks {to}", source.path));
        }
    }
}

fn layer_of(module: &str) -> Option<u8> {
    let found = LAYERS.iter().find(|(name, _)| *name == module);
    found.map(|(_, layer)| *layer)
}

/// The modules of the crate, and who refers to whom.
struct Tree {
    modules: BTreeSet<Vec<String>>,
    /// Modules that are folders, with what they re-export: name to full path.
    folders: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
    /// Files to the paths that they refer to.
    references: BTreeMap<Vec<String>, Vec<Vec<String>>>,
}

impl Tree {
    fn new(sources: &[Source]) -> Self {
        let modules = sources.iter().map(Source::module).collect();
        let (mut folders, mut referring) = (BTreeMap::new(), BTreeMap::new());
        for source in sources.iter().filter(|it| !it.is_test()) {
            let (module, code) = (source.module(), tokens(&source.text));
            let shipped = without_tests(&code);
            if source.is_folder() {
                folders.insert(module.clone(), exports(&module, &shipped));
            } else {
                referring.insert(module.clone(), references(&module, &shipped));
            }
        }
        Self {
            modules,
            folders,
            references: referring,
        }
    }

    /// The file that the item at `path` lies in, as far as names tell.
    fn file_of(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        let mut at = 0;
        while at < path.len() && self.modules.contains(&path[..=at]) {
            at += 1;
        }
        let (module, rest) = path.split_at(at);
        let Some(exports) = self.folders.get(module) else {
            return self.modules.contains(module).then(|| module.to_vec());
        };
        let full = exports.get(rest.first()?)?;
        (depth < 8).then(|| self.file_of(full, depth + 1))?
    }

    fn check_circles(&self, faults: &mut Vec<String>) {
        let tops: BTreeSet<&String> = self.references.keys().filter_map(|m| m.first()).collect();
        for top in tops {
            self.check_circle(top, faults);
        }
    }

    /// Finds one circle among the files of the module `top`.
    fn check_circle(&self, top: &String, faults: &mut Vec<String>) {
        let mut edges: BTreeMap<&[String], BTreeSet<Vec<String>>> = BTreeMap::new();
        let files = self.references.iter();
        for (from, paths) in files.filter(|(from, _)| from.first() == Some(top)) {
            let to = paths.iter().filter_map(|path| self.file_of(path, 0));
            let inside = to.filter(|to| to != from && to.first() == from.first());
            edges.insert(from, inside.collect());
        }
        // Files that import nothing which is left are taken off; what remains
        // lies on a circle or leads into one.
        loop {
            let left: BTreeSet<Vec<String>> = edges.keys().map(|key| key.to_vec()).collect();
            let before = edges.len();
            for to in edges.values_mut() {
                to.retain(|to| left.contains(to));
            }
            edges.retain(|_, to| !to.is_empty());
            if edges.len() == before {
                break;
            }
        }
        let Some(first) = edges.keys().next() else {
            return;
        };
        // Every step leads on, so the way comes back to itself.
        let mut way = vec![first.to_vec()];
        loop {
            let last = &way[way.len() - 1][..];
            let next = edges[last].first().unwrap().clone();
            let seen = way.iter().position(|module| *module == next);
            way.push(next);
            if let Some(seen) = seen {
                let names: Vec<String> = way[seen..].iter().map(|m| m.join("::")).collect();
                faults.push(format!("import circle {}", names.join(" -> ")));
                return;
            }
        }
    }
}

/// What a folder's own file re-exports from its files.
fn exports(module: &[String], code: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut exports = BTreeMap::new();
    for (index, token) in code.iter().enumerate() {
        if token != "use" {
            continue;
        }
        let mut found = Vec::new();
        read_path(code, &mut (index + 1), &mut Vec::new(), &mut found);
        for path in found {
            let full = match path[0].as_str() {
                "crate" | "self" | "super" => resolve(module, &path),
                _ => Some([module, &path].concat()),
            };
            if let (Some(full), Some(name)) = (full, path.last()) {
                exports.insert(name.clone(), full);
            }
        }
    }
    exports
}

/// The paths inside the crate that a module refers to, from the root.
fn references(module: &[String], code: &[String]) -> Vec<Vec<String>> {
    let all = paths(code).into_iter();
    all.filter_map(|path| resolve(module, &path)).collect()
}

/// A path from the root, if it begins with `crate`, `self` or `super`.
fn resolve(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut full = match path[0].as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    for (index, segment) in path.iter().enumerate() {
        match segment.as_str() {
            "crate" | "self" if index == 0 => {}
            "super" => full.truncate(full.len().saturating_sub(1)),
            _ => full.push(segment.clone()),
        }
    }
    Some(full)
}

// ---- reading Rust, as far as the rules need it ----

/// All paths that begin at one of the roots which matter here, groups spread
/// out.
fn paths(code: &[String]) -> Vec<Vec<String>> {
    const ROOTS: [&str; 7] = ["crate", "self", "super", "std", "mio", "socket2", "rustix"];
    let mut found = Vec::new();
    for index in 0..code.len() {
        let begins = index == 0 || code[index - 1] != "::";
        let goes_on = code.get(index + 1).is_some_and(|next| next == "::");
        let used =
            index > 0 && code[index - 1] == "use" && ROOTS[3..].contains(&code[index].as_str());
        if begins && (goes_on || used) && ROOTS.contains(&code[index].as_str()) {
            read_path(code, &mut index.clone(), &mut Vec::new(), &mut found);
        }
    }
    // `::std::…` names the crate from outside.
    for pair in code.windows(2) {
        if pair[0] == "::" && ROOTS[3..].contains(&pair[1].as_str()) {
            found.push(vec![pair[1].clone()]);
        }
    }
    found
}

/// Reads one path or tree of paths at `at` behind `before`.
fn read_path(
    code: &[String],
    at: &mut usize,
    before: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    let depth = before.len();
    while let Some(token) = code.get(*at) {
        if token == "{" {
            *at += 1;
            while code.get(*at).is_some_and(|token| token != "}") {
                let start = *at;
                read_path(code, at, before, found);
                if code.get(*at).is_some_and(|token| token == ",") || *at == start {
                    *at += 1;
                }
            }
            *at += 1;
            before.truncate(depth);
            return;
        }
        let is_name = token.chars().all(|c| c.is_alphanumeric() || c == '_') || token == "*";
        if !is_name {
            break;
        }
        // `self` at the end of a group is the group's own module.
        if token != "self" || before.is_empty() {
            before.push(token.clone());
        }
        *at += 1;
        match code.get(*at).map(String::as_str) {
            Some("::") => *at += 1,
            Some("as") => {
                *at += 2;
                break;
            }
            _ => break,
        }
    }
    if !before.is_empty() {
        found.push(before.clone());
    }
    before.truncate(depth);
}

/// The code without the items that stand under `#[cfg(test)]`.
fn without_tests(code: &[String]) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < code.len() {
        if code[at..].iter().take(7).eq(TEST) {
            at = end_of_item(code, at + 7);
        } else {
            kept.push(code[at].clone());
            at += 1;
        }
    }
    kept
}

/// One past the end of the item that begins at `at`: its `;`, or the brace
/// that closes its first.
fn end_of_item(code: &[String], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = code.get(at) {
        at += 1;
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return at,
            "}" | ")" | "]" => depth -= 1,
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    at
}

/// The names and marks of Rust code; comments and the contents of literals are
/// left out.
fn tokens(text: &str) -> Vec<String> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            tokens.push(name.to_owned());
            name.len()
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the block comment, comments inside it included.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string or character literal at the front of `text`.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|t| t.starts_with(['"', '\'', '#']))
    })?;
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let inside = body[hashes..].strip_prefix('"')?;
        return Some(prefix.len() + hashes + 1 + inside.find(&end)? + end.len());
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(prefix.len() + at + 1),
            // A quote that nothing closes begins a lifetime.
            _ if quote == '\'' && at > 1 && body.as_bytes()[1] != b'\\' => {
                return Some(prefix.len() + 1);
            }
            _ => {}
        }
    }
    Some(prefix.len() + 1)
}

// ---- the checker is checked ----

fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(path, text)| Source::new(path, text))
        .collect();
    faults(&sources)
}

#[track_caller]
fn assert_fault(files: &[(&str, &str)], part: &str) {
    let faults = faults_of(files);
    assert!(
        faults.iter().any(|fault| fault.contains(part)),
        "no fault of {part:?} in {faults:?}"
    );
}

#[test]
fn an_import_from_a_lower_line_is_found_however_it_is_written() {
    for text in [
        "use crate::http1::Head;",
        "use crate::{wire::Sink, http1::{self, Head}};",
        "pub use crate::http1;",
        "pub(crate) use super::super::http1::*;",
        "fn f() { crate::http1::g(); }",
        "fn f(x: &dyn crate::http1::T) {}",
        "type A = super::super::http1::B;",
        "/* a /* nested */ comment */ use crate :: http1 :: Head;",
        "const Q: char = '\"'; use crate::http1::Head; const R: char = '\"';",
        "fn f<'a>(x: &'a str) -> crate::http1::Head<'a> {}",
        "#[cfg(test)] const X: [u8; 2] = [0; 2]; use crate::http1::Head;",
        "use crate as root; use crate::http1 as h;",
    ] {
        assert_fault(&[("http/status.rs", text)], "http imports http1");
    }
}

#[test]
fn every_pair_of_modules_follows_the_table() {
    for (from, layer) in LAYERS {
        for (to, other) in LAYERS {
            let text = format!("use crate::{to}::X;");
            let allowed = from == to || other < layer || (*from, *to) == ("http2", "hpack");
            let mut faults = faults_of(&[(&format!("{from}/mod.rs"), &text)]);
            faults.retain(|fault| !fault.contains("net speaks"));
            assert_eq!(faults.is_empty(), allowed, "{from} {to}: {faults:?}");
        }
    }
}

#[test]
fn net_knows_limits_and_codes_of_the_protocols_alone() {
    for text in [
        "use crate::http1::Event;",
        "use crate::http2::{self, Limits};",
        "fn f() { crate::websocket::encode_message(); }",
        "use super::super::super::websocket::frame::Head;",
        "use crate::hpack::Limits as L; use crate::grpc::call::Call;",
    ] {
        assert_fault(&[("net/turns/x.rs", text)], "net speaks");
        assert_eq!(faults_of(&[("app/x.rs", text)]), [""; 0]);
    }
    let text = "use crate::websocket::{CloseCode, Kind}; use crate::http1::Limits;\n\
                #[cfg(test)] mod tests { use crate::http1::Event; }";
    assert_eq!(faults_of(&[("net/x.rs", text)]), [""; 0]);
}

#[test]
fn a_module_that_no_layer_knows_is_found() {
    assert_fault(&[("misc/mod.rs", "")], "misc is in no layer");
    assert_fault(
        &[("net/mod.rs", "use crate::misc::X;")],
        "misc is in no layer",
    );
}

#[test]
fn comments_strings_and_tests_are_no_imports() {
    for text in [
        "// use crate::net::X;",
        "//! [`net`](crate::net)",
        "/* use crate::net::X; */",
        "const A: &str = \"crate::net::X unsafe std::io\";",
        "const A: &str = r#\"\"crate::net::X\"#;",
        "const A: &[u8] = b\"\\\"crate::net::X\";",
        "#[cfg(test)]\nmod tests { use crate::net::X; use std::io; fn f() { {} } }",
        "#[cfg(test)] static X: crate::net::Y = [0];",
        "pub(crate) fn f() {}",
        "pub(super) struct X<'a>(&'a str); impl<'a> X<'a> {}",
        "fn f(c: u8) -> bool { c == b'\\'' || c == b'\"' }",
    ] {
        assert_eq!(faults_of(&[("wire/x.rs", text)]), [""; 0], "{text}");
    }
}

#[test]
fn the_system_is_found_below_net_and_allowed_from_there_on() {
    for text in [
        "use std::io;",
        "use std;",
        "use std::{io::Read, net::TcpStream};",
        "fn f() { std::thread::spawn(g); }",
        "fn f() { ::std::process::exit(1) }",
        "use mio::Poll;",
        "fn f() { Instant::now(); }",
        "fn f() { let t = time::SystemTime::now(); }",
    ] {
        for path in ["wire/x.rs", "http/x.rs", "sse/x.rs", "link/x.rs"] {
            assert_fault(&[(path, text)], "below net");
        }
        for path in ["net/x.rs", "app/x.rs", "client/x.rs"] {
            assert_eq!(faults_of(&[(path, text)]), [""; 0]);
        }
    }
    let asks = "fn f() -> bool { std::is_x86_feature_detected!(\"avx2\") }";
    assert_fault(&[("wire/x.rs", asks)], "below net");
    assert_eq!(faults_of(&[("wire/simd/x.rs", asks)]), [""; 0]);
    assert_eq!(
        faults_of(&[("lib.rs", "extern crate std;\npub mod wire;")]),
        [""; 0]
    );
}

#[test]
fn unsafe_is_found_outside_of_its_home_also_in_tests() {
    let text = "fn f() { unsafe { g() } }";
    assert_fault(&[("wire/utf8.rs", text)], "unsafe");
    let test = "#[cfg(test)]\nmod tests { unsafe fn f() {} }";
    assert_fault(&[("net/x.rs", test)], "unsafe");
    assert_fault(&[("net/system/x.rs", text)], "unsafe");
    assert_eq!(faults_of(&[("wire/simd/x86_64.rs", text)]), [""; 0]);
    assert_eq!(faults_of(&[("net/system/under_way.rs", text)]), [""; 0]);
    assert_eq!(
        faults_of(&[("wire/x.rs", "#![deny(unsafe_code)]")]),
        [""; 0]
    );
}

#[test]
fn a_circle_inside_of_a_folder_is_found_also_through_re_exports() {
    let root = (
        "sse/mod.rs",
        "mod a; mod b; mod c; pub use a::A; pub use b::{B, Other as O};",
    );
    let open = [
        root,
        ("sse/a.rs", "use super::B;"),
        ("sse/b.rs", "use super::c::C;"),
        ("sse/c.rs", ""),
    ];
    assert_eq!(faults_of(&open), [""; 0]);
    for last in [
        "use super::A;",
        "use super::a::A;",
        "use crate::sse::{a::A};",
        "fn f(a: super::A) {}",
    ] {
        let closed = [open[0], open[1], open[2], ("sse/c.rs", last)];
        assert_fault(&closed, "circle sse::a -> sse::b -> sse::c -> sse::a");
    }
    let nested = [
        ("wire/mod.rs", "mod a; mod simd;"),
        ("wire/a.rs", "use super::simd::S;"),
        ("wire/simd/mod.rs", "mod s; pub use s::S;"),
        ("wire/simd/s.rs", "use super::super::a::A;"),
    ];
    assert_fault(&nested, "circle wire::a -> wire::simd::s -> wire::a");
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let long = "fn f() {}\n".repeat(MOST_LINES + 1);
    assert_fault(&[("wire/x.rs", &long)], "451 lines");
    let full = "fn f() {}\n".repeat(MOST_LINES);
    let tests = "    fn f() {}\n".repeat(MOST_TEST_LINES);
    let tested = format!("{full}#[cfg(test)]\nmod tests {{\n{tests}}}\n");
    assert_eq!(faults_of(&[("wire/x.rs", &tested)]), [""; 0]);
    let elsewhere = format!("{full}#[cfg(test)]\nmod tests;\n");
    assert_eq!(faults_of(&[("wire/x.rs", &elsewhere)]), [""; 0]);
    assert_eq!(faults_of(&[("wire/x/tests.rs", &long)]), [""; 0]);
    let tested = format!("#[cfg(test)]\nmod tests {{\n{tests}    fn g() {{}}\n}}\n");
    assert_fault(&[("wire/x.rs", &tested)], "41 lines of tests");
}
