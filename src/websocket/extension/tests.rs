use super::*;
use crate::http::Field;
use alloc::vec::Vec;

#[test]
fn offers_stretch_over_fields_and_keep_their_order() {
    let fields = [
        Field::new(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10, x-a",
        ),
        Field::new("sec-websocket-extensions", "b;q=\"token\""),
    ];
    let offers: Vec<_> = list(&Fields::new(&fields)).map(Result::unwrap).collect();
    let names: Vec<_> = offers.iter().map(Extension::name).collect();
    assert_eq!(names, ["permessage-deflate", "x-a", "b"]);
    let parameters: Vec<_> = offers[0].parameters().map(|p| (p.name, p.value)).collect();
    assert_eq!(
        parameters,
        [
            ("client_max_window_bits", None),
            ("server_max_window_bits", Some("10"))
        ]
    );
    assert_eq!(offers[2].parameters().next().unwrap().value, Some("token"));
}

#[test]
fn lists_outside_the_grammar_are_refused() {
    for bad in [
        "",
        ";a",
        "a;",
        "a;;b",
        "a b",
        "a; b=",
        "a; =c",
        "a; b=\"\"",
        "a; b=\"c d\"",
        "a; b=\"c",
        "a; b=c\"",
        "a; b=\"c;d\"",
        "a; b=\"\\c\"",
        "a/b",
        "ä",
    ] {
        assert_eq!(
            Extension::parse(bad.as_bytes()),
            Err(InvalidExtension),
            "{bad}"
        );
    }
}
