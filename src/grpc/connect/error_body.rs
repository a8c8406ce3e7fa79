//! Errors as JSON.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, STANDARD_NO_PAD_INDIFFERENT};

use super::codes::{code_from_name, code_name};
use super::json::{Reader, put_string};
use crate::grpc::{Code, Detail, Status};

/// An error as its JSON has it (Connect, Error and EndStreamResponse).
///
/// ```
/// use barewire::grpc::{Code, connect::ErrorBody};
///
/// let error = ErrorBody::parse(br#"{"code": "not_found", "message": "no such user"}"#).unwrap();
/// assert_eq!((error.code, &*error.message), (Some(Code::NotFound), "no such user"));
/// assert!(ErrorBody::parse(b"null").is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The code; none if it is missing, or none of the 16: then the status of HTTP has to
    /// tell.
    pub code: Option<Code>,
    /// The message for developers.
    pub message: String,
    /// Goes with it.
    pub details: Vec<Detail>,
}

impl ErrorBody {
    /// Reads the content of a response. Members that are unknown do not matter, nor do
    /// details without a type or with a value that is not base64. `None` if it is not a
    /// JSON object, or the message is no string.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(json);
        let error = Self::read(&mut reader)?;
        reader.is_at_end().then_some(error)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut error = Self::default();
        reader.object(|name, reader| {
            match name {
                "code" if reader.peek() == Some(b'"') => {
                    error.code = code_from_name(&reader.string()?);
                }
                "message" if !reader.null() => error.message = reader.string()?,
                "details" if reader.peek() == Some(b'[') => reader.array(|reader| {
                    error.details.extend(read_detail(reader)?);
                    Some(())
                })?,
                "message" => {}
                _ => reader.skip()?,
            }
            Some(())
        })?;
        Some(error)
    }

    /// Appends the JSON of an error.
    ///
    /// ```
    /// use barewire::grpc::{Code, Detail, Status, connect::ErrorBody};
    ///
    /// let mut out = Vec::new();
    /// let detail = Detail::new("google.rpc.RetryInfo", [10, 2, 8, 60]);
    /// ErrorBody::put(Status::new(Code::Unavailable, "busy"), &[detail], &mut out);
    /// let expected = br#"{"code":"unavailable","message":"busy","details":[{"type":"google.rpc.RetryInfo","value":"CgIIPA"}]}"#;
    /// assert_eq!(out, expected);
    /// ```
    pub fn put(status: Status<&str>, details: &[Detail], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":\"");
        out.extend_from_slice(code_name(status.code).as_bytes());
        out.push(b'"');
        if !status.message.is_empty() {
            out.extend_from_slice(b",\"message\":");
            put_string(status.message, out);
        }
        for (n, detail) in details.iter().enumerate() {
            out.extend_from_slice(if n == 0 {
                b",\"details\":[{\"type\":"
            } else {
                b",{\"type\":"
            });
            put_string(detail.type_name(), out);
            out.extend_from_slice(b",\"value\":\"");
            let start = out.len();
            let room = detail.value().len().div_ceil(3).saturating_mul(4);
            out.resize(start.saturating_add(room), 0);
            let place = out.get_mut(start..).unwrap_or_default();
            let len = STANDARD_NO_PAD.encode_slice(detail.value(), place);
            out.truncate(start + len.unwrap_or(0)); // four for three fit
            out.extend_from_slice(b"\"}");
        }
        if !details.is_empty() {
            out.push(b']');
        }
        out.push(b'}');
    }
}

/// One detail; none in it if it cannot be used.
fn read_detail(reader: &mut Reader<'_>) -> Option<Option<Detail>> {
    let (mut type_name, mut value) = (None, None);
    if reader.peek()? != b'{' {
        reader.skip()?;
        return Some(None);
    }
    reader.object(|name, reader| {
        let is_text = reader.peek() == Some(b'"');
        match name {
            "type" if is_text => type_name = Some(reader.string()?),
            "value" if is_text => {
                let text = reader.string()?;
                let mut octets = alloc::vec![0; text.len() / 4 * 3 + 3];
                let len = STANDARD_NO_PAD_INDIFFERENT
                    .decode_slice(&text, &mut octets)
                    .ok();
                value = len.map(|len| {
                    octets.truncate(len);
                    octets
                });
            }
            _ => reader.skip()?,
        }
        Some(())
    })?;
    let named = type_name.filter(|name| !name.is_empty());
    Some(
        named
            .zip(value)
            .map(|(name, value)| Detail::new(&name, value)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_used_is_passed_over() {
        let read = |text: &str| ErrorBody::parse(text.as_bytes());
        let plain = read(r#"{"code": null, "message": "oops", "x": [1, {"y": 2}]}"#).unwrap();
        assert_eq!((plain.code, &*plain.message), (None, "oops"));
        assert_eq!(read(r#"{"code": "foobar"}"#).unwrap().code, None);
        assert_eq!(
            read(r#"{"code": 5, "message": null}"#).unwrap(),
            ErrorBody::default()
        );
        let details = r#"{"details": [{"type": "a.B", "value": "AQ==", "debug": "garbage"},
            {"type": "a.B", "value": "!"}, {"value": "AQ"}, 7, {"type": "", "value": ""}]}"#;
        assert_eq!(read(details).unwrap().details, [Detail::new("a.B", [1])]);
        for bad in [
            "",
            "null",
            "[]",
            "{",
            r#"{"message": 7}"#,
            r#"{} {}"#,
            "oops",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn an_error_survives_a_round_trip(number in 1..17_u64, message: String, values: Vec<Vec<u8>>) {
            let code = Code::from_number(number);
            let details: Vec<Detail> = values.into_iter().map(|value| Detail::new("a.\"B", value)).collect();
            let mut out = Vec::new();
            ErrorBody::put(Status::new(code, &message), &details, &mut out);
            let read = ErrorBody::parse(&out).unwrap();
            prop_assert_eq!((read.code, read.message, read.details), (Some(code), message, details));
        }
    }
}
