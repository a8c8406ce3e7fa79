//! Typed values in requests: JSON, forms, queries, parameters of paths.

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
