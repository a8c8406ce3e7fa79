use super::*;

#[test]
fn no_rate_begins_anew_with_a_connection() {
    let limits = [
        include_str!("../../http1/limits.rs"),
        include_str!("../../http2/limits.rs"),
        include_str!("../../websocket/limits.rs"),
        include_str!("../../sse/limits.rs"),
        include_str!("../../grpc/limits.rs"),
    ];
    let is_rate = |line: &&str| line.starts_with("    pub ") && line.ends_with(": Rate,");
    let rates = limits.iter().flat_map(|it| it.lines()).filter(is_rate);
    let kept = size_of::<Spent>() / size_of::<Budget>();
    assert_eq!(rates.count(), kept, "a rate that `Spent` does not keep");
}
