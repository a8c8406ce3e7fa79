use super::*;
use crate::http::Field;
use alloc::vec::Vec;

fn accepted(value: &str) -> Accepted {
    Accepted::of(Fields::new(&[Field::new("Accept-Encoding", value)]))
}

fn names(value: &str) -> Vec<&'static str> {
    let accepted = accepted(value);
    accepted.in_order(&Coding::ALL).map(Coding::name).collect()
}

#[test]
fn the_better_coding_goes_first_unless_the_client_says_otherwise() {
    assert_eq!(names("gzip, deflate, br, zstd"), ["zstd", "gzip", "br"]);
    assert_eq!(names("gzip, deflate"), ["gzip"]);
    assert_eq!(names("br;q=0.5, gzip;q=0.8"), ["gzip", "br"]);
    assert_eq!(names("zstd;q=0.5, br, gzip;q=0.5"), ["br", "zstd", "gzip"]);
    assert_eq!(names("x-gzip"), ["gzip"]);
    assert_eq!(names("*"), ["zstd", "gzip", "br"]);
    assert_eq!(names("*;q=0.5, br;q=0"), ["zstd", "gzip"]);
    assert_eq!(names("GZIP ; Q=1.000"), ["gzip"]);
    let gzip_first = [Coding::Gzip, Coding::Zstd];
    let order: Vec<_> = accepted("*").in_order(&gzip_first).collect();
    assert_eq!(order, gzip_first);
}

#[test]
fn what_is_refused_or_less_liked_than_nothing_is_not_sent() {
    for none in [
        "",
        "identity",
        "deflate",
        "gzip;q=0",
        "gzip;q=0.000",
        "*;q=0",
        "identity, gzip;q=0.5",
    ] {
        assert!(names(none).is_empty(), "{none}");
    }
    assert_eq!(names("identity;q=0.5, gzip;q=0.5"), ["gzip"]);
    assert!(
        Accepted::of(Fields::EMPTY)
            .in_order(&Coding::ALL)
            .next()
            .is_none()
    );
}

#[test]
fn none_is_refused_by_its_name_or_with_all_that_is_not_named() {
    assert!(accepted("identity;q=0").refuses_identity());
    assert!(accepted("gzip, *;q=0").refuses_identity());
    assert_eq!(names("gzip;q=0.1, *;q=0"), ["gzip"]);
    for takes in ["", "gzip", "*", "*;q=0, identity;q=0.1", "gzip;q=0"] {
        assert!(!accepted(takes).refuses_identity(), "{takes}");
    }
}

#[test]
fn nonsense_is_no_wish() {
    for bad in [
        "gzip;q=2",
        "gzip;q=0.1234",
        "gzip;q=.5",
        "gzip;q=",
        "gzip;level=9",
        "gzip;q=0,5;",
    ] {
        assert!(names(bad).is_empty(), "{bad}");
    }
}

mod random {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec;
    use proptest::prelude::*;

    /// An element of the field: a name, and its weight in thousandths if there is one.
    type Element = (&'static str, Option<u16>);

    const NAMES: [&str; 8] = [
        "gzip", "br", "zstd", "identity", "*", "deflate", "x-gzip", "compress",
    ];

    fn elements() -> impl Strategy<Value = Vec<Element>> {
        let weight = prop_oneof![
            2 => Just(None),
            2 => Just(Some(0)),
            1 => Just(Some(1000)),
            3 => (0..=1000_u16).prop_map(Some),
            3 => proptest::sample::select(vec![100, 500, 900]).prop_map(Some),
        ];
        proptest::collection::vec((proptest::sample::select(&NAMES[..]), weight), 0..6)
    }

    /// The field as somebody may write it: in any case, with blanks, and weights as short as
    /// they can be or not.
    fn written(elements: &[Element], style: u8) -> String {
        let one = |&(name, weight): &Element| {
            let name = match style & 1 {
                0 => String::from(name),
                _ => name.to_uppercase(),
            };
            let blank = [" ", ""][usize::from(style >> 1 & 1)];
            let weight = weight.map(|it| {
                let long = format!("{}.{:03}", it / 1000, it % 1000);
                let short = long.trim_end_matches('0').trim_end_matches('.');
                let q = ["q", "Q"][usize::from(style >> 2 & 1)];
                let text = if style & 8 == 0 { &long } else { short };
                format!("{blank};{blank}{q}={text}")
            });
            format!("{name}{}", weight.unwrap_or_default())
        };
        let all: Vec<_> = elements.iter().map(one).collect();
        all.join([",", " , ", ", ,"][usize::from(style >> 4 & 3) % 3])
    }

    /// How gladly a client takes a coding, by RFC 9110 §12.5.3: by its name, or else by `*`.
    fn weight(elements: &[Element], names: &[&str]) -> Option<u16> {
        let of = |names: &[&str]| {
            let named = elements.iter().find(|it| names.contains(&it.0));
            named.map(|it| it.1.unwrap_or(1000))
        };
        of(names).or_else(|| of(&["*"]))
    }

    proptest! {
        #[test]
        fn the_choice_is_that_of_a_plain_reading(
            elements in elements(),
            style in any::<u8>(),
            order in Just(Coding::ALL.to_vec()).prop_shuffle(),
            known in 0..=3_usize,
        ) {
            let ours = &order[..known];
            let accepted = accepted(&written(&elements, style));
            let mut expected: Vec<(u16, usize, Coding)> = Vec::new();
            // Nothing is said of it: it will do, if there is nothing else.
            let identity = weight(&elements, &["identity"]).unwrap_or(1);
            for (place, &coding) in ours.iter().enumerate() {
                let names = match coding {
                    Coding::Gzip => &["gzip", "x-gzip"][..],
                    Coding::Brotli => &["br"],
                    Coding::Zstd => &["zstd"],
                };
                let weight = weight(&elements, names).unwrap_or(0);
                if weight > 0 && weight >= identity {
                    expected.push((1000 - weight, place, coding));
                }
            }
            expected.sort_unstable_by_key(|it| (it.0, it.1));
            let expected: Vec<Coding> = expected.into_iter().map(|it| it.2).collect();
            let found: Vec<Coding> = accepted.in_order(ours).collect();
            prop_assert_eq!(found, expected, "{}", written(&elements, style));
            prop_assert_eq!(accepted.refuses_identity(), identity == 0);
        }
    }
}
