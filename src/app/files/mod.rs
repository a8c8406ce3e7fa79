//! Directories whose files are served.

#[allow(clippy::module_inception, reason = "the type that the folder is about")]
pub(super) mod files;
pub(super) mod media_type;
pub(super) mod ranges;
pub(super) mod representation;
pub(super) mod root;
mod route;
