//! The head of one part.

use alloc::string::String;

use super::error::MultipartError;
use super::limits::MultipartLimits;
use crate::http::file_name::safe_file_name;
use crate::http::parameters::{decode_extended, decode_name, split};
use crate::wire::ascii;

/// What a part says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartHead {
    name: String,
    sent: Option<String>,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl PartHead {
    /// The name of the form's field.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a file: it came with a file name, though that may be empty, as it is
    /// where the user has chosen none.
    pub const fn is_file(&self) -> bool {
        self.sent.is_some()
    }

    /// The name of the file, made [safe](crate::http::safe_file_name): never a path. `None`
    /// if it came without, or with one of which nothing is left.
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The name of the file as it was sent: it may be a path, or anything else.
    pub fn file_name_as_sent(&self) -> Option<&str> {
        self.sent.as_deref()
    }

    /// The media type, as the client names it; `text/plain` where it names none (RFC 7578
    /// §4.4).
    pub fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or("text/plain")
    }

    /// Reads a head with the empty line at its end. A name that was found is set even if the
    /// rest is at fault.
    pub(super) fn read(
        &mut self,
        head: &[u8],
        limits: &MultipartLimits,
    ) -> Result<(), MultipartError> {
        *self = Self::default();
        let (mut disposition, mut encoding) = (None, None);
        let mut content_type = None;
        let lines = head.split(|&b| b == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        for (index, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
            if index >= limits.headers {
                return Err(MultipartError::HeadTooLarge);
            }
            let colon = line.iter().position(|&b| b == b':');
            let (name, value) = line.split_at(colon.ok_or(MultipartError::Head)?);
            let value = ascii::trim_ows(value.get(1..).unwrap_or_default());
            if !ascii::is_token(name) {
                return Err(MultipartError::Head); // that includes lines that are folded
            }
            let is = |other: &str| ascii::eq_ignore_case(name, other.as_bytes());
            let place = match () {
                () if is("content-disposition") => &mut disposition,
                () if is("content-type") => &mut content_type,
                () if is("content-transfer-encoding") => &mut encoding,
                () => continue,
            };
            if place.replace(value).is_some() {
                return Err(MultipartError::Head);
            }
        }
        self.read_disposition(disposition.ok_or(MultipartError::Disposition)?, limits)?;
        if let Some(encoding) = encoding
            && !["7bit", "8bit", "binary"]
                .iter()
                .any(|it| ascii::eq_ignore_case(encoding, it.as_bytes()))
        {
            return Err(MultipartError::Encoding);
        }
        if let Some(text) = content_type {
            let text = core::str::from_utf8(text).map_err(|_| MultipartError::Head)?;
            self.content_type = Some(text.into());
        }
        Ok(())
    }

    fn read_disposition(
        &mut self,
        value: &[u8],
        limits: &MultipartLimits,
    ) -> Result<(), MultipartError> {
        let refused = |_| MultipartError::Disposition;
        let (kind, parameters) = split(value);
        if !ascii::eq_ignore_case(kind, b"form-data") {
            return Err(MultipartError::Disposition);
        }
        let one = |name| parameters.clone().one(name).map_err(refused);
        let name = one("name")?.ok_or(MultipartError::Disposition)?;
        if name.len() > limits.name {
            return Err(MultipartError::NameTooLong);
        }
        let name = String::from_utf8(decode_name(name));
        self.name = name.map_err(|_| MultipartError::Disposition)?;
        // Forms have no extended names (RFC 7578 §4.2), and some write them all the same.
        let (plain, extended) = (one("filename")?, one("filename*")?);
        if plain
            .or(extended)
            .is_some_and(|it| it.len() > limits.file_name)
        {
            return Err(MultipartError::NameTooLong);
        }
        self.sent = match (plain, extended) {
            (Some(plain), _) => Some(String::from_utf8_lossy(&decode_name(plain)).into_owned()),
            (None, Some(extended)) => Some(decode_extended(extended).unwrap_or_default()),
            (None, None) => None,
        };
        self.file_name = self.sent.as_deref().and_then(safe_file_name);
        Ok(())
    }
}
