use alloc::string::{String, ToString};
use alloc::vec;

use proptest::prelude::*;

use super::*;

const LIMITS: MultipartLimits = MultipartLimits::DEFAULT;

/// What a form says, with pieces of content joined, and how it ends.
fn transcript(
    pieces: &[&[u8]],
    limits: &MultipartLimits,
) -> (Vec<(String, Vec<u8>, bool)>, String) {
    let mut reader = MultipartReader::new("multipart/form-data; boundary=x").unwrap();
    let mut parts: Vec<(String, Vec<u8>, bool)> = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let received = match reader.receive(rest, limits) {
                Ok(received) => received,
                Err(error) => {
                    assert_eq!(reader.finish(), Err(error));
                    return (parts, alloc::format!("{error:?}"));
                }
            };
            match received.step {
                Step::Event(MultipartEvent::Part(part)) => {
                    parts.push((alloc::format!("{part:?}"), Vec::new(), false));
                }
                Step::Event(MultipartEvent::Content(piece)) => {
                    assert!(!piece.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(piece);
                }
                Step::Event(MultipartEvent::End) => parts.last_mut().unwrap().2 = true,
                _ => assert!(received.used > 0),
            }
            rest = &rest[received.used..];
        }
    }
    let end = reader.finish().map_err(|error| alloc::format!("{error:?}"));
    (parts, end.err().unwrap_or_default())
}

fn read(body: &str) -> (Vec<(String, Vec<u8>, bool)>, String) {
    transcript(&[body.as_bytes()], &LIMITS)
}

const A: &str = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";

fn contents(body: &str) -> Vec<String> {
    let (parts, end) = read(body);
    assert_eq!(end, "", "{body:?}");
    let text = |part: (String, Vec<u8>, bool)| String::from_utf8(part.1).unwrap();
    parts.into_iter().map(text).collect()
}

#[test]
fn parts_are_read_with_what_is_around_them_left_out() {
    let body = alloc::format!(
        "before\r\n--x\r\n{A}one\r\n--x \t\r\n{A}\r\n--x\r\n{A}\r\n\r\n--y\r\n--\r\n--x--after"
    );
    assert_eq!(contents(&body), ["one", "", "\r\n\r\n--y\r\n--"]);
    assert_eq!(contents("--x--"), [""; 0]);
    assert_eq!(contents("\r\n--x--\r\n"), [""; 0]);
}

#[test]
fn what_is_malformed_is_refused() {
    let head = |head: &str| read(&alloc::format!("--x\r\n{head}\r\n\r\nb\r\n--x--")).1;
    for (text, error) in [
        ("", "Disposition"),
        ("Content-Type: text/plain", "Disposition"),
        ("Content-Disposition: form-data", "Disposition"),
        ("Content-Disposition: attachment; name=a", "Disposition"),
        ("Content-Disposition: form-data; name=\"a", "Disposition"),
        ("Content-Disposition: form-data; name=\"a\"b", "Disposition"),
        (
            "Content-Disposition: form-data; name=a; name=b",
            "Disposition",
        ),
        (
            "Content-Disposition: form-data; name=a; filename=b; filename=c",
            "Disposition",
        ),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=a",
            "Head",
        ),
        ("Content-Disposition: form-data;\r\n name=a", "Head"),
        ("Content-Disposition : form-data; name=a", "Head"),
        ("Content-Disposition: form-data; name=a\nX: y", "Head"),
        ("Content-Disposition: form-data; name=a\0", "Head"),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
            "Encoding",
        ),
        (
            "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: binary",
            "",
        ),
        ("content-disposition:FORM-DATA;name=a;", ""),
    ] {
        assert_eq!(head(text), error, "{text:?}");
    }
    for body in ["", "--x", "--x\r\n", "--x-", "a"] {
        assert_eq!(read(body).1, "Incomplete", "{body:?}");
    }
    for body in ["--xy", "--x y", "--x\n", "--x-y"] {
        assert_eq!(read(body).1, "Delimiter", "{body:?}");
    }
}

#[test]
fn a_boundary_is_one_of_rfc_2046() {
    let new = |text: &str| MultipartReader::new(text).err();
    assert_eq!(new("multipart/form-data; boundary=\"a b\""), None);
    assert_eq!(
        new("Multipart/Form-Data;charset=utf-8;BOUNDARY=----a'()+_,-./:?"),
        None
    );
    for text in [
        "",
        "; boundary=",
        "; boundary=\"a \"",
        "; boundary=a; boundary=b",
        "; boundary=a\"b",
    ] {
        let text = alloc::format!("multipart/form-data{text}");
        assert_eq!(new(&text), Some(MultipartError::Boundary), "{text}");
    }
    let long = alloc::format!("multipart/form-data; boundary={}", "a".repeat(71));
    assert_eq!(new(&long), Some(MultipartError::Boundary));
    assert_eq!(
        new("multipart/mixed; boundary=a"),
        Some(MultipartError::MediaType)
    );
}

#[test]
fn names_are_read_as_browsers_and_programs_write_them() {
    let names = |value: &str| {
        let mut reader = MultipartReader::new("multipart/form-data; boundary=x").unwrap();
        let body = alloc::format!("--x\r\nContent-Disposition: form-data; {value}\r\n\r\n");
        let received = reader.receive(body.as_bytes(), &LIMITS).unwrap();
        let Step::Event(MultipartEvent::Part(part)) = received.step else {
            panic!("{received:?}")
        };
        let own = |text: Option<&str>| text.map(ToString::to_string);
        (
            part.name().to_string(),
            own(part.file_name_as_sent()),
            own(part.file_name()),
        )
    };
    let named = |name: &str, sent: &str, safe: Option<&str>| {
        (
            name.to_string(),
            Some(sent.to_string()),
            safe.map(ToString::to_string),
        )
    };
    assert_eq!(names("name=a"), ("a".into(), None, None));
    assert_eq!(
        names("name=\"a%22b\\\"c%0d%0A%41\""),
        ("a\"b\"c\r\n%41".into(), None, None)
    );
    assert_eq!(names("name=\"a;b\"; filename=\"\""), named("a;b", "", None));
    assert_eq!(
        names(r#"name="a"; filename="C:\d\f.txt""#),
        named("a", r"C:\d\f.txt", Some("f.txt"))
    );
    assert_eq!(names(r#"name="a"; filename="d\""#), named("a", "d\\", None));
    assert_eq!(
        names("name=a; filename*=UTF-8''%c3%A4.txt"),
        named("a", "ä.txt", Some("ä.txt"))
    );
    assert_eq!(
        names("name=a; filename*=UTF-8''b; filename=c"),
        named("a", "c", Some("c"))
    );
    assert_eq!(names("name=a; filename*=latin1''b"), named("a", "", None));
}

#[test]
fn limits_stop_floods() {
    let fails = |limits: MultipartLimits, body: &str| transcript(&[body.as_bytes()], &limits).1;
    let one = alloc::format!("--x\r\n{A}12345\r\n--x");
    let two = alloc::format!("{one}\r\n{A}");
    let file = one.replace("=\"a\"", "=\"a\"; filename=\"bcd\"");
    assert_eq!(fails(LIMITS.with_parts(1), &two), "Parts");
    assert_eq!(fails(LIMITS.with_head(20), &one), "HeadTooLarge");
    assert_eq!(fails(LIMITS.with_headers(0), &one), "HeadTooLarge");
    assert_eq!(fails(LIMITS.with_name(0), &one), "NameTooLong");
    assert_eq!(fails(LIMITS.with_file_name(2), &file), "NameTooLong");
    assert_eq!(fails(LIMITS.with_field(4), &one), "FieldTooLong");
    assert_eq!(fails(LIMITS.with_file(4), &file), "FileTooLarge");
    assert_eq!(fails(LIMITS.with_total(30), &one), "TooLarge");
    let done = alloc::format!("{one}--");
    let exact = LIMITS
        .with_parts(1)
        .with_field(5)
        .with_name(1)
        .with_headers(1);
    let exact = exact.with_total(done.len() as u64).with_head(A.len());
    assert_eq!(fails(exact, &done), "");
    assert_eq!(fails(exact, &alloc::format!("{done}\r")), "TooLarge");
}

proptest! {
    #[test]
    fn any_split_is_read_as_one_piece(
        tokens in proptest::collection::vec(
            prop_oneof![
                Just("\r\n--x\r\n"), Just("--x\r\n"), Just("\r\n--x--"), Just("\r"), Just("\n"),
                Just("\r\n"), Just("-"), Just("x"), Just("\r\n--"), Just("abc"), Just(A),
                Just("Content-Disposition: form-data; name=b; filename=c\r\n\r\n"),
                Just("\r\n--x\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n"),
            ],
            0..12,
        ),
        cuts in proptest::collection::vec(0_usize..300, 0..6),
        field in prop_oneof![Just(3_u64), Just(1000)],
        total in prop_oneof![Just(90_u64), Just(1000)],
    ) {
        let body = alloc::format!("--x\r\n{A}{}", tokens.concat());
        let limits = LIMITS.with_field(field).with_total(total);
        let whole = transcript(&[body.as_bytes()], &limits);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|it| &body.as_bytes()[it[0]..it[1]]).collect();
        prop_assert_eq!(&transcript(&pieces, &limits), &whole);
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        prop_assert_eq!(&transcript(&bytes, &limits), &whole);
    }
}
