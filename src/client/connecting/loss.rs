//! Why a connection was lost, or cannot be had.

use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;

/// The error behind the end of a connection.
pub(in crate::client) type Cause = Arc<dyn Error + Send + Sync>;

/// Why a connection was lost, or cannot be had: as those are told who wait for it.
#[derive(Debug, Clone)]
pub(in crate::client) struct Loss {
    pub(in crate::client) text: String,
    pub(in crate::client) cause: Option<Cause>,
}

impl From<&str> for Loss {
    fn from(text: &str) -> Self {
        Self::from(String::from(text))
    }
}

impl From<String> for Loss {
    fn from(text: String) -> Self {
        Self { text, cause: None }
    }
}
