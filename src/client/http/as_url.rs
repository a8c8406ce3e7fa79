//! Types that are accepted as the URL of a request.

use alloc::string::String;

use crate::client::connecting::{Url, UrlError};

/// A value that a request takes as its URL: a text, or a [`Url`], which is not parsed
/// again.
pub trait AsUrl {
    /// The URL, a relative one as seen from `base`.
    ///
    /// # Errors
    /// [`UrlError`] if it is not a valid URL.
    fn to_url(&self, base: Option<&Url>) -> Result<Url, UrlError>;
}

impl AsUrl for Url {
    fn to_url(&self, _: Option<&Url>) -> Result<Url, UrlError> {
        Ok(self.clone())
    }
}

impl AsUrl for str {
    fn to_url(&self, base: Option<&Url>) -> Result<Url, UrlError> {
        match base {
            Some(base) => base.join(self),
            None => Url::parse(self),
        }
    }
}

impl AsUrl for String {
    fn to_url(&self, base: Option<&Url>) -> Result<Url, UrlError> {
        self.as_str().to_url(base)
    }
}

impl<T: AsUrl + ?Sized> AsUrl for &T {
    fn to_url(&self, base: Option<&Url>) -> Result<Url, UrlError> {
        (**self).to_url(base)
    }
}
