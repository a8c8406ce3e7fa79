use super::*;

#[test]
fn there_is_one_value_of_each_type() {
    let mut values = Extensions::new();
    assert!(values.is_empty() && values.get::<u8>().is_none());
    assert_eq!(values.insert(1_u8), None);
    assert_eq!(values.insert("text"), None);
    assert_eq!(values.insert(2_u8), Some(1));
    assert_eq!(values.get::<u8>(), Some(&2));
    assert!(values.contains::<&str>() && !values.contains::<u16>());
    assert_eq!(values.len(), 2);
    assert_eq!(std::format!("{values:?}"), "{u8, &str}");
}
