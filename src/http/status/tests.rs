use super::*;

#[test]
fn every_registered_code_has_a_reason_and_its_digits() {
    for &status in REGISTERED {
        assert!(!status.reason().is_empty());
        let digits = std::string::String::from_utf8(status.digits().to_vec()).unwrap();
        assert_eq!(digits.parse(), Ok(status.code()));
        assert_eq!(Status::new(status.code()), Some(status));
    }
    assert_eq!((Status::new(99), Status::new(600)), (None, None));
    assert_eq!(Status::new(299).unwrap().reason(), "");
}
