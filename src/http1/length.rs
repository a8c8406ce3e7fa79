//! The length of a message's body (RFC 9112 §6.3): the only place that decides
//! framing.
//!
//! Two parties that disagree here read different messages off one connection,
//! which is request smuggling. So wherever the RFC leaves a choice between
//! repairing and refusing, this refuses.

use super::ProtocolError;
use crate::http::{ContentFraming, ContentLength, List, ResponseContent, Version};
use crate::wire::ascii;

/// How the end of a received body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    /// After this many bytes, at least 1.
    Fixed(u64),
    Chunked,
    UntilClose,
}

/// The Transfer-Encoding of a head (RFC 9112 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TransferEncoding {
    #[default]
    Absent,
    Chunked,
    /// Another coding: answered with 501 (RFC 9112 §6.1).
    Unknown,
    /// No coding at all, or chunked with something around it.
    Faulty,
}

impl TransferEncoding {
    pub(crate) fn add(&mut self, value: &[u8]) {
        let mut members = List::new(value);
        let coding = match members.next() {
            None => Self::Faulty,
            Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Self::Chunked,
            Some(coding) => match coding.split(|&b| b == b';').next() {
                Some(name) if ascii::is_token(ascii::trim_ows(name)) => Self::Unknown,
                Some(_) | None => Self::Faulty,
            },
        };
        *self = match (*self, coding) {
            // What an unknown coding did to the chunks cannot be known.
            (Self::Unknown, _) | (Self::Absent, Self::Unknown) => Self::Unknown,
            (Self::Absent, Self::Chunked) if value.len() == b"chunked".len() => Self::Chunked,
            (Self::Absent | Self::Chunked | Self::Faulty, _) => Self::Faulty,
        };
    }
}

/// The framing of a request.
///
/// # Errors
/// [`ProtocolError`] wherever two readers could come to different ends.
pub(crate) const fn of_request(
    coding: TransferEncoding,
    length: ContentLength,
    version: Version,
) -> Result<Framing, ProtocolError> {
    match explicit(coding, length, version) {
        Ok(Some(framing)) => Ok(framing),
        Ok(None) => Ok(Framing::None), // §6.3 rule 7
        Err(violation) => Err(violation),
    }
}

/// The framing of a final response that does not switch protocols.
///
/// # Errors
/// [`ProtocolError`] wherever two readers could come to different ends.
pub(crate) const fn of_response(
    coding: TransferEncoding,
    length: ContentLength,
    version: Version,
    content: ResponseContent,
) -> Result<Framing, ProtocolError> {
    if !matches!(content.framing, ContentFraming::ByFields) {
        return Ok(Framing::None); // §6.3 rules 1 and 2
    }
    match explicit(coding, length.collapsed(), version) {
        Ok(Some(framing)) => Ok(framing),
        Ok(None) => Ok(Framing::UntilClose), // §6.3 rule 8
        Err(violation) => Err(violation),
    }
}

/// The length that the fields themselves give, if any.
const fn explicit(
    coding: TransferEncoding,
    length: ContentLength,
    version: Version,
) -> Result<Option<Framing>, ProtocolError> {
    use ContentLength as Length;
    use TransferEncoding as Coding;
    match (coding, length) {
        (Coding::Absent, Length::Absent) => Ok(None),
        (Coding::Absent, Length::One(0)) => Ok(Some(Framing::None)),
        (Coding::Absent, Length::One(n)) => Ok(Some(Framing::Fixed(n))), // rule 6
        (Coding::Absent, Length::Repeated(_)) => Err(ProtocolError::RepeatedContentLength),
        (Coding::Absent, Length::Invalid) => Err(ProtocolError::ContentLength), // rule 5
        // Rule 3: such a message ought to be handled as an error.
        (
            Coding::Chunked | Coding::Unknown | Coding::Faulty,
            Length::One(_) | Length::Repeated(_) | Length::Invalid,
        ) => Err(ProtocolError::LengthAndCoding),
        (Coding::Chunked | Coding::Unknown | Coding::Faulty, Length::Absent)
            if matches!(version, Version::Http10) =>
        {
            Err(ProtocolError::CodingVersion) // §6.1
        }
        (Coding::Chunked, Length::Absent) => Ok(Some(Framing::Chunked)), // rule 4
        (Coding::Unknown, Length::Absent) => Err(ProtocolError::UnknownCoding),
        (Coding::Faulty, Length::Absent) => Err(ProtocolError::TransferEncoding),
    }
}

#[cfg(test)]
mod tests;
