use super::*;

#[test]
fn a_pattern_is_literals_parameters_and_a_rest() {
    let pattern = Pattern::parse("/users/{id}/{*rest}").unwrap();
    let expected = [
        Segment::Literal("users".into()),
        Segment::Parameter,
        Segment::Rest,
    ];
    assert_eq!(pattern.segments, expected);
    assert_eq!(pattern.names.join(","), "id,rest");
    assert_eq!(
        Pattern::parse("/").unwrap().segments,
        [Segment::Literal("".into())]
    );
}

#[test]
fn a_faulty_pattern_is_refused() {
    let many = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}";
    for bad in [
        "", "a", "/{}", "/{*}", "/a{b}", "/{a", "/a}", "/{a}/{a}", "/{*a}/b", "/{{a}}", many,
        "/a/:id", "/*", "/a/*rest", "/<id>", "/a?b={c}", "/a#b",
    ] {
        assert!(Pattern::parse(bad).is_err(), "{bad}");
    }
    for good in ["/v1/users:list", "/a*b", "/a<b"] {
        assert!(Pattern::parse(good).is_ok(), "{good}");
    }
}
