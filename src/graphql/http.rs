//! GraphQL over HTTP: what a request asks for, and with which status it is answered.
//!
//! ```text
//!   GET  /graphql?query=…            ┐            ┌ One, Batch, Uploads
//!   POST application/json            ├─ receive ──┤
//!   POST multipart/form-data         ┘            └ RequestError: status, Allow, JSON
//! ```

mod media_type;
mod multipart;

use alloc::string::String;
use alloc::vec::Vec;

pub use self::media_type::{Accept, MediaType};
use self::multipart::{Form, Part};
use super::request::as_json;
use super::{Limits, OperationType, Request, RequestError};
use crate::http::{Fields, Method, Status};
use crate::wire::json::{at_path, elements, members};

/// Headers that no form of a browser has: their presence shows that the browser has asked
/// whether the page may send the request (CORS preflight).
pub const PREFLIGHT_HEADERS: [&str; 4] = [
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "x-requested-with",
];

/// A request of HTTP, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received<'a> {
    /// What its answer may be.
    pub accept: Accept,
    /// What it asks for.
    pub asked: Asked<'a>,
    /// It may only read: it came by GET.
    pub is_read_only: bool,
}

/// What a request of HTTP asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked<'a> {
    /// One operation.
    One(Request<'a>),
    /// Several, each to be answered in its place of an array.
    Batch(Vec<Request<'a>>),
    /// One or several, with files among their variables.
    Uploads {
        /// The operations.
        requests: Vec<Request<'a>>,
        /// Whether they are a batch: the answer is an array.
        is_batch: bool,
        /// The files.
        uploads: Vec<Upload<'a>>,
    },
}

/// A file of a multipart request (GraphQL multipart request specification).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload<'a> {
    /// The name of its part.
    pub name: &'a str,
    /// The file's name, as the client gives it.
    pub file_name: Option<&'a str>,
    /// Its content type, as the client gives it.
    pub content_type: Option<&'a str>,
    /// Its content.
    pub content: &'a [u8],
    /// Where it stands: `variables.file`, or in a batch `0.variables.files.1`. The value
    /// there is null.
    pub paths: Vec<String>,
}

impl<'a> Received<'a> {
    /// Reads a request. `query` is the query of its URL, `body` its complete content.
    ///
    /// # Errors
    /// [`RequestError`]: it is answered as `application/json`, with
    /// [`RequestError::status`], [`RequestError::allow`] and
    /// [`RequestError::write_response`].
    ///
    /// ```
    /// use barewire::graphql::{Limits, RequestError, http::{Asked, MediaType, Received}};
    /// use barewire::http::{Fields, Method};
    ///
    /// let receive = |query| {
    ///     Received::read(Method::GET, Some(query), Fields::new(&[]), b"", &Limits::DEFAULT)
    /// };
    /// let received = receive("query={a}")?;
    /// assert_eq!(received.media_type()?, MediaType::Json);
    /// assert!(matches!(received.asked, Asked::One(request) if request.query == "{a}"));
    ///
    /// let refused = receive("query=mutation{a}")?.media_type().unwrap_err();
    /// assert_eq!((refused.status().code(), refused.allow()), (405, Some("POST")));
    /// # Ok::<(), RequestError>(())
    /// ```
    pub fn read(
        method: Method<'_>,
        query: Option<&'a str>,
        fields: Fields<'a>,
        body: &'a [u8],
        limits: &Limits,
    ) -> Result<Self, RequestError> {
        let is_read_only = match method {
            Method::GET => true,
            Method::POST => false,
            _ => return Err(RequestError::Method),
        };
        let asked = match is_read_only {
            true => Asked::One(Request::parse_query(query.unwrap_or_default(), limits)?),
            false => asked_by_post(fields, body, limits)?,
        };
        Ok(Self {
            accept: Accept::of(fields),
            asked,
            is_read_only,
        })
    }

    /// The operations, in order.
    pub fn requests(&self) -> &[Request<'a>] {
        match &self.asked {
            Asked::One(request) => core::slice::from_ref(request),
            Asked::Batch(requests) | Asked::Uploads { requests, .. } => requests,
        }
    }

    /// The operations, in order, for documents to be put in where a hash or an id names them.
    pub fn requests_mut(&mut self) -> &mut [Request<'a>] {
        match &mut self.asked {
            Asked::One(request) => core::slice::from_mut(request),
            Asked::Batch(requests) | Asked::Uploads { requests, .. } => requests,
        }
    }

    /// What its answer is, by what is accepted and which kind of operations it asks for.
    /// Their documents are known by now.
    ///
    /// # Errors
    /// [`RequestError::MutationByGet`]; [`RequestError::Subscription`] where no event stream
    /// is accepted, or in a batch; [`RequestError::NotAcceptable`].
    pub fn media_type(&self) -> Result<MediaType, RequestError> {
        let is_one = matches!(self.asked, Asked::One(_));
        let has = |kind| {
            self.requests()
                .iter()
                .any(|it| it.operation_type() == Some(kind))
        };
        if self.is_read_only && has(OperationType::Mutation) {
            return Err(RequestError::MutationByGet);
        }
        match has(OperationType::Subscription) {
            false => self.accept.best(is_one),
            true if is_one && self.accept.takes_events() => Ok(MediaType::EventStream),
            true => Err(RequestError::Subscription),
        }
    }
}

/// The status of a response of GraphQL (§Status Codes): by whether it has `data`, be it null.
///
/// `application/json` is answered with 200 whatever it holds, for clients that read nothing
/// else; a response without `data` in the type of GraphQL's own with 400.
///
/// ```
/// use barewire::graphql::http::{MediaType, status};
///
/// assert_eq!(status(MediaType::Response, false).code(), 400);
/// assert_eq!(status(MediaType::Json, false).code(), 200);
/// ```
pub const fn status(media_type: MediaType, has_data: bool) -> Status {
    match (media_type, has_data) {
        (MediaType::Response, false) => Status::BAD_REQUEST,
        _ => Status::OK,
    }
}

fn asked_by_post<'a>(
    fields: Fields<'a>,
    body: &'a [u8],
    limits: &Limits,
) -> Result<Asked<'a>, RequestError> {
    let content_type = fields.get("content-type").ok_or(RequestError::MediaType)?;
    let (name, parameters) = media_type::split(content_type);
    if name.eq_ignore_ascii_case(b"application/json") {
        let charset = media_type::parameter(parameters, b"charset");
        return match charset.is_none_or(|it| it.eq_ignore_ascii_case(b"utf-8")) {
            true => asked_in(as_json(body, limits)?, limits),
            false => Err(RequestError::MediaType),
        };
    }
    if limits.uploads == 0 || !name.eq_ignore_ascii_case(b"multipart/form-data") {
        return Err(RequestError::MediaType);
    }
    if !PREFLIGHT_HEADERS.iter().any(|it| fields.contains(it)) {
        return Err(RequestError::Preflight);
    }
    let boundary = media_type::parameter(parameters, b"boundary").ok_or(RequestError::Malformed)?;
    if body.len() > limits.message {
        return Err(RequestError::TooLong);
    }
    asked_by_form(Form::new(body, boundary), limits)
}

/// One request, or an array of them.
fn asked_in<'a>(text: &'a str, limits: &Limits) -> Result<Asked<'a>, RequestError> {
    if !text.trim_start().starts_with('[') {
        return Ok(Asked::One(Request::of_json(text, limits)?));
    }
    if limits.batch == 0 {
        return Err(RequestError::NoBatches);
    }
    let batch = elements(text, limits.batch).ok_or(RequestError::NotJson)?;
    if batch.is_empty() || batch.len() > limits.batch {
        return Err(RequestError::BatchLength);
    }
    let requests = batch.iter().map(|it| Request::of_json(it, limits));
    Ok(Asked::Batch(requests.collect::<Result<_, _>>()?))
}

/// `operations`, then `map`, then the files.
fn asked_by_form<'a>(mut form: Form<'a>, limits: &Limits) -> Result<Asked<'a>, RequestError> {
    let mut part = |name: &str| match form.next() {
        Some(Ok(part)) if part.name == name => as_json(part.content, limits),
        Some(Err(error)) => Err(error),
        _ => Err(RequestError::Malformed),
    };
    let (operations, map) = (part("operations")?, part("map")?);
    let (requests, is_batch) = match asked_in(operations, limits)? {
        Asked::One(request) => (alloc::vec![request], false),
        Asked::Batch(requests) => (requests, true),
        Asked::Uploads { .. } => return Err(RequestError::Malformed),
    };
    let (mut uploads, mut places) = (Vec::new(), 0_usize);
    for part in form {
        let upload = upload(part?, operations, map, limits.uploads - places)?;
        places += upload.paths.len();
        uploads.push(upload);
    }
    Ok(Asked::Uploads {
        requests,
        is_batch,
        uploads,
    })
}

/// A file that stands in at most so many places, each of which is looked for.
fn upload<'a>(
    part: Part<'a>,
    operations: &str,
    map: &str,
    most: usize,
) -> Result<Upload<'a>, RequestError> {
    let found = members(map, [part.name]).map_err(|_| RequestError::UploadMap)?;
    let [Some(paths)] = found else {
        return Err(RequestError::UploadMap);
    };
    let paths: Vec<String> = serde_json::from_str(paths).map_err(|_| RequestError::UploadMap)?;
    if paths.is_empty() {
        return Err(RequestError::UploadMap);
    }
    if paths.len() > most {
        return Err(RequestError::TooManyUploads);
    }
    match paths
        .iter()
        .all(|path| at_path(operations, path) == Some("null"))
    {
        true => Ok(Upload {
            name: part.name,
            file_name: part.file_name,
            content_type: part.content_type,
            content: part.content,
            paths,
        }),
        false => Err(RequestError::UploadMap),
    }
}

#[cfg(test)]
mod tests;
