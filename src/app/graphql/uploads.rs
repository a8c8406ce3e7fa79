//! Files that come with operations.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::wire::partly_shown;

/// A file among the variables of an operation (GraphQL multipart request specification).
#[derive(Clone)]
#[non_exhaustive]
pub struct GraphQlUpload {
    /// Its name, as the client gives it.
    pub file_name: Option<String>,
    /// Its content type, as the client gives it.
    pub content_type: Option<String>,
    /// Its content.
    pub content: Bytes,
    /// Where it stands, such as `variables.files.1`. The value there is null.
    pub paths: Vec<String>,
}

partly_shown!(it: GraphQlUpload { file_name, content_type, content: it.content.len(), paths });
