//! A feature that anybody turns on breaks nobody else: what is public has the
//! same members under all of them, or may not be spelled out by its users.

use std::fs;
use std::path::Path;

/// The public types of a source whose users are broken by a feature.
fn faults(text: &str) -> Vec<String> {
    let shipped = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    let lines: Vec<&str> = shipped.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_enum = line.starts_with("pub enum ");
        if !(is_enum || line.starts_with("pub struct ")) || !line.ends_with('{') {
            continue;
        }
        let above = lines[..at].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        if above.any(|line| line.contains("non_exhaustive")) {
            continue;
        }
        let body = lines[at + 1..].iter().take_while(|line| **line != "}");
        // Members, and what stands above each of them.
        let (mut depends, mut guarded, mut conditional) = (false, false, false);
        for line in body.filter(|line| line.starts_with("    ") && !line.starts_with("     ")) {
            match line.trim_start() {
                it if it.starts_with("#[cfg") => conditional = true,
                it if it.starts_with("#[") || it.starts_with("//") || it.starts_with('}') => {}
                it => {
                    depends |= conditional;
                    // A private field that is always there: nobody else can
                    // write the struct out, or match all of it.
                    guarded |= !is_enum && !conditional && !it.starts_with("pub ");
                    conditional = false;
                }
            }
        }
        if depends && !guarded {
            found.push(line.trim_end_matches(['{', ' ']).to_owned());
        }
    }
    found
}

fn look_through(folder: &Path, found: &mut Vec<String>) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += look_through(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let faults = faults(&text).into_iter();
            found.extend(faults.map(|fault| format!("{}: {fault}", path.display())));
            count += 1;
        }
    }
    count
}

#[test]
fn no_public_type_changes_with_a_feature() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(look_through(&root.join("src"), &mut found) > 100);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_type_that_changes_is_found() {
    for bad in [
        "pub struct A<'b> {\n    pub a: u8,\n    /// Text.\n    #[cfg(feature = \"alloc\")]\n    pub b: u8,\n}\n",
        "#[derive(Debug)]\npub enum A {\n    #[cfg(unix)]\n    A(u8),\n    B {\n        c: u8,\n    },\n}\n",
        "pub struct A {\n    #[cfg(feature = \"a\")]\n    a: u8,\n}\n",
    ] {
        assert_eq!(faults(bad).len(), 1, "{bad}");
    }
    for good in [
        "pub struct A {\n    pub a: u8,\n    #[cfg(feature = \"a\")]\n    pub b: u8,\n    c: u8,\n}\n",
        "/// Text.\n#[non_exhaustive]\npub enum A {\n    #[cfg(unix)]\n    A,\n}\n",
        "pub(crate) enum A {\n    #[cfg(unix)]\n    A,\n}\n",
        "pub enum A {\n    #[error(\"a\")]\n    A,\n}\n",
    ] {
        assert_eq!(faults(good), Vec::<String>::new(), "{good}");
    }
}

/// What a caller wrote for HTTP/1.1 still compiles with `alloc`, and HTTP/2 says
/// by its own error that it needs more.
#[cfg(feature = "alloc")]
#[test]
fn a_scratch_without_text_has_no_room_for_heads_of_http2() {
    use barewire::http::{CallContext, FieldRange, Scratch};
    use barewire::http2::{Connection, Limits, ProtocolError};
    use barewire::wire::{Instant, Role};

    let limits = Limits::DEFAULT;
    let mut machine = Connection::new(Role::Server, Instant::START);
    let mut input = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    input.extend(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a");
    let (mut fields, mut out) = ([FieldRange::EMPTY; 10], Vec::new());
    let violation = loop {
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &limits,
            scratch: Scratch::new(&mut fields),
        };
        match machine.receive(&mut input, lent, &mut out) {
            Err(violation) => break violation,
            Ok(received) => {
                let used = received.used;
                assert!(used > 0, "a head was waited for");
                input.drain(..used);
            }
        }
    };
    assert_eq!(violation, ProtocolError::FieldTooLarge);
}
