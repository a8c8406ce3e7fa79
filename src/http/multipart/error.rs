//! The faults of a form of several parts.

use crate::http::Status;

/// A form that cannot be read. [`status`](Self::status) is the answer to its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// The Content-Type is another one.
    #[error("not multipart/form-data")]
    MediaType,
    /// A part's Content-Transfer-Encoding changes its content (RFC 7578 §4.7).
    #[error("a Content-Transfer-Encoding that is not supported")]
    Encoding,
    /// The Content-Type names no boundary, or one of other characters or of more than 70.
    #[error("no boundary that can be one (RFC 2046 §5.1.1)")]
    Boundary,
    /// A boundary is followed by neither the end of its line nor `--`.
    #[error("a boundary with more behind it (RFC 2046 §5.1.1)")]
    Delimiter,
    /// A line of a part's head is no header field.
    #[error("a malformed header (RFC 2046 §5.1)")]
    Head,
    /// There is no Content-Disposition with one name, or it is not `form-data`.
    #[error("no Content-Disposition of a form with a name (RFC 7578 §4.2)")]
    Disposition,
    /// The body has ended before the last boundary.
    #[error("the form is incomplete")]
    Incomplete,
    /// More parts than [`MultipartLimits::parts`](super::MultipartLimits::parts).
    #[error("too many parts")]
    Parts,
    /// A head beyond [`head`](super::MultipartLimits::head) or
    /// [`headers`](super::MultipartLimits::headers).
    #[error("the head of the part is too large")]
    HeadTooLarge,
    /// A name beyond [`name`](super::MultipartLimits::name) or
    /// [`file_name`](super::MultipartLimits::file_name).
    #[error("the name is too long")]
    NameTooLong,
    /// A part beyond [`field`](super::MultipartLimits::field).
    #[error("the field is too long")]
    FieldTooLong,
    /// A part beyond [`file`](super::MultipartLimits::file).
    #[error("the file is too large")]
    FileTooLarge,
    /// All together beyond [`total`](super::MultipartLimits::total).
    #[error("the form is too large")]
    TooLarge,
}

impl MultipartError {
    /// 400, 413 or 415.
    pub const fn status(self) -> Status {
        match self {
            Self::MediaType | Self::Encoding => Status::UNSUPPORTED_MEDIA_TYPE,
            Self::Boundary
            | Self::Delimiter
            | Self::Head
            | Self::Disposition
            | Self::Incomplete => Status::BAD_REQUEST,
            Self::Parts
            | Self::HeadTooLarge
            | Self::NameTooLong
            | Self::FieldTooLong
            | Self::FileTooLarge
            | Self::TooLarge => Status::CONTENT_TOO_LARGE,
        }
    }

    /// Whether it concerns one part, and not the form.
    pub const fn is_of_part(self) -> bool {
        match self {
            Self::Encoding
            | Self::Delimiter
            | Self::Head
            | Self::Disposition
            | Self::Incomplete
            | Self::HeadTooLarge
            | Self::NameTooLong
            | Self::FieldTooLong
            | Self::FileTooLarge => true,
            Self::MediaType | Self::Boundary | Self::Parts | Self::TooLarge => false,
        }
    }
}
