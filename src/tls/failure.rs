//! The failure of a connection to a server.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error as RustlsError};

use super::verify::Refused;
use crate::http::date::Date;

/// Names of a certificate that an error shows. There may be hundreds.
const SHOWN: usize = 5;
/// Characters of a name that it shows. A server chooses them.
const LONGEST: usize = 100;

/// Why a TLS connection to a server could not be had, or went no further.
///
/// A loop's owner finds it when a dial has ended, in
/// [`Context::transport_details`](crate::net::Context::transport_details); a gRPC call
/// that ends with UNAVAILABLE has it as the `source` of its
/// [`Ending`](crate::client::Ending), and says it in its message.
///
/// ```no_run
/// use std::error::Error as _;
/// use barewire::client::{CallOptions, Channel};
/// use barewire::tls::{ConnectionError, Fault};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let channel = Channel::connect("https://example.org")?;
/// let called = channel.unary::<_, Vec<u8>>("/t.T/Echo", &Vec::new(), CallOptions::new());
/// if let Err(ending) = called
///     && let Some(error) = ending.source().and_then(|it| it.downcast_ref::<ConnectionError>())
///     && let Fault::WrongName { names } = error.fault()
/// {
///     println!("{} has a certificate for {names:?}", error.server());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionError {
    server: Box<str>,
    fault: Fault,
}

/// The fault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A certificate of the server's chain is valid no more.
    Expired {
        /// Until when it was valid.
        until: Option<SystemTime>,
    },
    /// A certificate of the server's chain is not valid yet: or this machine's clock is
    /// wrong.
    NotYetValid {
        /// From when on it will be.
        from: Option<SystemTime>,
    },
    /// The server's certificate leads to none of the roots: they lack one, or the
    /// server does not send the certificates between.
    UnknownIssuer {
        /// The issuer of the server's own certificate, as the certificate says.
        issuer: Option<String>,
    },
    /// The server's certificate is self-issued, and is no root.
    SelfSigned,
    /// The server's certificate is for other names.
    WrongName {
        /// Those that it is for: host names, in which the first label may be `*`, and
        /// addresses.
        names: Vec<String>,
    },
    /// A certificate of the server's chain is on one of the given
    /// [lists](crate::tls::Crls).
    Revoked,
    /// Lists were given, and none that is up to date covers a certificate of the chain.
    RevocationUnknown,
    /// The server's certificates cannot be accepted for another reason.
    Certificate(String),
    /// The server agrees on none of the protocols that it was offered (ALPN, RFC 7301).
    NoProtocol {
        /// The protocols that it was offered.
        offered: Vec<String>,
    },
    /// The server has refused, or ended the connection for a fault of ours.
    Alert {
        /// The alert's number (RFC 8446 §6).
        code: u8,
    },
    /// The server's answer is not TLS.
    NotTls,
    /// Anything else: the server broke the protocol, or offers nothing that both know.
    Other(String),
}

impl ConnectionError {
    pub(super) const fn new(server: Box<str>, fault: Fault) -> Self {
        Self { server, fault }
    }

    /// The name of the server, or its address, that the connection was to.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The fault.
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl Fault {
    pub(super) fn new(error: RustlsError, refused: Option<Refused>, is_agreed: bool) -> Self {
        match error {
            RustlsError::InvalidCertificate(error) => Self::of_certificate(error, refused),
            RustlsError::AlertReceived(alert) => Self::Alert { code: alert.into() },
            RustlsError::InvalidMessage(_) if !is_agreed => Self::NotTls,
            other => Self::Other(alloc::format!("{other}")),
        }
    }

    fn of_certificate(error: CertificateError, refused: Option<Refused>) -> Self {
        let refused = refused.unwrap_or_default();
        match error {
            CertificateError::Expired => Self::Expired { until: None },
            CertificateError::ExpiredContext { not_after, .. } => Self::Expired {
                until: time(not_after),
            },
            CertificateError::NotValidYet => Self::NotYetValid { from: None },
            CertificateError::NotValidYetContext { not_before, .. } => Self::NotYetValid {
                from: time(not_before),
            },
            CertificateError::UnknownIssuer if refused.is_self_signed => Self::SelfSigned,
            CertificateError::UnknownIssuer => Self::UnknownIssuer {
                issuer: refused.issuer,
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName {
                    names: refused.names,
                }
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Self::RevocationUnknown,
            other => Self::Certificate(alloc::format!("{other}")),
        }
    }
}

fn time(at: UnixTime) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(at.as_secs()))
}

/// ` on Thu, 01 Jan 1970 00:00:00 GMT`, if it is known.
struct On(Option<SystemTime>, &'static str);

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(since) = self.0.and_then(|it| it.duration_since(UNIX_EPOCH).ok()) else {
            return Ok(());
        };
        write!(f, "{}{}", self.1, Date::from_unix(since.as_secs()).as_str())
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, fault } = self;
        match fault {
            Fault::Alert { .. } => write!(f, "{server} refuses the TLS connection: {fault}"),
            Fault::NotTls | Fault::NoProtocol { .. } => write!(f, "{server} {fault}"),
            Fault::Other(_) => write!(f, "TLS with {server}: {fault}"),
            _ => write!(f, "the certificate of {server} {fault}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { until } => write!(f, "has expired{}", On(*until, " on ")),
            Self::NotYetValid { from } => write!(f, "is not valid yet{}", On(*from, ", but from ")),
            Self::UnknownIssuer { issuer } => {
                f.write_str("leads to no root that is trusted")?;
                let mut issuer = issuer.iter();
                issuer.try_for_each(|it| write!(f, "; its issuer is {}", Quoted(it)))
            }
            Self::SelfSigned => f.write_str("is self-signed, and not trusted"),
            Self::WrongName { names } => write_names(f, names),
            Self::Revoked => f.write_str("or one that it leads to is revoked"),
            Self::RevocationUnknown => {
                f.write_str("or one that it leads to is on no revocation list that is up to date")
            }
            Self::Certificate(why) => write!(f, "cannot be accepted: {why}"),
            Self::NoProtocol { offered } => {
                write!(
                    f,
                    "does not agree by ALPN to speak {}",
                    offered.join(" or ")
                )
            }
            Self::Alert { code } => write!(f, "alert {code} ({})", AlertName(*code)),
            Self::NotTls => f.write_str("does not speak TLS there"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

fn write_names(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    f.write_str("is for other names: ")?;
    if names.is_empty() {
        return f.write_str("it has none");
    }
    for (at, name) in names.iter().take(SHOWN).enumerate() {
        let between = if at == 0 { "" } else { ", " };
        write!(f, "{between}{}", Quoted(name))?;
    }
    match names.len() {
        0..=SHOWN => Ok(()),
        all => write!(f, " and {} more", all - SHOWN),
    }
}

/// A text of the server's, cut short and on one line.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars().take(LONGEST) {
            write!(f, "{}", letter.escape_debug())?;
        }
        match self.0.chars().nth(LONGEST) {
            Some(_) => f.write_str("..."),
            None => Ok(()),
        }
    }
}

/// The name of an alert as the standards write it, such as `handshake_failure`.
struct AlertName(u8);

impl fmt::Display for AlertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = AlertDescription::from(self.0).as_str() else {
            return f.write_str("unknown");
        };
        let mut was_lower = false;
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && was_lower {
                f.write_str("_")?;
            }
            was_lower = letter.is_ascii_lowercase();
            write!(f, "{}", letter.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

impl core::error::Error for ConnectionError {}

impl core::error::Error for Fault {}

#[cfg(test)]
mod tests;
