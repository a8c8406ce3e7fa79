//! Documents that requests name instead of sending them.
//!
//! ```text
//!   documentId: "x"                       ──► trusted documents
//!   extensions.persistedQuery.sha256Hash  ──► trusted ones, then those that were sent before
//!   the same, and query                   ──► kept, if the hash is that of the document
//! ```

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Limits, Request, RequestError};

/// The documents that a server knows by a hash or an id.
///
/// ```
/// use barewire::graphql::{Documents, Limits, Request, RequestError};
///
/// let mut documents = Documents::new();
/// documents.trust("hello", "{ hello }");
/// let body = br#"{"documentId": "hello"}"#;
/// let mut request = Request::parse(body, &Limits::DEFAULT)?;
/// documents.resolve(&mut request, &Limits::DEFAULT)?;
/// assert_eq!(request.query, "{ hello }");
///
/// let mut documents = documents.only_trusted();
/// let mut request = Request::new("{ other }");
/// let refused = documents.resolve(&mut request, &Limits::DEFAULT);
/// assert_eq!(refused, Err(RequestError::NotTrusted));
/// # Ok::<(), RequestError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Documents {
    trusted: BTreeMap<String, Arc<str>>,
    only_trusted: bool,
    /// Documents that clients have sent, by their hashes, and those in order.
    kept: BTreeMap<[u8; 32], Arc<str>>,
    order: VecDeque<[u8; 32]>,
    bytes: usize,
}

impl Documents {
    /// None: what clients send with its hash is kept (automatic persisted queries).
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a document known by an id, and by its SHA-256 in hexadecimal digits.
    pub fn trust(&mut self, id: impl Into<String>, document: impl Into<Arc<str>>) {
        let document = document.into();
        let hash = sha256(&document);
        self.trusted.insert(hex(&hash), document.clone());
        self.trusted.insert(id.into(), document);
    }

    /// Refuses all other documents, and keeps none.
    #[must_use]
    pub const fn only_trusted(mut self) -> Self {
        self.only_trusted = true;
        self
    }

    /// Bytes of the documents that were kept as clients have sent them.
    pub const fn kept_bytes(&self) -> usize {
        self.bytes
    }

    /// Puts the document into a request that names one, and judges one that brings its own.
    ///
    /// # Errors
    /// [`RequestError::DocumentNotFound`], [`RequestError::WrongHash`],
    /// [`RequestError::NotTrusted`].
    pub fn resolve(
        &mut self,
        request: &mut Request<'_>,
        limits: &Limits,
    ) -> Result<(), RequestError> {
        let hash = request.sha256();
        let id = request.document_id.as_deref();
        // Appendix A: an id may tell its kind.
        let named = id.map(|it| it.strip_prefix("sha256:").unwrap_or(it));
        if let Some(document) = named
            .or(hash.as_deref())
            .and_then(|it| self.trusted.get(it))
        {
            request.query = Cow::Owned(document.as_ref().into());
            return Ok(());
        }
        match (hash, id) {
            (None, None) if !self.only_trusted => Ok(()),
            (None, None) => Err(RequestError::NotTrusted),
            (None, Some(_)) => Err(RequestError::DocumentNotFound),
            (Some(_), _) if self.only_trusted => Err(RequestError::NotTrusted),
            (Some(hash), _) => {
                let hash = parse_hex(&hash).ok_or(RequestError::WrongHash)?;
                if !request.query.is_empty() {
                    return self.keep(hash, &request.query, limits);
                }
                let known = self.kept.get(&hash).ok_or(RequestError::DocumentNotFound)?;
                request.query = Cow::Owned(known.as_ref().into());
                Ok(())
            }
        }
    }

    /// Keeps a document whose hash is right; the oldest ones give way.
    fn keep(&mut self, hash: [u8; 32], query: &str, limits: &Limits) -> Result<(), RequestError> {
        if self.kept.contains_key(&hash) && self.kept.get(&hash).is_some_and(|it| **it == *query) {
            return Ok(());
        }
        if sha256(query) != hash {
            return Err(RequestError::WrongHash);
        }
        if limits.kept_documents == 0 || query.len() > limits.kept_bytes {
            return Ok(());
        }
        while self.order.len() >= limits.kept_documents
            || self.bytes + query.len() > limits.kept_bytes
        {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            let gone = self.kept.remove(&oldest);
            self.bytes -= gone.map_or(0, |it| it.len());
        }
        self.bytes += query.len();
        self.order.push_back(hash);
        self.kept.insert(hash, query.into());
        Ok(())
    }
}

/// The hash by which a client names a document, in hexadecimal digits.
///
/// ```
/// let hash = barewire::graphql::document_hash("{ hello }");
/// assert_eq!(hash.len(), 64);
/// ```
pub fn document_hash(document: &str) -> String {
    hex(&sha256(document))
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or_default();
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 2 * out.len() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = crate::wire::ascii::hex_digit(*high)? << 4 | crate::wire::ascii::hex_digit(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests;
