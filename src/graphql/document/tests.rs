use proptest::prelude::*;

use super::*;
use OperationType::{Mutation, Query, Subscription};

#[test]
fn the_kind_is_that_of_the_operation_that_is_named() {
    let two = "query A($a: T = {b: [\"}\"]}) @c(d: {e: 1}) { f } mutation B { g }";
    for (document, name, kind) in [
        ("{a}", None, Some(Query)),
        ("query{a}", None, Some(Query)),
        ("mutation M($a:Int){a}", None, Some(Mutation)),
        ("subscription{a}", None, Some(Subscription)),
        ("\u{feff},# mutation {\nquery { a }", None, Some(Query)),
        ("fragment F on T { a } mutation { a }", None, Some(Mutation)),
        (
            "mutation { a } fragment F on T @d(e: {f: 1}) { a }",
            None,
            Some(Mutation),
        ),
        (
            "\"\"\" query { a } \\\"\"\" \"\"\" mutation { a }",
            None,
            Some(Mutation),
        ),
        ("{ a(b: \"\\\"}\") } ", None, Some(Query)),
        ("{ a(b: \"\") }", None, Some(Query)),
        (two, Some("A"), Some(Query)),
        (two, Some("B"), Some(Mutation)),
        (two, Some("C"), None),
        (two, None, None),
        ("{a} mutation M {b}", Some("M"), Some(Mutation)),
        ("query A{a} mutation A{a}", Some("A"), Some(Mutation)),
        ("", None, None),
        ("{", None, None),
        ("}", None, None),
        ("query", None, None),
        ("query { a(b: \"", None, None),
        ("query { a(b: \"\n\") }", None, None),
        ("{ a(b: \"\"\" }", None, None),
        ("type T { a: Int }", None, None),
    ] {
        assert_eq!(OperationType::of(document, name), kind, "{document}");
    }
}

proptest! {
    #[test]
    fn no_document_is_too_much(document in "[a-z{}()\"\\\\#\n ]{0,60}", name in "[a-c]?") {
        let _ = OperationType::of(&document, Some(&name));
    }
}
