use super::*;

fn segments(sent: &str) -> Option<Vec<String>> {
    let mut path = Path::default();
    path.decode(sent).ok()?;
    Some(
        (0..)
            .map_while(|at| path.segment(at).map(Into::into))
            .collect(),
    )
}

#[test]
fn an_encoded_slash_does_not_separate() {
    assert_eq!(segments("/a%2Fb/c").unwrap(), ["a/b", "c"]);
    assert_eq!(segments("/").unwrap(), [""]);
    assert_eq!(segments("/a//b/").unwrap(), ["a", "", "b", ""]);
    assert_eq!(segments("/caf%C3%A9+").unwrap(), ["café+"]);
}

#[test]
fn a_broken_escape_is_refused() {
    for bad in ["/%", "/a/%4", "/%zz", "/%FF", "/%C3/%A9"] {
        assert_eq!(segments(bad), None, "{bad}");
    }
}
