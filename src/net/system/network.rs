//! Networks of IP addresses.

use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;

use crate::net::Error;

/// A network: all addresses that begin with the same bits.
///
/// Its text is an address, a slash and the number of those bits (RFC 4632 §3.1), or
/// an address alone.
///
/// ```
/// use barewire::net::Network;
///
/// let network: Network = "10.1.0.0/16".parse()?;
/// assert!(network.contains("10.1.2.3".parse().unwrap()));
/// assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!network.contains("10.2.0.0".parse().unwrap()));
/// assert_eq!(network.to_string(), "10.1.0.0/16");
/// assert!("10.1.0.0/33".parse::<Network>().is_err());
/// # Ok::<(), barewire::net::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: Ipv6Addr, // IPv4 as IPv6 (RFC 4291 §2.5.5.2); what the prefix leaves open is 0
    prefix: u8,      // 0 to 128
    is_v4: bool,
}

/// Bits in front of an IPv4 address that is written as one of IPv6.
const MAPPED: u8 = 96;

impl Network {
    /// The network of the addresses that begin with the first `prefix` bits of
    /// this one. `None` if an address does not have so many.
    pub const fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (address, is_v4) = mapped(address);
        let most = if is_v4 { 128 - MAPPED } else { 128 };
        if prefix > most {
            return None;
        }
        let prefix = if is_v4 { MAPPED + prefix } else { prefix };
        Some(Self {
            first: Ipv6Addr::from_bits(address.to_bits() & mask(prefix)),
            prefix,
            is_v4,
        })
    }

    /// Whether an address is in it.
    pub const fn contains(&self, address: IpAddr) -> bool {
        let (address, is_v4) = mapped(address);
        let same = address.to_bits() & mask(self.prefix) == self.first.to_bits();
        same && is_v4 == self.is_v4
    }
}

const fn mask(prefix: u8) -> u128 {
    match u128::MAX.checked_shr(prefix as u32) {
        Some(rest) => !rest,
        None => u128::MAX,
    }
}

const fn mapped(address: IpAddr) -> (Ipv6Addr, bool) {
    match address {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped(), true),
        IpAddr::V6(v6) => (v6, v6.to_ipv4_mapped().is_some()),
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let (first, is_v4) = mapped(address);
        Self {
            first,
            prefix: 128,
            is_v4,
        }
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Address {
            given: String::from(text),
            expected: "an IP address or a network such as 10.0.0.0/8",
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        match prefix {
            None => Ok(address.into()),
            Some(prefix) if prefix.bytes().all(|digit| digit.is_ascii_digit()) => {
                let prefix = prefix.parse().map_err(|_| wrong())?;
                Self::new(address, prefix).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first.to_ipv4_mapped().filter(|_| self.is_v4) {
            Some(v4) => write!(f, "{v4}/{}", self.prefix - MAPPED),
            None => write!(f, "{}/{}", self.first, self.prefix),
        }
    }
}

#[cfg(test)]
mod tests;
