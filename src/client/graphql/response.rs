//! Responses of GraphQL.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::wire::json::{elements, given, members, string};

/// A response of GraphQL (§7): data, errors, or some of both. JSON as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphQlResponse {
    data: Option<String>,
    errors: Vec<GraphQlFieldError>,
    extensions: Option<String>,
}

/// An error of a response (§7.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GraphQlFieldError {
    /// What went wrong, in words.
    pub message: String,
    /// Where in the document: lines and columns, from 1.
    pub locations: Vec<(u32, u32)>,
    /// Where in the data: a JSON array of names and numbers.
    pub path: Option<String>,
    /// What the server says besides: a JSON object.
    pub extensions: Option<String>,
}

impl GraphQlFieldError {
    fn read(json: &str) -> Option<Self> {
        let names = ["message", "locations", "path", "extensions"];
        let [message, locations, path, extensions] = members(json, names).ok()?;
        let locations = given(locations).and_then(|it| elements(it, MOST_ERRORS));
        let location = |json: &str| {
            let [line, column] = members(json, ["line", "column"]).ok()?;
            Some((line?.parse().ok()?, column?.parse().ok()?))
        };
        Some(Self {
            message: string(message?)?.into_owned(),
            locations: locations
                .into_iter()
                .flatten()
                .filter_map(location)
                .collect(),
            path: given(path).map(String::from),
            extensions: given(extensions).map(String::from),
        })
    }

    /// The `code` among its extensions, as most servers give one.
    pub fn code(&self) -> Option<String> {
        let [code] = members(self.extensions.as_deref()?, ["code"]).ok()?;
        Some(string(code?)?.into_owned())
    }
}

impl fmt::Display for GraphQlFieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.path {
            Some(path) => write!(f, " at {path}"),
            None => Ok(()),
        }
    }
}

/// Errors of a response that are kept.
const MOST_ERRORS: usize = 1_000;

impl GraphQlResponse {
    /// Reads a response; `None` if it is none: a JSON object with `data` or `errors`.
    pub fn parse(text: &str) -> Option<Self> {
        let [data, errors, extensions] = members(text, ["data", "errors", "extensions"]).ok()?;
        let errors = match given(errors) {
            Some(errors) => Some(Self::read_errors(errors)?),
            None => None,
        };
        (data.is_some() || errors.is_some()).then(|| Self {
            data: data.map(String::from),
            errors: errors.unwrap_or_default(),
            extensions: given(extensions).map(String::from),
        })
    }

    fn read_errors(errors: &str) -> Option<Vec<GraphQlFieldError>> {
        let errors = elements(errors, MOST_ERRORS)?;
        errors.into_iter().map(GraphQlFieldError::read).collect()
    }

    /// A response of errors alone, as a WebSocket tells them.
    pub(super) fn of_errors(errors: &str) -> Self {
        Self {
            errors: Self::read_errors(errors).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The data as it was written: JSON. `None` if the operation was not executed.
    pub fn json(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// The errors; none if all went well.
    pub fn errors(&self) -> &[GraphQlFieldError] {
        &self.errors
    }

    /// What the server says besides: a JSON object.
    pub fn extensions(&self) -> Option<&str> {
        self.extensions.as_deref()
    }

    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let of = |it: &Option<String>| it.as_ref().map_or(0, String::len);
        let of_error = |it: &GraphQlFieldError| {
            let places = it.locations.len() * size_of::<(u32, u32)>();
            let texts = it.message.len() + of(&it.path) + of(&it.extensions);
            size_of::<GraphQlFieldError>() + places + texts
        };
        let errors: usize = self.errors.iter().map(of_error).sum();
        of(&self.data) + of(&self.extensions) + errors
    }

    /// Whether the server does not know the document that a hash names.
    pub(super) fn lacks_document(&self) -> bool {
        let is_it = |it: &GraphQlFieldError| {
            it.message == "PersistedQueryNotFound"
                || it.code().as_deref() == Some("PERSISTED_QUERY_NOT_FOUND")
        };
        self.errors.iter().any(is_it)
    }
}

impl fmt::Display for GraphQlResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str("no errors"),
            [one] => one.fmt(f),
            [first, rest @ ..] => write!(f, "{first}, and {} more", rest.len()),
        }
    }
}
