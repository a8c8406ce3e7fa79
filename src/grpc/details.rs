//! Details of an error: messages that say more than a code and a text can.
//!
//! ```text
//!  grpc-status-details-bin: base64 of google.rpc.Status { code, message, details }
//!  Connect:                 "details": [{"type": "google.rpc.RetryInfo", "value": base64}]
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use super::protobuf::{Fields, put_bytes, put_number};
use super::{Code, Status, metadata};

pub(crate) const FIELD: &str = "grpc-status-details-bin";

/// Stands in front of a type's name in a `google.protobuf.Any`.
const URL: &str = "type.googleapis.com/";

/// A message that goes with an error, encoded, and the name of its type.
///
/// ```
/// use barewire::grpc::Detail;
///
/// let detail = Detail::new("google.rpc.RetryInfo", [10, 2, 8, 60]);
/// assert_eq!(detail.type_name(), "google.rpc.RetryInfo");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Detail {
    type_name: String,
    value: Vec<u8>,
}

impl Detail {
    /// A message of Protocol Buffers of this type, which is named with its package.
    pub fn new(type_name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self {
            type_name: type_name.rsplit('/').next().unwrap_or(type_name).into(),
            value: value.into(),
        }
    }

    /// The name of the type, with its package.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The message, as it is encoded.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

/// An error with its details, as the value of the field; none without details.
pub(super) fn to_field(status: Status<&str>, details: &[Detail]) -> Option<String> {
    if details.is_empty() || status.code == Code::Ok {
        return None;
    }
    let mut message = Vec::new();
    put_number(1, u64::from(status.code.number()), &mut message);
    put_bytes(2, status.message.as_bytes(), &mut message);
    for detail in details {
        let (mut any, mut url) = (Vec::new(), String::from(URL));
        url.push_str(&detail.type_name);
        put_bytes(1, url.as_bytes(), &mut any);
        put_bytes(2, &detail.value, &mut any);
        put_bytes(3, &any, &mut message);
    }
    Some(metadata::binary_value(&message))
}

/// The details in the value of the field; none if it cannot be read.
pub(crate) fn from_field(value: &[u8]) -> Vec<Detail> {
    let Ok(message) = metadata::binary_to_vec(value) else {
        return Vec::new();
    };
    let details = Fields::new(&message).flatten().filter(|field| field.0 == 3);
    let detail = |any: &[u8]| {
        let (mut name, mut value) = ("", &[][..]);
        for (number, part) in Fields::new(any).flatten() {
            match number {
                1 => name = part.text()?,
                2 => value = part.bytes(),
                _ => {}
            }
        }
        (!name.is_empty()).then(|| Detail::new(name, value))
    };
    details.filter_map(|(_, any)| detail(any.bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_survive_a_field() {
        let details = [Detail::new("a.B", [1, 2]), Detail::new("x/y/c.D", [])];
        let value = to_field(Status::new(Code::Aborted, "no"), &details).unwrap();
        assert_eq!(to_field(Status::OK, &details), None);
        assert_eq!(from_field(value.as_bytes()), details);
        assert_eq!(details[1].type_name(), "c.D");
        assert_eq!(from_field(b"!"), []);
        assert_eq!(from_field(b"GgA"), [], "one without a type");
    }
}
