//! How long a message's body is (RFC 9112 §6.3): the only place that decides
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
    /// There is no body.
    None,
    /// After this many bytes, at least 1.
    Fixed(u64),
    /// After the last chunk and the trailers.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What the Transfer-Encoding fields of a head say (RFC 9112 §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TransferEncoding {
    /// There is none.
    #[default]
    Absent,
    /// Exactly `chunked`, in any case.
    Chunked,
    /// Another coding: answered with 501 (RFC 9112 §6.1).
    Unknown,
    /// No coding at all, or chunked with something around it.
    Faulty,
}

impl TransferEncoding {
    /// Adds a field.
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

/// What the fields themselves say, if anything.
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
mod tests {
    use super::*;
    use crate::http::{Method, Status};

    /// What the fields of `text` say, as `name: value|name: value`.
    fn said(text: &str) -> (TransferEncoding, ContentLength) {
        let (mut coding, mut length) = (TransferEncoding::Absent, ContentLength::Absent);
        for (name, value) in text.split('|').filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length.add(value.as_bytes()),
                "transfer-encoding" => coding.add(value.as_bytes()),
                other => panic!("{other}"),
            }
        }
        (coding, length)
    }

    fn request(text: &str, version: Version) -> Result<Framing, ProtocolError> {
        let (coding, length) = said(text);
        of_request(coding, length, version)
    }

    fn response(text: &str, code: u16, to_head: bool) -> Result<Framing, ProtocolError> {
        let (coding, length) = said(text);
        let method = if to_head { Method::HEAD } else { Method::GET };
        let content = ResponseContent::of(method, Status::new(code).unwrap());
        of_response(coding, length, Version::Http11, content)
    }

    #[test]
    fn requests_are_framed_by_rules_3_to_7() {
        use ProtocolError as V;
        for (text, framing) in [
            ("", Ok(Framing::None)),
            ("Content-Length: 0", Ok(Framing::None)),
            ("content-length: 007", Ok(Framing::Fixed(7))),
            (
                "Content-Length: 18446744073709551615",
                Ok(Framing::Fixed(u64::MAX)),
            ),
            (
                "Content-Length: 18446744073709551616",
                Err(V::ContentLength),
            ),
            ("Content-Length: ", Err(V::ContentLength)),
            ("Content-Length: 5,", Err(V::ContentLength)),
            ("Content-Length: 5, 6", Err(V::ContentLength)),
            ("Content-Length: 5, 5", Err(V::RepeatedContentLength)),
            (
                "Content-Length: 5|Content-Length: 5",
                Err(V::RepeatedContentLength),
            ),
            ("Content-Length: 5|Content-Length: 6", Err(V::ContentLength)),
            ("Transfer-Encoding: ChunKed", Ok(Framing::Chunked)),
            ("Transfer-Encoding: gzip", Err(V::UnknownCoding)),
            ("Transfer-Encoding: gzip, chunked", Err(V::UnknownCoding)),
            ("Transfer-Encoding: x;a=b", Err(V::UnknownCoding)),
            ("Transfer-Encoding: chu nked", Err(V::TransferEncoding)),
            ("Transfer-Encoding: ", Err(V::TransferEncoding)),
            ("Transfer-Encoding: chunked,", Err(V::TransferEncoding)),
            (
                "Transfer-Encoding: chunked, chunked",
                Err(V::TransferEncoding),
            ),
            ("Transfer-Encoding: chunked, gzip", Err(V::TransferEncoding)),
            (
                "Transfer-Encoding: chunked|Transfer-Encoding: x",
                Err(V::TransferEncoding),
            ),
            ("Transfer-Encoding: \"chunked\"", Err(V::TransferEncoding)),
            (
                "Transfer-Encoding: chunked|Content-Length: 5",
                Err(V::LengthAndCoding),
            ),
            (
                "Content-Length: x|Transfer-Encoding: x",
                Err(V::LengthAndCoding),
            ),
        ] {
            assert_eq!(request(text, Version::Http11), framing, "{text}");
        }
        let old = request("Transfer-Encoding: chunked", Version::Http10);
        assert_eq!(old, Err(V::CodingVersion));
    }

    #[test]
    fn responses_are_framed_by_rules_1_to_8() {
        for (text, code, to_head, framing) in [
            ("Content-Length: 5", 200, true, Framing::None),
            ("Transfer-Encoding: chunked", 200, true, Framing::None),
            ("Content-Length: 5", 204, false, Framing::None),
            ("Content-Length: 5", 304, false, Framing::None),
            ("Content-Length: 5", 205, false, Framing::Fixed(5)),
            ("", 205, false, Framing::UntilClose),
            ("Content-Length: 5", 205, true, Framing::None),
            ("Content-Length: 5", 199, false, Framing::None),
            ("Content-Length: 5", 404, false, Framing::Fixed(5)),
            (
                "Content-Length: 5, 5|Content-Length: 5",
                200,
                false,
                Framing::Fixed(5),
            ),
            ("Transfer-Encoding: chunked", 200, false, Framing::Chunked),
            ("", 200, false, Framing::UntilClose),
        ] {
            assert_eq!(response(text, code, to_head), Ok(framing), "{text} {code}");
        }
        for bad in [
            "Content-Length: 5, 6",
            "Content-Length: 5|Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip",
        ] {
            assert!(response(bad, 200, false).is_err(), "{bad}");
        }
    }
}
