use super::*;

#[test]
fn request_lines_have_three_parts_and_two_spaces() {
    let parse = |line: &str| RequestLine::parse(line.as_bytes(), 10).map(|line| line.version);
    assert_eq!(parse("GET / HTTP/1.0"), Ok(Version::Http10));
    assert_eq!(parse("GET / HTTP/1.2"), Ok(Version::Http11));
    let long = std::format!("{} / HTTP/1.1", "A".repeat(33));
    for (line, violation) in [
        ("GET", ProtocolError::RequestLine),
        ("GET /", ProtocolError::RequestLine),
        ("", ProtocolError::RequestLine),
        (" / HTTP/1.1", ProtocolError::Method),
        ("GE{T / HTTP/1.1", ProtocolError::Method),
        ("GET\t/ HTTP/1.1", ProtocolError::Method),
        (long.as_str(), ProtocolError::MethodTooLong),
        ("GET  HTTP/1.1", ProtocolError::Target),
        ("GET /2345678901 HTTP/1.1", ProtocolError::TargetTooLong),
        ("GET / HTTP/1.1 ", ProtocolError::Version),
        ("GET / HTTP/1.", ProtocolError::Version),
        ("GET / http/1.1", ProtocolError::Version),
        ("GET / HTTP/1.10", ProtocolError::Version),
        ("GET /  HTTP/1.1", ProtocolError::Version),
        ("GET / ", ProtocolError::Version),
        ("PRI * HTTP/2.0", ProtocolError::UnsupportedVersion),
        ("GET / HTTP/0.9", ProtocolError::UnsupportedVersion),
    ] {
        assert_eq!(parse(line), Err(violation), "{line}");
    }
}

#[test]
fn status_lines_have_three_digits_and_perhaps_a_reason() {
    let parse = |line: &str| {
        StatusLine::parse(line.as_bytes(), 0)
            .ok()
            .map(|line| line.status.code())
    };
    for good in [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 ",
        "HTTP/1.0 200",
        "HTTP/1.9 200 a b\u{e9}",
    ] {
        assert_eq!(parse(good), Some(200), "{good}");
    }
    for bad in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 200OK",
        "HTTP/1.1 099 X",
        "HTTP/1.1 600 X",
        "HTTP/1.1 +20 X",
        "HTTP/1.1  200",
        "HTTP/2.0 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1\t200 OK",
    ] {
        assert_eq!(parse(bad), None, "{bad}");
    }
}
