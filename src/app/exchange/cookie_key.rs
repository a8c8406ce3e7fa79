//! Cookies that their holder cannot change.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::request::Request;
use crate::http::Cookie;
use crate::wire::partly_shown;

type HmacSha256 = Hmac<Sha256>;

/// Characters of a signature.
const LENGTH: usize = 43;

/// A key that signs cookies: HMAC-SHA-256 of name and value, behind the value.
///
/// The holder of a signed cookie can read it and keep it for as long as they like: what must
/// end stands in the value, and is checked.
///
/// ```
/// use barewire::app::{App, Cookie, CookieKey};
///
/// # fn main() -> std::io::Result<()> {
/// let key = CookieKey::random()?;
/// let same = key.clone();
/// App::new()
///     .post("/login", move |_request, reply| {
///         reply.cookie(Cookie::new("__Host-user", "7").signed(&key)).redirect("/")
///     })
///     .get("/", move |request, reply| match request.signed_cookie("__Host-user", &same) {
///         Some(user) => reply.text(format!("user {user}")),
///         None => reply.redirect("/login"),
///     });
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CookieKey {
    /// The one that signs, and older ones.
    keys: Vec<HmacSha256>,
}

partly_shown!(it: CookieKey { keys: it.keys.len() });

/// A secret of less than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret for cookies has at least 32 bytes")]
pub struct ShortSecret;

impl CookieKey {
    /// A key of this secret: at least 32 random bytes, the same on all servers.
    ///
    /// # Errors
    /// [`ShortSecret`] if there are fewer.
    pub fn new(secret: &[u8]) -> Result<Self, ShortSecret> {
        let key = HmacSha256::new_from_slice(secret).map_err(|_| ShortSecret)?;
        match secret.len() {
            0..32 => Err(ShortSecret),
            _ => Ok(Self { keys: [key].into() }),
        }
    }

    /// A key that this process alone knows, and until its end.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Self::new(&secret).map_err(std::io::Error::other)
    }

    /// Reads also what an older key has signed, while its secret is being replaced.
    #[must_use]
    pub fn or(mut self, older: &Self) -> Self {
        self.keys.extend_from_slice(&older.keys);
        self
    }

    fn sign(&self, name: &str, value: &str) -> String {
        let mac = self.keys.first().map(|key| of(key, name, value).finalize());
        let mac = mac.map(|mac| mac.into_bytes()).unwrap_or_default(); // there is a first
        let mut signature = [0; LENGTH];
        let _ = URL_SAFE_NO_PAD.encode_slice(mac, &mut signature); // its length is LENGTH
        let signature = core::str::from_utf8(&signature).unwrap_or_default(); // ASCII
        alloc::format!("{value}.{signature}")
    }

    fn verify<'v>(&self, name: &str, signed: &'v str) -> Option<&'v str> {
        let (value, signature) = signed.rsplit_once('.')?;
        let mut mac = [0; 32];
        let decoded = URL_SAFE_NO_PAD.decode_slice(signature, &mut mac);
        if decoded != Ok(mac.len()) {
            return None;
        }
        // In constant time.
        let is_ours = |key| of(key, name, value).verify_slice(&mac).is_ok();
        self.keys.iter().any(is_ours).then_some(value)
    }
}

/// The name is signed as well, so that no value stands for another's.
fn of(key: &HmacSha256, name: &str, value: &str) -> HmacSha256 {
    let mut mac = key.clone();
    mac.update(name.as_bytes());
    mac.update(b"="); // in no name
    mac.update(value.as_bytes());
    mac
}

impl Cookie {
    /// Signs the value, for [`Request::signed_cookie`].
    #[must_use]
    pub fn signed(mut self, key: &CookieKey) -> Self {
        let signed = key.sign(self.name(), self.value());
        self.set_value(signed);
        self
    }
}

impl<'b> Request<'b> {
    /// The value of the first cookie of this name that the key has signed; others are passed
    /// over.
    pub fn signed_cookie(&self, name: &str, key: &CookieKey) -> Option<&'b str> {
        let named = self.cookies().filter(|(other, _)| *other == name);
        named
            .into_iter()
            .find_map(|(name, value)| key.verify(name, value))
    }
}

#[cfg(test)]
mod tests;
