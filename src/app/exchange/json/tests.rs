use super::*;

#[test]
fn what_a_string_may_not_hold_is_escaped() {
    for (text, expected) in [
        ("", "\"\""),
        ("plain é😀\u{7f}", "\"plain é😀\u{7f}\""),
        ("\"\\/", r#""\"\\/""#),
        ("\r\n\t\u{8}\0\u{1f}", r#""\r\n\t\u0008\u0000\u001f""#),
        ("a</script>", r#""a\u003c/script>""#),
    ] {
        let mut out = String::new();
        put_json_string(text, &mut out);
        assert_eq!(out, expected);
    }
}

#[test]
fn an_error_body_is_an_object() {
    let mut out = String::new();
    put_error("Not Found", None, &mut out);
    assert_eq!(out, r#"{"error":"Not Found"}"#);
}
