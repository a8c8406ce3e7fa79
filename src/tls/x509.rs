//! What has to be seen of a certificate: its names and its time (RFC 5280).
//!
//! rustls verifies certificates. This reads those that are our own, to choose
//! between them, and those that were refused, to say why.

use core::net::IpAddr;
use core::str;

const SEQUENCE: u8 = 0x30;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// A certificate, as far as it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Certificate<'a> {
    #[expect(dead_code)]
    pub(super) issuer: &'a [u8],
    #[expect(dead_code)]
    pub(super) subject: &'a [u8],
    /// Seconds since 1970 from which on it is valid.
    pub(super) not_before: i64,
    /// Seconds since 1970 until which it is valid.
    pub(super) not_after: i64,
    extensions: &'a [u8],
}

/// A name that a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// A host name; its left-most label may be `*`.
    Dns(&'a str),
    Ip(IpAddr),
}

impl<'a> Certificate<'a> {
    /// Reads DER; `None` for what is no certificate.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut outer = Der(der);
        let mut certificate = Der(outer.take(SEQUENCE)?);
        let mut fields = Der(certificate.take(SEQUENCE)?);
        fields.take_if(VERSION);
        fields.any()?; // the serial number
        fields.take(SEQUENCE)?; // the algorithm of the signature
        let issuer = fields.take(SEQUENCE)?;
        let mut validity = Der(fields.take(SEQUENCE)?);
        let not_before = validity.time()?;
        let not_after = validity.time()?;
        let subject = fields.take(SEQUENCE)?;
        fields.take(SEQUENCE)?; // the public key
        let mut extensions = &[][..];
        while let Some((tag, content)) = fields.any() {
            if tag == EXTENSIONS {
                extensions = Der(content).take(SEQUENCE)?;
            }
        }
        Some(Self {
            issuer,
            subject,
            not_before,
            not_after,
            extensions,
        })
    }

    /// The names that it is for: those of its subjectAltName.
    pub(super) fn names(&self) -> impl Iterator<Item = Name<'a>> + use<'a> {
        let mut names = Der(self.alternative_names().unwrap_or_default());
        core::iter::from_fn(move || names.any()).filter_map(|(tag, content)| match tag {
            DNS_NAME => str::from_utf8(content).ok().map(Name::Dns),
            IP_ADDRESS => match content.len() {
                4 => <[u8; 4]>::try_from(content).ok().map(IpAddr::from),
                _ => <[u8; 16]>::try_from(content).ok().map(IpAddr::from),
            }
            .map(Name::Ip),
            _ => None,
        })
    }

    fn alternative_names(&self) -> Option<&'a [u8]> {
        let mut extensions = Der(self.extensions);
        loop {
            let mut extension = Der(extensions.take(SEQUENCE)?);
            let id = extension.take(OID)?;
            extension.take_if(BOOLEAN);
            let value = extension.take(OCTET_STRING)?;
            if id == SUBJECT_ALT_NAME {
                return Der(value).take(SEQUENCE);
            }
        }
    }
}

/// DER that has not been read yet (X.690).
#[derive(Debug, Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Takes the next value, whatever it is: its tag and its content.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&short, rest) = rest.split_first()?;
        let (len, rest) = match usize::from(short) {
            len @ 0..=0x7f => (len, rest),
            // The length has bytes of its own, three are more than any certificate.
            n @ 0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(n - 0x80)?;
                let len = bytes
                    .iter()
                    .fold(0, |len, &byte| len << 8 | usize::from(byte));
                (len, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// Takes the next value, which has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|it| it.0 == tag).map(|it| it.1)
    }

    /// Takes the next value if it has this tag.
    fn take_if(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let content = ahead.take(tag)?;
        *self = ahead;
        Some(content)
    }

    /// Takes a point in time, in seconds since 1970 (RFC 5280 §4.1.2.5).
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.any()?;
        let (year, rest) = match tag {
            UTC_TIME => {
                let (year, rest) = number(text, 2)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            GENERALIZED_TIME => number(text, 4)?,
            _ => return None,
        };
        let (month, rest) = number(rest, 2)?;
        let (day, rest) = number(rest, 2)?;
        let (hour, rest) = number(rest, 2)?;
        let (minute, rest) = number(rest, 2)?;
        let (second, rest) = number(rest, 2)?;
        if rest != b"Z" || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let days = days_since_1970(year, month, day);
        Some(((days * 24 + hour) * 60 + minute) * 60 + second)
    }
}

/// A decimal number of so many digits at the front.
fn number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(digits)?;
    let value = digits.iter().try_fold(0, |value, digit| {
        let is_digit = digit.is_ascii_digit();
        is_digit.then(|| value * 10 + i64::from(digit - b'0'))
    })?;
    Some((value, rest))
}

/// The day's number in the Gregorian calendar. Years are counted from March, so that
/// a leap day ends one.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + year / 4 - year / 100 + year / 400 + days_before_month + day - 1 - 719_468
}
