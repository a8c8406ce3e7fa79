//! Requests and responses as those of the `http` crate.

use ::http as http_types;
use bytes::Bytes;

use super::request::Request;
use super::response::Response;
use crate::http::Status;

/// The request with its complete body, copied. Parameters of the route and what middleware
/// has attached stay here.
///
/// ```
/// use barewire::app::{App, Refusal, Status};
/// use bytes::Bytes;
///
/// /// Code that knows the types of the `http` crate alone.
/// fn handle(request: http::Request<Bytes>) -> http::Response<Bytes> {
///     let mut response = http::Response::new(request.into_body());
///     response.headers_mut().insert("x-id", http::HeaderValue::from_static("7"));
///     response
/// }
///
/// App::new().post("/", |request, reply| {
///     let request = request.try_into().map_err(|_| Status::BAD_REQUEST)?;
///     Ok::<_, Refusal>(reply.response(handle(request)))
/// });
/// ```
impl TryFrom<&Request<'_>> for http_types::Request<Bytes> {
    type Error = http_types::Error;

    fn try_from(request: &Request<'_>) -> Result<Self, http_types::Error> {
        let parts = http_types::request::Parts::try_from(request.head())?;
        Ok(Self::from_parts(
            parts,
            Bytes::copy_from_slice(request.body()),
        ))
    }
}

/// A status from 600 on, which is not defined (RFC 9110 §15), becomes 500.
impl<B: Into<Bytes>> From<http_types::Response<B>> for Response {
    fn from(response: http_types::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let status = Status::try_from(parts.status).unwrap_or(Status::INTERNAL_SERVER_ERROR);
        let fields = parts.headers.iter();
        fields
            .fold(Self::new(status), |response, (name, value)| {
                response.header(name.as_str(), value.as_bytes())
            })
            .with_body(body)
    }
}
