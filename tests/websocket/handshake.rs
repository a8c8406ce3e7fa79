//! The opening handshake (RFC 6455 §4, RFC 8441).
#![cfg(feature = "alloc")]

use barewire::http::{Field, Fields, Method, RequestHead, ResponseHead, Status, Target, Version};
use barewire::websocket::UsageError;
use barewire::websocket::deflate::{self, ClientWindow, Policy, WindowBits};
use barewire::websocket::handshake::{self, Key, Offer, Origins, Refusal, Refused};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The example of RFC 6455 §1.3.
const GOOD: [(&str, &str); 7] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Origin", "http://example.com"),
    ("Sec-WebSocket-Protocol", "chat, superchat"),
    ("Sec-WebSocket-Version", "13"),
];

/// The good request without `name`, and with `more`.
fn list<'a>(name: &str, more: &[(&'a str, &'a str)]) -> Vec<Field<'a>> {
    GOOD.iter()
        .filter(|(good, _)| *good != name)
        .chain(more)
        .map(|(name, value)| Field::new(name, value))
        .collect()
}

fn head<'a>(list: &'a [Field<'a>]) -> RequestHead<'a> {
    RequestHead {
        method: Method::GET,
        target: Target::Origin {
            path: "/chat",
            query: None,
        },
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(list),
    }
}

#[test]
fn the_example_of_the_rfc_is_answered_as_the_rfc_answers_it() {
    let list = list("", &[]);
    let head = head(&list);
    assert!(handshake::is_upgrade(&head));
    let opening = handshake::check(&head).unwrap();
    assert_eq!(opening.key, KEY.as_bytes());
    assert_eq!(opening.origin(), Some(&b"http://example.com"[..]));
    assert!(opening.protocols().eq(["chat", "superchat"]));
    assert_eq!(
        opening.choose(&["v9", "superchat", "chat"]),
        Some("superchat")
    );
    assert_eq!(opening.choose(&["Chat"]), None);
    assert_eq!(opening.extensions().count(), 0);
    let accepted = handshake::accept(&opening, Some("chat")).unwrap();
    assert_eq!(accepted.status(), Status::SWITCHING_PROTOCOLS);
    assert_eq!(
        accepted.fields().as_slice(),
        [
            Field::new("Upgrade", "websocket"),
            Field::new("Connection", "Upgrade"),
            Field::new("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Field::new("Sec-WebSocket-Protocol", "chat"),
        ]
    );
    let plain = handshake::accept(&opening, None).unwrap();
    assert!(
        !plain
            .fields()
            .as_fields()
            .contains("sec-websocket-protocol")
    );
    let foreign = handshake::accept(&opening, Some("other"));
    assert_eq!(foreign.unwrap_err(), UsageError::ProtocolNotOffered);
}

#[test]
fn every_fault_of_a_request_has_its_answer() {
    type Change<'a> = (&'a str, &'a [(&'a str, &'a str)]);
    let cases: &[(Change<'_>, Refusal, u16)] = &[
        (("Upgrade", &[]), Refusal::NotUpgrade, 426),
        (("Upgrade", &[("Upgrade", "h2c")]), Refusal::NotUpgrade, 426),
        (("Connection", &[]), Refusal::NotUpgrade, 426),
        (
            ("Connection", &[("Connection", "close")]),
            Refusal::NotUpgrade,
            426,
        ),
        (("Sec-WebSocket-Version", &[]), Refusal::Version, 426),
        (
            ("Sec-WebSocket-Version", &[("Sec-WebSocket-Version", "8")]),
            Refusal::Version,
            426,
        ),
        (
            (
                "Sec-WebSocket-Version",
                &[("Sec-WebSocket-Version", "13, 8")],
            ),
            Refusal::Version,
            426,
        ),
        (
            ("", &[("Sec-WebSocket-Version", "13")]),
            Refusal::Version,
            426,
        ),
        (("Sec-WebSocket-Key", &[]), Refusal::Key, 400),
        (
            ("Sec-WebSocket-Key", &[("Sec-WebSocket-Key", "")]),
            Refusal::Key,
            400,
        ),
        (
            ("Sec-WebSocket-Key", &[("Sec-WebSocket-Key", "c2hvcnQ=")]),
            Refusal::Key,
            400,
        ),
        (("", &[("Sec-WebSocket-Key", KEY)]), Refusal::Key, 400),
        (
            (
                "Sec-WebSocket-Protocol",
                &[("Sec-WebSocket-Protocol", "a b")],
            ),
            Refusal::Protocols,
            400,
        ),
        (
            ("", &[("Sec-WebSocket-Protocol", "chat")]),
            Refusal::Protocols,
            400,
        ),
        (
            ("", &[("Sec-WebSocket-Extensions", "a; b=")]),
            Refusal::Extensions,
            400,
        ),
    ];
    for ((without, more), refusal, status) in cases {
        let list = list(without, more);
        let error = handshake::check(&head(&list)).unwrap_err();
        assert_eq!(error, *refusal, "{without} {more:?}");
        assert_eq!(error.status().code(), *status);
        let fields = error.fields();
        if *status == 426 {
            assert_eq!(fields.get_str("upgrade"), Some("websocket"));
            assert_eq!(fields.get_str("connection"), Some("Upgrade"));
            assert_eq!(fields.get_str("sec-websocket-version"), Some("13"));
        }
    }
}

#[test]
fn a_flood_of_subprotocols_is_refused() {
    let offers = |count: usize| {
        let names: Vec<String> = (0..count).map(|nth| format!("p{nth}")).collect();
        names.join(",")
    };
    for (count, fits) in [(32, true), (33, false), (4000, false)] {
        let offers = offers(count);
        let list = list(
            "Sec-WebSocket-Protocol",
            &[("Sec-WebSocket-Protocol", &offers)],
        );
        let checked = handshake::check(&head(&list));
        assert_eq!(checked.is_ok(), fits, "{count}");
        assert!(fits || checked.unwrap_err() == Refusal::Protocols);
    }
}

#[test]
fn other_methods_and_versions_are_no_upgrades() {
    let list = list("", &[]);
    let post = RequestHead {
        method: Method::POST,
        ..head(&list)
    };
    assert!(!handshake::is_upgrade(&post));
    let refusal = handshake::check(&post).unwrap_err();
    assert_eq!(refusal, Refusal::Method);
    assert_eq!(refusal.status().code(), 405);
    assert_eq!(refusal.fields().get_str("allow"), Some("GET"));

    let old = RequestHead {
        version: Version::Http10,
        ..head(&list)
    };
    assert!(!handshake::is_upgrade(&old));
    assert_eq!(handshake::check(&old).unwrap_err(), Refusal::NotUpgrade);
}

#[test]
fn lists_and_case_are_read_as_http_demands() {
    let more = [
        ("UPGRADE", "h2c, WebSocket"),
        ("Connection", "keep-alive"),
        ("connection", "UPGRADE"),
        (
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_max_window_bits",
        ),
    ];
    let mut list = list("Upgrade", &more);
    list.retain(|field| field.value != b"Upgrade");
    let opening = handshake::check(&head(&list)).unwrap();
    let names: Vec<_> = opening
        .extensions()
        .map(|extension| extension.name())
        .collect();
    assert_eq!(names, ["permessage-deflate"]);
}

#[test]
fn an_extended_connect_needs_no_key_and_is_answered_by_200() {
    let list = [
        Field::new("sec-websocket-version", "13"),
        Field::new("sec-websocket-protocol", "chat"),
        Field::new("origin", "https://example.com"),
    ];
    let head = RequestHead {
        method: Method::CONNECT,
        target: Target::Absolute {
            scheme: "https",
            authority: "example.com",
            path: "/chat",
            query: None,
        },
        version: Version::Http2,
        protocol: Some("websocket"),
        fields: Fields::new(&list),
    };
    assert!(handshake::is_upgrade(&head));
    let opening = handshake::check(&head).unwrap();
    assert_eq!(opening.check_origin(&Origins::SameHost), Ok(()));
    let accepted = handshake::accept(&opening, Some("chat")).unwrap();
    assert_eq!(accepted.status(), Status::OK);
    let expected = [Field::new("Sec-WebSocket-Protocol", "chat")];
    assert_eq!(accepted.fields().as_slice(), expected);

    let other = RequestHead {
        protocol: Some("connect-udp"),
        ..head
    };
    assert!(!handshake::is_upgrade(&other));
}

#[test]
fn foreign_pages_are_kept_out() {
    let listed = Origins::Listed(&["https://example.com", "http://localhost:3000"]);
    let cases: &[(Option<&str>, &str, [bool; 3])] = &[
        // Any, the same host, listed.
        (None, "example.com", [true, true, true]),
        (
            Some("https://example.com"),
            "example.com",
            [true, true, true],
        ),
        (
            Some("https://example.com"),
            "example.com:443",
            [true, true, true],
        ),
        (
            Some("http://example.com:80"),
            "example.com",
            [true, true, false],
        ),
        (
            Some("https://EXAMPLE.com"),
            "example.com",
            [true, true, true],
        ),
        (
            Some("http://localhost:3000"),
            "localhost:8080",
            [true, false, true],
        ),
        (
            Some("https://example.com:80"),
            "example.com",
            [true, false, false],
        ),
        (
            Some("https://example.com.evil.net"),
            "example.com",
            [true, false, false],
        ),
        (
            Some("https://evil-example.com"),
            "example.com",
            [true, false, false],
        ),
        (Some("null"), "example.com", [true, false, false]),
        (Some("https://"), "", [true, false, false]),
        (Some(""), "", [true, false, false]),
        (Some("file://"), "example.com", [true, false, false]),
    ];
    for (origin, authority, expected) in cases {
        let allowed = [Origins::Any, Origins::SameHost, listed]
            .map(|policy| policy.allow(origin.map(str::as_bytes), Some(authority)));
        assert_eq!(allowed, *expected, "{origin:?} {authority}");
    }
    assert_eq!(Origins::default(), Origins::SameHost);
    let mut list = list("", &[]);
    let opening = handshake::check(&head(&list)).unwrap();
    let refusal = opening.check_origin(&Origins::SameHost).unwrap_err();
    assert_eq!(refusal.status(), Status::FORBIDDEN);
    // Which of two origins counts is not for a server to guess.
    let origin = *list.iter().find(|field| field.is("origin")).unwrap();
    list.push(origin);
    let refusal = handshake::check(&head(&list)).unwrap_err();
    assert_eq!(refusal, Refusal::Origin);
}

#[test]
fn what_a_client_offers_a_server_accepts() {
    for (chosen, protocols) in [(None, ""), (Some("b"), "a, b"), (None, "a")] {
        let offer = Offer::new(Key::new([0xa5; 16]))
            .with_protocols(protocols)
            .with_origin("https://example.com");
        let fields = offer.fields();
        let opening = handshake::check(&head(fields.as_slice())).unwrap();
        let accepted = handshake::accept(&opening, chosen).unwrap();
        let fields = accepted.fields();
        let answer = ResponseHead::new(accepted.status(), fields.as_fields());
        assert_eq!(offer.check_response(&answer).unwrap().protocol, chosen);
    }
}

#[test]
fn a_client_refuses_every_answer_that_is_not_to_its_question() {
    const ACCEPT: (&str, &str) = ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const UPGRADE: (&str, &str) = ("Upgrade", "websocket");
    const CONNECTION: (&str, &str) = ("Connection", "upgrade");
    type Answer<'a> = (u16, &'a [(&'a str, &'a str)], Refused);
    let cases: &[Answer<'_>] = &[
        (
            200,
            &[UPGRADE, CONNECTION, ACCEPT],
            Refused::Status(Status::OK),
        ),
        (101, &[CONNECTION, ACCEPT], Refused::Upgrade),
        (
            101,
            &[("Upgrade", "h2c"), CONNECTION, ACCEPT],
            Refused::Upgrade,
        ),
        (
            101,
            &[("Upgrade", "websocket, h2c"), CONNECTION, ACCEPT],
            Refused::Upgrade,
        ),
        (101, &[UPGRADE, ACCEPT], Refused::Connection),
        (101, &[UPGRADE, CONNECTION], Refused::Accept),
        (101, &[UPGRADE, CONNECTION, ACCEPT, ACCEPT], Refused::Accept),
        (
            101,
            &[
                UPGRADE,
                CONNECTION,
                ("Sec-WebSocket-Accept", "S3PPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ],
            Refused::Accept,
        ),
        (
            101,
            &[
                UPGRADE,
                CONNECTION,
                ACCEPT,
                ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ],
            Refused::Extension,
        ),
        (
            101,
            &[
                UPGRADE,
                CONNECTION,
                ACCEPT,
                ("Sec-WebSocket-Protocol", "other"),
            ],
            Refused::Protocol,
        ),
        (
            101,
            &[
                UPGRADE,
                CONNECTION,
                ACCEPT,
                ("Sec-WebSocket-Protocol", "chat"),
                ("Sec-WebSocket-Protocol", "superchat"),
            ],
            Refused::Protocol,
        ),
    ];
    let offer = Offer::new(Key::new(*b"the sample nonce")).with_protocols("chat, superchat");
    for (status, list, refused) in cases {
        let list: Vec<_> = list
            .iter()
            .map(|(name, value)| Field::new(name, value))
            .collect();
        let head = ResponseHead::new(Status::new(*status).unwrap(), Fields::new(&list));
        assert_eq!(
            offer.check_response(&head).unwrap_err(),
            *refused,
            "{list:?}"
        );
    }
}

#[test]
fn compression_is_agreed_on_over_both_versions() {
    let offered = [(
        "Sec-WebSocket-Extensions",
        "x-a, permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits",
    )];
    let list = list("", &offered);
    let mut head = head(&list);
    let policy = Policy {
        client_takeover: false,
        server_window: WindowBits::new(12).unwrap(),
        smallest: WindowBits::new(9).unwrap(),
        ..Policy::TAKEOVER
    };
    const AGREED: &str =
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=12";
    let opening = handshake::check(&head).unwrap();
    let agreement = policy.respond(opening.extensions());
    let accepted = handshake::accept(&opening, None).unwrap();
    let accepted = accepted.with_deflate(agreement);
    let fields = accepted.fields();
    let name = "Sec-WebSocket-Extensions";
    assert_eq!(fields.as_fields().get_str(name), Some(AGREED));
    let mut memory = [0; 400];
    let mut out = barewire::wire::Slice::new(&mut memory);
    accepted.put_switching(&mut out).unwrap();
    let end = format!("\r\n{name}: {AGREED}\r\n\r\n");
    assert!(out.written().ends_with(end.as_bytes()));
    let short = out.written().len() - 1;
    let mut memory = vec![0; short];
    let mut out = barewire::wire::Slice::new(&mut memory);
    assert_eq!(accepted.put_switching(&mut out), Err(UsageError::NoRoom));

    (head.method, head.protocol) = (Method::CONNECT, Some("websocket"));
    let opening = handshake::check(&head).unwrap();
    let accepted = handshake::accept(&opening, None).unwrap();
    let agreement = policy.respond(opening.extensions());
    let accepted = accepted.with_deflate(agreement);
    assert_eq!(accepted.fields().as_fields().get_str(name), Some(AGREED));
    assert_eq!(accepted.with_deflate(None).fields().as_slice(), []);
}

#[test]
fn a_client_refuses_compression_that_it_did_not_offer_so() {
    const FIELD: &str = "Sec-WebSocket-Extensions";
    let small = deflate::Offer {
        server_max_window_bits: WindowBits::new(10),
        server_no_context_takeover: true,
        client_max_window_bits: ClientWindow::AtMost(WindowBits::new(12).unwrap()),
        ..deflate::Offer::DEFAULT
    };
    let unsaid = deflate::Offer {
        client_max_window_bits: ClientWindow::Unsaid,
        ..deflate::Offer::DEFAULT
    };
    let any = deflate::Offer::DEFAULT;
    let none: &[deflate::Offer] = &[];
    let (wrong, bad) = (Refused::Extension, Refused::ExtensionParameters);
    const P: &str = "permessage-deflate";
    type Case<'a> = (
        &'a [deflate::Offer],
        &'a [&'a str],
        Result<Option<&'a str>, Refused>,
    );
    let cases: &[Case<'_>] = &[
        (none, &[], Ok(None)),
        (none, &[P], Err(wrong)),
        (&[any], &[], Ok(None)),
        (&[any], &[P], Ok(Some(""))),
        (&[any], &["x-other"], Err(wrong)),
        (&[any], &["permessage-deflate, x-other"], Err(wrong)),
        (&[any], &[P, P], Err(wrong)),
        (&[any], &["permessage-deflate;"], Err(wrong)),
        (&[any], &["permessage-deflate; x"], Err(bad)),
        (
            &[any],
            &["permessage-deflate; server_max_window_bits"],
            Err(bad),
        ),
        (
            &[any],
            &["permessage-deflate; server_max_window_bits=7"],
            Err(bad),
        ),
        (
            &[any],
            &["permessage-deflate; client_max_window_bits"],
            Err(bad),
        ),
        (
            &[any],
            &["permessage-deflate; client_no_context_takeover; client_no_context_takeover"],
            Err(bad),
        ),
        (
            &[any],
            &["permessage-deflate; server_max_window_bits=8; client_max_window_bits=8"],
            Ok(Some("; server_max_window_bits=8; client_max_window_bits=8")),
        ),
        (
            &[any],
            &["permessage-deflate; client_no_context_takeover; server_no_context_takeover"],
            Ok(Some(
                "; server_no_context_takeover; client_no_context_takeover",
            )),
        ),
        (
            &[unsaid],
            &["permessage-deflate; client_max_window_bits=15"],
            Err(bad),
        ),
        (&[small], &[P], Err(bad)),
        (
            &[small],
            &["permessage-deflate; server_max_window_bits=10"],
            Err(bad),
        ),
        (
            &[small],
            &["permessage-deflate; server_no_context_takeover"],
            Err(bad),
        ),
        (
            &[small],
            &["permessage-deflate; server_no_context_takeover; server_max_window_bits=11"],
            Err(bad),
        ),
        (
            &[small],
            &["permessage-deflate; server_no_context_takeover; server_max_window_bits=9"],
            Ok(Some(
                "; server_no_context_takeover; server_max_window_bits=9",
            )),
        ),
        (
            &[small],
            &[
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=13",
            ],
            Err(bad),
        ),
        (&[small, unsaid], &[P], Ok(Some(""))),
    ];
    for (offers, fields, expected) in cases {
        let offer = Offer::new(Key::new(*b"the sample nonce"));
        let offer = offer.with_deflate(deflate::Offers::new(offers));
        let mut answer = vec![
            Field::new("Upgrade", "websocket"),
            Field::new("Connection", "Upgrade"),
            Field::new("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ];
        answer.extend(fields.iter().map(|value| Field::new(FIELD, value)));
        for (status, extended) in [(Status::SWITCHING_PROTOCOLS, false), (Status::OK, true)] {
            let head = ResponseHead::new(status, Fields::new(&answer));
            let checked = match extended {
                true => offer.check_extended_response(&head),
                false => offer.check_response(&head),
            };
            let agreed = checked.map(|it| it.deflate.map(|it| it.to_string()));
            let expected = expected.map(|it| it.map(|it| format!("{P}{it}")));
            assert_eq!(agreed, expected, "{offers:?} {fields:?}");
        }
        let offers = deflate::Offers::new(offers);
        for fields in [offer.fields(), offer.extended_fields()] {
            let sent = fields.as_fields().get_str(FIELD).map(str::to_owned);
            assert_eq!(sent.unwrap_or_default(), offers.as_str());
        }
    }
}
