use super::*;

fn found(name: &[u8], value: &[u8]) -> (u32, bool) {
    let StaticMatch { index, whole } = find(name, value);
    (index, whole)
}

#[test]
fn every_entry_is_found_at_its_place() {
    for index in 1..=LEN {
        let (name, value) = get(index).unwrap();
        if value.is_empty() {
            let first = (1..=LEN).find(|&i| get(i).unwrap().0 == name).unwrap();
            assert_eq!(found(name, b"other"), (first, false));
        } else {
            assert_eq!(found(name, value), (index, true));
        }
    }
    assert_eq!(get(0), None);
    assert_eq!(get(62), None);
    assert_eq!(found(b":method", b"PUT"), (2, false));
    for unknown in [&b":statu"[..], b":statut", b"", b"x-other"] {
        assert_eq!(found(unknown, b"200"), (0, false));
    }
}
