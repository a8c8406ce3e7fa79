//! The guide's pages quote programs as they are, are short, and link to what is there.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a page: about two screens.
const LONGEST: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages whose names begin so, by name.
fn pages(begins: &str) -> Vec<(String, String)> {
    let names = fs::read_dir(root().join("docs/guide")).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|it| it.starts_with(begins)).collect();
    names.sort();
    let text = |name: &String| read(Path::new("docs/guide").join(name));
    names
        .iter()
        .map(|name| (name.clone(), text(name)))
        .collect()
}

/// What stands between fences of this language.
fn fenced(page: &str, language: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(of) = line.strip_prefix("```") {
            let block: Vec<_> = lines.by_ref().take_while(|it| *it != "```").collect();
            if of == language {
                all.push(block.join("\n"));
            }
        }
    }
    all
}

/// Whether the source has these lines one after another, all indented alike.
fn quotes(source: &str, block: &str) -> bool {
    let source: Vec<&str> = source.lines().collect();
    let block: Vec<&str> = block.lines().collect();
    source.windows(block.len()).any(|part| {
        let Some(indent) = part[0].strip_suffix(block[0]) else {
            return false;
        };
        indent.trim().is_empty()
            && part
                .iter()
                .zip(&block)
                .all(|(line, quoted)| match quoted.is_empty() {
                    true => line.is_empty(),
                    false => line.strip_prefix(indent) == Some(quoted),
                })
    })
}

/// The blocks of a page that none of the sources has.
fn strangers(page: &str, languages: &[&str], sources: &[String]) -> Vec<String> {
    let blocks = languages.iter().flat_map(|language| fenced(page, language));
    let is_stranger = |block: &String| !sources.iter().any(|source| quotes(source, block));
    blocks.filter(is_stranger).collect()
}

#[test]
fn chapters_quote_their_programs() {
    let folder = "examples/guide/src/bin";
    let mut programs: Vec<String> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    programs.sort();
    let chapters: Vec<_> = ["0", "1"].into_iter().flat_map(pages).collect();
    let named: Vec<_> = chapters
        .iter()
        .map(|(name, _)| name.replace(".md", ".rs").replace('-', "_"))
        .collect();
    assert_eq!(named, programs, "a chapter for each program");
    for ((name, text), program) in chapters.iter().zip(&programs) {
        let mut sources = vec![read(format!("{folder}/{program}"))];
        for file in fs::read_dir(root().join("examples/guide/deployment")).unwrap() {
            sources.push(fs::read_to_string(file.unwrap().path()).unwrap());
        }
        assert!(!fenced(text, "rust").is_empty(), "{name}");
        let strangers = strangers(text, &["rust", "nginx", "haproxy", "ini"], &sources);
        assert_eq!(strangers, [""; 0], "{name} quotes what is not in {program}");
    }
}

#[test]
fn coming_from_pages_quote_both_programs() {
    let pages = pages("from-");
    assert_eq!(pages.len(), 6);
    for (name, text) in &pages {
        let of = &name["from-".len()..name.len() - ".md".len()];
        let own = read(format!("examples/guide/src/coming_from/{of}.rs").replace('-', "_"));
        let others: Vec<String> = match of {
            "tiny-http" => ["src/tiny_http.rs", "src/rouille.rs"]
                .map(String::from)
                .into(),
            "uwebsockets" => vec!["uwebsockets.cpp".into()],
            of => vec![format!("src/{of}.rs")],
        };
        let others: Vec<_> = others
            .iter()
            .map(|it| read(format!("examples/coming_from/{it}")))
            .collect();
        let blocks = [fenced(text, "rust"), fenced(text, "cpp")].concat();
        let all = [&others[..], std::slice::from_ref(&own)].concat();
        assert_eq!(strangers(text, &["rust", "cpp"], &all), [""; 0], "{name}");
        for source in &all {
            let quoted = blocks.iter().any(|block| quotes(source, block));
            assert!(quoted, "{name} shows both programs");
        }
    }
}

#[test]
fn pages_are_short_and_lead_somewhere() {
    let pages = pages("");
    let index = read("docs/guide/README.md");
    for (name, text) in &pages {
        assert!(text.lines().count() <= LONGEST, "{name} is too long");
        assert!(
            name == "README.md" || index.contains(&format!("({name})")),
            "{name}"
        );
        // What stands between fences has brackets of its own.
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose
            .split("](")
            .skip(1)
            .filter_map(|it| it.split_once(')'))
        {
            let path = link.0.split('#').next().unwrap();
            if !path.is_empty() && !path.starts_with("https://") {
                let leads = root().join("docs/guide").join(path);
                assert!(leads.exists(), "{name} leads to {path}");
            }
        }
    }
}

#[test]
fn a_change_of_a_program_is_found() {
    let source = "fn a() {\n    b();\n\n    c();\n}\n";
    for good in ["fn a() {\n    b();", "b();\n\nc();", "    c();\n}"] {
        assert!(quotes(source, good), "{good}");
    }
    for bad in [
        "b();\nc();",
        "fn a() {\nb();",
        "d();",
        "b();\n\nd();",
        "();",
    ] {
        assert!(!quotes(source, bad), "{bad}");
    }
}
