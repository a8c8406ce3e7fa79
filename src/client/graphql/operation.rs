//! An operation that a client asks for.

use alloc::borrow::Cow;
use alloc::string::String;

use super::GraphQlError;
use crate::graphql::{Request, document_hash};

/// An operation: a document with its variables. A text is one without.
///
/// ```
/// use barewire::client::GraphQlOperation;
///
/// # #[cfg(any())]
/// let variables = Variables { id: 7 };
/// # let variables = std::collections::BTreeMap::from([("id", 7)]);
/// let operation = GraphQlOperation::new("query User($id: ID!) { user(id: $id) { name } }")
///     .operation_name("User")
///     .variables(&variables)?;
/// # Ok::<(), barewire::client::GraphQlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphQlOperation {
    pub(super) request: Request<'static>,
}

impl GraphQlOperation {
    /// An operation of this document.
    pub fn new(document: impl Into<String>) -> Self {
        Self {
            request: Request::new(Cow::Owned(document.into())),
        }
    }

    /// An operation of a document that the server knows by this id (`documentId`).
    pub fn trusted(id: impl Into<String>) -> Self {
        Self {
            request: Request {
                document_id: Some(Cow::Owned(id.into())),
                ..Request::default()
            },
        }
    }

    /// Names the operation of the document to be run.
    #[must_use]
    pub fn operation_name(mut self, name: impl Into<String>) -> Self {
        self.request.operation_name = Some(Cow::Owned(name.into()));
        self
    }

    /// Sets the variables: a value that is a JSON object.
    ///
    /// # Errors
    /// [`GraphQlError::Json`].
    pub fn variables(
        mut self,
        variables: &(impl serde::Serialize + ?Sized),
    ) -> Result<Self, GraphQlError> {
        let json = serde_json::to_string(variables)?;
        self.request.variables = Some(Cow::Owned(json));
        Ok(self)
    }

    /// Sets the extensions: a value that is a JSON object.
    ///
    /// # Errors
    /// [`GraphQlError::Json`].
    pub fn extensions(
        mut self,
        extensions: &(impl serde::Serialize + ?Sized),
    ) -> Result<Self, GraphQlError> {
        let json = serde_json::to_string(extensions)?;
        self.request.extensions = Some(Cow::Owned(json));
        Ok(self)
    }

    /// The same, with the document's hash among the extensions, and with the document or
    /// without. `None` if it has extensions of its own, or no document.
    pub(super) fn hashed(&self, with_document: bool) -> Option<Self> {
        let query = &self.request.query;
        if self.request.extensions.is_some() || query.is_empty() {
            return None;
        }
        let hash = document_hash(query);
        let extensions =
            alloc::format!(r#"{{"persistedQuery":{{"version":1,"sha256Hash":"{hash}"}}}}"#);
        let mut hashed = self.clone();
        hashed.request.extensions = Some(Cow::Owned(extensions));
        if !with_document {
            hashed.request.query = Cow::Borrowed("");
        }
        Some(hashed)
    }
}

impl From<&str> for GraphQlOperation {
    fn from(document: &str) -> Self {
        Self::new(document)
    }
}

impl From<String> for GraphQlOperation {
    fn from(document: String) -> Self {
        Self::new(document)
    }
}
