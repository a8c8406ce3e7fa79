use super::*;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;

type Read = Result<Option<(usize, Source)>, ProxyError>;

fn read(input: &[u8]) -> Read {
    read_proxy_header(input, 300)
}

fn who(read: Read) -> Option<String> {
    match read.unwrap().unwrap().1 {
        Source::Client(peer) => Some(peer.to_string()),
        Source::Proxy => None,
    }
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16).to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, body].concat()
}

#[test]
fn the_examples_of_the_specification_are_read() {
    let lines = [
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            Some("255.255.255.255:65535"),
        ),
        (
            "PROXY TCP6 2001:db8::1 ffff:f::1 1 0\r\n",
            Some("[2001:db8::1]:1"),
        ),
        (
            "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n",
            Some("192.0.2.1:1"),
        ),
        ("PROXY UNKNOWN\r\n", None),
        (
            "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            None,
        ),
    ];
    for (line, expected) in lines {
        assert_eq!(who(read(line.as_bytes())).as_deref(), expected, "{line}");
    }
    let v4 = v2(0x21, 0x11, &[192, 0, 2, 1, 10, 0, 0, 1, 0xdc, 4, 1, 187]);
    assert_eq!(who(read(&v4)).as_deref(), Some("192.0.2.1:56324"));
    let mut v6 = [0; 36];
    (v6[0], v6[1], v6[15], v6[33]) = (0x20, 1, 9, 7);
    assert_eq!(
        who(read(&v2(0x21, 0x21, &v6))).as_deref(),
        Some("[2001::9]:7")
    );
    assert_eq!(
        who(read(&v2(0x21, 0x31, &[0; 216]))).as_deref(),
        Some("unix:")
    );
    // With a TLV after it; LOCAL, whatever else it says; UNSPEC.
    let tlv = [&v4[16..], &[1, 0, 2, b'h', b'2']].concat();
    assert_eq!(
        who(read(&v2(0x21, 0x11, &tlv))).as_deref(),
        Some("192.0.2.1:56324")
    );
    for (command, family) in [(0x20, 0x00), (0x20, 0x11), (0x20, 0x12), (0x21, 0x00)] {
        assert_eq!(who(read(&v2(command, family, &[5; 7]))), None);
    }
}

#[test]
fn what_is_no_header_is_refused() {
    for line in [
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY \r\n",
        "PROXY TCP4 1.2.3.4\r 5.6.7.8 1 2\r\n",
    ] {
        assert_eq!(read(line.as_bytes()), Err(ProxyError::Malformed), "{line}");
    }
    for other in ["GET / HTTP/1.1\r\n", "PROXX", "\r\n\r\n\0\r\nQUIX", "\0"] {
        assert_eq!(read(other.as_bytes()), Err(ProxyError::Absent), "{other}");
    }
    let malformed = [
        v2(0x22, 0x11, &[0; 12]),
        v2(0x11, 0x11, &[0; 12]),
        v2(0x21, 0x11, &[0; 11]),
        v2(0x21, 0x12, &[0; 12]),
        v2(0x21, 0x21, &[0; 35]),
        v2(0x21, 0x41, &[0; 12]),
    ];
    for bytes in malformed {
        assert_eq!(read(&bytes), Err(ProxyError::Malformed), "{bytes:?}");
    }
}

#[test]
fn a_header_is_no_longer_than_the_limit() {
    let long = ["PROXY UNKNOWN ", &"x".repeat(91), "\r\n"].concat();
    assert_eq!(long.len(), 107);
    assert_eq!(read(long.as_bytes()), Ok(Some((107, Source::Proxy))));
    let longer = ["PROXY UNKNOWN ", &"x".repeat(92), "\r\n"].concat();
    assert_eq!(read(longer.as_bytes()), Err(ProxyError::TooLong));
    assert_eq!(
        read(&v2(0x21, 0, &[0; 284])),
        Ok(Some((300, Source::Proxy)))
    );
    // Refused as soon as the length is known.
    let announced = v2(0x21, 0, &[0; 285]);
    assert_eq!(read(&announced[..16]), Err(ProxyError::TooLong));
}

/// Headers of all forms, and bytes that are none.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let line = "PROXY (TCP4 [0-9.]{7,12} [0-9.]{7,12}|TCP6 [0-9a-f:]{2,20} ::1|UNKNOWN[ -~]{0,9}) [0-9]{1,6} [0-9]{1,5}\r\n";
    let two = (
        0x1f..0x23u8,
        0..0x34u8,
        prop::collection::vec(any::<u8>(), 0..300),
    );
    prop_oneof![
        line.prop_map(String::into_bytes),
        two.prop_map(|(command, family, body)| v2(command, family, &body)),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn a_header_in_pieces_is_read_like_one_that_comes_at_once(
        header in inputs(),
        behind in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let input = [&header[..], &behind].concat();
        let expected = read(&input);
        for end in 0..input.len() {
            match read(&input[..end]) {
                Ok(None) => {}
                early => {
                    // What was decided early stays so.
                    prop_assert_eq!(early, expected);
                    if let Ok(Some((length, _))) = early {
                        prop_assert!(length <= end);
                    }
                }
            }
        }
        if let Ok(Some((length, _))) = expected {
            prop_assert!(length <= input.len() && length <= 300);
            prop_assert_eq!(read(&input[..length - 1]), Ok(None));
        }
    }
}
