use super::*;
use alloc::string::ToString;

#[test]
fn a_network_holds_the_addresses_that_begin_like_it() {
    let holds = |network: &str, address: &str| {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    };
    for (network, within, without) in [
        ("0.0.0.0/0", "255.0.0.1", "::1"),
        ("::/0", "2001:db8::1", "1.2.3.4"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
        ("192.0.2.128/25", "192.0.2.255", "192.0.2.127"),
        ("2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"),
        ("::1", "::1", "::2"),
    ] {
        assert!(holds(network, within), "{network} {within}");
        assert!(!holds(network, without), "{network} {without}");
    }
}

#[test]
fn networks_are_read_and_written() {
    for (text, shown) in [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/8", "10.0.0.0/8"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
    }
    for bad in [
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10/8",
        "::/+1",
        "a/1",
    ] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}
