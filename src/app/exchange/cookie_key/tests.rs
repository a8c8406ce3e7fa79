use super::*;

#[test]
fn what_was_signed_is_read_and_nothing_else() {
    let key = CookieKey::new(&[7; 32]).unwrap();
    let signed = key.sign("a", "value.1");
    assert_eq!(key.verify("a", &signed), Some("value.1"));
    assert_eq!(
        key.verify("b", &signed),
        None,
        "the value of another cookie"
    );
    for at in 0..signed.len() {
        let mut changed = signed.clone().into_bytes();
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(key.verify("a", &changed), None, "{changed}");
    }
    for text in [
        "",
        ".",
        "value",
        &signed[..signed.len() - 1],
        &alloc::format!("{signed}A"),
    ] {
        assert_eq!(key.verify("a", text), None, "{text}");
    }
}

#[test]
fn an_older_key_is_read_and_signs_no_more() {
    let (old, new) = (
        CookieKey::new(&[1; 32]).unwrap(),
        CookieKey::new(&[2; 40]).unwrap(),
    );
    let both = new.clone().or(&old);
    assert_eq!(both.verify("a", &old.sign("a", "1")), Some("1"));
    assert_eq!(new.verify("a", &both.sign("a", "2")), Some("2"));
    assert_eq!(new.verify("a", &old.sign("a", "1")), None);
    assert_eq!(CookieKey::new(&[0; 31]).unwrap_err(), ShortSecret);
}

#[test]
fn the_signature_is_that_of_hmac_sha_256() {
    // Python: hmac.digest(bytes(range(32)), b"a=b", "sha256"), in URL-safe base64.
    let secret: [u8; 32] = core::array::from_fn(|at| at as u8);
    let key = CookieKey::new(&secret).unwrap();
    assert_eq!(
        key.sign("a", "b"),
        "b.CjOjqe_3rmSr6-fGgBflPi5Qbr-2W_zc3RNHEfBqnX8"
    );
}
