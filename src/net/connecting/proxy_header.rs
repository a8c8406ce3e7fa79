//! The PROXY protocol: a proxy names the client whose bytes follow.
//!
//! ```text
//!  version 1:  PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 CR LF
//!  version 2:  signature (12) | version, command | family | length (2) | addresses | TLVs
//! ```
//!
//! See the specification of HAProxy, `doc/proxy-protocol.txt`, §2.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::net::Peer;

/// What a header of version 2 begins with (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// What a header of version 1 begins with (§2.1).
const WORD: &[u8; 6] = b"PROXY ";
/// The longest header of version 1, with its CRLF (§2.1).
const LONGEST_LINE: usize = 107;

/// Who a proxy says is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A client.
    Client(Peer),
    /// Nobody else: the proxy itself asks (`LOCAL`), or does not know
    /// (`UNKNOWN`, `UNSPEC`).
    Proxy,
}

/// Why bytes are no header of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It begins like neither version.
    #[error("no header of the PROXY protocol")]
    Absent,
    /// It is not of the form that it begins like.
    #[error("a malformed header of the PROXY protocol")]
    Malformed,
    /// It is longer than [`Limits::proxy_header`](crate::net::Limits::proxy_header).
    #[error("the header of the PROXY protocol is longer than the limit")]
    TooLong,
}

/// Reads the header in front of `input`: how long it is and whose the bytes
/// behind it are; `None` while it is not here in full. It is at most `limit`
/// bytes long. Bytes that cannot become a header are refused as soon as they
/// are seen.
///
/// The content of version 2's TLVs is skipped, and its checksum is not looked
/// at: TCP has one.
///
/// ```
/// use barewire::net::{Source, read_proxy_header};
///
/// let input = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n";
/// let (length, source) = read_proxy_header(input, 1024)?.unwrap();
/// assert_eq!(&input[length..], b"GET / HTTP/1.1\r\n");
/// assert!(matches!(source, Source::Client(peer) if peer.to_string() == "192.0.2.1:56324"));
/// assert_eq!(read_proxy_header(&input[..20], 1024), Ok(None));
/// assert!(read_proxy_header(b"GET / HTTP/1.1\r\n", 1024).is_err());
/// # Ok::<(), barewire::net::ProxyError>(())
/// ```
///
/// # Errors
/// [`ProxyError`] if it is none, or too long.
pub fn read_proxy_header(
    input: &[u8],
    limit: usize,
) -> Result<Option<(usize, Source)>, ProxyError> {
    if begins(input, SIGNATURE) {
        version2(input, limit)
    } else if begins(input, WORD) {
        version1(input, limit)
    } else {
        Err(ProxyError::Absent)
    }
}

/// Whether `input` begins with `word`, or is the beginning of it.
fn begins(input: &[u8], word: &[u8]) -> bool {
    let length = input.len().min(word.len());
    input.get(..length) == word.get(..length)
}

fn version1(input: &[u8], limit: usize) -> Result<Option<(usize, Source)>, ProxyError> {
    let limit = limit.min(LONGEST_LINE);
    let line = input.get(..limit).unwrap_or(input);
    let Some(end) = line.iter().position(|&byte| byte == b'\n') else {
        // A CR stands at the end alone; the last byte may be it.
        let rest = line.split_last().map_or(line, |(_, rest)| rest);
        return match (rest.contains(&b'\r'), line.len() < limit) {
            (true, _) => Err(ProxyError::Malformed),
            (false, true) => Ok(None),
            (false, false) => Err(ProxyError::TooLong),
        };
    };
    let text = line.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let text = text.ok_or(ProxyError::Malformed)?;
    let source = parse_line(text).ok_or(ProxyError::Malformed)?;
    Ok(Some((end + 1, source)))
}

/// The line without its end.
fn parse_line(line: &[u8]) -> Option<Source> {
    let text = core::str::from_utf8(line).ok().filter(|it| it.is_ascii())?;
    if text.contains('\r') {
        return None;
    }
    let mut words = text.split(' ').skip(1);
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Source::Proxy); // what follows is to be ignored
    }
    let (source, destination) = (words.next()?, words.next()?);
    let (from, _to) = (port(words.next()?)?, port(words.next()?)?);
    if words.next().is_some() {
        return None;
    }
    let peer = match family {
        "TCP4" => {
            destination.parse::<Ipv4Addr>().ok()?;
            client(IpAddr::V4(source.parse().ok()?), from)
        }
        "TCP6" => {
            destination.parse::<Ipv6Addr>().ok()?;
            client(IpAddr::V6(source.parse().ok()?), from)
        }
        _ => return None,
    };
    Some(Source::Client(peer))
}

/// A port in decimal, without leading zeros (§2.1).
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
    let is_short = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain && is_short)
}

fn client(ip: IpAddr, port: u16) -> Peer {
    Peer::from(core::net::SocketAddr::new(ip, port))
}

fn version2(input: &[u8], limit: usize) -> Result<Option<(usize, Source)>, ProxyError> {
    let Some(&version_command) = input.get(12) else {
        return Ok(None);
    };
    let is_local = match version_command {
        0x20 => true,
        0x21 => false,
        _ => return Err(ProxyError::Malformed), // MUST be refused (§2.2)
    };
    let Some(&family) = input.get(13) else {
        return Ok(None);
    };
    // Bytes of the two addresses and, for IP, their ports.
    let least = match family {
        0x00 => 0,
        0x11 => 12,
        0x21 => 36,
        0x31 => 216,
        // Datagrams and what is not known: to be taken as UNSPEC.
        _ if is_local => 0,
        _ => return Err(ProxyError::Malformed),
    };
    let (Some(&high), Some(&low)) = (input.get(14), input.get(15)) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if 16 + length > limit {
        return Err(ProxyError::TooLong);
    }
    if !is_local && length < least {
        return Err(ProxyError::Malformed);
    }
    let Some(body) = input.get(16..16 + length) else {
        return Ok(None);
    };
    let source = match (is_local, family) {
        (false, 0x11) => addresses(body, 4),
        (false, 0x21) => addresses(body, 16),
        (false, 0x31) => Some(Source::Client(Peer::Unix)),
        _ => Some(Source::Proxy),
    };
    Ok(source.map(|source| (16 + length, source)))
}

/// The source of two addresses of so many bytes, and the two ports behind them.
fn addresses(body: &[u8], size: usize) -> Option<Source> {
    let ports = body.get(2 * size..2 * size + 2)?;
    let port = u16::from_be_bytes(ports.try_into().ok()?);
    let source = body.get(..size)?;
    let ip = match size {
        4 => IpAddr::from(<[u8; 4]>::try_from(source).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(source).ok()?),
    };
    Some(Source::Client(client(ip, port)))
}

#[cfg(test)]
mod tests {
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
        // With a TLV behind; LOCAL, whatever else it says; UNSPEC.
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
}
