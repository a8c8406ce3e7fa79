use super::*;

#[test]
fn memory_goes_from_one_connection_to_the_next() {
    let scratch = take_scratch(100);
    assert!(scratch.fields() >= 100);
    give_scratch(scratch);
    assert!(take_scratch(50).fields() >= 100);
    let mut output = Vec::with_capacity(500);
    output.push(1);
    let place = output.as_ptr();
    give_output(&mut output);
    assert_eq!(output.capacity(), 0);
    fit_output(&mut output);
    assert!(output.is_empty() && output.as_ptr() == place);
    let mut long = Vec::with_capacity(LONGEST + 1);
    give_output(&mut long);
    assert_eq!(long.capacity(), 0);
    let mut next = Vec::new();
    fit_output(&mut next);
    assert_eq!(next.capacity(), 0);
}
