//! User and password of a URL (RFC 3986 §3.2.1).

use alloc::string::String;
use core::fmt;

use super::error::UrlError;
use super::part::decode;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    username: String,
    password: Option<String>,
}

impl Credentials {
    /// Takes them off an authority: what they are, and what follows the `@`.
    pub(super) fn split_from(authority: &str) -> Result<(Option<Self>, &str), UrlError> {
        // A backslash would end the host for a browser: whose host it is must not be in
        // doubt.
        let is_rare = |b| matches!(b, b'\\' | b'@');
        if !authority.bytes().any(is_rare) {
            return Ok((None, authority));
        }
        if authority.contains('\\') {
            return Err(UrlError::Host);
        }
        let Some((text, host)) = authority.rsplit_once('@') else {
            return Ok((None, authority));
        };
        if !text.bytes().all(is_in_user_info) {
            return Err(UrlError::UserInfo);
        }
        let (username, password) = match text.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (text, None),
        };
        if username.is_empty() && password.is_none_or(str::is_empty) {
            return Ok((None, host));
        }
        let credentials = Self {
            username: decode(username).ok_or(UrlError::UserInfo)?,
            password: match password {
                Some(text) => Some(decode(text).ok_or(UrlError::UserInfo)?),
                None => None,
            },
        };
        Ok((Some(credentials), host))
    }

    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

/// unreserved, pct-encoded, sub-delims and `:`.
const fn is_in_user_info(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%' | b':')
        || matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
        || matches!(b, b'*' | b'+' | b',' | b';' | b'=')
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}
