//! SOCKS5 (RFC 1928), with user and password where they are asked for (RFC 1929).
//!
//! ```text
//!   05 n methods ──►                       05 method ◄──
//!   01 user password ──►                   01 00 ◄──          if the method is that
//!   05 01 00 address port ──►              05 00 00 address port ◄──
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::Hop;
use crate::client::ProxyError;

const VERSION: u8 = 5;
const CONNECT: u8 = 1;
/// Methods (RFC 1928 §3).
const NOTHING: u8 = 0;
const PASSWORD: u8 = 2;
const NONE: u8 = 0xff;
/// The version of the sub-negotiation (RFC 1929 §2).
const NEGOTIATION: u8 = 1;
/// Types of addresses (RFC 1928 §5).
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

const UNKNOWN: ProxyError = ProxyError::Protocol("SOCKS5");

pub(super) struct Socks {
    stage: Stage,
    credentials: Option<(String, String)>,
    address: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Method,
    Password,
    Reply,
    Through,
}

impl Socks {
    pub(super) fn new(
        host: &str,
        port: u16,
        credentials: Option<(&str, &str)>,
    ) -> Result<Self, ProxyError> {
        let mut address = Vec::new();
        match host.parse() {
            Ok(IpAddr::V4(v4)) => {
                address.push(V4);
                address.extend_from_slice(&v4.octets());
            }
            Ok(IpAddr::V6(v6)) => {
                address.push(V6);
                address.extend_from_slice(&v6.octets());
            }
            Err(_) => {
                let length = u8::try_from(host.len()).map_err(|_| ProxyError::TooLong)?;
                address.extend_from_slice(&[NAME, length]);
                address.extend_from_slice(host.as_bytes());
            }
        }
        address.extend_from_slice(&port.to_be_bytes());
        Ok(Self {
            stage: Stage::Begin,
            credentials: credentials.map(|(user, password)| (user.into(), password.into())),
            address,
        })
    }

    fn send_request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION, CONNECT, 0]);
        out.append(&mut self.address);
        self.stage = Stage::Reply;
    }

    fn method(&mut self, method: u8, out: &mut Vec<u8>) -> Result<(), ProxyError> {
        match (method, &self.credentials) {
            (NOTHING, _) => self.send_request(out),
            (PASSWORD, Some((user, password))) => {
                out.push(NEGOTIATION);
                for text in [user, password] {
                    // No longer than a byte can say: a proxy is not made with others.
                    out.push(u8::try_from(text.len()).map_err(|_| ProxyError::Credentials)?);
                    out.extend_from_slice(text.as_bytes());
                }
                self.stage = Stage::Password;
            }
            (NONE, _) => return Err(ProxyError::Unauthorized),
            _ => return Err(UNKNOWN),
        }
        Ok(())
    }
}

/// How long a reply is, as far as its first bytes say so.
fn reply_length(input: &[u8]) -> Result<Option<usize>, ProxyError> {
    match *input {
        [VERSION, 0, _, V4, ..] => Ok(Some(4 + 4 + 2)),
        [VERSION, 0, _, V6, ..] => Ok(Some(4 + 16 + 2)),
        [VERSION, 0, _, NAME, length, ..] => Ok(Some(5 + usize::from(length) + 2)),
        [VERSION, 0, _, NAME] | [VERSION, 0, _] | [VERSION, 0] | [VERSION] | [] => Ok(None),
        [VERSION, code, ..] if code != 0 => Err(ProxyError::Socks(code)),
        _ => Err(UNKNOWN),
    }
}

impl Hop for Socks {
    fn ask(&mut self, input: &mut [u8], out: &mut Vec<u8>) -> Result<usize, ProxyError> {
        match (self.stage, &*input) {
            (Stage::Begin, _) => {
                let methods: &[u8] = match self.credentials {
                    Some(_) => &[VERSION, 2, NOTHING, PASSWORD],
                    None => &[VERSION, 1, NOTHING],
                };
                out.extend_from_slice(methods);
                self.stage = Stage::Method;
                Ok(0)
            }
            (Stage::Method, &[VERSION, method, ..]) => self.method(method, out).map(|()| 2),
            (Stage::Password, &[NEGOTIATION, 0, ..]) => {
                self.send_request(out);
                Ok(2)
            }
            (Stage::Password, &[NEGOTIATION, _, ..]) => Err(ProxyError::Unauthorized),
            (Stage::Reply, input) => match reply_length(input)? {
                Some(length) if length <= input.len() => {
                    self.stage = Stage::Through;
                    Ok(length)
                }
                Some(_) | None => Ok(0),
            },
            (Stage::Method, [] | [VERSION]) | (Stage::Password, [] | [NEGOTIATION]) => Ok(0),
            (Stage::Through, _) => Ok(0),
            (Stage::Method | Stage::Password, _) => Err(UNKNOWN),
        }
    }

    fn is_through(&self) -> bool {
        self.stage == Stage::Through
    }
}
