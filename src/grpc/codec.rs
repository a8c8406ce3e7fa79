//! How the messages of gRPC methods become bytes.

use alloc::{borrow::Cow, vec::Vec};

use bytes::Bytes;

use super::Status;

/// How a call ended, with a message that may be put together.
///
/// Made from a [`Status`] with a constant or an owned message:
///
/// ```
/// use barewire::grpc::{CallStatus, Code, Status};
///
/// let constant: CallStatus = Status::new(Code::NotFound, "no such user").into();
/// let owned: CallStatus = Status::new(Code::NotFound, format!("no user {}", 7)).into();
/// assert_eq!(constant.code, owned.code);
/// ```
pub type CallStatus = Status<Cow<'static, str>>;

impl From<Status<&'static str>> for CallStatus {
    fn from(status: Status<&'static str>) -> Self {
        Self::new(status.code, Cow::Borrowed(status.message))
    }
}

impl From<Status<alloc::string::String>> for CallStatus {
    fn from(status: Status<alloc::string::String>) -> Self {
        Self::new(status.code, Cow::Owned(status.message))
    }
}

/// A message of a gRPC method: of its requests, its responses, or both.
///
/// `Vec<u8>` and [`Bytes`] are messages as they stand on the wire, for callers that
/// encode by other means. With the feature `prost`, `Proto` makes one of
/// every message that prost has generated, and with `json`, `Json` makes one of every value
/// of serde. Any other codec implements this:
///
/// ```
/// use barewire::grpc::{CallStatus, Code, Payload, Status};
///
/// /// A message of one UTF-8 text.
/// struct Text(String);
///
/// impl Payload for Text {
///     fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
///         match core::str::from_utf8(bytes) {
///             Ok(text) => Ok(Self(text.into())),
///             Err(_) => Err(Status::new(Code::Internal, "not UTF-8").into()),
///         }
///     }
///
///     fn encode(&self, out: &mut Vec<u8>) {
///         out.extend_from_slice(self.0.as_bytes());
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a gRPC message",
    note = "`Vec<u8>` is one; messages made by prost are, wrapped in `Proto`, with the feature `prost`, and values of serde in `Json` with `json`",
    note = "or implement `Payload` for it"
)]
pub trait Payload: Sized {
    /// The names of the codec in a content type, after its `+`. Calls that name
    /// another end with UNIMPLEMENTED; where none is named, this one is meant.
    /// Default: none, and any is taken.
    const CODECS: &'static [&'static str] = &[];

    /// The name of the message's type, for the table of routes.
    fn type_name() -> &'static str {
        core::any::type_name::<Self>()
    }

    /// Makes the message of its bytes.
    ///
    /// # Errors
    /// The status that the call ends with: INTERNAL, as gRPC has it, if the
    /// bytes are none (gRPC status codes).
    fn decode(bytes: &[u8]) -> Result<Self, CallStatus>;

    /// Appends the message's bytes.
    fn encode(&self, out: &mut Vec<u8>);
}

impl Payload for Vec<u8> {
    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self::from(bytes))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Payload for Bytes {
    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self::copy_from_slice(bytes))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

/// A message that prost has generated, as a [`Payload`].
///
/// ```
/// use barewire::grpc::{Payload, Proto};
///
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Number {
///     #[prost(int32, tag = "1")]
///     value: i32,
/// }
///
/// let mut bytes = Vec::new();
/// Proto(Number { value: 7 }).encode(&mut bytes);
/// assert_eq!(bytes, [8, 7]);
/// assert_eq!(Proto::<Number>::decode(&bytes).unwrap().0.value, 7);
/// ```
#[cfg(feature = "prost")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proto<M>(pub M);

#[cfg(feature = "prost")]
impl<M: prost::Message + Default> Payload for Proto<M> {
    const CODECS: &'static [&'static str] = &["proto"];

    fn type_name() -> &'static str {
        core::any::type_name::<M>()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        use super::Code;
        use alloc::string::ToString;

        match M::decode(bytes) {
            Ok(message) => Ok(Self(message)),
            Err(error) => Err(Status::new(Code::Internal, error.to_string()).into()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(self.0.encoded_len());
        // Refused only for want of room, and a vector has it.
        let _ = self.0.encode(out);
    }
}

/// `google.protobuf.Empty`, as prost has it.
#[cfg(feature = "prost")]
impl Payload for () {
    const CODECS: &'static [&'static str] = &["proto"];

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        Proto::decode(bytes).map(|Proto(empty)| empty)
    }

    fn encode(&self, _out: &mut Vec<u8>) {}
}

/// A value of serde as a message in JSON, of calls with the codec `json`: those of gRPC with
/// `application/grpc+json`, and those of Connect with `application/json`.
///
/// Nothing is sent of a value that JSON cannot hold, such as a map with keys that are no
/// text: the peer then finds a malformed message.
///
/// ```
/// use barewire::grpc::{Code, Json, Payload};
///
/// let mut bytes = Vec::new();
/// Json((String::from("user_1"), 7)).encode(&mut bytes);
/// assert_eq!(bytes, br#"["user_1",7]"#);
/// assert_eq!(Json::<(String, u8)>::decode(&bytes).unwrap().0.1, 7);
/// assert_eq!(Json::<u8>::decode(b"{").unwrap_err().code, Code::Internal);
/// ```
#[cfg(feature = "json")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

#[cfg(feature = "json")]
impl<T: serde::Serialize + serde::de::DeserializeOwned> Payload for Json<T> {
    const CODECS: &'static [&'static str] = &["json"];

    fn type_name() -> &'static str {
        core::any::type_name::<T>()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
        use super::Code;
        use alloc::string::ToString;

        match serde_json::from_slice(bytes) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(Status::new(Code::Internal, error.to_string()).into()),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if serde_json::to_writer(&mut *out, &self.0).is_err() {
            out.truncate(start);
        }
    }
}
