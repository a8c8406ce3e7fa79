use super::*;

#[test]
fn names_and_values_that_no_peer_accepts_are_refused() {
    let long = "QUJD".repeat(40);
    for (name, value, verdict) in [
        ("a", "b c", Ok(())),
        ("a_b-c.9", "", Ok(())),
        ("", "x", Err(UsageError::MetadataName)),
        ("a b", "x", Err(UsageError::MetadataName)),
        (":path", "x", Err(UsageError::MetadataName)),
        ("te", "x", Err(UsageError::MetadataName)),
        ("grpc-timeout", "1S", Err(UsageError::MetadataName)),
        ("a", " b", Err(UsageError::MetadataValue)),
        ("a", "\u{e9}", Err(UsageError::MetadataValue)),
        ("a", "\0", Err(UsageError::MetadataValue)),
        ("a-bin", "AA==,AAE", Ok(())),
        ("a-bin", long.as_str(), Ok(())),
        ("a-bin", "hello world", Err(UsageError::MetadataValue)),
    ] {
        assert_eq!(check(Field::new(name, value)), verdict, "{name}: {value}");
    }
}

#[cfg(feature = "alloc")]
#[test]
fn octets_survive_a_round_trip_at_every_length() {
    let octets: Vec<u8> = (0..=255).collect();
    for len in 0..=octets.len() {
        let value = binary_value(&octets[..len]);
        assert!(is_base64(value.as_bytes()));
        assert_eq!(binary_to_vec(value.as_bytes()).unwrap(), &octets[..len]);
    }
}
