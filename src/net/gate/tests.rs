use super::*;

#[test]
fn a_gate_lets_a_few_lines_pass_and_says_what_was_left_out() {
    let gate = Gate::new();
    for _ in 0..LINES {
        assert_eq!(gate.pass(1_000), Some(LeftOut(0)));
    }
    for second in 1_000..1_010 {
        assert_eq!(gate.pass(second), None);
    }
    assert_eq!(gate.pass(1_010), Some(LeftOut(10)));
    assert_eq!(gate.pass(1_011), Some(LeftOut(0)));
    assert_eq!(gate.pass(9_000), Some(LeftOut(0)));
    assert_eq!(std::format!("x{}", LeftOut(0)), "x");
    let text = std::format!("x{}", LeftOut(10));
    assert_eq!(text, "x (10 lines like this were left out)");
}
