//! Requests and responses of the `http` crate.

use alloc::string::ToString;

use ::http as http_types;

use super::as_url::AsUrl;
use super::body::Body;
use super::builder::RequestBuilder;
use super::client::Client;
use super::response::{BodyReader, Response};
use crate::client::connecting::{Url, UrlError};

impl AsUrl for http_types::Uri {
    fn to_url(&self, base: Option<&Url>) -> Result<Url, UrlError> {
        self.to_string().to_url(base)
    }
}

impl Client {
    /// Begins a request of the `http` crate. Its version is not looked at: the
    /// server and the client's options decide.
    ///
    /// ```no_run
    /// use barewire::client::Client;
    ///
    /// let request = http::Request::get("http://example.org/").header("accept", "text/html").body("")?;
    /// let response = Client::new().http_request(request).send()?;
    /// let response = http::Response::try_from(response)?;
    /// let text = std::io::read_to_string(response.into_body())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http_request<B: Into<Body>>(&self, request: http_types::Request<B>) -> RequestBuilder {
        let (parts, body) = request.into_parts();
        let mut new = self.request(parts.method.as_str(), &parts.uri).body(body);
        for (name, value) in &parts.headers {
            new = new.header(name.as_str(), value.as_bytes());
        }
        new
    }
}

/// The body comes as it is read.
impl TryFrom<Response> for http_types::Response<BodyReader> {
    type Error = http_types::Error;

    fn try_from(response: Response) -> Result<Self, http_types::Error> {
        let mut parts = http_types::Response::new(()).into_parts().0;
        parts.status = response.status().into();
        parts.version = response.version().into();
        parts.headers = response.headers().try_into()?;
        Ok(Self::from_parts(parts, response.reader()))
    }
}
