use super::*;
use crate::websocket::deflate::Offers;
use alloc::string::{String, ToString};
use proptest::prelude::*;

fn respond(policy: &Policy, field: &str) -> Option<String> {
    let members = crate::http::List::new(field.as_bytes());
    let extensions = members.filter_map(|member| Extension::parse(member).ok());
    policy.respond(extensions).map(|it| it.to_string())
}

/// Each line: a policy, what is offered, and the response.
#[test]
fn each_offer_has_its_response() {
    let nine = Policy {
        smallest: WindowBits::new(9).unwrap(),
        ..D
    };
    const D: Policy = Policy::TAKEOVER;
    const NONE: Policy = Policy {
        server_takeover: false,
        client_takeover: false,
        ..D
    };
    const SMALL: Policy = Policy {
        server_window: WindowBits::new(11).unwrap(),
        client_window: WindowBits::new(12).unwrap(),
        ..D
    };
    const KEEP: Policy = Policy {
        unhinted: Unhinted::KeepLargest,
        ..SMALL
    };
    const P: &str = "permessage-deflate";
    let cases: &[(&Policy, &str, Option<&str>)] = &[
        (&D, "", None),
        (&D, "x-webkit-deflate-frame", None),
        (&D, P, Some("")),
        (&D, "x-other; a=b, permessage-deflate", Some("")),
        (&D, "permessage-deflate; client_max_window_bits", Some("")),
        (
            &D,
            "permessage-deflate; client_max_window_bits=10",
            Some("; client_max_window_bits=10"),
        ),
        (
            &D,
            "permessage-deflate; client_max_window_bits=8",
            Some("; client_max_window_bits=8"),
        ),
        (
            &D,
            "permessage-deflate; server_max_window_bits=8",
            Some("; server_max_window_bits=8"),
        ),
        (
            &nine,
            "permessage-deflate; server_max_window_bits=8, permessage-deflate",
            Some(""),
        ),
        (
            &D,
            "permessage-deflate; server_max_window_bits=15",
            Some("; server_max_window_bits=15"),
        ),
        (
            &D,
            "permessage-deflate; server_max_window_bits=9; server_no_context_takeover",
            Some("; server_no_context_takeover; server_max_window_bits=9"),
        ),
        (
            &D,
            "permessage-deflate; client_no_context_takeover",
            Some("; client_no_context_takeover"),
        ),
        (&D, "permessage-deflate; foo, permessage-deflate; bar", None),
        (
            &D,
            "permessage-deflate; server_max_window_bits=16, \
                 permessage-deflate; client_no_context_takeover",
            Some("; client_no_context_takeover"),
        ),
        (
            &D,
            "permessage-deflate; client_max_window_bits=7, permessage-deflate; a",
            None,
        ),
        (
            &NONE,
            P,
            Some("; server_no_context_takeover; client_no_context_takeover"),
        ),
        (
            &NONE,
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10",
            Some(
                "; server_no_context_takeover; client_no_context_takeover; \
                     server_max_window_bits=10",
            ),
        ),
        (
            &SMALL,
            P,
            Some("; client_no_context_takeover; server_max_window_bits=11"),
        ),
        (&KEEP, P, Some("; server_max_window_bits=11")),
        (
            &SMALL,
            "permessage-deflate; client_max_window_bits",
            Some("; server_max_window_bits=11; client_max_window_bits=12"),
        ),
        (
            &SMALL,
            "permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"10\"",
            Some("; server_max_window_bits=10; client_max_window_bits=10"),
        ),
        (
            &SMALL,
            "permessage-deflate; client_max_window_bits=14; server_max_window_bits=14",
            Some("; server_max_window_bits=11; client_max_window_bits=12"),
        ),
    ];
    for (policy, field, expected) in cases {
        let expected = expected.map(|it| alloc::format!("{P}{it}"));
        assert_eq!(respond(policy, field), expected, "{field}");
    }
}

fn bits() -> impl Strategy<Value = WindowBits> {
    (8_u8..=15).prop_map(|bits| WindowBits::new(bits).unwrap())
}

prop_compose! {
    fn offers()(
        server_no_context_takeover: bool,
        client_no_context_takeover: bool,
        server_max_window_bits in proptest::option::of(bits()),
        client in 0..3_u8,
        client_bits in bits(),
    ) -> Offer {
        let client_max_window_bits = match client {
            0 => ClientWindow::Unsaid,
            1 => ClientWindow::Any,
            _ => ClientWindow::AtMost(client_bits),
        };
        Offer {
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        }
    }
}

prop_compose! {
    fn policies()(
        (server_takeover, client_takeover, keep) in any::<(bool, bool, bool)>(),
        (server_window, client_window, smallest) in (bits(), bits(), bits()),
    ) -> Policy {
        let unhinted = match keep {
            true => Unhinted::KeepLargest,
            false => Unhinted::NoContextTakeover,
        };
        Policy {
            server_takeover, server_window, client_takeover, client_window, unhinted, smallest,
        }
    }
}

proptest! {
    /// Whatever a server responds, the client that offered it takes it, and neither has
    /// to use more than it said.
    #[test]
    fn a_response_answers_its_offer(
        list in proptest::collection::vec(offers(), 0..4), policy in policies()
    ) {
        let offers = Offers::new(&list);
        let members = crate::http::List::new(offers.as_str().as_bytes());
        let extensions = members.map(|member| Extension::parse(member).unwrap());
        let agreement = policy.respond(extensions);
        let direct = offers.as_slice().iter().find_map(|offer| policy.respond_to(offer));
        prop_assert_eq!(agreement, direct);
        let Some(agreement) = agreement else {
            for offer in offers.as_slice() {
                prop_assert!(offer.server_max_window_bits < Some(policy.smallest));
            }
            return Ok(());
        };
        let text = agreement.to_string();
        let parsed = Agreement::parse(&Extension::parse(text.as_bytes()).unwrap());
        prop_assert_eq!(parsed, Ok(agreement));
        prop_assert!(offers.as_slice().iter().any(|offer| agreement.answers(offer)));
        prop_assert!(agreement.server_window() >= policy.smallest);
        prop_assert!(agreement.server_window() <= policy.server_window.max(policy.smallest));
        prop_assert!(policy.server_takeover || agreement.server_no_context_takeover);
        prop_assert!(policy.client_takeover || agreement.client_no_context_takeover);
        let held = match agreement.client_no_context_takeover {
            true => 0,
            false => agreement.client_window().bytes(),
        };
        let is_kept = policy.unhinted == Unhinted::KeepLargest;
        prop_assert!(held <= policy.client_window.bytes() || is_kept);
    }

    /// No bytes make parsing panic, and what is parsed is written alike.
    #[test]
    fn offers_survive_the_wire(text in "permessage-deflate(; ?(server|client)_(no_context_takeover|max_window_bits)(=\"?[0-9]{1,3}\"?)?){0,4}") {
        if let Ok(extension) = Extension::parse(text.as_bytes())
            && let Ok(offer) = Offer::parse(&extension)
        {
            let again = offer.to_string();
            let again = Extension::parse(again.as_bytes()).unwrap();
            prop_assert_eq!(Offer::parse(&again), Ok(offer));
            prop_assert!(Agreement::parse(&extension).is_err()
                == (offer.client_max_window_bits == ClientWindow::Any));
        }
    }
}
