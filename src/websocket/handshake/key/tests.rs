use super::*;

#[test]
fn a_key_is_base64_of_sixteen_bytes() {
    assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
    assert!(is_key(Key::new([0xff; 16]).as_str().as_bytes()));
    for bad in [
        &b""[..],
        b"==",
        b"dGhlIHNhbXBsZSBub25jZQ=",
        b"dGhlIHNhbXBsZSBub25jZQ=A",
        b"dGhlIHNhbXBsZSBub25j===",
        b"dGhlIHNhbXBsZSBub25jZTEyMzQ1Ng==",
        b"dGhlIHNhbXBsZSBub25j\0Q==",
        b"dGhlIHNhbXBsZSBub25j-_==",
    ] {
        assert!(!is_key(bad), "{bad:?}");
    }
}
