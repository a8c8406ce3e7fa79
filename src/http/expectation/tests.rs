use super::*;

#[test]
fn every_member_of_every_field_counts() {
    let of = |fields: &[&str]| {
        let mut expectation = Expectation::default();
        fields.iter().for_each(|it| expectation.add(it.as_bytes()));
        expectation
    };
    assert_eq!(of(&[]), Expectation::Absent);
    assert_eq!(of(&[""]), Expectation::Absent);
    assert_eq!(of(&["100-Continue"]), Expectation::Continue);
    assert_eq!(of(&["100-continue", "100-continue"]), Expectation::Continue);
    assert_eq!(of(&["100-continue, x"]), Expectation::Unknown);
    assert_eq!(of(&["x", "100-continue"]), Expectation::Unknown);
}
