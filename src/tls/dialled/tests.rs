use super::*;

#[test]
fn a_server_is_a_host_name_or_an_address() {
    for good in ["a.example", "a.example.", "127.0.0.1", "::1", "[::1]"] {
        Peer::new(good, &["h2"]).unwrap();
    }
    for bad in ["", ".", "a b", "a:1", "[::1", "é.example"] {
        let error = Peer::new(bad, &[]).unwrap_err().to_string();
        assert!(error.contains(&format!("{bad:?} is neither")), "{error}");
    }
    assert!(Peer::new("a", &[""]).is_err());
    assert!(Peer::new("a", &[&"x".repeat(256)]).is_err());
}
