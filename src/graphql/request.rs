//! The parameters of a request.

use alloc::borrow::Cow;
use alloc::string::String;

use super::{Limits, OperationType, RequestError};
use crate::http::target::{Plus, percent_decode, query_pairs};
use crate::wire::json::{NotObject, given, is_deeper, members, put_string, string};

/// A GraphQL request (GraphQL over HTTP §Request Parameters). Variables and extensions are
/// JSON as it was written: an executor reads them as it needs them.
///
/// ```
/// use barewire::graphql::{Limits, Request};
///
/// let body = br#"{"query": "query($n: Int) { f(n: $n) }", "variables": {"n": 1.0}}"#;
/// let request = Request::parse(body, &Limits::DEFAULT)?;
/// assert_eq!(request.query, "query($n: Int) { f(n: $n) }");
/// assert_eq!(request.variables.as_deref(), Some(r#"{"n": 1.0}"#));
/// # Ok::<(), barewire::graphql::RequestError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Request<'a> {
    /// The document; empty if it is named by its hash or its id instead.
    pub query: Cow<'a, str>,
    /// The operation of the document to execute.
    pub operation_name: Option<Cow<'a, str>>,
    /// The variables: a JSON object.
    pub variables: Option<Cow<'a, str>>,
    /// The extensions: a JSON object.
    pub extensions: Option<Cow<'a, str>>,
    /// The id of a trusted document (§Persisted Documents).
    pub document_id: Option<Cow<'a, str>>,
}

/// The members of a request.
const NAMES: [&str; 5] = [
    "query",
    "operationName",
    "variables",
    "extensions",
    "documentId",
];

impl<'a> Request<'a> {
    /// A request for a document that has one operation.
    pub fn new(query: impl Into<Cow<'a, str>>) -> Self {
        Self {
            query: query.into(),
            ..Self::default()
        }
    }

    /// Reads a JSON object.
    ///
    /// # Errors
    /// [`RequestError`]: it is answered with its status.
    pub fn parse(body: &'a [u8], limits: &Limits) -> Result<Self, RequestError> {
        let text = as_json(body, limits)?;
        Self::of_json(text, limits)
    }

    /// Reads an object whose length and depth are judged.
    pub(super) fn of_json(text: &'a str, limits: &Limits) -> Result<Self, RequestError> {
        let [query, operation_name, variables, extensions, document_id] = members(text, NAMES)
            .map_err(|it| match it {
                NotObject::Malformed => RequestError::NotJson,
                NotObject::Other => RequestError::NotAnObject,
            })?;
        let read = Self {
            query: text_of(query, NAMES[0])?.unwrap_or_default(),
            operation_name: text_of(operation_name, NAMES[1])?,
            variables: object_of(variables, NAMES[2])?,
            extensions: object_of(extensions, NAMES[3])?,
            document_id: text_of(document_id, NAMES[4])?,
        };
        read.judged(limits)
    }

    /// Reads the query of a URL (§GET). An empty parameter counts as none, and of several
    /// with one name the last counts.
    ///
    /// # Errors
    /// [`RequestError`]: it is answered with its status.
    ///
    /// ```
    /// use barewire::graphql::{Limits, Request};
    ///
    /// let request = Request::parse_query("query=%7Ba%7D&variables=", &Limits::DEFAULT)?;
    /// assert_eq!(request, Request::new("{a}"));
    /// # Ok::<(), barewire::graphql::RequestError>(())
    /// ```
    pub fn parse_query(query: &'a str, limits: &Limits) -> Result<Self, RequestError> {
        if query.len() > limits.message {
            return Err(RequestError::TooLong);
        }
        let mut found = [const { None }; NAMES.len()];
        for (name, value) in query_pairs(query) {
            let name = percent_decode(name, Plus::Space).ok_or(RequestError::Malformed)?;
            let place = NAMES.iter().position(|it| *it == name);
            if let Some(place) = place.and_then(|at| found.get_mut(at)) {
                let value = percent_decode(value, Plus::Space).ok_or(RequestError::Malformed)?;
                *place = Some(value).filter(|it| !it.is_empty());
            }
        }
        let [query, operation_name, variables, extensions, document_id] = found;
        let read = Self {
            query: query.unwrap_or_default(),
            operation_name,
            variables: object_in(variables, NAMES[2], limits)?,
            extensions: object_in(extensions, NAMES[3], limits)?,
            document_id,
        };
        read.judged(limits)
    }

    fn judged(self, limits: &Limits) -> Result<Self, RequestError> {
        if self.query.len() > limits.document {
            return Err(RequestError::DocumentTooLong);
        }
        let is_named = self.document_id.is_some() || self.sha256().is_some();
        if self.query.is_empty() && !is_named {
            return Err(RequestError::NoDocument);
        }
        Ok(self)
    }

    /// The kind of the operation that it asks for; `None` if that cannot be told.
    pub fn operation_type(&self) -> Option<OperationType> {
        OperationType::of(&self.query, self.operation_name.as_deref())
    }

    /// The hash that names its document: `extensions.persistedQuery.sha256Hash`, as Apollo's
    /// automatic persisted queries have it.
    pub fn sha256(&self) -> Option<Cow<'_, str>> {
        let [persisted] = members(self.extensions.as_deref()?, ["persistedQuery"]).ok()?;
        let [hash] = members(persisted?, ["sha256Hash"]).ok()?;
        hash.and_then(string)
    }

    /// A request that borrows nothing.
    pub fn into_owned(self) -> Request<'static> {
        let owned = |it: Option<Cow<'_, str>>| it.map(|it| Cow::Owned(it.into_owned()));
        Request {
            query: Cow::Owned(self.query.into_owned()),
            operation_name: owned(self.operation_name),
            variables: owned(self.variables),
            extensions: owned(self.extensions),
            document_id: owned(self.document_id),
        }
    }

    /// Appends it as a JSON object.
    pub fn write(&self, out: &mut String) {
        let texts = [
            (NAMES[0], Some(&self.query).filter(|it| !it.is_empty())),
            (NAMES[1], self.operation_name.as_ref()),
            (NAMES[4], self.document_id.as_ref()),
        ];
        let mut before = '{';
        for (name, text) in texts {
            if let Some(text) = text {
                put_name(name, &mut before, out);
                put_string(text, out);
            }
        }
        for (name, json) in [(NAMES[2], &self.variables), (NAMES[3], &self.extensions)] {
            if let Some(json) = json {
                put_name(name, &mut before, out);
                out.push_str(json);
            }
        }
        if before == '{' {
            out.push('{');
        }
        out.push('}');
    }
}

/// Begins a member, behind `before`.
fn put_name(name: &str, before: &mut char, out: &mut String) {
    out.push(core::mem::replace(before, ','));
    put_string(name, out);
    out.push(':');
}

/// The text of a body or a message whose length and depth are within their limits.
pub(super) fn as_json<'a>(body: &'a [u8], limits: &Limits) -> Result<&'a str, RequestError> {
    if body.len() > limits.message {
        return Err(RequestError::TooLong);
    }
    if body.is_empty() {
        return Err(RequestError::NoBody);
    }
    let text = crate::wire::simd::as_text(body).ok_or(RequestError::NotJson)?;
    match is_deeper(text, limits.nesting) {
        true => Err(RequestError::TooDeep),
        false => Ok(text),
    }
}

/// A member that is a string, or null, which is none.
fn text_of<'a>(
    json: Option<&'a str>,
    name: &'static str,
) -> Result<Option<Cow<'a, str>>, RequestError> {
    match given(json) {
        None => Ok(None),
        Some(json) => string(json).map(Some).ok_or(RequestError::WrongType(name)),
    }
}

/// A member that is an object, or null, which is none.
fn object_of<'a>(
    json: Option<&'a str>,
    name: &'static str,
) -> Result<Option<Cow<'a, str>>, RequestError> {
    match given(json) {
        None => Ok(None),
        Some(json) if json.starts_with('{') => Ok(Some(Cow::Borrowed(json))),
        Some(_) => Err(RequestError::WrongType(name)),
    }
}

/// A parameter that is JSON: an object, or null, which is none.
fn object_in<'a>(
    json: Option<Cow<'a, str>>,
    name: &'static str,
    limits: &Limits,
) -> Result<Option<Cow<'a, str>>, RequestError> {
    let Some(json) = json else { return Ok(None) };
    if is_deeper(&json, limits.nesting) {
        return Err(RequestError::TooDeep);
    }
    match members(&json, []) {
        Ok([]) => Ok(Some(json)),
        Err(NotObject::Other) if json.trim() == "null" => Ok(None),
        Err(NotObject::Other) => Err(RequestError::WrongType(name)),
        Err(NotObject::Malformed) => Err(RequestError::NotJson),
    }
}

#[cfg(test)]
mod tests;
