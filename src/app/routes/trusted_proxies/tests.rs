use super::*;
use crate::http::Field;

fn peer(text: &str) -> Peer {
    Peer::from(text.parse::<core::net::SocketAddr>().unwrap())
}

fn proxies() -> TrustedProxies {
    TrustedProxies::new([
        "10.0.0.0/8".parse().unwrap(),
        "2001:db8::/64".parse().unwrap(),
    ])
}

const PROXY: &str = "10.0.0.1:4000";

/// The client's address as X-Forwarded-For tells it from `from`.
fn by_list(from: &str, lines: &[&str]) -> Option<Peer> {
    let fields: Vec<Field<'_>> = lines
        .iter()
        .map(|it| Field::new("X-Forwarded-For", it))
        .collect();
    let told = proxies()
        .x_forwarded_for()
        .read(peer(from), &Fields::new(&fields))?;
    assert_eq!((told.scheme, told.host), (None, None));
    Some(told.client)
}

#[test]
fn the_first_address_from_the_end_that_is_no_proxys_is_the_client() {
    for (lines, client) in [
        (&["192.0.2.7"][..], "192.0.2.7:0"),
        (&["8.8.8.8, 192.0.2.7"], "192.0.2.7:0"),
        (&["8.8.8.8, 192.0.2.7, 10.2.3.4 ,, 10.9.9.9"], "192.0.2.7:0"),
        (&["8.8.8.8, 192.0.2.7", "10.2.3.4", ""], "192.0.2.7:0"),
        (&["2001:db8:1::7, [2001:db8::1]:443"], "[2001:db8:1::7]:0"),
        (&["192.0.2.7:555"], "192.0.2.7:555"),
        (&["::ffff:192.0.2.7, ::ffff:10.0.0.2"], "192.0.2.7:0"),
        // All are proxies: the farthest. Nothing is told: the peer.
        (&["10.0.0.3, 10.0.0.2"], "10.0.0.3:0"),
        (&[], PROXY),
        (&[" , "], PROXY),
        // What names no address ends the list.
        (&["192.0.2.7, unknown"], PROXY),
        (&["192.0.2.7, unknown, 10.0.0.2"], "10.0.0.2:0"),
        (&["192.0.2.7, 10.0.0.256"], PROXY),
        (&["192.0.2.7, \""], PROXY),
        (&["192.0.2.7, 010.0.0.2"], PROXY),
    ] {
        assert_eq!(by_list(PROXY, lines), Some(peer(client)), "{lines:?}");
    }
    assert_eq!(by_list("192.0.2.1:9", &["127.0.0.1"]), None);
}

fn by_forwarded<'b>(value: &'b [Field<'b>]) -> (Peer, &'static str, &'b str) {
    let told = proxies()
        .forwarded()
        .read(peer(PROXY), &Fields::new(value))
        .unwrap();
    let (scheme, host) = (
        told.scheme.unwrap_or_default(),
        told.host.unwrap_or_default(),
    );
    (told.client, scheme, host)
}

#[test]
fn forwarded_tells_scheme_and_host_as_the_client_saw_them() {
    for (value, client, scheme, host) in [
        (
            "for=192.0.2.7;proto=https;host=a.example",
            "192.0.2.7:0",
            "https",
            "a.example",
        ),
        (
            "for=8.8.8.8;host=evil.example, for=192.0.2.7;proto=https;host=a.example, \
             for=10.0.0.2;proto=http;host=inner",
            "192.0.2.7:0",
            "https",
            "a.example",
        ),
        (
            "for=192.0.2.7, for=10.0.0.2;proto=https",
            "192.0.2.7:0",
            "https",
            "",
        ),
        // The nearest proxy hides who asked it; its word on the rest holds.
        (
            "for=192.0.2.7;host=a, for=_hidden;proto=https",
            PROXY,
            "https",
            "",
        ),
        ("for=192.0.2.7;host=a, proto", PROXY, "", ""),
        ("for=\"", PROXY, "", ""),
        ("for=\", for=192.0.2.7", "192.0.2.7:0", "", ""),
    ] {
        let field = [Field::new("Forwarded", value)];
        assert_eq!(
            by_forwarded(&field),
            (peer(client), scheme, host),
            "{value}"
        );
    }
}

#[test]
fn only_fields_that_are_named_are_believed() {
    let list = [
        Field::new("Forwarded", "for=192.0.2.1"),
        Field::new("X-Forwarded-For", "192.0.2.2"),
        Field::new("X-Forwarded-Proto", "http, wss"),
        Field::new("X-Forwarded-Host", "evil.example, a.example:81"),
    ];
    let fields = Fields::new(&list);
    let read = |proxies: TrustedProxies| proxies.read(peer(PROXY), &fields).unwrap();
    let told = read(proxies().forwarded());
    assert_eq!(
        (told.client, told.scheme, told.host),
        (peer("192.0.2.1:0"), None, None)
    );
    let told = read(proxies().x_forwarded_proto());
    assert_eq!(
        (told.client, told.scheme, told.host),
        (peer(PROXY), Some("https"), None)
    );
    let told = read(proxies().x_forwarded_for().x_forwarded_host());
    let seen = (told.client, told.scheme, told.host);
    assert_eq!(seen, (peer("192.0.2.2:0"), None, Some("a.example:81")));

    assert!(proxies().fault().is_some() && proxies().forwarded().fault().is_none());
    assert!(proxies().forwarded().x_forwarded_proto().fault().is_some());
    let unix = proxies().x_forwarded_for();
    assert_eq!(unix.read(Peer::Unix, &fields), None);
    assert!(unix.unix_sockets().read(Peer::Unix, &fields).is_some());
}
