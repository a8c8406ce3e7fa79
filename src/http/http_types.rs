//! Conversions from and to the types of the `http` crate.
//!
//! Where the one side knows more than the other, they may fail: the crate has statuses up to
//! 999 and further versions, and fewer characters in targets.

use alloc::format;

use ::http as http_types;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use super::target::{InvalidTarget, is_authority};
use super::{
    FieldBuffer, Fields, InvalidField, InvalidStatus, InvalidVersion, Method, RequestHead,
    ResponseHead, Status, Target, Version,
};

impl<'b> From<&'b http_types::Method> for Method<'b> {
    fn from(method: &'b http_types::Method) -> Self {
        let text = method.as_str();
        Self::new(text.as_bytes()).unwrap_or(Self::Extension(text)) // a token, too
    }
}

impl TryFrom<Method<'_>> for http_types::Method {
    type Error = http_types::method::InvalidMethod;

    fn try_from(method: Method<'_>) -> Result<Self, Self::Error> {
        Self::from_bytes(method.as_str().as_bytes())
    }
}

impl From<Status> for StatusCode {
    fn from(status: Status) -> Self {
        // 100 to 599 are codes there.
        Self::from_u16(status.code()).unwrap_or(Self::INTERNAL_SERVER_ERROR)
    }
}

/// Codes from 600 on are not defined (RFC 9110 §15).
impl TryFrom<StatusCode> for Status {
    type Error = InvalidStatus;

    fn try_from(code: StatusCode) -> Result<Self, InvalidStatus> {
        Self::try_from(code.as_u16())
    }
}

impl From<Version> for http_types::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::Http10 => Self::HTTP_10,
            Version::Http11 => Self::HTTP_11,
            Version::Http2 => Self::HTTP_2,
        }
    }
}

/// HTTP/0.9 and HTTP/3 are not spoken here.
impl TryFrom<http_types::Version> for Version {
    type Error = InvalidVersion;

    fn try_from(version: http_types::Version) -> Result<Self, InvalidVersion> {
        Ok(match version {
            http_types::Version::HTTP_10 => Self::Http10,
            http_types::Version::HTTP_11 => Self::Http11,
            http_types::Version::HTTP_2 => Self::Http2,
            _ => return Err(InvalidVersion),
        })
    }
}

/// Names become lower-case.
impl TryFrom<Fields<'_>> for HeaderMap {
    type Error = http_types::Error;

    fn try_from(fields: Fields<'_>) -> Result<Self, http_types::Error> {
        let mut map = Self::with_capacity(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name)?;
            map.try_append(name, HeaderValue::from_bytes(field.value)?)?;
        }
        Ok(map)
    }
}

/// White space around values is dropped.
impl TryFrom<&HeaderMap> for FieldBuffer {
    type Error = InvalidField;

    fn try_from(map: &HeaderMap) -> Result<Self, InvalidField> {
        let mut fields = Self::new();
        for (name, value) in map {
            fields.push(name.as_str(), value.as_bytes())?;
        }
        Ok(fields)
    }
}

/// What browsers send beyond RFC 3986 may be no URI there.
impl TryFrom<Target<'_>> for Uri {
    type Error = http_types::Error;

    fn try_from(target: Target<'_>) -> Result<Self, http_types::Error> {
        Ok(Self::try_from(format!("{target}"))?)
    }
}

/// A URI with credentials, or without the parts of one of the four forms, is none.
impl<'b> TryFrom<&'b Uri> for Target<'b> {
    type Error = InvalidTarget;

    fn try_from(uri: &'b Uri) -> Result<Self, InvalidTarget> {
        let authority = uri.authority().map(|it| it.as_str());
        if authority.is_some_and(|it| !is_authority(it)) {
            return Err(InvalidTarget);
        }
        let rest = uri.path_and_query().map(|it| it.as_str());
        let origin = |text: &'b str| match text {
            "" => Self::parse(b"/", Method::GET),
            "*" => Ok(Self::Asterisk),
            _ => Self::parse(text.as_bytes(), Method::GET),
        };
        match (uri.scheme_str(), authority, rest) {
            (None, None, Some(rest)) => origin(rest),
            (None, Some(authority), None) => Ok(Self::Authority(authority)),
            (Some(scheme), Some(authority), rest) => {
                let Self::Origin { path, query } = origin(rest.unwrap_or_default())? else {
                    return Err(InvalidTarget);
                };
                Ok(Self::Absolute {
                    scheme,
                    authority,
                    path,
                    query,
                })
            }
            _ => Err(InvalidTarget),
        }
    }
}

/// ```
/// use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
///
/// let fields = [Field::new("Host", "example.org"), Field::new("Accept", "*/*")];
/// let head = RequestHead {
///     method: Method::GET,
///     target: Target::parse(b"/a?b=c", Method::GET)?,
///     version: Version::Http11,
///     protocol: None,
///     fields: Fields::new(&fields),
/// };
/// let parts = http::request::Parts::try_from(&head)?;
/// assert_eq!((parts.method, parts.uri.query()), (http::Method::GET, Some("b=c")));
/// assert_eq!(parts.headers["accept"], "*/*");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl TryFrom<&RequestHead<'_>> for http_types::request::Parts {
    type Error = http_types::Error;

    fn try_from(head: &RequestHead<'_>) -> Result<Self, http_types::Error> {
        let mut parts = http_types::Request::new(()).into_parts().0;
        parts.method = head.method.try_into()?;
        parts.uri = head.target.try_into()?;
        parts.version = head.version.into();
        parts.headers = head.fields.try_into()?;
        Ok(parts)
    }
}

impl TryFrom<&ResponseHead<'_>> for http_types::response::Parts {
    type Error = http_types::Error;

    fn try_from(head: &ResponseHead<'_>) -> Result<Self, http_types::Error> {
        let mut parts = http_types::Response::new(()).into_parts().0;
        parts.status = head.status.into();
        parts.version = head.version.into();
        parts.headers = head.fields.try_into()?;
        Ok(parts)
    }
}
