//! Forms of several parts, and cookies.

use barewire::http::multipart::{MultipartEvent, MultipartLimits, MultipartReader};
use barewire::http::{Cookie, attachment, cookie_pairs, safe_file_name};
use barewire::wire::{Step, ascii};

const LIMITS: MultipartLimits = MultipartLimits::DEFAULT
    .with_parts(4)
    .with_head(200)
    .with_headers(4)
    .with_name(40)
    .with_file_name(60)
    .with_field(50)
    .with_file(100)
    .with_total(800);

/// The parts of a form with their content, and how it ended.
type Transcript = (Vec<(String, Vec<u8>, bool)>, String);

fn transcript<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> Transcript {
    let mut reader = MultipartReader::new("multipart/form-data; boundary=\"x\"").unwrap();
    let mut parts: Vec<(String, Vec<u8>, bool)> = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let received = match reader.receive(piece, &LIMITS) {
                Ok(received) => received,
                Err(error) => {
                    assert_eq!(reader.finish(), Err(error));
                    return (parts, format!("{error:?}"));
                }
            };
            match received.step {
                Step::Event(MultipartEvent::Part(head)) => {
                    if let Some(name) = head.file_name() {
                        assert_safe(name);
                    }
                    parts.push((format!("{head:?}"), Vec::new(), false));
                }
                Step::Event(MultipartEvent::Content(content)) => {
                    assert!(!content.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(content);
                }
                Step::Event(MultipartEvent::End) => {
                    let (_, content, ended) = parts.last_mut().unwrap();
                    assert!(!content.windows(5).any(|it| it == b"\r\n--x"));
                    *ended = true;
                }
                _ => assert!(received.used > 0),
            }
            piece = &piece[received.used..];
        }
    }
    assert!(parts.len() <= LIMITS.parts);
    let end = reader.finish();
    assert!(end.is_err() || parts.iter().all(|part| part.2));
    (parts, format!("{end:?}"))
}

/// The first byte is the length of the pieces.
pub fn multipart(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else {
        return;
    };
    let whole = transcript(std::iter::once(body));
    let piece = usize::from(first % 16) + 1;
    assert_eq!(transcript(body.chunks(piece)), whole);
    assert_eq!(transcript(body.chunks(1)), whole);
    let _ = MultipartReader::new(&String::from_utf8_lossy(body));
    if let Some(name) = safe_file_name(&String::from_utf8_lossy(body)) {
        assert_safe(&name);
        assert_eq!(safe_file_name(&name), Some(name.clone()));
        let value = attachment(&name);
        assert!(value.is_ascii() && ascii::is_field_value(value.as_bytes()));
    }
}

fn assert_safe(name: &str) {
    assert!((1..=255).contains(&name.len()) && name != "." && name != "..");
    let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    assert!(!name.contains(is_bad), "{name:?}");
}

/// Lines: a name, a value, a path, a domain; all of it is a Cookie field as well.
pub fn cookies(data: &[u8]) {
    for (name, value) in cookie_pairs(data) {
        assert!(!name.is_empty() && !name.contains([';', '=']) && !value.contains(';'));
    }
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (name, value) = (next(), next());
    let cookie = Cookie::new(name, value).path(next()).domain(next());
    for cookie in [cookie, Cookie::new(name, value)] {
        let Ok(set) = cookie.set_cookie() else {
            continue;
        };
        assert!(set.is_ascii() && ascii::is_field_value(set.as_bytes()));
        let attributes: Vec<&str> = set.split("; ").collect();
        let known = ["Path=", "Domain=", "Secure", "HttpOnly", "SameSite=Lax"];
        for (at, attribute) in attributes.iter().enumerate().skip(1) {
            assert!(
                known.iter().any(|it| attribute.starts_with(it)),
                "{at}: {set}"
            );
        }
        let sent = attributes[0].as_bytes();
        assert!(cookie_pairs(sent).eq([(name, value)]), "{set}");
        let prefix = name.get(..7).unwrap_or_default();
        if prefix.eq_ignore_ascii_case("__Host-") {
            assert!(
                set.contains("; Path=/; ") && !set.contains("Domain=") && set.contains("; Secure")
            );
        }
    }
}
