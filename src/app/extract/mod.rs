//! What routes read from requests as typed values: JSON, forms, queries, parameters.

pub(super) mod extract_error;
#[cfg(feature = "forms")]
pub(super) mod form;
#[cfg(feature = "forms")]
pub(super) mod form_limits;
#[cfg(feature = "json")]
mod json;
#[cfg(any(feature = "forms", feature = "json"))]
mod media_type;
mod param;
#[cfg(any(feature = "forms", feature = "json"))]
mod wording;
