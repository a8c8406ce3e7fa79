//! Every limit stands in docs/limits.md, with its default, and nothing else
//! stands there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Heading of a struct -> name of a limit -> the numbers of its default.
type Limits = BTreeMap<String, BTreeMap<String, Vec<u128>>>;

#[test]
fn every_limit_is_documented_with_its_default() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut source = Limits::new();
    for file in limit_files(&root.join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let module = module_of(file.strip_prefix(root.join("src")).unwrap());
        source.extend(of_source(&text, &module));
    }
    assert!(source.len() >= 8, "{:?}", source.keys());
    let page = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    assert_eq!(faults(&source, &of_page(&page)), Vec::<String>::new());
}

fn faults(source: &Limits, page: &Limits) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, limits) in source {
        let Some(shown) = page.get(name) else {
            faults.push(format!("`{name}` has no section"));
            continue;
        };
        for (limit, default) in limits {
            match shown.get(limit) {
                None => faults.push(format!("`{name}` lacks `{limit}`")),
                Some(shown) if shown != default => {
                    faults.push(format!("`{name}`: `{limit}` is {default:?}, not {shown:?}"));
                }
                Some(_) => {}
            }
        }
        for limit in shown.keys().filter(|limit| !limits.contains_key(*limit)) {
            faults.push(format!("`{name}` has no `{limit}`"));
        }
    }
    for name in page.keys().filter(|name| !source.contains_key(*name)) {
        faults.push(format!("there is no `{name}`"));
    }
    faults
}

/// All files of the source: limits stand in `*limits.rs`, or with what they bound.
fn limit_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(limit_files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    files
}

/// `net` of `net/config.rs`.
fn module_of(file: &Path) -> String {
    file.iter().next().unwrap().to_str().unwrap().into()
}

/// The structs of a file whose name ends in `Limits`.
fn of_source(text: &str, module: &str) -> Limits {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let mut limits = Limits::new();
    for part in text.split("pub struct ").skip(1) {
        let name = part.split([' ', '<']).next().unwrap();
        if !name.ends_with("Limits") {
            continue;
        }
        let fields = part.split("\n}").next().unwrap();
        let of_type = text.split_once(&format!("impl {name} {{"));
        let (_, defaults) = of_type
            .and_then(|(_, text)| text.split_once("pub const DEFAULT: Self = Self {"))
            .unwrap_or_else(|| panic!("{name} has no DEFAULT"));
        let defaults = defaults.split("\n    };").next().unwrap();
        let mut numbers = BTreeMap::new();
        for line in fields.lines() {
            let Some(field) = line.trim().strip_prefix("pub ") else {
                continue;
            };
            let field = field.split(':').next().unwrap();
            let (_, value) = defaults
                .split_once(&format!("\n        {field}: "))
                .unwrap_or_else(|| panic!("{name}::{field} has no default"));
            let value = value.split(",\n        ").collect::<Vec<_>>();
            // A rate stands on several lines, which are indented further.
            let end = 1 + value
                .iter()
                .skip(1)
                .take_while(|it| it.starts_with(' '))
                .count();
            numbers.insert(field.to_owned(), evaluate(&value[..end].join(",")));
        }
        limits.insert(format!("{module}::{name}"), numbers);
    }
    limits
}

/// Stands behind a number of milliseconds, which is none of seconds.
const THOUSANDTHS: u128 = 1000;

/// The numbers of a default as the source writes it; none for limits within
/// limits.
fn evaluate(value: &str) -> Vec<u128> {
    let value = value.trim().trim_end_matches(',');
    if let Some(rate) = value.strip_prefix("Rate {") {
        let number = |name: &str| {
            let (_, rest) = rate.split_once(name).unwrap();
            rest.split([',', '}'])
                .next()
                .unwrap()
                .trim()
                .replace('_', "")
                .parse()
                .unwrap()
        };
        return vec![number("burst:"), number("per_second:")];
    }
    if let Some(share) = value.strip_prefix("Share {") {
        return share
            .split(',')
            .filter_map(|part| part.split_once(':'))
            .map(|(_, number)| number.trim().replace('_', "").parse().unwrap())
            .collect();
    }
    if value.ends_with("::Limits::DEFAULT") {
        return Vec::new();
    }
    if matches!(value, "Duration::MAX" | "u32::MAX") {
        return vec![u128::MAX];
    }
    if matches!(value, "true" | "false") {
        return vec![u128::from(value == "true")];
    }
    let seconds = value
        .strip_prefix("Duration::from_secs(")
        .map(|it| it.trim_end_matches(')'));
    let product = |text: &str| -> u128 {
        text.split('*')
            .map(|factor| {
                let (number, shift) = factor.split_once("<<").unwrap_or((factor, "0"));
                let number: u128 = number.trim().replace('_', "").parse().unwrap();
                number << shift.trim().parse::<u32>().unwrap()
            })
            .product()
    };
    if let Some(millis) = value.strip_prefix("Duration::from_millis(") {
        return vec![product(millis.trim_end_matches(')')), THOUSANDTHS];
    }
    vec![product(seconds.unwrap_or(value))]
}

/// The tables of the page, each under a heading that names its struct.
fn of_page(text: &str) -> Limits {
    let mut limits = Limits::new();
    let mut section = None;
    for line in text.lines() {
        if line.starts_with("## ") {
            let name = line
                .split('`')
                .nth(1)
                .filter(|name| name.ends_with("Limits"));
            section = name.map(|name| limits.entry(name.to_owned()).or_default());
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let (Some(limits), [_, name, default, _attack, _effect, _]) = (&mut section, &cells[..])
            && let Some(name) = name.strip_prefix('`').and_then(|it| it.strip_suffix('`'))
        {
            limits.insert(name.to_owned(), read(default));
        }
    }
    limits
}

/// The numbers of a default as the page writes it.
fn read(default: &str) -> Vec<u128> {
    if default == "never" {
        return vec![u128::MAX];
    }
    if matches!(default, "yes" | "no") {
        return vec![u128::from(default == "yes")];
    }
    if default == "see below" {
        return Vec::new();
    }
    default
        .split(", ")
        .flat_map(|part| {
            let mut words = part.split(' ');
            let number: u128 = words.next().unwrap().replace(',', "").parse().unwrap();
            let shift = match words.next() {
                Some("ms") => return vec![number, THOUSANDTHS],
                Some("KiB") => 10,
                Some("MiB") => 20,
                Some("s" | "at" | "a" | "an") | None => 0,
                Some(unit) => panic!("unknown unit {unit} in {default}"),
            };
            vec![number << shift]
        })
        .collect()
}

#[test]
fn a_limit_that_is_missing_or_wrong_is_found() {
    let source = of_source(
        "pub struct Limits {\n    /// Doc.\n    pub size: u32,\n    pub rate: Rate,\n    pub time: Duration,\n}\n\
         impl Limits {\n    pub const DEFAULT: Self = Self {\n        size: 16 << 10,\n        \
         rate: Rate {\n            burst: 1_000,\n            per_second: 10,\n        },\n        \
         time: Duration::MAX,\n    };\n}\n",
        "toy",
    );
    let page = |size: &str| {
        of_page(&format!(
            "## Toy (`toy::Limits`)\n| limit | default | attack | sees |\n|---|---|---|---|\n\
             | `size` | {size} | a | b |\n| `rate` | 1,000 at once, 10 a second | a | b |\n\
             | `time` | never | a | b |\n"
        ))
    };
    assert!(faults(&source, &page("16 KiB")).is_empty());
    assert_eq!(faults(&source, &page("16")).len(), 1);
    assert_eq!(faults(&source, &Limits::new()).len(), 1);
    assert_eq!(faults(&Limits::new(), &page("16 KiB")).len(), 1);
}
