use super::*;

#[test]
fn lengths_are_numbers_and_the_same_wherever_they_stand() {
    let of = |fields: &[&str]| {
        let mut length = ContentLength::default();
        fields.iter().for_each(|it| length.add(it.as_bytes()));
        length
    };
    assert_eq!(of(&[]), ContentLength::Absent);
    assert_eq!(of(&["7"]), ContentLength::One(7));
    assert_eq!(of(&["7, 7"]), ContentLength::Repeated(7));
    assert_eq!(of(&["7", "7"]), ContentLength::Repeated(7));
    assert_eq!(of(&["7", "7"]).collapsed(), ContentLength::One(7));
    for bad in [&["7", "8"][..], &["7,"], &[""], &["+7"], &["7 7"], &["x"]] {
        assert_eq!(of(bad), ContentLength::Invalid, "{bad:?}");
    }
}
