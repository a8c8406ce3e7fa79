use super::*;

#[test]
fn servers_are_excluded_by_name_address_network_and_port() {
    for (text, host, port, expected) in [
        ("", "a", 80, false),
        ("*", "a", 80, true),
        ("b, *", "a", 80, true),
        ("example.org", "example.org", 80, true),
        ("example.org", "EXAMPLE.ORG", 80, true),
        ("example.org", "example.org.", 80, true),
        ("example.org.", "example.org", 80, true),
        ("example.org", "www.example.org", 80, true),
        ("example.org", "badexample.org", 80, false),
        ("example.org", "org", 80, false),
        (".example.org", "www.example.org", 80, true),
        (".example.org", "example.org", 80, true),
        ("a b\tc,d", "c", 80, true),
        ("a,,b", "b", 80, true),
        (".", "a", 80, false),
        ("example.org:8080", "example.org", 8080, true),
        ("example.org:8080", "www.example.org", 80, false),
        ("example.org:x", "example.org", 80, false),
        ("127.0.0.1", "127.0.0.1", 80, true),
        ("127.0.0.1:81", "127.0.0.1", 80, false),
        ("0.0.1", "127.0.0.1", 80, false),
        ("10.0.0.0/8", "10.1.2.3", 80, true),
        ("10.0.0.0/8", "11.1.2.3", 80, false),
        ("10.0.0.0/99", "10.1.2.3", 80, false),
        ("::1", "[::1]", 80, true),
        ("[::1]", "::1", 80, true),
        ("[::1]:80", "::1", 80, true),
        ("[::1]:81", "::1", 80, false),
        ("fd00::/8", "fd12::1", 80, true),
        ("é", "e", 80, false),
    ] {
        let exclusions = Exclusions::parse(text);
        let found = exclusions.contain(host, port);
        assert_eq!(found, expected, "{text:?} {host}:{port}");
    }
}
