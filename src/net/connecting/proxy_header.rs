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

/// The first bytes of a header of version 2 (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The first bytes of a header of version 1 (§2.1).
const WORD: &[u8; 6] = b"PROXY ";
/// The longest header of version 1, with its CRLF (§2.1).
const LONGEST_LINE: usize = 107;

/// The client at the other end of a proxy, as the proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A client.
    Client(Peer),
    /// No client: the proxy itself asks (`LOCAL`), or does not know (`UNKNOWN`,
    /// `UNSPEC`).
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
/// after it are; `None` while it is not here in full. It is at most `limit`
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
/// [`ProxyError`] if it is not such a header, or too long.
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

/// The source of two addresses of so many bytes, and the two ports after them.
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
mod tests;
