use super::*;
use alloc::string::ToString;

#[test]
fn addresses_survive_a_round_trip() {
    for text in ["127.0.0.1:0", "[::]:80", "unix:/run/a b.sock", "unix:rel"] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
    for bad in [
        "",
        "unix:",
        ":80",
        "127.0.0.1",
        "[::]",
        "localhost:80",
        "1.2.3.4:65536",
    ] {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
}

#[test]
fn a_destination_is_an_address_or_a_name() {
    let name: Destination = "xn--bcher-kva.example:443".parse().unwrap();
    assert_eq!(name.to_string(), "xn--bcher-kva.example:443");
    assert!(matches!(
        "[::1]:9".parse(),
        Ok(Destination::Address(Address::Tcp(_)))
    ));
    for bad in [
        "host",
        "host:",
        "host:0",
        ":1",
        "a b:1",
        "u@h:1",
        "http://h:80",
        "::1:80",
    ] {
        assert!(bad.parse::<Destination>().is_err(), "{bad}");
    }
}

#[test]
fn a_mapped_ipv4_peer_is_an_ipv4_peer() {
    let mapped: SocketAddr = "[::ffff:192.0.2.1]:5".parse().unwrap();
    assert_eq!(Peer::from(mapped).to_string(), "192.0.2.1:5");
    let v6: SocketAddr = "[2001:db8::1]:5".parse().unwrap();
    assert_eq!(Peer::from(v6).socket_address(), Some(v6));
    assert_eq!(size_of::<Peer>(), 24);
}
