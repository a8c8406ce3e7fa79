use super::*;

#[test]
fn a_media_type_is_worth_it_by_its_name_without_parameters() {
    let compression = Compression::new();
    for worth in [
        "text/html; charset=utf-8",
        "TEXT/plain",
        "application/json",
        "application/problem+json ; x=y",
        "image/svg+xml",
        "text/event-stream",
    ] {
        assert!(compression.is_worth(worth.as_bytes()), "{worth}");
    }
    for not in [
        "",
        "image/png",
        "application/octet-stream",
        "application/jsonx",
        "application/grpc",
        "application/grpc-web+json",
        "application/connect+json",
        "json",
    ] {
        assert!(!compression.is_worth(not.as_bytes()), "{not}");
    }
    let own = Compression::new()
        .types(["application/x-own"])
        .media_type("font/*");
    assert!(own.is_worth(b"application/x-own") && own.is_worth(b"font/woff"));
    assert!(!own.is_worth(b"text/plain"));
}

#[test]
fn levels_are_those_that_a_coding_has() {
    let levels =
        |level| Coding::ALL.map(|it| Compression::new().level(it, level).levels[it as usize]);
    assert_eq!(levels(0), [1, 1, 2]);
    assert_eq!(levels(255), [19, 9, 11]);
    assert_eq!(Compression::new().levels, [4, 4, 3]);
}
