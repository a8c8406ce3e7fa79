use super::*;

#[test]
fn a_name_counts_before_its_beginnings_and_the_longest_of_those() {
    let mut all = OptionsByName::default();
    let keep = |count| ChannelOptions::new().history(History::DEFAULT.with_publications(count));
    for (pattern, count) in [("a*", 1), ("ab*", 2), ("ab", 3), ("*", 4)] {
        all.add(pattern, keep(count)).unwrap();
    }
    for (name, count) in [("a", 1), ("ac", 1), ("ab", 3), ("abc", 2), ("b", 4)] {
        assert_eq!(all.of(name).history.unwrap().publications, count, "{name}");
    }
    assert!(all.add("ab", keep(5)).is_err());
    assert!(all.add("a*b", keep(5)).is_err());
    assert_eq!(all.shortest_age(), Some(History::DEFAULT.age));
    assert!(OptionsByName::default().of("x").history.is_none());
}
