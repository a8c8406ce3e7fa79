use super::*;
use crate::wire::simd::{Job, dispatch, swar::Words};

/// Whether a plain host of this length stands after the name of its field.
struct Plain(usize);

const NAME: &str = "Host: ";

impl Job for Plain {
    type Destination<'p> = ();
    type Output = bool;

    #[inline(always)]
    fn run<B: Blocks>(self, blocks: B, text: &[u8], (): ()) -> bool {
        is_plain_host(blocks, text, NAME.len(), NAME.len() + self.0)
    }
}

fn plain(host: &str) -> bool {
    let text = std::format!("{NAME}{host}\r\nsomething long enough for a window of bytes");
    let plain = dispatch(Plain(host.len()), text.as_bytes(), ());
    assert_eq!(Plain(host.len()).run(Words, text.as_bytes(), ()), plain);
    plain
}

#[test]
fn every_byte_of_a_plain_host_has_been_looked_at() {
    for len in 1..100 {
        for at in 0..len {
            for tail in ["", ":80"] {
                let mut host = "a".repeat(len) + tail;
                host.replace_range(at..=at, "/");
                assert!(!plain(&host), "{host}");
            }
        }
    }
}

#[test]
fn plain_hosts_are_authorities() {
    let long = "a".repeat(80);
    for host in [
        "a",
        "a.b-c:80",
        "1.2.3.4",
        "a:",
        "a:59999",
        "a:00080",
        &long[..31],
    ] {
        assert!(plain(host) && is_authority(host), "{host}");
    }
    let odd = long.clone() + "_";
    for host in [
        "", ":80", ":", "a:60000", "a:65536", "a:100000", "a:x", "a:1x000", "[::1]", "a_b", "a b",
        "a/b", &odd,
    ] {
        assert!(!plain(host), "{host}");
    }
}

#[test]
fn ports_are_digits_and_no_more() {
    for len in 0..8 {
        for at in 0..len {
            for b in 0..128u8 {
                let mut port = "5".repeat(len);
                port.replace_range(at..=at, core::str::from_utf8(&[b]).unwrap());
                let digits = port.bytes().all(|b| b.is_ascii_digit());
                let low = len < 5 || len == 5 && port.as_str() < "6";
                assert_eq!(plain(&std::format!("a:{port}")), digits && low, "{port:?}");
            }
        }
    }
    assert!(!plain("a:\u{e9}") && !plain("a:1\u{e9}1"));
}

#[test]
fn keep_alive_in_any_case_is_usual() {
    for (value, usual, persists) in [
        ("keep-alive", true, true),
        ("Keep-Alive", true, true),
        ("KEEP-ALIVE", true, true),
        ("keep-alive,close", false, false),
        ("keep alive", false, false),
        ("keep-alivf", false, false),
        ("aakeep-alive", false, false),
        ("close", false, false),
    ] {
        let text = std::format!("Host: a\r\nConnection: {value}\r\n");
        let mut semantics = Semantics::default();
        for (name, name_end, value, value_end) in
            [(0, 4, 6, 7), (9, 19, 21, 21 + value.len() as u32)]
        {
            let first = text.as_bytes()[name as usize..][..4].try_into().unwrap();
            let line = FieldLine {
                name,
                name_end,
                value,
                value_end,
                first: u32::from_le_bytes(first),
            };
            semantics.add(Words, text.as_bytes(), &line);
        }
        assert_eq!(semantics.is_usual(), usual, "{value}");
        assert_eq!(semantics.persists(Version::Http10), persists, "{value}");
    }
}

#[test]
fn names_are_told_apart_beyond_their_first_letters() {
    let text = b"content-lengts: 5\r\nConnectiom: close\r\nHOST: a\r\n";
    let mut semantics = Semantics::default();
    for (name, name_end, value, value_end) in [(0, 14, 16, 17), (19, 29, 31, 36), (38, 42, 44, 45)]
    {
        let line = FieldLine {
            name,
            name_end,
            value,
            value_end,
            first: u32::from_le_bytes(text[name as usize..][..4].try_into().unwrap()),
        };
        semantics.add(Words, text, &line);
    }
    assert_eq!(
        semantics,
        Semantics {
            host: (44, 45),
            flags: Flags(Flags::HOST.0 | Flags::HOST_PLAIN.0),
            ..Semantics::default()
        }
    );
}
