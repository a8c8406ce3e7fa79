//! The content types of Connect.

use crate::http::ContentTypeLine;
use crate::wire::ascii;

const CODEC: usize = 14;

/// How a method's messages are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One message each way, each the content itself.
    Unary,
    /// Envelopes.
    Streaming,
}

impl Shape {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Unary => "application/",
            Self::Streaming => "application/connect+",
        }
    }
}

/// A content type of Connect: the shape of the call, and the codec of its messages.
///
/// ```
/// use barewire::grpc::connect::{ContentType, Shape};
///
/// let parsed = ContentType::parse(b"application/connect+json; charset=utf-8").unwrap();
/// assert_eq!((parsed.shape(), parsed.codec()), (Shape::Streaming, "json"));
/// assert_eq!(parsed.write(&mut [0; 40]), "application/connect+json");
/// assert_eq!(ContentType::parse(b"application/grpc+json"), None);
/// assert_eq!(ContentType::parse(b"text/plain"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentType {
    shape: Shape,
    codec: Codec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Codec {
    Proto,
    Json,
    /// Its name in lower case, and the length of that.
    Other([u8; CODEC], u8),
}

impl ContentType {
    /// Names a shape and a codec, such as `proto` or `json`; `None` unless the codec is a
    /// token of at most 14 bytes.
    pub fn new(shape: Shape, name: &str) -> Option<Self> {
        if !ascii::is_token(name.as_bytes()) {
            return None;
        }
        let mut text = [0; CODEC];
        let place = text.get_mut(..name.len())?;
        place.copy_from_slice(name.as_bytes());
        place.make_ascii_lowercase();
        let codec = match &*place {
            b"proto" => Codec::Proto,
            b"json" => Codec::Json,
            _ => Codec::Other(text, name.len() as u8), // <= CODEC
        };
        Some(Self { shape, codec })
    }

    /// Reads a `Content-Type` field: any case, parameters ignored. `None` if it is not one
    /// of Connect's. Those of gRPC are not.
    pub fn parse(value: &[u8]) -> Option<Self> {
        // As nearly all clients have it.
        let usual = match value {
            b"application/proto" => Some((Shape::Unary, Codec::Proto)),
            b"application/json" => Some((Shape::Unary, Codec::Json)),
            _ => None,
        };
        if let Some((shape, codec)) = usual {
            return Some(Self { shape, codec });
        }
        let end = value.iter().position(|&b| b == b';');
        let (media_type, _) = value.split_at(end.unwrap_or(value.len()));
        let media_type = ascii::trim_ows(media_type);
        let found = [Shape::Streaming, Shape::Unary]
            .into_iter()
            .find_map(|shape| {
                let prefix = shape.prefix().as_bytes();
                let (front, codec) = media_type.split_at_checked(prefix.len())?;
                front.eq_ignore_ascii_case(prefix).then_some((shape, codec))
            });
        let (shape, codec) = found?;
        if shape == Shape::Unary && codec.contains(&b'+') {
            return None;
        }
        let known = Self::new(shape, core::str::from_utf8(codec).ok()?)?;
        // A protocol, and no codec.
        let is_other = matches!(
            known.codec(),
            "grpc" | "grpc-web" | "grpc-web-text" | "connect"
        );
        (!is_other).then_some(known)
    }

    /// The shape.
    #[inline]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The codec, in lower case.
    #[inline]
    pub fn codec(&self) -> &str {
        match &self.codec {
            Codec::Proto => "proto",
            Codec::Json => "json",
            // A token is ASCII.
            Codec::Other(text, len) => {
                core::str::from_utf8(&text[..usize::from(*len)]).unwrap_or_default()
            }
        }
    }

    /// Writes the field's value into `memory`, which holds the longest.
    pub fn write<'m>(&self, memory: &'m mut [u8; 40]) -> &'m str {
        let mut end = 0;
        for part in [self.shape.prefix(), self.codec()] {
            // 20 + 14 bytes at most.
            memory[end..end + part.len()].copy_from_slice(part.as_bytes());
            end += part.len();
        }
        core::str::from_utf8(&memory[..end]).unwrap_or_default() // ASCII
    }

    /// The field of a unary message in a usual codec, as a line.
    #[inline]
    pub(super) fn line(&self) -> Option<&'static ContentTypeLine> {
        static PROTO: ContentTypeLine = ContentTypeLine::new("content-type: application/proto\r\n");
        static JSON: ContentTypeLine = ContentTypeLine::new("content-type: application/json\r\n");
        match (self.shape, self.codec) {
            (Shape::Unary, Codec::Proto) => Some(&PROTO),
            (Shape::Unary, Codec::Json) => Some(&JSON),
            _ => None,
        }
    }
}
