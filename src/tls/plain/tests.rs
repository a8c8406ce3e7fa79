use super::*;

fn status_and_location(input: &str, choice: PlainHttp) -> Option<String> {
    let answer = answer(input.as_bytes(), choice)?;
    let location = answer.lines().find_map(|it| it.strip_prefix("Location: "));
    Some(format!("{} {}", &answer[9..12], location.unwrap_or("-")))
}

#[test]
fn a_request_in_the_clear_is_told_where_to_go() {
    for (head, expected) in [
        (
            "GET /a?b=%20 HTTP/1.1\r\nhOST:  a.test:8443 \r\n\r\n",
            "308 https://a.test:8443/a?b=%20",
        ),
        (
            "POST / HTTP/1.0\r\nA: b\r\nHost: [::1]\r\n\r\n",
            "308 https://[::1]/",
        ),
        ("GET / HTTP/1.1\r\nA: b\r\n\r\n", "400 -"),
        ("GET / HTTP/1.1\r\nHost: a@evil\r\n\r\n", "400 -"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 -"),
        ("GET //\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 -"),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400 -"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "400 -"),
        ("PRI * HTTP/2.0\r\n\r\n", "400 -"),
        ("GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", "400 -"),
    ] {
        assert_eq!(
            status_and_location(head, PlainHttp::Redirect).unwrap(),
            expected,
            "{head}"
        );
        assert_eq!(
            status_and_location(head, PlainHttp::Refuse).unwrap(),
            "400 -"
        );
        for cut in 1..head.len() - 3 {
            if head.is_char_boundary(cut) {
                assert_eq!(status_and_location(&head[..cut], PlainHttp::Redirect), None);
            }
        }
    }
    let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(LONGEST));
    assert_eq!(
        status_and_location(&endless, PlainHttp::Redirect).unwrap(),
        "400 -"
    );
}

#[test]
fn records_are_no_requests() {
    for byte in [20, 21, 22, 23, 0x80, 0, b'g'] {
        assert!(!is_http(&[byte, 3, 1]));
    }
    assert!(!is_http(b""));
}
