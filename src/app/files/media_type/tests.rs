use super::*;

#[test]
fn the_table_is_sorted_so_that_all_of_it_is_found() {
    assert!(TYPES.windows(2).all(|two| two[0].0 < two[1].0));
    for &(extension, name) in TYPES {
        assert_eq!(of(extension), Some(name));
        assert_eq!(of(&extension.to_ascii_uppercase()), Some(name));
    }
}

#[test]
fn text_names_its_charset() {
    for &(_, name) in TYPES {
        assert_eq!(
            name.starts_with("text/"),
            name.ends_with("; charset=utf-8"),
            "{name}"
        );
    }
}

#[test]
fn the_last_dot_of_the_name_counts() {
    assert_eq!(extension("a.b/c.tar.gz"), Some("gz"));
    assert_eq!(extension("a.b/c"), None);
    assert_eq!(extension("a/.env"), None);
    assert_eq!(of("unheardof"), None);
    assert_eq!(of("longer-than-the-longest"), None);
    assert_eq!(of(""), None);
}
