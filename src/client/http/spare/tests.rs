use super::*;

#[test]
fn memory_goes_from_one_call_to_the_next() {
    let mut fields = FieldBuffer::new();
    fields.push("a", "b").unwrap();
    let memory = fields.memory();
    give_fields(fields);
    give_fields(FieldBuffer::new()); // has none to give
    let again = take_fields();
    assert!(again.is_empty() && again.memory() == memory);
    assert_eq!(take_fields().memory(), 0);
    give_content(Vec::from("abc"));
    let again = take_content();
    assert!(again.is_empty() && again.capacity() == 3);
    give_content(Vec::with_capacity(LONGEST + 1));
    assert_eq!(take_content().capacity(), 0);
}
